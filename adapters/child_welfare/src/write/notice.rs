//! What has no element of its own in NIEM: told with the closest one that the schema allows.
//!
//! The partner's case is `hs:RelatedCase`; a meeting is `j:CaseConference`; everything else that
//! happened around the case is `j:CaseActivity`, whose category says what it is.

use tandem_adapter_port::outbound::{
    AssessmentView, ChangeView, ComanagementView, ConflictView, ConsentReminderView, MeetingView,
    MutualClientView, Outbound, RecallView,
};
use tandem_adapter_port::write::WriteContext;
use tandem_mappings::model::assessment::Rating;

use super::message::Parts;
use super::party::{caseworker, categorised, identification};
use super::referral::comment;
use super::time::{date, date_time, partial};
use super::xml::{Node, optional};

fn status(code: &str) -> Node {
    Node::new("nc:ActivityStatus").child(Node::text("nc:StatusText", code))
}

/// The same family is served elsewhere: the partner's case, its status and its worker.
pub(crate) fn mutual_client(view: &MutualClientView) -> Parts {
    let since = view.since.map(|day| date("nc:ActivityDate", day));
    let related = Node::new("hs:RelatedCase")
        .child(Node::text(
            "nc:ActivityCategoryText",
            view.partner_program.code(),
        ))
        .with(since)
        .with(view.partner_case_status.as_deref().map(status))
        .child(identification(
            "nc:OrganizationIdentification",
            view.partner.id.as_str(),
        ))
        .with(optional(
            "hs:OrganizationCaseID",
            view.partner_case.as_ref(),
        ));
    let worker = view.worker.as_ref();
    Parts {
        names_people: true,
        caseworker: worker.and_then(|worker| caseworker(worker, Some(&view.partner.name))),
        related: Some(related),
        ..Parts::default()
    }
}

/// Co-management started, paused or ended.
pub(crate) fn comanagement(
    outbound: &Outbound,
    view: &ComanagementView,
    context: &WriteContext,
) -> Parts {
    let step = view.step.map(|step| comment("step", step.code()));
    let state = status(view.state.code());
    let lead = view.lead.as_ref().unwrap_or(&outbound.sender);
    let related = Node::new("hs:RelatedCase")
        .child(categorised(
            "nc:ActivityIdentification",
            view.episode.to_string(),
            "comanagement",
        ))
        .child(Node::text("nc:ActivityCategoryText", "comanagement"))
        .with(step)
        .child(date_time("nc:ActivityDate", view.at, &context.zone))
        .with(optional(
            "nc:ActivityDescriptionText",
            view.transition_plan.as_ref(),
        ))
        .with(optional(
            "nc:ActivityReasonText",
            view.start_reason.map(|reason| reason.code()),
        ))
        .with(optional(
            "nc:ActivityReasonText",
            view.end_reason.map(|reason| reason.code()),
        ))
        .child(state)
        .child(identification(
            "nc:OrganizationIdentification",
            lead.id.as_str(),
        ))
        .with(optional(
            "hs:OrganizationCaseID",
            view.partner_case.as_ref(),
        ));
    let worker = view.worker.as_ref();
    Parts {
        names_people: true,
        caseworker: worker.and_then(|worker| caseworker(worker, Some(&outbound.sender.name))),
        related: Some(related),
        ..Parts::default()
    }
}

/// A meeting, planned or held.
pub(crate) fn meeting(view: &MeetingView, context: &WriteContext) -> Parts {
    let present = view
        .present
        .iter()
        .map(|one| comment("present", &format!("{}: {}", one.system, one.role)));
    let family = view
        .family_present
        .map(|here| comment("family-present", if here { "yes" } else { "no" }));
    let place = view.place.as_ref().map(|place| comment("place", place));
    let next = view
        .next
        .map(|at| date_time("nc:ActivityScheduledDate", at, &context.zone));
    let node = Node::new("j:CaseConference")
        .child(Node::text(
            "nc:ActivityCategoryText",
            view.meeting_type.code(),
        ))
        .with(place)
        .with(present)
        .with(family)
        .child(date_time("nc:ActivityDate", view.at, &context.zone))
        .with(next)
        .child(status(if view.is_held { "held" } else { "scheduled" }));
    Parts {
        names_people: true,
        augmentation: vec![node],
        ..Parts::default()
    }
}

