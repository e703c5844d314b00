//! Placing orders and withdrawing them.

use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_fhir::conversation::{TASK, deliver};
use tandem_fhir::profile;

use crate::message::{REFERRAL, referral, withdrawal};
use crate::server::{Server, Trick, drive};
use crate::setting::config;

fn place(server: &mut Server, memory: &mut RowsInMemory) -> Delivery {
    let conclusion = drive(&mut *deliver(&config(), &referral(), memory), server);
    conclusion
        .memory
        .into_iter()
        .for_each(|row| memory.put(row));
    conclusion.delivery.unwrap()
}

#[test]
fn an_order_carries_everything_that_its_profiles_require() {
    let mut server = Server::default();
    let delivery = place(&mut server, &mut RowsInMemory::default());
    assert_eq!(
        delivery,
        Delivery::Acknowledged {
            reference: Some("Task/made-2".into())
        }
    );
    let (service, task) = (server.one("ServiceRequest"), server.one("Task"));
    assert_eq!(profile::service_request_issues(service), []);
    assert_eq!(profile::task_issues(task), []);
    assert_eq!(service["intent"], "filler-order");
    assert_eq!(
        service["basedOn"][0]["reference"],
        "https://source.example/fhir/ServiceRequest/s-2"
    );
    assert_eq!(service["subject"]["reference"], "Patient/p-mother");
    assert_eq!(
        service["orderDetail"][0]["coding"][0]["code"],
        "contacting-subject-prohibited"
    );
    assert_eq!(task["focus"]["reference"], "ServiceRequest/made-1");
    assert_eq!(
        task["partOf"][0]["reference"],
        "https://source.example/fhir/Task/s-1"
    );
    assert_eq!(task["status"], "requested");
    assert_eq!(task["priority"], "urgent");
    assert_eq!(task["requester"]["identifier"]["value"], "org-gateway");
    assert_eq!(task["owner"]["identifier"]["value"], "org-clinic");
    assert_eq!(task["identifier"][0]["value"], REFERRAL);
    let labels = task["meta"]["security"].as_array().unwrap();
    assert!(
        labels[0]["system"]
            .as_str()
            .unwrap()
            .ends_with("v3-Confidentiality")
    );
    assert!(
        labels[1]["system"]
            .as_str()
            .unwrap()
            .ends_with("v3-ActCode")
    );
    let notice = task["contained"][0]["text"]["div"].as_str().unwrap();
    assert!(
        notice.contains("Not to be passed on &lt;to others&gt; &amp; kept."),
        "{notice}"
    );
}

#[test]
fn a_lost_answer_is_repeated_without_a_second_effect() {
    for lost in 0..2 {
        let mut server = Server::default();
        let mut memory = RowsInMemory::default();
        server.tricks.extend((0..lost).map(|_| Trick::Honest));
        server.tricks.push_back(Trick::LoseAnswer);
        let first = place(&mut server, &mut memory);
        assert!(
            matches!(
                first,
                Delivery::Retry {
                    fault: Fault::Network,
                    ..
                }
            ),
            "{first:?}"
        );
        let second = place(&mut server, &mut memory);
        assert!(
            matches!(second, Delivery::Acknowledged { .. }),
            "{second:?}"
        );
        assert_eq!(server.all("ServiceRequest").len(), 1);
        assert_eq!(server.all("Task").len(), 1);
    }
}

#[test]
fn the_task_is_remembered_under_the_referral() {
    let mut memory = RowsInMemory::default();
    place(&mut Server::default(), &mut memory);
    use tandem_adapter_port::memory::PartnerMemory;
    let rows = memory.rows_by(TASK, REFERRAL);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].key, "made-2");
}

#[test]
fn an_order_for_a_person_unknown_at_the_target_is_parked() {
    let mut outbound = referral();
    outbound.people[0].person = None;
    let mut server = Server::default();
    let conclusion = drive(
        &mut *deliver(&config(), &outbound, &RowsInMemory::default()),
        &mut server,
    );
    let Some(Delivery::Park { text, .. }) = conclusion.delivery else {
        panic!("parked")
    };
    assert_eq!(text, "patient unknown at target");
    assert!(server.requests.is_empty());
}

