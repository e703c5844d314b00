//! What an operator finds and is told: which messages stand so, what came of each order, and what it was that nobody knows.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tandem::store::OutboxState;

use crate::api_lanes::{command, command_of, pause, put};
use crate::api_office::Office;

/// An id that nobody has.
const NOBODYS: &str = "018f0000-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_by_where_they_stand_newest_first_page_by_page() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let (parked, queued) = (OutboxState::Parked, OutboxState::Queued);
    let first = put(&office, "cws-demo", "family-1", &[parked, queued, queued]).await;
    let second = put(&office, "cws-demo", "family-2", &[parked]).await;
    let list = async |query: &str| {
        let path = format!("/v1/messages{query}");
        office.get("operator", &path).await
    };
    let found = list("").await.json();
    let found = found["messages"].as_array().unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|one| (&one["id"], &one["behind"]))
        .collect();
    let (newest, oldest) = (json!(second[0]), json!(first[0]));
    assert_eq!(told, [(&newest, &json!(0)), (&oldest, &json!(2))]);
    assert_eq!(found[0]["note"], "the partner answered 422");
    let shown = office
        .get("auditor", &format!("/v1/messages/{}", second[0]))
        .await;
    for field in ["lane", "kind", "case", "state", "changed_at", "fault"] {
        assert_eq!(found[0][field], shown.json()[field], "{field}");
    }
    let page = list("?limit=1").await.json();
    assert_eq!(page["messages"][0]["id"], newest);
    let rest = list(&format!("?limit=1&after={}", page["next"]))
        .await
        .json();
    assert_eq!(rest["messages"][0]["id"], oldest);
    let waiting = list("?state=queued&lane=cws-demo").await.json();
    assert_eq!(waiting["messages"].as_array().unwrap().len(), 2);
    let none = list("?lane=calworks-demo").await.json();
    assert_eq!(none, json!({ "messages": [] }));
    for (query, status) in [
        ("?lane=nobody", StatusCode::NOT_FOUND),
        ("?state=lost", StatusCode::BAD_REQUEST),
        ("?stat=queued", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(list(query).await.status, status, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_listed_with_the_ids_that_other_commands_take() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    let none = command(&office, &["messages"]).await;
    assert_eq!((none.code, none.out.trim()), (0, "none"), "{none:?}");
    let (parked, queued) = (OutboxState::Parked, OutboxState::Queued);
    let ids = put(&office, "cws-demo", "family-1", &[parked, queued, parked]).await;
    let listed = command(&office, &["messages", "--lane", "cws-demo"]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    for told in [
        ids[0].to_string().as_str(),
        "behind",
        "the partner answered 422",
    ] {
        assert!(listed.out.contains(told), "{told}: {}", listed.out);
    }
    assert!(!listed.out.contains(&ids[1].to_string()), "{}", listed.out);
    let page = command(&office, &["messages", "--limit", "1"]).await;
    assert!(page.told.contains("--after"), "{page:?}");
    let failed = command(&office, &["messages", "--state", "failed", "--json"]).await;
    assert_eq!(failed.json(), json!({ "messages": [] }));
    assert_eq!(
        command(&office, &["messages", "--state", "lost"])
            .await
            .code,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_messages_each_is_tried_and_it_is_said_what_came_of_it() {
    let office = Office::open().await;
    pause(&office, "cws-demo").await;
    for verb in [&["lane", "skip"], &["replay", "message"]] {
        let ids = put(&office, "cws-demo", verb[0], &[OutboxState::Parked; 2]).await;
        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = [&verb[..], &["cws-demo", &ids[0], NOBODYS, &ids[1]]].concat();
        let told = command(&office, &all).await;
        assert_eq!(told.code, 1, "{told:?}");
        let refused = format!("error: message {NOBODYS} in lane cws-demo: there is no such thing");
        assert!(told.told.contains(&refused), "{told:?}");
        for id in &ids {
            let line = told.out.lines().find(|line| line.contains(id.as_str()));
            assert!(line.is_some_and(|line| line.contains("done")), "{told:?}");
        }
        // What was done is not done again, and is no failure.
        let known = [&verb[..], &["cws-demo", &ids[0], &ids[1], "--json"]].concat();
        let again = command(&office, &known).await;
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(again.json()["results"][1]["id"], ids[1].as_str());
    }
    for action in ["message.skip", "message.replay"] {
        assert_eq!(office.audited(action).await, 2, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_named() {
    let office = Office::open().await;
    let cases: [(&[&str], &str); 7] = [
        (&["messages", "--lane", "nobody"], "lane nobody"),
        (&["message", NOBODYS], "message 018f0000-"),
        (&["lane", "pause", "nobody", "--reason", "x"], "lane nobody"),
        (&["lane", "skip", "nobody", NOBODYS], "in lane nobody"),
        (&["input", "release", NOBODYS], "input 018f0000-"),
        (&["baseline", "release", "nobody"], "system nobody"),
        (&["event", "take-up", "7"], "event 7"),
    ];
    for (arguments, name) in cases {
        let told = command(&office, arguments).await;
        assert_eq!(told.code, 1, "{arguments:?}: {told:?}");
        let is_named = told.told.contains(name) && told.told.contains(": there is no such thing");
        assert!(is_named, "{arguments:?}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_was_rejected_is_listed_with_what_was_wrong_first() {
    let office = Office::open().await;
    let path = "/v1/inbox/cws-demo/child-welfare/niem";
    let body = Some("<not><the/>message".to_owned());
    let rejected = office.send("cws", Method::POST, path, &[], body).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY);
    let listed = command(&office, &["inputs", "--json"]).await.json();
    let input = &listed["inputs"][0];
    let code = input["report"]["deviations"][0]["code"].as_str().unwrap();
    let listed = command(&office, &["inputs"]).await;
    for told in ["child-welfare/niem", "rejected", code] {
        assert!(listed.out.contains(told), "{told}: {}", listed.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_what_nobody_knows_is_placed_and_that_is_said() {
    let office = Office::open().await;
    for (organization, is_known) in [("org-cws", true), ("nonsense", false)] {
        let place = [
            "hold",
            "place",
            "--organization",
            organization,
            "--reason",
            "letter 14",
        ];
        let told = command_of(&office, "privacy", &place).await;
        assert_eq!(told.code, 0, "{told:?}");
        let is_doubted = told.told.contains("knows no such organization");
        assert_eq!(is_doubted, !is_known, "{told:?}");
    }
}
