//! Task and ServiceRequest to a referral (Gravity SDOH Clinical Care 3.0.0; FHIR R4).
//!
//! A Task carries the state, its focus ServiceRequest the content. A Task without a focus that can
//! be found still gives a referral from what it says itself.

use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{GoalId, OrganizationId, ReferralId, ServiceId, SourcePersonId};
use tandem_mappings::model::referral::{
    ReasonCode, ReferralOutput, ReferralRef, ReferralRequest, ReferralRole, ReferralStatus,
    ReferralTarget, ReferralUpdate, SafeContact, SubStatus, Urgency,
};
use tandem_mappings::model::worker::WorkerContact;

use super::reference;
use super::view::{Concept, View};
use crate::codes;
use crate::config::{FhirConfig, OwnIdentifier};
use crate::terms;

const PERTAINS_TO_GOAL: &str = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal";

/// How the system of the canonical domains ends, whatever gateway wrote it.
const OWN_DOMAINS: &str = "/CodeSystem/domain";

/// The gateway's referral id, when the resource is one that the gateway wrote.
pub(crate) fn own_referral(resource: &View<'_>, config: &FhirConfig) -> Option<ReferralId> {
    let system = config.own_system(OwnIdentifier::Referral);
    resource
        .objects("identifier")
        .iter()
        .filter(|identifier| identifier.text("system") == Some(&system))
        .find_map(|identifier| identifier.text("value")?.parse().ok())
}

/// Whether the resource carries any identifier of the gateway's own.
pub(crate) fn is_own(resource: &View<'_>, config: &FhirConfig) -> bool {
    resource.objects("identifier").iter().any(|identifier| {
        identifier
            .text("system")
            .is_some_and(|own| config.is_own_system(own))
    })
}

/// How the partner's Task names its referral.
pub(crate) fn referral_ref(task: &View<'_>, config: &FhirConfig) -> ReferralRef {
    let task_id = task.text("id").map(str::to_owned);
    match own_referral(task, config) {
        Some(id) => ReferralRef {
            id: Some(id),
            source_ref: None,
            target_ref: task_id,
        },
        None => ReferralRef {
            id: None,
            source_ref: task_id,
            target_ref: None,
        },
    }
}

/// The Task's state; `received` and `ready` are read as the states they mean.
pub(crate) fn status(task: &View<'_>) -> Option<ReferralStatus> {
    let status = codes::read_task_status(task.text("status")?);
    if status.is_none() {
        task.note("status", "a code of task-status");
    }
    status
}

/// The request that a Task (with its focus, where found) makes.
pub(crate) fn request(
    task: Option<&View<'_>>,
    service: Option<&View<'_>>,
    config: &FhirConfig,
) -> Option<ReferralRequest> {
    let main = task.or(service)?;
    let (domain, original) = domain(service, config);
    let is_contained = task
        .and_then(|task| task.object("focus"))
        .and_then(|focus| focus.text("reference"))
        .is_some_and(|reference| reference.starts_with('#'));
    Some(ReferralRequest {
        referral: referral_ref(main, config),
        source: task
            .or(service)
            .and_then(|view| view.object("requester"))
            .and_then(|who| organization(&who, config).0),
        worker: worker(service.or(task)),
        target: target(task, service, config),
        domain,
        original,
        subjects: subjects(task, service),
        household: None,
        urgency: urgency(task, service),
        need: need(task, service),
        safe_contact: service.and_then(safe_contact),
        goal: service.and_then(goal),
        part_of: task.and_then(|task| part_of(task)),
        // A contained request has no address of its own.
        source_resources: [
            ("Task", task),
            ("ServiceRequest", service.filter(|_| !is_contained)),
        ]
        .into_iter()
        .filter_map(|(kind, view)| {
            let id = view?.text("id")?;
            reference::is_id(id).then(|| config.at_partner(&format!("{kind}/{id}")))
        })
        .collect(),
    })
}

/// The update that a Task's state tells.
pub(crate) fn update(
    task: &View<'_>,
    status: ReferralStatus,
    config: &FhirConfig,
) -> ReferralUpdate {
    let reason = task.concept("statusReason");
    let business = task.concept("businessStatus");
    let role = own_referral(task, config).map(|_| ReferralRole::Target);
    ReferralUpdate {
        referral: referral_ref(task, config),
        status,
        reason: reason
            .as_ref()
            .and_then(|reason| read_reason(reason, config))
            .or_else(|| {
                business
                    .as_ref()
                    .and_then(|business| read_reason(business, config))
            }),
        reason_text: reason.as_ref().and_then(Concept::words).map(str::to_owned),
        sub_status: business
            .as_ref()
            .and_then(|business| read_sub_status(business, config)),
        role,
        outputs: outputs(task),
        original: task
            .text("status")
            .map(|code| Coding::new("http://hl7.org/fhir/task-status", code)),
    }
}

