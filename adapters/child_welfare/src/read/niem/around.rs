//! What happened around a case: placements, workers, meetings, ratings, co-management, case status.

use std::collections::BTreeMap;

use tandem_adapter_port::deviation::Deviation;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::assessment::{Assessment, Rating, Stage};
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::comanagement::{
    Comanagement, ComanagementState, EndReason, StartReason,
};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{InstrumentId, OrganizationId};
use tandem_mappings::model::involvement::{
    Involvement, Placement, PlacementChange, Program, WorkerChange,
};
use tandem_mappings::model::meeting::{Attendee, Meeting, MeetingType};

use super::check::place;
use super::person::worker;
use super::told::Message;
use super::tree::Element;
use super::value::{date, day, moment};

/// Tells all of it.
pub(crate) fn tell(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    placements(message, sink)?;
    case(message, sink)?;
    comanagement(message, sink)?;
    meetings(message, sink)?;
    ratings(message, sink)
}

fn placements(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    for (index, element) in message.root.all("hs:Placement").enumerate() {
        let Some(child) = message.only_child() else {
            let expected = "one child: the element names none";
            message.drop_record(element, "placement-of-whom", expected, sink);
            continue;
        };
        let text = element.text_at("nc:ActivityStatus/nc:StatusText");
        let told = text.and_then(|text| message.tables.status("placement", text));
        let is_reunified = element.text_at("hs:PlacementChangeReasonCode") == Some("REUN");
        let implied = if is_reunified {
            PlacementChange::Returned
        } else {
            PlacementChange::Placed
        };
        let change = told
            .and_then(|code| PlacementChange::from_code(&code))
            .unwrap_or(implied);
        let code = element.text_at("hs:PlacementCategoryCode");
        let when = element.at("nc:ActivityDate");
        let body = Body::PlacementChanged(Box::new(Placement {
            person: child.clone(),
            change,
            date: date(when),
            reunification_plan: None,
            original: code.map(|code| Coding::new("niem:PlacementCategoryCode", code)),
        }));
        let happened = date(when).and_then(|date| date.full());
        let happened = happened.and_then(|day| day.to_zoned(message.context.zone.clone()).ok());
        let happened = happened.map(|zoned| zoned.timestamp());
        message.tell(
            &format!("placement:{index}"),
            happened,
            Some(child),
            body,
            sink,
        )?;
    }
    Ok(())
}

/// The sender's case: its status where the message tells one, and its worker in a plan update.
fn case(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let Some(element) = message.root.at("hs:ChildWelfareCase") else {
        return Ok(());
    };
    let Some(case) = message.case.clone() else {
        return Ok(());
    };
    let people = message.everybody();
    let caseworker = element.at("hs:Caseworker").and_then(worker);
    if let Some(text) = element.text_at("nc:ActivityStatus/nc:StatusText") {
        let Some(status) = message.tables.status("case", text) else {
            message.drop_value(element, "status-unknown", "open or closed", sink);
            return Ok(());
        };
        let range = element.at("nc:ActivityDate/nc:DateRange");
        let bound = |name| date(range.and_then(|range| range.at(name)));
        let involvement = Box::new(Involvement {
            program: Program::ChildWelfare,
            case: case.clone(),
            people: people.clone(),
            status: element
                .text_at("nc:CaseCategoryText")
                .map(str::to_owned)
                .or(Some(status.clone())),
            from: bound("nc:StartDate"),
            to: bound("nc:EndDate"),
            worker: caseworker.clone(),
            project: None,
            original: Some(Coding::new("niem:StatusText", text)),
        });
        let body = match status.as_str() {
            "closed" => Body::CaseClosed(involvement),
            _ => Body::CaseOpened(involvement),
        };
        message.tell("case", None, people.first(), body, sink)?;
    }
    // A referral carries its worker itself; only an update of the case says who is in charge now.
    match caseworker.filter(|_| message.root.is("lk:CasePlanUpdateMessage")) {
        Some(worker) => {
            let change = WorkerChange {
                case,
                people: people.clone(),
                worker,
                from: None,
            };
            let body = Body::WorkerChanged(Box::new(change));
            message.tell("worker", None, people.first(), body, sink)
        }
        None => Ok(()),
    }
}