/// Levels rated: one activity for each domain.
pub(crate) fn assessment(view: &AssessmentView) -> Parts {
    let one = |rating: &Rating| {
        let level = rating
            .level
            .map_or_else(|| "not-applicable".to_owned(), |level| level.to_string());
        Node::new("j:CaseActivity")
            .child(Node::text("nc:ActivityCategoryText", "assessment"))
            .child(comment("instrument", view.instrument.as_str()))
            .child(comment("stage", view.stage.code()))
            .child(date("nc:ActivityDate", view.rated_on))
            .child(Node::text("nc:ActivityName", rating.domain.code()))
            .child(status(&level))
    };
    Parts {
        names_people: true,
        augmentation: view.ratings.iter().map(one).collect(),
        ..Parts::default()
    }
}

/// Plans clash: a flag, no decision.
pub(crate) fn conflict(view: &ConflictView, context: &WriteContext) -> Parts {
    let own = view
        .own
        .as_ref()
        .map(|id| categorised("nc:ActivityIdentification", id, "own"));
    let other = view
        .other
        .as_ref()
        .map(|id| categorised("nc:ActivityIdentification", id, "other"));
    let owner = view
        .other_owner
        .as_ref()
        .map(|owner| comment("other-owner", &owner.name));
    let node = Node::new("j:CaseActivity")
        .with(own)
        .with(other)
        .child(Node::text("nc:ActivityCategoryText", "conflict"))
        .with(owner)
        .with(
            view.at
                .map(|at| date_time("nc:ActivityDate", at, &context.zone)),
        )
        .child(Node::text("nc:ActivityName", view.conflict.code()));
    Parts {
        names_people: true,
        augmentation: vec![node],
        ..Parts::default()
    }
}

/// Something changed on the partner's side.
pub(crate) fn change(outbound: &Outbound, view: &ChangeView) -> Parts {
    let when = view.date.map(|day| partial("nc:ActivityDate", day));
    let node = Node::new("j:CaseActivity")
        .child(Node::text("nc:ActivityCategoryText", &view.change))
        .with(when.clone())
        .with(view.status.as_deref().map(status));
    let placement = view.placement.map(|placement| {
        Node::new("hs:Placement")
            .with(when)
            .child(status(placement.code()))
    });
    let worker = view.worker.as_ref();
    Parts {
        names_people: true,
        caseworker: worker.and_then(|worker| caseworker(worker, Some(&outbound.sender.name))),
        augmentation: vec![node],
        placement,
        ..Parts::default()
    }
}

/// Stop using what was delivered: message ids and duties, nobody's name.
pub(crate) fn recall(view: &RecallView) -> Parts {
    let messages = view.messages.iter();
    let messages =
        messages.map(|id| categorised("nc:ActivityIdentification", id.to_string(), "message"));
    let duties = view
        .duties
        .iter()
        .map(|duty| Node::text("nc:ActivityReasonText", duty.code()));
    let node = Node::new("j:CaseActivity")
        .with(messages)
        .child(Node::text("nc:ActivityCategoryText", "recall"))
        .with(duties);
    Parts {
        augmentation: vec![node],
        ..Parts::default()
    }
}

/// A consent will end: its id, its last day, and what of the recipient's rests on it.
pub(crate) fn consent_reminder(view: &ConsentReminderView) -> Parts {
    let id = |id: String, what| categorised("nc:ActivityIdentification", id, what);
    let messages = view.messages.iter();
    let referrals = view.referrals.iter();
    let node = Node::new("j:CaseActivity")
        .child(id(view.consent.clone(), "consent"))
        .with(messages.map(|one| id(one.to_string(), "message")))
        .with(referrals.map(|one| id(one.clone(), "referral")))
        .child(Node::text("nc:ActivityCategoryText", "consent-reminder"))
        .child(date("nc:ActivityDate", view.last_day))
        .child(Node::text(
            "nc:ActivityDescriptionText",
            view.sentences().join(" "),
        ));
    Parts {
        names_people: true,
        augmentation: vec![node],
        ..Parts::default()
    }
}
