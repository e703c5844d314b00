//! The facts of each kind of message. What consent took away is absent, and leaves no trace.

use tandem_adapter_port::outbound::{
    AssessmentView, ChangeView, ComanagementView, ConflictView, ConsentReminderView, MeetingView,
    MutualClientView, ParticipationView, PlanView, RecallView, ReferralStatusView, ReferralView,
};
use tandem_mappings::model::plan::{Activity, FundingLine, Goal};

use super::facts::Facts;

impl Facts<'_> {
    pub(crate) fn mutual_client(&mut self, view: &MutualClientView) -> &'static str {
        self.put("partner", &view.partner.name);
        self.put("partner programme", view.partner_program.code());
        self.maybe("partner case", view.partner_case.as_deref());
        self.maybe("partner case status", view.partner_case_status.as_deref());
        self.maybe("since", view.since);
        self.worker(view.worker.as_ref());
        "mutual client"
    }

    /// Only for referrals that Event.csv can't tell.
    pub(crate) fn referral(&mut self, view: &ReferralView) -> &'static str {
        self.put("domain", view.domain.code());
        self.put("urgency", view.urgency.code());
        self.maybe("need", view.need.as_deref());
        self.maybe("service", view.service_name.as_deref());
        self.worker(view.worker.as_ref());
        "referral"
    }

    pub(crate) fn referral_status(&mut self, view: &ReferralStatusView) -> &'static str {
        self.put("referral", &view.referral.to_string());
        self.maybe("own referral", view.recipient_ref.as_deref());
        self.put("status", view.status.code());
        self.maybe("reason", view.reason.map(|reason| reason.code()));
        self.maybe("reason in words", view.reason_text.as_deref());
        self.maybe("detail", view.sub_status.map(|detail| detail.code()));
        self.maybe("domain", view.domain.map(|domain| domain.code()));
        self.party("served by", view.target.as_ref());
        self.moment("at", view.at);
        for (index, output) in view.outputs.iter().enumerate() {
            self.part(format!("output {}", index + 1));
            self.put("kind", &output.kind);
            self.maybe("text", output.text.as_deref());
            self.maybe(
                "code",
                output.coding.as_ref().map(|coding| coding.code.as_str()),
            );
        }
        "referral status"
    }

    pub(crate) fn plan(&mut self, view: &PlanView) -> &'static str {
        self.put("plan", view.plan.as_str());
        self.put("plan type", view.plan_type.code());
        self.put("owner", &view.owner.name);
        self.maybe("version", view.version);
        self.put("status", view.status.code());
        self.maybe("first day", view.from);
        self.maybe("last day", view.to);
        self.moment("updated", view.updated_at);
        for goal in &view.goals {
            self.goal(goal);
        }
        for activity in &view.activities {
            self.activity(activity);
        }
        for (index, line) in view.fundings.iter().enumerate() {
            self.funding(index + 1, line);
        }
        "plan"
    }

    fn goal(&mut self, goal: &Goal) {
        self.part(format!("goal {}", goal.id));
        self.maybe("description", goal.statement.as_deref());
        self.put("domain", goal.domain.code());
        self.put("status", goal.lifecycle.code());
        self.maybe(
            "achievement",
            goal.achievement.map(|achievement| achievement.code()),
        );
        self.maybe("baseline level", goal.baseline_level);
        self.maybe("target level", goal.target_level);
        self.maybe("target date", goal.target_date);
        self.maybe("owner", goal.owner.as_ref());
    }

    fn activity(&mut self, activity: &Activity) {
        self.part(format!("activity {}", activity.id));
        self.maybe("name", activity.name.as_deref());
        self.put("kind", activity.kind.code());
        self.put("domain", activity.domain.code());
        self.put("status", activity.status.code());
        self.maybe("provider", activity.provider.as_deref());
        self.maybe("goal", activity.goal.as_ref());
        self.maybe("hours a week", activity.hours_per_week);
        self.maybe("demanded by", activity.mandated_by.map(|by| by.code()));
        let plans: Vec<&str> = activity
            .counts_toward
            .iter()
            .map(|plan| plan.code())
            .collect();
        self.put("counts toward", &plans.join(", "));
        for (question, at) in [("starts", activity.starts_at), ("ends", activity.ends_at)] {
            if let Some(at) = at {
                self.moment(question, at);
            }
        }
    }

    fn funding(&mut self, number: usize, line: &FundingLine) {
        self.part(format!("funding {number}"));
        self.put("category", line.category.code());
        self.put("payer", line.payer.as_str());
        self.maybe(
            "payer of last resort",
            line.payer_of_last_resort.then_some("yes"),
        );
        self.maybe("first day", line.from);
        self.maybe("last day", line.to);
        self.maybe("amount in dollars", line.amount);
        self.maybe("note", line.note.as_deref());
    }

    pub(crate) fn participation(&mut self, view: &ParticipationView) -> &'static str {
        self.put("status", view.status.code());
        self.maybe("effective", view.effective);
        self.maybe("reason", view.reason.as_deref());
        "participation"
    }

    pub(crate) fn comanagement(&mut self, view: &ComanagementView) -> &'static str {
        self.put("state", view.state.code());
        self.maybe(
            "start reason",
            view.start_reason.map(|reason| reason.code()),
        );
        self.maybe("end reason", view.end_reason.map(|reason| reason.code()));
        self.party("lead", view.lead.as_ref());
        self.worker(view.worker.as_ref());
        self.maybe("partner case", view.partner_case.as_deref());
        self.maybe("step", view.step.map(|step| step.code()));
        self.maybe("transition plan", view.transition_plan.as_deref());
        self.moment("at", view.at);
        "co-management"
    }

    pub(crate) fn meeting(&mut self, view: &MeetingView) -> &'static str {
        self.put("kind", view.meeting_type.code());
        self.put("held", if view.is_held { "yes" } else { "planned" });
        self.moment("at", view.at);
        self.maybe("place", view.place.as_deref());
        self.maybe(
            "family present",
            view.family_present.map(|is| if is { "yes" } else { "no" }),
        );
        if let Some(next) = view.next {
            self.moment("next", next);
        }
        for (index, attendee) in view.present.iter().enumerate() {
            self.part(format!("present {}", index + 1));
            self.put("system", &attendee.system);
            self.put("role", &attendee.role);
        }
        "meeting"
    }

    pub(crate) fn assessment(&mut self, view: &AssessmentView) -> &'static str {
        if view.ratings.is_empty() {
            return "assessment";
        }
        self.put("instrument", view.instrument.as_str());
        self.put("stage", view.stage.code());
        self.maybe("rated on", Some(view.rated_on));
        for rating in &view.ratings {
            self.part(format!("rating {}", rating.domain));
            self.maybe("level", rating.level);
            self.maybe("instrument domain", rating.instrument_domain.as_deref());
        }
        "assessment"
    }

    pub(crate) fn conflict(&mut self, view: &ConflictView) -> &'static str {
        self.put("conflict", view.conflict.code());
        self.maybe("own object", view.own.as_deref());
        self.maybe("other object", view.other.as_deref());
        self.party("other owner", view.other_owner.as_ref());
        if let Some(at) = view.at {
            self.moment("at", at);
        }
        "conflict"
    }

    pub(crate) fn change(&mut self, view: &ChangeView) -> &'static str {
        self.put("change", &view.change);
        self.maybe("placement", view.placement.map(|change| change.code()));
        self.maybe("status", view.status.as_deref());
        self.maybe("date", view.date);
        self.worker(view.worker.as_ref());
        "change"
    }

    pub(crate) fn recall(&mut self, view: &RecallView) -> &'static str {
        for (index, message) in view.messages.iter().enumerate() {
            self.part(format!("recalled {}", index + 1));
            self.put("message", &message.to_string());
        }
        self.part("");
        let duties: Vec<&str> = view.duties.iter().map(|duty| duty.code()).collect();
        self.put("duties", &duties.join(", "));
        "recall"
    }

    pub(crate) fn consent_reminder(&mut self, view: &ConsentReminderView) -> &'static str {
        self.put("consent", &view.consent);
        self.maybe("last day", Some(view.last_day));
        for (index, message) in view.messages.iter().enumerate() {
            self.part(format!("message {}", index + 1));
            self.put("message", &message.to_string());
        }
        for (index, referral) in view.referrals.iter().enumerate() {
            self.part(format!("referral {}", index + 1));
            self.put("own referral", referral);
        }
        "consent reminder"
    }
}
