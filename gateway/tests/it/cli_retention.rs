//! Retention and legal holds on the command line.
#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use serde_json::Value;

use crate::api_lanes::command_of;
use crate::api_office::{Office, marisol};
use crate::api_retention::old_decisions;

fn kind<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let kinds = answer["kinds"].as_array().unwrap();
    kinds.iter().find(|kind| kind["kind"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_the_terms_and_a_privacy_officer_counts_and_disposes() {
    let office = Office::open().await;
    old_decisions(&office, 3).await;
    let shown = command_of(&office, "operator", &["retention", "show"]).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    for word in [
        "decisions",
        "6 years",
        "originals",
        "3 years",
        "45 CFR 164.530(j)(2)",
    ] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    let dry = ["retention", "run", "--dry-run", "--json"];
    let counted = command_of(&office, "privacy", &dry).await;
    assert_eq!(counted.code, 0, "{counted:?}");
    assert_eq!(kind(&counted.json(), "decisions")["due"], 3);
    assert_eq!(kind(&counted.json(), "decisions")["rows"], 3);
    let refused = command_of(&office, "operator", &["retention", "run", "--confirm"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    let done = command_of(
        &office,
        "privacy",
        &["retention", "run", "--confirm", "--json"],
    )
    .await;
    assert_eq!(kind(&done.json(), "decisions")["disposed"], 3);
    let show = ["retention", "show", "--json"];
    let left = command_of(&office, "auditor", &show).await.json();
    assert_eq!(kind(&left, "decisions")["rows"], 0);
    assert!(left["last_run_at"].is_string(), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_placed_listed_and_released() {
    let office = Office::open().await;
    office.record("calworks", "91234567A", &marisol()).await;
    let place = [
        "hold",
        "place",
        "--record",
        "calworks-demo",
        "91234567A",
        "--reason",
        "letter 14",
        "--json",
    ];
    let placed = command_of(&office, "privacy", &place).await;
    assert_eq!(placed.code, 0, "{placed:?}");
    let placed = placed.json();
    assert_eq!(placed["is_known"], true);
    let id = placed["id"].as_str().unwrap();
    let listed = command_of(&office, "auditor", &["hold", "list"]).await;
    assert!(
        listed.out.contains("91234567A") && listed.out.contains("letter 14"),
        "{listed:?}"
    );
    let release = ["hold", "release", id, "--reason", "closed"];
    assert_eq!(command_of(&office, "privacy", &release).await.code, 0);
    assert_eq!(
        command_of(&office, "privacy", &release).await.code,
        1,
        "it has ended"
    );
    let unknown = [
        "hold",
        "release",
        "0198c2f0-0000-7000-8000-000000000000",
        "--reason",
        "closed",
    ];
    assert_eq!(command_of(&office, "privacy", &unknown).await.code, 1);
    let released = ["hold", "list", "--standing", "released", "--json"];
    let released = command_of(&office, "auditor", &released).await.json();
    assert_eq!(released["holds"][0]["release_reason"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_whether_it_is_dry_and_a_hold_names_one_thing() {
    let office = Office::open().await;
    let wrong: [&[&str]; 5] = [
        &["retention", "run"],
        &["retention", "run", "--dry-run", "--confirm"],
        &["hold", "place", "--reason", "letter"],
        &[
            "hold",
            "place",
            "--case",
            "c-1",
            "--organization",
            "org-cws",
            "--reason",
            "letter",
        ],
        &["hold", "place", "--case", "c-1"],
    ];
    for arguments in wrong {
        let ended = command_of(&office, "privacy", arguments).await;
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
    }
}
