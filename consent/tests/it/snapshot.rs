//! One whole decision, so that a change of its form does not go unseen.

use serde_json::json;

use crate::world::{ask_county, release, request, with};

#[test]
fn a_decision_reads_as_the_specification_says() {
    let mut asked = request("CASH_AID", "org-calworks", "org-cws");
    asked["items"].as_array_mut().unwrap().push(json!({
        "id": "i2", "category": "MENTAL_HEALTH", "labels": ["MH"],
        "source_organization": "org-bh", "origin": "direct"
    }));
    let asked = with(
        asked,
        &json!({"requester": {"organization": "org-calworks", "teams": ["team-linkages"]}}),
    );
    let decision = ask_county(&asked, &[release("d-1", &["CASH_AID"])]);
    let mut value = serde_json::to_value(&decision).unwrap();
    // The hash of the rules changes with every word of them; it has tests of its own.
    value["bundle"] = json!("sha256:...");
    insta::assert_json_snapshot!(value);
    let text = decision.to_canonical_json();
    let again: tandem_consent::Decision = serde_json::from_str(&text).unwrap();
    assert_eq!(again.to_canonical_json(), text);
}