/// The event that tells a state; `requested` and `draft` need the request instead.
pub(crate) fn body(update: ReferralUpdate) -> Option<Body> {
    let status = update.status;
    let update = Box::new(update);
    match status {
        ReferralStatus::Accepted => Some(Body::ReferralAccepted(update)),
        ReferralStatus::Rejected => Some(Body::ReferralRejected(update)),
        ReferralStatus::InProgress => Some(Body::ReferralInProgress(update)),
        ReferralStatus::OnHold => Some(Body::ReferralOnHold(update)),
        ReferralStatus::Completed | ReferralStatus::Failed => Some(Body::ReferralClosed(update)),
        ReferralStatus::Cancelled => Some(Body::ReferralCancelled(update)),
        ReferralStatus::EnteredInError => Some(Body::ReferralError(update)),
        _ => None,
    }
}

fn read_reason(concept: &Concept<'_>, config: &FhirConfig) -> Option<ReasonCode> {
    let own = config.own_codes("referral-reason");
    concept.codings.iter().find_map(|(system, code, _)| {
        if *system == own {
            ReasonCode::from_code(code)
        } else {
            config.codes.read_reason(system, code)
        }
    })
}

fn read_sub_status(concept: &Concept<'_>, config: &FhirConfig) -> Option<SubStatus> {
    let own = config.own_codes("referral-sub-status");
    concept.codings.iter().find_map(|(system, code, _)| {
        if *system == own {
            SubStatus::from_code(code)
        } else {
            config.codes.read_sub_status(system, code)
        }
    })
}

/// The domain by our own coding, the Gravity category or the procedure code; `other` keeps the
/// partner's code beside it.
fn domain(service: Option<&View<'_>>, config: &FhirConfig) -> (Domain, Option<Coding>) {
    let Some(service) = service else {
        return (Domain::Other, None);
    };
    let concepts = service.concepts("category");
    let code = service.concept("code");
    let original = code
        .as_ref()
        .into_iter()
        .chain(&concepts)
        .flat_map(|concept| &concept.codings)
        .map(|(system, code, _)| Coding::new(*system, *code))
        .next();
    let codings = || concepts.iter().flat_map(|concept| &concept.codings);
    let own = codings().find_map(|(system, code, _)| {
        system
            .ends_with(OWN_DOMAINS)
            .then(|| Domain::from_code(code))
            .flatten()
    });
    let category = codings().find_map(|(system, code, _)| {
        (*system == terms::SDOHCC_CODES)
            .then(|| config.codes.read_category(code))
            .flatten()
    });
    let procedure = code
        .iter()
        .flat_map(|code| &code.codings)
        .find_map(|(system, code, _)| config.codes.read_service_code(system, code));
    let found = [own, category, procedure]
        .into_iter()
        .flatten()
        .find(|it| *it != Domain::Other);
    (found.unwrap_or(Domain::Other), original)
}

/// The people referred: the Task's `for`, else the request's subject.
fn subjects(task: Option<&View<'_>>, service: Option<&View<'_>>) -> Vec<SourcePersonId> {
    let of_task = task.and_then(|task| task.object("for"));
    let of_service = service.and_then(|service| service.object("subject"));
    let mut subjects: Vec<SourcePersonId> = of_task
        .iter()
        .chain(&of_service)
        .filter_map(person)
        .collect();
    subjects.dedup();
    subjects
}

/// The Patient that a Reference names. An absolute reference is kept whole until it is known whether
/// it leads to the partner's own server: the same id elsewhere is another person.
pub(crate) fn person(who: &View<'_>) -> Option<SourcePersonId> {
    let target = reference::parse(who.text("reference")?)?;
    if target.is_contained {
        return None;
    }
    if !matches!(target.kind, "Patient" | "") {
        who.note("reference", "a reference to a Patient");
        return None;
    }
    match target.base {
        Some(base) => SourcePersonId::new(format!("{base}/Patient/{}", target.id)).ok(),
        None => SourcePersonId::new(target.id).ok(),
    }
}

