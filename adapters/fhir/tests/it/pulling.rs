//! Pulling what changed at a server.

use serde_json::{Value, json};
use tandem_adapter_port::conversation::{Conclusion, Conversation, Step};
use tandem_adapter_port::memory::{PartnerMemory, RowsInMemory};
use tandem_adapter_port::write::{Delivery, Fault};
use tandem_fhir::conversation::{CURSOR, deliver, pull};
use tandem_mappings::model::event::Body;
use tandem_mappings::model::referral::ReferralRole;

use crate::message::{REFERRAL, clinic_service_request, clinic_task, referral};
use crate::server::{Server, Trick, drive};
use crate::setting::{config, context, now};

fn look(server: &mut Server, memory: &mut RowsInMemory) -> Conclusion {
    let conclusion = drive(&mut pull(&config(), &context(), memory), server);
    conclusion
        .memory
        .iter()
        .for_each(|row| memory.put(row.clone()));
    conclusion
}

fn types(conclusion: &Conclusion) -> Vec<&'static str> {
    conclusion
        .events
        .iter()
        .map(|event| event.body.event_type())
        .collect()
}

fn clinic() -> Server {
    let mut server = Server::default();
    server.put(json!({"resourceType": "Patient", "id": "p-mother", "meta": {"lastUpdated": "2026-02-04T09:00:00Z"}, "name": [{"family": "Demofield", "given": ["Marisol"]}]}));
    server.put(clinic_task("requested"));
    server.put(clinic_service_request());
    server
}

fn bundle(entries: &[Value], next: Option<&str>) -> Trick {
    let entries: Vec<Value> = entries.iter().map(|one| json!({"resource": one})).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
    if let Some(next) = next {
        bundle["link"] = json!([{"relation": "next", "url": next}]);
    }
    Trick::Answer(200, bundle.to_string(), Vec::new())
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Example"}]})
}

#[test]
fn a_first_look_tells_patients_and_referrals_and_fetches_the_focus() {
    let mut server = clinic();
    let mut memory = RowsInMemory::default();
    let conclusion = look(&mut server, &mut memory);
    assert_eq!(
        types(&conclusion),
        ["record.received", "referral.requested"]
    );
    assert_eq!(conclusion.delivery, None);
    let Body::ReferralRequested(request) = &conclusion.events[1].body else {
        panic!("request")
    };
    assert_eq!(request.domain.code(), "food");
    assert_eq!(
        memory.row(CURSOR, "Patient").unwrap().value,
        "2026-02-04T09:00:00Z"
    );
    assert_eq!(server.requests[0].uri().query(), Some("_count=100"));
    let queries: Vec<&str> = server
        .requests
        .iter()
        .filter_map(|one| one.uri().query())
        .collect();
    assert_eq!(queries[1], "_include=Task%3Afocus&_count=100");
    look(&mut server, &mut memory);
    let query = server.requests[3].uri().query().unwrap();
    assert!(query.starts_with("_lastUpdated=gt2026-02-04T09"), "{query}");
}

#[test]
fn a_second_look_tells_only_what_changed_step_by_step() {
    let mut server = clinic();
    let mut memory = RowsInMemory::default();
    look(&mut server, &mut memory);
    let again = look(&mut server, &mut memory);
    assert_eq!(types(&again), ["record.received"]);
    server.put(clinic_task("completed"));
    let after = look(&mut server, &mut memory);
    assert_eq!(
        types(&after),
        ["record.received", "referral.accepted", "referral.closed"]
    );
}

#[test]
fn what_we_wrote_is_not_read_back_but_what_the_partner_did_to_it_is() {
    let mut server = Server::default();
    let mut memory = RowsInMemory::default();
    let placed = drive(&mut *deliver(&config(), &referral(), &memory), &mut server);
    placed.memory.into_iter().for_each(|row| memory.put(row));
    assert!(look(&mut server, &mut memory).events.is_empty());
    // Even a gateway that forgot everything does not take its own order for a new one.
    assert!(
        look(&mut server, &mut RowsInMemory::default())
            .events
            .is_empty()
    );
    let mut task = server.one("Task").clone();
    task["status"] = json!("accepted");
    server.put(task);
    let conclusion = look(&mut server, &mut memory);
    assert_eq!(types(&conclusion), ["referral.accepted"]);
    let Body::ReferralAccepted(update) = &conclusion.events[0].body else {
        panic!("accepted")
    };
    assert_eq!(update.referral.id.unwrap().to_string(), REFERRAL);
    assert_eq!(update.role, Some(ReferralRole::Target));
    assert!(look(&mut server, &mut memory).events.is_empty());
}

