//! Moving Tasks at the partner, carrying plans, telling notices.

use serde_json::json;
use tandem_adapter_port::memory::RowsInMemory;
use tandem_adapter_port::outbound::Outbound;
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_fhir::conversation::deliver;

use crate::message::{self, REFERRAL, clinic_task, plan};
use crate::server::{Server, Trick, drive};
use crate::setting::config;

const URL: &str = "https://clinic.example/fhir/Task/t-9";

fn send(outbound: &Outbound, server: &mut Server, memory: &mut RowsInMemory) -> Delivery {
    let conclusion = drive(&mut *deliver(&config(), outbound, memory), server);
    conclusion
        .memory
        .into_iter()
        .for_each(|row| memory.put(row));
    conclusion.delivery.unwrap()
}

fn clinic(status: &str) -> Server {
    let mut server = Server::default();
    server.put(clinic_task(status));
    server
}

#[test]
fn the_sources_task_is_led_through_every_state_and_keeps_what_we_do_not_know() {
    let mut server = clinic("requested");
    let done = message::status("completed", Some("source"), &[URL]);
    let delivery = send(&done, &mut server, &mut RowsInMemory::default());
    assert!(
        matches!(delivery, Delivery::Acknowledged { .. }),
        "{delivery:?}"
    );
    let task = server.one("Task");
    assert_eq!(task["status"], "completed");
    assert_eq!(task["statusReason"]["text"], "service received");
    assert_eq!(
        task["output"][0]["type"]["coding"][0]["code"],
        "resulting-activity"
    );
    assert_eq!(task["unknownElement"]["kept"], true);
    let puts = server
        .requests
        .iter()
        .filter(|request| request.method() == "PUT");
    let states: Vec<String> = puts
        .map(|request| {
            assert!(request.headers().contains_key("If-Match"));
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            body["status"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(states, ["accepted", "completed"]);
}

#[test]
fn a_source_that_is_its_own_target_is_told_in_the_task_that_it_made() {
    let mut server = clinic("requested");
    let mut memory = RowsInMemory::default();
    send(&message::referral(), &mut server, &mut memory);
    let accepted = message::status("accepted", Some("source"), &[URL]);
    send(&accepted, &mut server, &mut memory);
    assert_eq!(server.resources["Task/t-9"]["status"], "accepted");
    assert_eq!(server.resources["Task/made-2"]["status"], "requested");
    let cancelled = message::status("cancelled", Some("target"), &[]);
    send(&cancelled, &mut server, &mut memory);
    assert_eq!(server.resources["Task/made-2"]["status"], "cancelled");
}

#[test]
fn a_target_is_never_told_to_have_accepted_what_it_did_not() {
    let mut server = Server::default();
    let mut memory = RowsInMemory::default();
    send(&message::referral(), &mut server, &mut memory);
    let accepted = message::status("accepted", Some("target"), &[]);
    let delivery = send(&accepted, &mut server, &mut memory);
    assert!(matches!(delivery, Delivery::Park { .. }), "{delivery:?}");
    assert_eq!(server.one("Task")["status"], "requested");
}

#[test]
fn a_server_that_answers_writes_with_nothing_is_not_echoed() {
    let mut server = clinic("requested");
    let mut memory = RowsInMemory::default();
    server.tricks.push_back(Trick::Honest);
    server.tricks.push_back(Trick::Answer(
        200,
        String::new(),
        vec![("ETag", "W/\"2\"".into())],
    ));
    send(
        &message::status("accepted", Some("source"), &[URL]),
        &mut server,
        &mut memory,
    );
    server.put(clinic_task("accepted"));
    let mut pull = tandem_fhir::conversation::pull(&config(), &crate::setting::context(), &memory);
    let events = drive(&mut pull, &mut server).events;
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn repeating_a_status_writes_nothing() {
    let mut server = clinic("requested");
    let mut memory = RowsInMemory::default();
    let accepted = message::status("accepted", Some("source"), &[URL]);
    send(&accepted, &mut server, &mut memory);
    let before = server.requests.len();
    assert!(matches!(
        send(&accepted, &mut server, &mut memory),
        Delivery::Acknowledged { .. }
    ));
    assert!(
        server.requests[before..]
            .iter()
            .all(|request| request.method() == "GET")
    );
}

#[test]
fn when_the_partner_was_first_the_task_is_read_again() {
    let mut server = clinic("accepted");
    server.tricks.push_back(Trick::Honest);
    server.tricks.push_back(Trick::PartnerFirst(
        "Task/t-9".into(),
        json!({"description": "changed"}),
    ));
    let running = message::status("in-progress", Some("source"), &[URL]);
    let delivery = send(&running, &mut server, &mut RowsInMemory::default());
    assert!(
        matches!(delivery, Delivery::Acknowledged { .. }),
        "{delivery:?}"
    );
    assert_eq!(server.one("Task")["status"], "in-progress");
    assert_eq!(server.one("Task")["description"], "changed");
}

#[test]
fn when_the_partner_cancelled_first_the_move_is_not_forced() {
    let mut server = clinic("accepted");
    server.tricks.push_back(Trick::Honest);
    server.tricks.push_back(Trick::PartnerFirst(
        "Task/t-9".into(),
        json!({"status": "cancelled"}),
    ));
    let running = message::status("in-progress", Some("source"), &[URL]);
    let delivery = send(&running, &mut server, &mut RowsInMemory::default());
    let Delivery::Park {
        fault: Fault::Partner,
        text,
    } = delivery
    else {
        panic!("{delivery:?}")
    };
    assert_eq!(text, "task is cancelled: no legal move to in-progress");
    assert_eq!(server.one("Task")["status"], "cancelled");
}

#[test]
fn a_partner_that_keeps_changing_the_task_does_not_hold_us_for_ever() {
    let mut server = clinic("accepted");
    for at in 0..40 {
        server.tricks.push_back(Trick::Honest);
        server.tricks.push_back(Trick::PartnerFirst(
            "Task/t-9".into(),
            json!({"description": at.to_string()}),
        ));
    }
    let running = message::status("in-progress", Some("source"), &[URL]);
    let delivery = send(&running, &mut server, &mut RowsInMemory::default());
    assert!(
        matches!(
            delivery,
            Delivery::Retry {
                fault: Fault::Partner,
                ..
            }
        ),
        "{delivery:?}"
    );
}

#[test]
fn a_tag_that_fits_every_version_guards_no_update() {
    for tag in ["*", ""] {
        let mut server = clinic("requested");
        let task = server.one("Task").to_string();
        let headers = vec![("ETag", tag.to_owned())];
        server.tricks.push_back(Trick::Answer(200, task, headers));
        send(
            &message::status("accepted", Some("source"), &[URL]),
            &mut server,
            &mut RowsInMemory::default(),
        );
        let put = server.requests.iter().find(|one| one.method() == "PUT");
        assert_eq!(put.unwrap().headers()["If-Match"], "W/\"1\"", "{tag:?}");
    }
}

#[test]
fn a_task_of_another_id_is_not_taken_for_ours() {
    let mut server = clinic("requested");
    let mut other = clinic_task("requested");
    other["id"] = json!("t-10");
    server
        .tricks
        .push_back(Trick::Answer(200, other.to_string(), Vec::new()));
    let accepted = message::status("accepted", Some("source"), &[URL]);
    let delivery = send(&accepted, &mut server, &mut RowsInMemory::default());
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
}

#[test]
fn a_task_on_another_server_is_never_written() {
    let mut server = Server::default();
    let elsewhere = message::status(
        "accepted",
        Some("source"),
        &["https://other.example/fhir/Task/t-9"],
    );
    send(&elsewhere, &mut server, &mut RowsInMemory::default());
    assert_eq!(server.one("Communication")["status"], "completed");
    assert!(
        server
            .requests
            .iter()
            .all(|request| request.uri().host() == Some("clinic.example"))
    );
}

#[test]
fn a_plan_travels_as_output_of_the_task_and_is_replaced_not_repeated() {
    let mut server = Server::default();
    let mut memory = RowsInMemory::default();
    send(&message::referral(), &mut server, &mut memory);
    for _ in 0..2 {
        let delivery = send(&plan(Some(REFERRAL)), &mut server, &mut memory);
        assert!(
            matches!(delivery, Delivery::Acknowledged { .. }),
            "{delivery:?}"
        );
    }
    let care_plan = server.one("CarePlan");
    for field in ["text", "status", "intent", "subject", "category"] {
        assert!(!care_plan[field].is_null(), "US Core requires {field}");
    }
    assert_eq!(care_plan["category"][0]["coding"][0]["code"], "assess-plan");
    assert_eq!(care_plan["goal"][0]["reference"], "#goal-1");
    assert_eq!(care_plan["contained"][0]["id"], "goal-1");
    let outputs = server.one("Task")["output"].as_array().unwrap();
    assert_eq!(outputs.len(), 1);
    assert_eq!(
        outputs[0]["type"]["coding"][0]["code"],
        "additional-content"
    );
    let id = care_plan["id"].as_str().unwrap();
    assert_eq!(
        outputs[0]["valueReference"]["reference"],
        format!("CarePlan/{id}")
    );
}

#[test]
fn a_plan_whose_creation_was_never_confirmed_is_found_and_replaced() {
    let mut server = clinic("accepted");
    let mut outbound = plan(None);
    if let tandem_adapter_port::outbound::OutboundBody::Plan(view) = &mut outbound.body {
        view.referral_resource = Some(URL.into());
    }
    server.tricks.push_back(Trick::LoseAnswer);
    let mut memory = RowsInMemory::default();
    assert!(matches!(
        send(&outbound, &mut server, &mut memory),
        Delivery::Retry { .. }
    ));
    assert!(matches!(
        send(&outbound, &mut server, &mut memory),
        Delivery::Acknowledged { .. }
    ));
    assert_eq!(server.all("CarePlan").len(), 1);
    assert_eq!(server.one("Task")["output"].as_array().unwrap().len(), 1);
}

#[test]
fn a_plan_without_a_task_is_told_with_the_plan_contained() {
    let mut server = Server::default();
    send(&plan(None), &mut server, &mut RowsInMemory::default());
    let told = server.one("Communication");
    assert_eq!(
        told["payload"].as_array().unwrap().last().unwrap()["contentReference"]["reference"],
        "#plan"
    );
    assert_eq!(told["contained"][1]["resourceType"], "CarePlan");
    assert!(server.all("CarePlan").is_empty());
}

#[test]
fn a_notice_is_told_once_however_often_it_is_sent() {
    let mut server = Server::default();
    server.tricks.push_back(Trick::LoseAnswer);
    for _ in 0..3 {
        send(
            &message::participation(),
            &mut server,
            &mut RowsInMemory::default(),
        );
    }
    let told = server.one("Communication");
    assert_eq!(told["category"][0]["coding"][0]["code"], "notification");
    assert_eq!(
        told["payload"][0]["contentString"],
        "Participation status: sanctioned"
    );
    assert_eq!(told["subject"]["reference"], "Patient/p-mother");
}

#[test]
fn a_reminder_names_the_consent_its_last_day_and_the_messages_even_of_somebody_unknown() {
    for person in [true, false] {
        let mut server = Server::default();
        let mut reminder = message::consent_reminder();
        if !person {
            reminder.people.clear();
        }
        send(&reminder, &mut server, &mut RowsInMemory::default());
        let told = server.one("Communication");
        let words = told["payload"][0]["contentString"].as_str().unwrap();
        assert!(
            words.contains("consent-7") && words.contains("2026-06-29"),
            "{words}"
        );
        assert_eq!(
            told["about"][0]["identifier"]["value"],
            "0191f2aa-0000-7000-8000-0000000000dd"
        );
        assert_eq!(told["subject"].is_object(), person);
    }
}

#[test]
fn a_recall_names_message_ids_and_duties_and_nobody() {
    let mut server = Server::default();
    send(
        &message::recall(),
        &mut server,
        &mut RowsInMemory::default(),
    );
    let mut told = server.one("Communication").clone();
    assert_eq!(
        told["about"][0]["identifier"]["value"],
        "0191f2aa-0000-7000-8000-0000000000dd"
    );
    assert_eq!(told["reasonCode"][0]["coding"][0]["code"], "stop-use");
    told["recipient"].take();
    let text = told.to_string();
    for never in [
        "p-mother",
        "PSY",
        "passed on",
        "Demofield",
        "org-cws",
        "Child Welfare",
        REFERRAL,
    ] {
        assert!(!text.contains(never), "{never}: {text}");
    }
}