/// The organisation and service that a Reference names: by configuration, or by the gateway's own
/// identifiers, which a partner copies from the directory.
pub(crate) fn organization(
    who: &View<'_>,
    config: &FhirConfig,
) -> (Option<OrganizationId>, Option<ServiceId>) {
    let identifier = who.object("identifier");
    let pair = identifier
        .as_ref()
        .and_then(|identifier| Some((identifier.text("system")?, identifier.text("value")?)));
    if let Some(known) = config.known_organization(who.text("reference"), pair) {
        return (Some(known.organization.clone()), known.service.clone());
    }
    let Some((system, value)) = pair else {
        return (None, None);
    };
    if system == config.own_system(OwnIdentifier::Organization) {
        (OrganizationId::new(value).ok(), None)
    } else if system == config.own_system(OwnIdentifier::Service) {
        (None, ServiceId::new(value).ok())
    } else {
        (None, None)
    }
}

fn target(
    task: Option<&View<'_>>,
    service: Option<&View<'_>>,
    config: &FhirConfig,
) -> ReferralTarget {
    let mut target = ReferralTarget::default();
    let owner = task.and_then(|task| task.object("owner"));
    let performers = service
        .map(|service| service.objects("performer"))
        .unwrap_or_default();
    // The performer is named first: the owner of the source's Task is the gateway itself.
    for who in performers.iter().chain(&owner) {
        let (organization, service) = organization(who, config);
        let organization = organization.filter(|id| *id != config.gateway_organization);
        target.organization = target.organization.or(organization);
        target.service = target.service.or(service);
    }
    target
}

fn worker(request: Option<&View<'_>>) -> Option<WorkerContact> {
    let who = request?.object("requester")?;
    let name = who.text("display").map(str::to_owned);
    let id = who
        .text("reference")
        .and_then(reference::parse)
        .filter(|target| matches!(target.kind, "Practitioner" | "PractitionerRole"))
        .map(|target| target.id.to_owned());
    (name.is_some() || id.is_some()).then(|| WorkerContact {
        id,
        name,
        ..WorkerContact::default()
    })
}

fn urgency(task: Option<&View<'_>>, service: Option<&View<'_>>) -> Urgency {
    [task, service]
        .into_iter()
        .flatten()
        .find_map(|view| codes::read_priority(view.text("priority")?))
        .unwrap_or(Urgency::Routine)
}

fn need(task: Option<&View<'_>>, service: Option<&View<'_>>) -> Option<String> {
    let reason = service.and_then(|service| {
        service
            .concepts("reasonCode")
            .iter()
            .find_map(Concept::words)
    });
    let code = || service.and_then(|service| service.concept("code").and_then(|code| code.words()));
    let description = || task.and_then(|task| task.text("description"));
    reason.or_else(code).or_else(description).map(str::to_owned)
}

/// Gravity marks a client who must not be contacted by an `orderDetail`.
fn safe_contact(service: &View<'_>) -> Option<SafeContact> {
    let is_prohibited = service
        .concepts("orderDetail")
        .iter()
        .any(|detail| detail.code_in(terms::SDOHCC_CODES) == Some("contacting-subject-prohibited"));
    is_prohibited.then(|| SafeContact {
        may_contact: Some(false),
        ..SafeContact::default()
    })
}

fn goal(service: &View<'_>) -> Option<GoalId> {
    let reference = service
        .extension(PERTAINS_TO_GOAL)?
        .get("reference")?
        .as_str()?;
    GoalId::new(reference::parse(reference)?.id).ok()
}

fn part_of(task: &View<'_>) -> Option<ReferralRef> {
    let parents = task.objects("partOf");
    let target = reference::parse(parents.first()?.text("reference")?)?;
    Some(ReferralRef::from_message(target.id))
}

/// The Task's outputs: the resulting activity, and what else came of it.
fn outputs(task: &View<'_>) -> Vec<ReferralOutput> {
    task.objects("output")
        .iter()
        .map(|output| {
            let concept = output.concept("valueCodeableConcept");
            let reference = output
                .object("valueReference")
                .and_then(|value| value.text("reference").map(str::to_owned));
            let pointed = reference.as_deref().and_then(reference::parse);
            let kind = match pointed.as_ref().map(|target| target.kind) {
                Some("Procedure") => "procedure",
                Some("CarePlan") => "care-plan",
                Some("Observation") => "enrollment-status",
                Some(_) => "document",
                None if concept.is_some() => "procedure",
                None => "text",
            };
            ReferralOutput {
                kind: kind.to_owned(),
                text: concept
                    .as_ref()
                    .and_then(Concept::words)
                    .or_else(|| output.text("valueString"))
                    .map(str::to_owned),
                coding: concept
                    .as_ref()
                    .and_then(|concept| concept.codings.first())
                    .map(|(system, code, _)| Coding::new(*system, *code)),
                reference,
            }
        })
        .collect()
}