#[test]
fn next_links_are_followed_as_they_stand() {
    let mut server = Server::default();
    server.tricks.push_back(bundle(
        &[patient("a")],
        Some("https://clinic.example/fhir?token=x%2Fy"),
    ));
    server
        .tricks
        .push_back(bundle(&[patient("b"), patient("a")], None));
    server.tricks.push_back(bundle(&[], None));
    let conclusion = look(&mut server, &mut RowsInMemory::default());
    assert_eq!(types(&conclusion), ["record.received", "record.received"]);
    assert_eq!(
        server.requests[1].uri().to_string(),
        "https://clinic.example/fhir?token=x%2Fy"
    );
}

#[test]
fn a_next_link_in_a_circle_or_to_another_origin_ends_the_pull() {
    let circle = "https://clinic.example/fhir?page=2";
    for (first, second) in [
        (circle, Some(circle)),
        ("https://evil.example/fhir?page=2", None),
    ] {
        let mut server = Server::default();
        server
            .tricks
            .push_back(bundle(&[patient("a")], Some(first)));
        server.tricks.push_back(bundle(&[patient("b")], second));
        let mut memory = RowsInMemory::default();
        let conclusion = look(&mut server, &mut memory);
        let delivery = conclusion.delivery;
        assert!(
            matches!(
                delivery,
                Some(Delivery::Park {
                    fault: Fault::Partner,
                    ..
                })
            ),
            "{delivery:?}"
        );
        assert!(
            server
                .requests
                .iter()
                .all(|one| one.uri().host() == Some("clinic.example"))
        );
        assert!(
            memory.row(CURSOR, "Patient").is_none(),
            "the cursor must not move"
        );
        assert!(!conclusion.events.is_empty(), "what was read is told");
    }
}

#[test]
fn a_search_without_end_is_broken_off() {
    let mut conversation = pull(&config(), &context(), &RowsInMemory::default());
    let mut answer = None;
    let mut requests = 0;
    let conclusion = loop {
        match conversation.step(answer.take(), now()) {
            Step::Send(_) => {
                requests += 1;
                let next = format!("https://clinic.example/fhir?page={requests}");
                let Trick::Answer(_, body, _) = bundle(&[], Some(&next)) else {
                    panic!("bundle")
                };
                answer = Some(Ok(http::Response::new(body.into_bytes())));
            }
            Step::Done(conclusion) => break conclusion,
        }
        assert!(requests <= 1_000);
    };
    assert!(matches!(conclusion.delivery, Some(Delivery::Park { .. })));
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    for (after, seconds) in [("120", 120), ("Wed, 04 Feb 2026 17:01:00 GMT", 60)] {
        let mut server = Server::default();
        server.tricks.push_back(Trick::Answer(
            429,
            String::new(),
            vec![("Retry-After", after.into())],
        ));
        let conclusion = look(&mut server, &mut RowsInMemory::default());
        assert_eq!(
            conclusion.wait,
            Some(std::time::Duration::from_secs(seconds))
        );
    }
}

#[test]
fn malformed_answers_have_an_outcome() {
    let cases = [
        (200, "{\"resourceType\":\"Bundle\",\"entry\":[{", true),
        (200, "<html>login</html>", true),
        (200, "{\"resourceType\":\"Bundle\",\"entry\":7}", true),
        (200, "{\"resourceType\":\"Patient\",\"id\":\"a\"}", false),
        (401, "", true),
        (403, "", false),
        (200, "", true),
        (404, "", true),
        (410, "", true),
        (408, "", true),
        (425, "", true),
        (501, "", false),
        (307, "", false),
        (308, "", false),
    ];
    for (status, body, is_retry) in cases {
        let mut server = Server::default();
        server
            .tricks
            .push_back(Trick::Answer(status, body.into(), Vec::new()));
        let delivery = look(&mut server, &mut RowsInMemory::default())
            .delivery
            .unwrap();
        assert_eq!(
            matches!(delivery, Delivery::Retry { .. }),
            is_retry,
            "{status} {body}"
        );
    }
}

#[test]
fn a_focus_that_cannot_be_had_leaves_a_referral_with_a_warning() {
    let mut server = clinic();
    server.resources.remove("ServiceRequest/sr-9");
    let conclusion = look(&mut server, &mut RowsInMemory::default());
    assert_eq!(
        types(&conclusion),
        ["record.received", "referral.requested"]
    );
    assert!(
        conclusion
            .deviations
            .iter()
            .any(|one| one.code == "focus-not-readable")
    );
}