fn comanagement(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    for (index, element) in message.root.all("hs:RelatedCase").enumerate() {
        if element.text_at("nc:ActivityCategoryText") != Some("comanagement") {
            continue;
        }
        let text = element.text_at("nc:ActivityStatus/nc:StatusText");
        let state = text.and_then(ComanagementState::from_code);
        let reasons: Vec<&str> = element
            .all("nc:ActivityReasonText")
            .map(|reason| reason.text.as_str())
            .collect();
        let id = element.text_at("nc:ActivityIdentification/nc:IdentificationID");
        let lead = element.text_at("nc:OrganizationIdentification/nc:IdentificationID");
        let told = Box::new(Comanagement {
            episode: id.and_then(|id| id.parse().ok()),
            people: message.everybody(),
            case: message.case.clone(),
            partner: None,
            worker: message
                .root
                .at("hs:ChildWelfareCase/hs:Caseworker")
                .and_then(worker),
            lead: lead.and_then(|id| OrganizationId::new(id).ok()),
            start_reason: reasons
                .iter()
                .find_map(|reason| StartReason::from_code(reason)),
            end_reason: reasons
                .iter()
                .rev()
                .find_map(|reason| EndReason::from_code(reason)),
            review: None,
            note: element
                .text_at("nc:ActivityDescriptionText")
                .map(str::to_owned),
        });
        let body = match state {
            Some(ComanagementState::Coordinating) => Body::ComanagementStarted(told),
            Some(ComanagementState::Paused) => Body::ComanagementPaused(told),
            Some(ComanagementState::Ended) => Body::ComanagementEnded(told),
            _ => {
                let expected = "coordinating, paused or ended";
                message.drop_record(element, "status-unknown", expected, sink);
                continue;
            }
        };
        let when = moment(element.at("nc:ActivityDate"), &message.context.zone);
        let people = message.everybody();
        message.tell(
            &format!("comanagement:{index}"),
            when,
            people.first(),
            body,
            sink,
        )?;
    }
    Ok(())
}

/// Activities of the case augmentation under a name.
fn around<'e>(message: &'e Message<'_>, name: &'static str) -> impl Iterator<Item = &'e Element> {
    let augmentation = message.root.at("hs:ChildWelfareCase/j:CaseAugmentation");
    augmentation.into_iter().flat_map(move |one| one.all(name))
}

fn meetings(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let zone = &message.context.zone;
    for (index, element) in around(message, "j:CaseConference").enumerate() {
        let kind = element
            .text_at("nc:ActivityCategoryText")
            .and_then(MeetingType::from_code);
        let at = moment(element.at("nc:ActivityDate"), zone);
        let (Some(meeting_type), Some(at)) = (kind, at) else {
            let expected = "nc:ActivityCategoryText with a kind of meeting, and nc:ActivityDate";
            message.drop_record(element, "meeting-incomplete", expected, sink);
            continue;
        };
        let present = element.all("nc:ActivityComment").filter_map(|comment| {
            let is_present = comment.text_at("nc:CommentTitleText") == Some("present");
            let (system, role) = comment
                .text_at("nc:CommentText")
                .filter(|_| is_present)?
                .split_once(": ")?;
            Some(Attendee {
                system: system.to_owned(),
                role: role.to_owned(),
            })
        });
        let meeting = Box::new(Meeting {
            meeting_type,
            at,
            place: Message::comments(element, "place").map(str::to_owned),
            people: message.everybody(),
            case: message.case.clone(),
            present: present.collect(),
            family_present: Message::comments(element, "family-present").map(|text| text == "yes"),
            decisions: None,
            next: moment(element.at("nc:ActivityScheduledDate"), zone),
        });
        let body = match element.text_at("nc:ActivityStatus/nc:StatusText") {
            Some("held") => Body::MeetingHeld(meeting),
            _ => Body::MeetingScheduled(meeting),
        };
        let people = message.everybody();
        message.tell(
            &format!("meeting:{index}"),
            Some(at),
            people.first(),
            body,
            sink,
        )?;
    }
    Ok(())
}

/// Ratings of one instrument, stage and day are one assessment.
fn ratings(message: &Message<'_>, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let mut found: BTreeMap<RatingKey, Vec<Rating>> = BTreeMap::new();
    for element in around(message, "j:CaseActivity") {
        if element.text_at("nc:ActivityCategoryText") != Some("assessment") {
            let place = place(message.file, element);
            let expected = "a rating; other activities stay with the original";
            sink.deviation(Deviation::info("activity-not-used", place, expected));
            continue;
        }
        match rating(element) {
            Some((key, rating)) => found.entry(key).or_default().push(rating),
            None => {
                let expected = "instrument, stage, domain, level and day of a rating";
                message.drop_record(element, "rating-incomplete", expected, sink);
            }
        }
    }
    let people = message.everybody();
    for (index, ((instrument, stage, rated_on), ratings)) in found.into_iter().enumerate() {
        let body = Body::AssessmentRecorded(Box::new(Assessment {
            instrument,
            version: None,
            stage,
            people: people.clone(),
            case: message.case.clone(),
            rated_on,
            ratings,
        }));
        message.tell(
            &format!("assessment:{index}"),
            None,
            people.first(),
            body,
            sink,
        )?;
    }
    Ok(())
}

/// What ratings of one assessment have in common.
type RatingKey = (InstrumentId, Stage, jiff::civil::Date);

/// One rating; `None` when a part of it is missing or not understood.
fn rating(element: &Element) -> Option<(RatingKey, Rating)> {
    let instrument = InstrumentId::new(Message::comments(element, "instrument")?).ok()?;
    let stage = Stage::from_code(Message::comments(element, "stage")?)?;
    let domain = Domain::from_code(element.text_at("nc:ActivityName")?)?;
    let level = match element.text_at("nc:ActivityStatus/nc:StatusText")? {
        "not-applicable" => None,
        text => Some(text.parse().ok()?),
    };
    let rated_on = day(element.at("nc:ActivityDate"))?;
    let rating = Rating {
        domain,
        level,
        instrument_domain: None,
        person: None,
    };
    Some(((instrument, stage, rated_on), rating))
}