#[test]
fn a_patient_is_created_only_where_that_is_configured() {
    let mut outbound = referral();
    outbound.people[0].person = None;
    let mut config = config();
    config.create_patients = true;
    let mut server = Server::default();
    drive(
        &mut *deliver(&config, &outbound, &RowsInMemory::default()),
        &mut server,
    );
    let patient = server.one("Patient");
    assert_eq!(patient["identifier"][0]["value"], "91234567A");
    assert_eq!(patient["name"][0]["family"], "Demofield");
    assert_eq!(server.one("Task")["for"]["reference"], "Patient/made-1");
}

#[test]
fn what_the_server_refuses_is_parked_or_retried_by_its_kind() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","diagnostics":"Marisol Demofield"}]}"#;
    let cases = [
        (401, "", true, Fault::Ours),
        (429, "", true, Fault::Partner),
        (503, "", true, Fault::Partner),
        (500, "", true, Fault::Partner),
        (302, "", false, Fault::Partner),
        (403, "", false, Fault::Ours),
        (422, outcome, false, Fault::Ours),
        (412, "", false, Fault::Partner),
        (404, "", false, Fault::Partner),
        (410, "", false, Fault::Partner),
        (409, "", true, Fault::Partner),
        (408, "", true, Fault::Partner),
        (425, "", true, Fault::Partner),
        (501, "", false, Fault::Partner),
        (307, "", false, Fault::Partner),
        (308, "", false, Fault::Partner),
    ];
    for (status, body, is_retry, whose) in cases {
        let mut server = Server::default();
        let after = vec![("Retry-After", "120".to_owned())];
        server
            .tricks
            .push_back(Trick::Answer(status, body.into(), after));
        let delivery = place(&mut server, &mut RowsInMemory::default());
        match delivery {
            Delivery::Retry { fault, after, .. } => {
                assert!(is_retry, "{status}");
                assert_eq!(fault, whose, "{status}");
                if status == 429 || status == 503 {
                    assert_eq!(after, Some(std::time::Duration::from_secs(120)));
                }
            }
            Delivery::Park { fault, text } => {
                assert!(!is_retry, "{status}");
                assert_eq!(fault, whose, "{status}");
                assert!(!text.contains("Marisol"), "{text}");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn only_412_says_that_several_resources_carry_our_identifier() {
    for (status, expected) in [(412, "more than one"), (409, "a conflict")] {
        let mut server = Server::default();
        let trick = Trick::Answer(status, String::new(), Vec::new());
        server.tricks.push_back(trick);
        let (Delivery::Park { text, .. } | Delivery::Retry { text, .. }) =
            place(&mut server, &mut RowsInMemory::default())
        else {
            panic!("{status}")
        };
        assert!(text.contains(expected), "{status}: {text}");
    }
}

#[test]
fn after_a_conflict_the_order_is_placed_once() {
    let mut server = Server::default();
    let mut memory = RowsInMemory::default();
    let conflict = Trick::Answer(409, String::new(), Vec::new());
    server.tricks.extend([Trick::Honest, conflict]);
    let first = place(&mut server, &mut memory);
    assert!(matches!(first, Delivery::Retry { .. }), "{first:?}");
    let second = place(&mut server, &mut memory);
    assert!(
        matches!(second, Delivery::Acknowledged { .. }),
        "{second:?}"
    );
    server.one("ServiceRequest");
    server.one("Task");
}

#[test]
fn a_created_resource_is_found_by_its_location_alone() {
    for location in [
        "/fhir/ServiceRequest/77/_history/1",
        "ServiceRequest/77",
        "https://clinic.example/fhir/ServiceRequest/77",
    ] {
        let mut server = Server::default();
        let headers = vec![("Location", location.to_owned())];
        server
            .tricks
            .push_back(Trick::Answer(201, String::new(), headers));
        place(&mut server, &mut RowsInMemory::default());
        assert_eq!(
            server.one("Task")["focus"]["reference"],
            "ServiceRequest/77",
            "{location}"
        );
    }
}

#[test]
fn a_server_that_answers_with_another_type_is_not_believed() {
    let mut server = Server::default();
    let lie = r#"{"resourceType":"Patient","id":"x"}"#;
    server
        .tricks
        .push_back(Trick::Answer(201, lie.into(), Vec::new()));
    let delivery = place(&mut server, &mut RowsInMemory::default());
    assert!(
        matches!(
            delivery,
            Delivery::Park {
                fault: Fault::Partner,
                ..
            }
        ),
        "{delivery:?}"
    );
    assert!(server.all("Task").is_empty());
}

#[test]
fn a_withdrawal_cancels_the_task_with_its_reason() {
    let mut server = Server::default();
    let mut memory = RowsInMemory::default();
    place(&mut server, &mut memory);
    let conclusion = drive(
        &mut *deliver(&config(), &withdrawal(), &memory),
        &mut server,
    );
    assert!(matches!(
        conclusion.delivery,
        Some(Delivery::Acknowledged { .. })
    ));
    let task = server.one("Task");
    assert_eq!(task["status"], "cancelled");
    assert_eq!(task["statusReason"]["text"], "consent revoked");
    assert_eq!(profile::task_issues(task), []);
}

#[test]
fn a_withdrawal_finds_the_task_whose_creation_was_never_confirmed() {
    let mut server = Server::default();
    server.tricks.extend([Trick::Honest, Trick::LoseAnswer]);
    place(&mut server, &mut RowsInMemory::default());
    let nothing = RowsInMemory::default();
    drive(
        &mut *deliver(&config(), &withdrawal(), &nothing),
        &mut server,
    );
    assert_eq!(server.one("Task")["status"], "cancelled");
}

#[test]
fn a_withdrawal_of_what_never_arrived_is_done() {
    let mut server = Server::default();
    let nothing = RowsInMemory::default();
    let conclusion = drive(
        &mut *deliver(&config(), &withdrawal(), &nothing),
        &mut server,
    );
    assert_eq!(
        conclusion.delivery,
        Some(Delivery::Acknowledged { reference: None })
    );
}

#[test]
fn whatever_is_left_of_a_view_the_profiles_are_met_or_nothing_is_sent() {
    use serde_json::json;
    let whole = serde_json::to_value(referral()).unwrap();
    let redactions = [
        json!({"need": null}),
        json!({"worker": null, "safe_contact": null, "source_resources": []}),
        json!({"service_reference": null, "service": "svc-1", "part_of": REFERRAL, "source_resources": []}),
        json!({"safe_contact": {}, "worker": {}}),
    ];
    for domain in tandem_mappings::model::domain::Domain::ALL {
        for redaction in &redactions {
            let mut outbound = whole.clone();
            outbound["body"]["domain"] = json!(domain.code());
            for (field, value) in redaction.as_object().unwrap() {
                outbound["body"][field] = value.clone();
            }
            outbound["labels"] = json!([]);
            outbound["notices"] = json!([]);
            let outbound = serde_json::from_value(outbound).unwrap();
            let mut server = Server::default();
            drive(
                &mut *deliver(&config(), &outbound, &RowsInMemory::default()),
                &mut server,
            );
            assert_eq!(
                profile::service_request_issues(server.one("ServiceRequest")),
                []
            );
            assert_eq!(profile::task_issues(server.one("Task")), []);
            let bytes = server.one("Task").to_string() + &server.one("ServiceRequest").to_string();
            for empty in ["[]", "{}", "\"\"", "null"] {
                assert!(!bytes.contains(empty), "{empty} in {bytes}");
            }
        }
    }
}

#[test]
fn an_order_on_the_gateways_own_server_is_the_same_order() {
    let outbound = referral();
    let tandem_adapter_port::outbound::OutboundBody::Referral(view) = &outbound.body else {
        panic!("referral")
    };
    let order = tandem_fhir::write::own_order(&config(), &outbound, view).unwrap();
    assert_eq!(profile::task_issues(&order.task), []);
    assert_eq!(order.task["id"], REFERRAL);
    assert_eq!(
        order.task["focus"]["reference"],
        format!("ServiceRequest/{REFERRAL}")
    );
    assert_eq!(
        order.service_request["subject"]["reference"],
        "https://clinic.example/fhir/Patient/p-mother"
    );
}