fn clinic_of(tasks: usize) -> Server {
    let mut server = Server::default();
    for number in 0..tasks {
        let mut task = clinic_task("requested");
        task["id"] = json!(format!("t-{number}"));
        task["focus"] = json!({"reference": format!("ServiceRequest/s-{number}")});
        server.put(task);
        let mut service = clinic_service_request();
        service["id"] = json!(format!("s-{number}"));
        server.put(service);
    }
    server
}

fn carry(conversation: &mut dyn Conversation, server: &mut Server) -> Conclusion {
    let mut answer = None;
    for _ in 0..5_000 {
        match conversation.step(answer.take(), now()) {
            Step::Send(request) => answer = Some(server.handle(&request)),
            Step::Done(conclusion) => return *conclusion,
        }
    }
    panic!("the conversation does not end")
}

#[test]
fn tasks_whose_focus_is_beyond_the_cap_are_told_by_the_next_pull() {
    let mut server = clinic_of(1_003);
    // Tasks alone: the focuses are asked for one by one.
    let tasks: Vec<Value> = server.all("Task").into_iter().cloned().collect();
    let mut memory = RowsInMemory::default();
    let mut told = Vec::new();
    for _ in 0..2 {
        server.tricks.push_back(bundle(&[], None));
        server.tricks.push_back(bundle(&tasks, None));
        let conclusion = carry(&mut pull(&config(), &context(), &memory), &mut server);
        assert_eq!(conclusion.delivery, None);
        for event in &conclusion.events {
            let Body::ReferralRequested(request) = &event.body else {
                panic!("request")
            };
            assert_eq!(request.domain.code(), "food", "no focus is missing");
        }
        let deferred = conclusion.deviations.iter();
        let deferred = deferred.filter(|one| one.code == "task-deferred").count();
        told.push((conclusion.events.len(), deferred));
        let rows = conclusion.memory.into_iter();
        rows.for_each(|row| memory.put(row));
        let is_whole = deferred == 0;
        assert_eq!(memory.row(CURSOR, "Task").is_some(), is_whole);
    }
    assert_eq!(told, [(1_000, 3), (3, 0)]);
}

#[test]
fn a_task_whose_focus_could_not_be_asked_for_is_not_told_without_it() {
    let mut server = clinic();
    let cut = Trick::Answer(503, String::new(), Vec::new());
    server.tricks.extend([Trick::Honest, Trick::Honest, cut]);
    let mut memory = RowsInMemory::default();
    let broken = look(&mut server, &mut memory);
    assert!(matches!(broken.delivery, Some(Delivery::Retry { .. })));
    assert_eq!(types(&broken), ["record.received"]);
    let whole = look(&mut server, &mut memory);
    let Some(Body::ReferralRequested(request)) = whole.events.last().map(|event| &event.body)
    else {
        panic!("request")
    };
    assert_eq!(request.domain.code(), "food");
}

#[test]
fn a_server_whose_clock_is_ahead_does_not_make_us_miss_anything() {
    let mut server = Server::default();
    let mut ahead = patient("a");
    ahead["meta"] = json!({"lastUpdated": "2030-01-01T00:00:00Z"});
    server.put(ahead);
    let mut memory = RowsInMemory::default();
    look(&mut server, &mut memory);
    assert_eq!(
        memory.row(CURSOR, "Patient").unwrap().value,
        now().to_string()
    );
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_a_conversation_panic_or_run_on(
        answers in proptest::collection::vec((100_u16..600, ".{0,60}"), 1..6),
        with_order in proptest::bool::ANY,
    ) {
        let memory = RowsInMemory::default();
        let mut conversation: Box<dyn Conversation> = if with_order {
            deliver(&config(), &referral(), &memory)
        } else {
            Box::new(pull(&config(), &context(), &memory))
        };
        let mut answer = None;
        let mut is_done = false;
        for at in 0..50 {
            match conversation.step(answer.take(), now()) {
                Step::Send(_) => {
                    let (status, body) = &answers[at % answers.len()];
                    let response = http::Response::builder().status(*status);
                    answer = Some(Ok(response.body(body.clone().into_bytes()).unwrap()));
                }
                Step::Done(_) => { is_done = true; break; }
            }
        }
        proptest::prop_assert!(is_done);
    }
}
