//! The Linkages messages that a CalWORKs worker sends, ready to be filled further and sent.

use super::message::LinkagesMessage;
use super::system::CalworksSystem;
use crate::family::{self, demo_family};

impl CalworksSystem {
    /// An empty message of a kind to an organisation: id, time, sender, case number and worker are
    /// set; everything else with [`LinkagesMessage::with`] and [`LinkagesMessage::with_part`].
    #[must_use]
    pub fn message(&self, message_type: &str, recipient: &str) -> LinkagesMessage {
        let message = LinkagesMessage {
            message_id: self.next_message_id(),
            message_type: message_type.to_owned(),
            ..LinkagesMessage::default()
        };
        message
            .with("created_at", &self.clock.rfc3339())
            .with("sender", &self.organization)
            .with("recipient", recipient)
            .with("case_number", family::CALWORKS_CASE)
            .with("worker_name", family::CALWORKS_WORKER)
            .with("worker_phone", family::CALWORKS_WORKER_PHONE)
    }

    /// The same with the mother and both children as person rows, under their CIN.
    #[must_use]
    pub fn family_message(&self, message_type: &str, recipient: &str) -> LinkagesMessage {
        let message = self.message(message_type, recipient);
        demo_family()
            .members
            .iter()
            .fold(message, |message, person| {
                message.with_part(
                    "person",
                    &[
                        ("person_id", person.cin.as_str()),
                        (
                            "person_role",
                            if person.is_child { "child" } else { "parent" },
                        ),
                        ("first_name", &person.first_name),
                        ("last_name", &person.last_name),
                        ("birth_date", &person.birth_date.to_string()),
                        ("sex", &person.sex.to_string()),
                        ("cin", &person.cin),
                    ],
                )
            })
    }

    /// The same with the mother alone.
    #[must_use]
    pub fn mother_message(&self, message_type: &str, recipient: &str) -> LinkagesMessage {
        let mut message = self.family_message(message_type, recipient);
        message
            .parts
            .retain(|part| part.field("person_role") == "parent");
        message
    }

    /// Opens a common case with the partner; `start_reason` is e.g. `family-maintenance`.
    #[must_use]
    pub fn common_case_referral(&self, recipient: &str, start_reason: &str) -> LinkagesMessage {
        self.family_message("common_case_referral", recipient)
            .with("start_reason", start_reason)
    }

    /// Asks `target` (an organisation) to serve the mother; status `requested`.
    #[must_use]
    pub fn intake_referral(
        &self,
        target: &str,
        referral_id: &str,
        domain: &str,
        need: &str,
    ) -> LinkagesMessage {
        self.mother_message("intake_referral", target)
            .with("referral_id", referral_id)
            .with("referral_status", "requested")
            .with("status_date", &self.clock.today().to_string())
            .with("urgency", "routine")
            .with("domain", domain)
            .with("target_organization", target)
            .with("need", need)
    }

    /// Moves a referral; `reason_code` may be blank where none is needed.
    #[must_use]
    pub fn referral_status(
        &self,
        recipient: &str,
        referral_id: &str,
        status: &str,
        reason_code: &str,
    ) -> LinkagesMessage {
        self.message("referral_status", recipient)
            .with("referral_id", referral_id)
            .with("referral_status", status)
            .with("reason_code", reason_code)
            .with("status_date", &self.clock.today().to_string())
    }

    /// The welfare-to-work plan in a version and status; goals, activities and funding lines come
    /// with [`LinkagesMessage::with_part`].
    #[must_use]
    pub fn plan_update(
        &self,
        recipient: &str,
        plan_id: &str,
        version: u32,
        status: &str,
    ) -> LinkagesMessage {
        self.family_message("plan_update", recipient)
            .with("plan_id", plan_id)
            .with("plan_version", &version.to_string())
            .with("plan_status", status)
            .with("plan_type", "welfare-to-work")
    }

    /// The mother's welfare-to-work standing from today: `sanctioned`, `cured` and so on.
    #[must_use]
    pub fn participation(&self, recipient: &str, status: &str) -> LinkagesMessage {
        self.mother_message("participation", recipient)
            .with("participation_status", status)
            .with("effective_date", &self.clock.today().to_string())
    }

    /// A meeting held now; `present` is `system:role` pairs joined by `;`.
    #[must_use]
    pub fn meeting(&self, recipient: &str, meeting_type: &str, present: &str) -> LinkagesMessage {
        self.family_message("meeting", recipient)
            .with("meeting_type", meeting_type)
            .with("meeting_date", &self.clock.rfc3339())
            .with("meeting_place", "county office, room 4")
            .with("meeting_present", present)
            .with("family_present", "yes")
    }

    /// A rating of the household with `ssm-az`: (domain, level) pairs at stage `initial`, `interim`
    /// or `exit`.
    #[must_use]
    pub fn assessment(
        &self,
        recipient: &str,
        stage: &str,
        ratings: &[(&str, u8)],
    ) -> LinkagesMessage {
        let message = self
            .family_message("assessment", recipient)
            .with("instrument", "ssm-az")
            .with("stage", stage)
            .with("effective_date", &self.clock.today().to_string());
        ratings.iter().fold(message, |message, (domain, level)| {
            let level = level.to_string();
            message.with_part("rating", &[("domain", domain), ("rating_level", &level)])
        })
    }

    /// Ends the common case; `end_reason` is e.g. `goals-met`.
    #[must_use]
    pub fn end_of_common_case(
        &self,
        recipient: &str,
        end_reason: &str,
        transition_plan: &str,
    ) -> LinkagesMessage {
        self.family_message("end_of_common_case", recipient)
            .with("end_reason", end_reason)
            .with("step", "disengaged")
            .with("transition_plan", transition_plan)
            .with("effective_date", &self.clock.today().to_string())
    }
}
