//! Notices in words: what a Communication says where FHIR has no resource for it.

use tandem_adapter_port::outbound::{
    ComanagementView, MeetingView, MutualClientView, OutboundBody, Party, ReferralStatusView,
};
use tandem_mappings::model::worker::WorkerContact;

/// The kind of a message, as a code.
pub(crate) fn kind(body: &OutboundBody) -> &'static str {
    match body {
        OutboundBody::MutualClient(_) => "mutual-client",
        OutboundBody::Referral(_) => "referral",
        OutboundBody::ReferralStatus(_) => "referral-status",
        OutboundBody::Plan(_) => "plan",
        OutboundBody::Participation(_) => "participation",
        OutboundBody::Comanagement(_) => "comanagement",
        OutboundBody::Meeting(_) => "meeting",
        OutboundBody::Assessment(_) => "assessment",
        OutboundBody::Conflict(_) => "conflict",
        OutboundBody::Change(_) => "change",
        OutboundBody::Recall(_) => "recall",
        OutboundBody::ConsentReminder(_) => "consent-reminder",
    }
}

/// The sentences of a notice. Only what the view holds is said.
pub(crate) fn sentences(body: &OutboundBody) -> Vec<String> {
    let mut said = Said::default();
    match body {
        OutboundBody::MutualClient(view) => mutual_client(view, &mut said),
        OutboundBody::ReferralStatus(view) => referral_status(view, &mut said),
        OutboundBody::Participation(view) => {
            said.line("Participation status", Some(view.status.code()));
            said.line("Effective", view.effective.map(|date| date.to_string()));
            said.line("Reason", view.reason.as_ref());
        }
        OutboundBody::Comanagement(view) => comanagement(view, &mut said),
        OutboundBody::Meeting(view) => meeting(view, &mut said),
        OutboundBody::Assessment(view) => {
            said.line(
                "Assessment",
                Some(format!("{}, {}", view.instrument, view.stage)),
            );
            said.line("Rated on", Some(view.rated_on));
            for rating in &view.ratings {
                let level = rating
                    .level
                    .map_or("not applicable".to_owned(), |n| n.to_string());
                said.line(rating.domain.code(), Some(format!("level {level}")));
            }
        }
        OutboundBody::Conflict(view) => {
            said.line("Plans clash", Some(view.conflict.code().replace('-', " ")));
            said.line("Your object", view.own.as_ref());
            said.line("Other object", view.other.as_ref());
            said.party("Other programme", view.other_owner.as_ref());
            said.line("At", view.at);
        }
        OutboundBody::Change(view) => {
            said.line("Change", Some(view.change.replace(['.', '_'], " ")));
            said.line("Placement", view.placement.map(|change| change.code()));
            said.line("Status", view.status.as_ref());
            said.line("Date", view.date.map(|date| date.to_string()));
            said.worker("New worker", view.worker.as_ref());
        }
        OutboundBody::Recall(view) => {
            said.0
                .push("Recall of messages delivered earlier.".to_owned());
            for duty in &view.duties {
                said.line("Duty", Some(duty.code().replace('-', " ")));
            }
            for message in &view.messages {
                said.line("Message", Some(message));
            }
        }
        OutboundBody::ConsentReminder(view) => said.0.extend(view.sentences()),
        OutboundBody::Plan(view) => {
            said.line("Plan", Some(view.plan_type.code().replace('-', " ")));
            said.line("Status", Some(view.status.code()));
            said.party("Owner", Some(&view.owner));
        }
        OutboundBody::Referral(view) => {
            said.line("Referral", Some(view.domain.code().replace('-', " ")));
        }
    }
    said.0
}

fn mutual_client(view: &MutualClientView, said: &mut Said) {
    said.0
        .push("This client is also served elsewhere.".to_owned());
    said.party("Organization", Some(&view.partner));
    said.line(
        "Programme",
        Some(view.partner_program.code().replace('-', " ")),
    );
    said.line("Case", view.partner_case.as_ref());
    said.line("Case status", view.partner_case_status.as_ref());
    said.worker("Worker", view.worker.as_ref());
    said.line("Since", view.since);
}

fn referral_status(view: &ReferralStatusView, said: &mut Said) {
    said.line(
        "Referral",
        view.domain.map(|domain| domain.code().replace('-', " ")),
    );
    said.line("Status", Some(view.status.code()));
    said.line(
        "Reason",
        view.reason.map(|reason| reason.code().replace('-', " ")),
    );
    said.line("Reason in words", view.reason_text.as_ref());
    said.line(
        "Detail",
        view.sub_status.map(|sub| sub.code().replace('-', " ")),
    );
    said.party("Served by", view.target.as_ref());
    said.line("At", Some(view.at));
    for output in &view.outputs {
        said.line("Outcome", output.text.as_ref());
    }
}

fn comanagement(view: &ComanagementView, said: &mut Said) {
    said.line("Co-management", Some(view.state.code()));
    said.line(
        "Start reason",
        view.start_reason
            .map(|reason| reason.code().replace('-', " ")),
    );
    said.line(
        "End reason",
        view.end_reason
            .map(|reason| reason.code().replace('-', " ")),
    );
    said.party("Lead", view.lead.as_ref());
    said.worker("Worker", view.worker.as_ref());
    said.line("Case", view.partner_case.as_ref());
    said.line("Step", view.step.map(|step| step.code()));
    said.line("Transition plan", view.transition_plan.as_ref());
    said.line("At", Some(view.at));
}

fn meeting(view: &MeetingView, said: &mut Said) {
    let state = if view.is_held {
        "Meeting held"
    } else {
        "Meeting planned"
    };
    said.line(state, Some(view.meeting_type.code().replace('-', " ")));
    said.line("At", Some(view.at));
    said.line("Place", view.place.as_ref());
    for attendee in &view.present {
        said.line(
            "Present",
            Some(format!("{} ({})", attendee.system, attendee.role)),
        );
    }
    said.line(
        "Family present",
        view.family_present.map(|it| if it { "yes" } else { "no" }),
    );
    said.line("Next meeting", view.next);
}

#[derive(Default)]
struct Said(Vec<String>);

impl Said {
    fn line(&mut self, label: &str, value: Option<impl std::fmt::Display>) {
        self.0
            .extend(value.map(|value| format!("{label}: {value}")));
    }

    fn party(&mut self, label: &str, party: Option<&Party>) {
        self.line(label, party.map(|party| &party.name));
    }

    fn worker(&mut self, label: &str, worker: Option<&WorkerContact>) {
        let Some(worker) = worker else { return };
        let parts = [&worker.name, &worker.role, &worker.phone, &worker.email];
        let words: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        self.line(label, (!words.is_empty()).then(|| words.join(", ")));
    }
}
