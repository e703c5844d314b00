//! The example requests: each says in its name what it proves.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::world::ask_county;

#[test]
fn every_example_request_is_decided_as_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    names.sort();
    assert!(names.len() >= 5);
    for path in names {
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let directives = case["directives"].as_array().unwrap();
        let decision = ask_county(&case["request"], directives);
        let expected: Value = case["outcome"].clone();
        let outcome = serde_json::to_value(decision.outcome).unwrap();
        assert_eq!(
            outcome,
            expected,
            "{}: {}",
            path.display(),
            decision.explanation.en
        );
    }
}
