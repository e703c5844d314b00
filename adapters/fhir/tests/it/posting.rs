//! What partners post to the gateway.

use serde_json::{Value, json};
use tandem_fhir::conversation::inbound::{
    self, Fetched, Posted, PostedTask, operation_outcome, receive_task, receive_update,
    stored_task, with_focus,
};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::referral::{ReferralRole, ReferralStatus};

use crate::message::{REFERRAL, clinic_service_request, clinic_task};
use crate::server::Server;
use crate::setting::{config, context, now};

fn posted() -> Value {
    let mut task = clinic_task("requested");
    task.as_object_mut().unwrap().remove("id");
    let mut service = clinic_service_request();
    service["id"] = json!("sr");
    task["contained"] = json!([service]);
    task["focus"] = json!({"reference": "#sr"});
    task["identifier"] = json!([{"system": "https://clinic.example/ids", "value": "R-1"}]);
    task
}

fn receive(task: &Value) -> Posted {
    receive_task(task.to_string().as_bytes(), &config(), &context())
}

fn accepted(task: &Value) -> PostedTask {
    match receive(task) {
        Posted::Complete(posted) => *posted,
        other => panic!("{other:?}"),
    }
}

fn paths(posted: Posted) -> Vec<String> {
    match posted {
        Posted::Refused(refusal) => refusal
            .issues
            .into_iter()
            .map(|one| one.expression)
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_posted_task_with_its_focus_contained_is_a_referral() {
    let posted = accepted(&posted());
    let [event] = posted.events.as_slice() else {
        panic!("{:?}", posted.events)
    };
    let Body::ReferralRequested(request) = &event.body else {
        panic!("requested")
    };
    assert_eq!(request.domain.code(), "food");
    assert_eq!(
        request.referral.source_ref.as_deref(),
        Some(posted.effect.as_str())
    );
    assert_eq!(request.source_resources, Vec::<String>::new());
    let referral = REFERRAL.parse().unwrap();
    let stored = stored_task(&posted.task, referral, 1, now());
    assert_eq!(stored["id"], REFERRAL);
    assert_eq!(stored["meta"]["versionId"], "1");
    assert_eq!(stored["unknownElement"]["kept"], true);
}

#[test]
fn posting_again_gives_the_same_key() {
    let first = accepted(&posted());
    let second = accepted(&posted());
    assert_eq!(first.effect, second.effect);
    assert_eq!(
        first.events[0].source_event_id,
        second.events[0].source_event_id
    );
    let mut other = posted();
    other["identifier"][0]["value"] = json!("R-2");
    assert_ne!(accepted(&other).effect, first.effect);
}

#[test]
fn a_focus_on_the_partners_server_is_fetched() {
    let mut task = posted();
    task["focus"] = json!({"reference": "https://clinic.example/fhir/ServiceRequest/sr-9"});
    let Posted::NeedsFocus { task, mut fetch } = receive(&task) else {
        panic!("needs focus")
    };
    let mut server = Server::default();
    server.put(clinic_service_request());
    let Fetched::Step(tandem_adapter_port::conversation::Step::Send(request)) =
        fetch.step(None, now())
    else {
        panic!("a request")
    };
    let answer = server.handle(&request);
    let Fetched::Focus(focus) = fetch.step(Some(answer), now()) else {
        panic!("a focus")
    };
    let Posted::Complete(posted) = with_focus(*task, *focus, &config(), &context()) else {
        panic!("complete")
    };
    let Body::ReferralRequested(request) = &posted.events[0].body else {
        panic!("requested")
    };
    assert_eq!(
        request.source_resources,
        ["https://clinic.example/fhir/ServiceRequest/sr-9"]
    );
}

#[test]
fn a_focus_elsewhere_is_never_fetched() {
    for reference in [
        "https://evil.example/fhir/ServiceRequest/1",
        "http://169.254.1.1/ServiceRequest/1",
        "ServiceRequest/1",
    ] {
        let mut task = posted();
        task["focus"] = json!({"reference": reference});
        assert_eq!(
            paths(receive(&task)),
            ["Task.focus.reference"],
            "{reference}"
        );
    }
}

#[test]
fn every_element_that_the_profile_requires_is_asked_for() {
    for field in [
        "status",
        "intent",
        "code",
        "focus",
        "for",
        "authoredOn",
        "requester",
    ] {
        let mut task = posted();
        task.as_object_mut().unwrap().remove(field);
        assert!(
            paths(receive(&task)).contains(&format!("Task.{field}")),
            "{field}"
        );
    }
    for field in ["status", "intent", "subject", "code"] {
        let mut task = posted();
        task["contained"][0].as_object_mut().unwrap().remove(field);
        assert!(
            paths(receive(&task)).contains(&format!("ServiceRequest.{field}")),
            "{field}"
        );
    }
}

#[test]
fn wrong_codes_are_refused_with_their_path() {
    let cases = [
        ("intent", json!("plan"), "Task.intent"),
        ("status", json!("completed"), "Task.status"),
        ("status", json!("Marisol"), "Task.status"),
        (
            "code",
            json!({"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]}),
            "Task.code",
        ),
        (
            "requester",
            json!({"reference": "Patient/1"}),
            "Task.requester.reference",
        ),
        (
            "statusReason",
            json!({"coding": [{"code": "x"}]}),
            "Task.statusReason.text",
        ),
        (
            "lastModified",
            json!("2020-01-01T00:00:00Z"),
            "Task.lastModified",
        ),
    ];
    for (field, value, path) in cases {
        let mut task = posted();
        task[field] = value;
        let posted = receive(&task);
        if let Posted::Refused(refusal) = &posted {
            let outcome = operation_outcome(&refusal.issues);
            assert_eq!(outcome["resourceType"], "OperationOutcome");
            assert!(!outcome.to_string().contains("Marisol"));
        }
        assert!(paths(posted).contains(&path.to_owned()), "{path}");
    }
}

#[test]
fn a_required_primitive_may_be_carried_by_its_absent_reason() {
    let mut task = posted();
    task.as_object_mut().unwrap().remove("authoredOn");
    task["_authoredOn"] = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    accepted(&task);
}

#[test]
fn a_body_that_two_readers_would_read_differently_is_refused() {
    let body = posted()
        .to_string()
        .replacen("{", "{\"status\":\"draft\",", 1);
    let posted = receive_task(body.as_bytes(), &config(), &context());
    let Posted::Refused(refusal) = posted else {
        panic!("refused")
    };
    assert_eq!(refusal.status, 400);
}

#[test]
fn a_patient_contained_in_the_task_is_read_with_it() {
    let mut task = posted();
    let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Testa"}]});
    task["contained"].as_array_mut().unwrap().push(patient);
    task["for"] = json!({"reference": "#p"});
    let posted = accepted(&task);
    let types: Vec<_> = posted
        .events
        .iter()
        .map(|event| event.body.event_type())
        .collect();
    assert_eq!(types, ["record.received", "referral.requested"]);
    let Body::ReferralRequested(request) = &posted.events[1].body else {
        panic!("requested")
    };
    assert_eq!(
        Some(&request.subjects[0]),
        posted.events[0].source_person_id.as_ref()
    );
}

#[test]
fn an_update_is_checked_against_the_state_machine_and_the_side() {
    use ReferralRole::{Source, Target};
    use ReferralStatus::{Accepted, Completed, InProgress, Requested};
    let put = |status: &str, stored, side| {
        let mut task = clinic_task(status);
        task["meta"]["versionId"] = json!("2");
        task["statusReason"] = json!({"text": "why"});
        receive_update(
            task.to_string().as_bytes(),
            stored,
            side,
            &config(),
            &context(),
        )
    };
    assert_eq!(
        put("accepted", Requested, Target).unwrap()[0]
            .body
            .event_type(),
        "referral.accepted"
    );
    assert_eq!(
        put("cancelled", InProgress, Source).unwrap()[0]
            .body
            .event_type(),
        "referral.cancelled"
    );
    assert_eq!(put("accepted", Accepted, Source).unwrap(), []);
    assert_eq!(put("accepted", Requested, Source).unwrap_err().status, 409);
    assert_eq!(put("accepted", Completed, Target).unwrap_err().status, 409);
    assert_eq!(put("completed", Requested, Target).unwrap_err().status, 409);
    let mut silent = clinic_task("rejected");
    silent.as_object_mut().unwrap().remove("statusReason");
    let issue = inbound::move_issue(Requested, ReferralStatus::Rejected, Target, &silent).unwrap();
    assert_eq!(issue.expression, "Task.statusReason.text");
}

proptest::proptest! {
    #[test]
    fn no_body_makes_the_gateway_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = receive_task(&body, &config(), &context());
    }

    #[test]
    fn no_change_of_a_valid_task_makes_the_gateway_panic(
        field in "status|intent|code|focus|for|requester|contained|identifier|meta|output|input|statusReason|partOf",
        value in crate::reading::any_json(),
    ) {
        let mut task = posted();
        task[field] = value;
        let _ = receive(&task);
        let _ = receive_update(
            task.to_string().as_bytes(), ReferralStatus::Requested, ReferralRole::Target, &config(), &context(),
        );
    }
}

#[test]
fn what_a_modifier_may_turn_around_is_neither_posted_nor_put() {
    let modifier = json!([{"url": "https://example.org/not", "valueBoolean": true}]);
    let mut modified = posted();
    modified["modifierExtension"] = modifier.clone();
    let mut in_focus = posted();
    in_focus["contained"][0]["modifierExtension"] = modifier;
    for task in [modified, in_focus] {
        assert_eq!(paths(receive(&task)), ["Task"]);
        let body = task.to_string().into_bytes();
        let (stored, side) = (ReferralStatus::Requested, ReferralRole::Source);
        let refusal = receive_update(&body, stored, side, &config(), &context()).unwrap_err();
        assert_eq!(refusal.status.as_u16(), 422);
    }
}

#[test]
fn an_update_may_not_bring_in_what_a_posted_task_may_not() {
    let mut task = posted();
    task["status"] = json!("requested");
    task["contained"][0]["meta"] = json!({"security": [{"code": "PSYTHPN"}]});
    let body = task.to_string().into_bytes();
    let (stored, side) = (ReferralStatus::Requested, ReferralRole::Source);
    let refusal = receive_update(&body, stored, side, &config(), &context()).unwrap_err();
    assert!(
        refusal
            .issues
            .iter()
            .any(|one| one.expression == "Task.meta.security")
    );
}
