//! Common cases, removals, participation, meetings and the steps of the coordination.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::comanagement::{Comanagement, EndReason, StartReason};
use tandem_mappings::model::date::PartialDate;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::SystemId;
use tandem_mappings::model::involvement::{
    Participation, ParticipationStatus, Placement, PlacementChange, Program,
};
use tandem_mappings::model::meeting::{Attendee, Meeting, MeetingType};
use tandem_mappings::model::step::{CoordinationStep, Step};

use super::event::Telling;
use crate::linkages::Fields;
use crate::tables::LineType;

fn comanagement(telling: &Telling<'_>) -> Comanagement {
    let header = telling.header();
    Comanagement {
        episode: header.parsed("episode_id"),
        people: telling.people(),
        case: telling.case(),
        partner: SystemId::new(header.get("partner_system")).ok(),
        worker: telling.worker(),
        lead: None,
        start_reason: StartReason::from_code(header.get("start_reason")),
        end_reason: EndReason::from_code(header.get("end_reason")),
        review: None,
        note: header.some("need"),
    }
}

/// `common_case_referral`.
pub(super) fn start(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let body = Body::ComanagementStarted(Box::new(comanagement(telling)));
    let first = telling.people().into_iter().next();
    telling.event(
        telling.moment_of(telling.header().parsed("effective_date")),
        body,
        first,
    )
}

/// `end_of_common_case`.
pub(super) fn end(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let body = Body::ComanagementEnded(Box::new(comanagement(telling)));
    let first = telling.people().into_iter().next();
    telling.event(
        telling.moment_of(telling.header().parsed("effective_date")),
        body,
        first,
    )
}

/// `removal_notice`: one event for each child; for each person when no row says who is a child.
pub(super) fn removal(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let has_children = telling
        .message
        .rows(LineType::Person)
        .any(|part| is_child(&part.fields));
    let removed: Vec<String> = telling
        .message
        .rows(LineType::Person)
        .filter(|part| !has_children || is_child(&part.fields))
        .map(|part| part.fields.get("person_id").to_owned())
        .collect();
    let header = telling.header().clone();
    let date: Option<PartialDate> = header.parsed("removal_date");
    for id in telling
        .people()
        .into_iter()
        .filter(|id| removed.iter().any(|known| known == id.as_str()))
    {
        let placement = Placement {
            person: id.clone(),
            change: PlacementChange::Removed,
            date,
            reunification_plan: yes_or_no(header.get("reunification_plan")),
            original: None,
        };
        let at = telling.moment_of(date.and_then(|date| date.full()));
        telling.event(at, Body::PlacementChanged(Box::new(placement)), Some(id))?;
    }
    Ok(())
}

fn is_child(fields: &Fields) -> bool {
    fields.get("person_role") == "child"
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// `participation`: the standing of each person named.
pub(super) fn participation(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let Some(status) = ParticipationStatus::from_code(header.get("participation_status")) else {
        telling.drop(
            "field-value",
            "participation_status",
            "a welfare-to-work status",
        );
        return Ok(());
    };
    for person in telling.people() {
        let participation = Participation {
            person: person.clone(),
            program: Program::Calworks,
            status,
            effective: header.parsed("effective_date"),
            reason: header
                .some("reason_text")
                .or_else(|| header.some("reason_code")),
            original: None,
        };
        let at = telling.moment_of(header.parsed("effective_date"));
        telling.event(
            at,
            Body::ParticipationStatus(Box::new(participation)),
            Some(person),
        )?;
    }
    Ok(())
}

/// `meeting`: held when its time is not after the message's, else planned.
pub(super) fn meeting(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let (Some(meeting_type), Some(at)) = (
        MeetingType::from_code(header.get("meeting_type")),
        header.parsed("meeting_date"),
    ) else {
        telling.drop(
            "field-value",
            "meeting_type",
            "a kind of meeting and its time",
        );
        return Ok(());
    };
    let present = header
        .get("meeting_present")
        .split(';')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| {
            let (system, role) = pair.split_once(':').unwrap_or((pair, ""));
            Attendee {
                system: system.trim().to_owned(),
                role: role.trim().to_owned(),
            }
        });
    let meeting = Box::new(Meeting {
        meeting_type,
        at,
        place: header.some("meeting_place"),
        people: telling.people(),
        case: telling.case(),
        present: present.collect(),
        family_present: yes_or_no(header.get("family_present")),
        decisions: header.some("reason_text"),
        next: None,
    });
    let is_held = at <= telling.created_at;
    let body = if is_held {
        Body::MeetingHeld(meeting)
    } else {
        Body::MeetingScheduled(meeting)
    };
    let first = telling.people().into_iter().next();
    telling.event(if is_held { at } else { telling.created_at }, body, first)
}

/// The step of the five-step coordination, which any message may tell along.
pub(super) fn step(telling: &mut Telling<'_>) -> Result<(), Stopped> {
    let header = telling.header().clone();
    let Some(step) = Step::from_code(header.get("step")) else {
        return Ok(());
    };
    let step = CoordinationStep {
        people: telling.people(),
        case: telling.case(),
        step: Some(step),
        intensity: None,
        crisis: Vec::new(),
        end_reason: EndReason::from_code(header.get("end_reason")),
        transition_plan: header.some("transition_plan"),
    };
    let first = telling.people().into_iter().next();
    let at = telling.moment_of(header.parsed("effective_date"));
    telling.event(at, Body::CoordinationStep(Box::new(step)), first)
}
