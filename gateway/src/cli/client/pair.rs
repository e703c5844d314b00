//! A pair of records as a steward reads it: the two side by side, who lives with each, and what speaks for and against.

use serde_json::Value;

use super::super::table::TextTable;

/// The pair in lines.
pub(super) fn for_people(answer: &Value) -> String {
    let mut lines = vec![format!(
        "{}  {}  score {} bits",
        text(answer, "/id"),
        text(answer, "/standing"),
        text(answer, "/score_bits")
    )];
    if answer.get("decided_by").is_some() {
        lines.push(format!(
            "decided by {}: {}",
            text(answer, "/decided_by"),
            text(answer, "/reason")
        ));
    }
    if answer.get("doubt").is_some() {
        lines.push(format!(
            "in doubt since it was made: {}; confirm it or undo it",
            text(answer, "/doubt")
        ));
    }
    let mut people = TextTable::new(PERSON);
    for (side, beside) in list(answer, "/records").iter().enumerate() {
        people.row(person(
            &format!("record {}", side + 1),
            beside.get("record"),
        ));
        for member in list(beside, "/household") {
            people.row(person(&text(member, "/relation"), member.get("record")));
        }
    }
    lines.extend(people.lines(""));
    let mut evidence = TextTable::new(["field", "level", "bits"]);
    for field in list(answer, "/explanation/fields") {
        let bits = field.get("weight_bits").and_then(Value::as_f64);
        evidence.row([
            text(field, "/field"),
            text(field, "/level"),
            bits.map_or_else(String::new, |bits| format!("{bits:+.2}")),
        ]);
    }
    lines.extend(evidence.lines(""));
    let notes: Vec<&str> = list(answer, "/explanation/notes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !notes.is_empty() {
        lines.push(format!("notes: {}", notes.join(", ")));
    }
    let model = text(answer, "/explanation/model/version");
    if !model.is_empty() {
        lines.push(format!(
            "model {model}: linked from {} bits on",
            text(answer, "/explanation/model/link_bits")
        ));
    }
    lines.join("\n")
}

const PERSON: [&str; 7] = [
    "",
    "system",
    "id",
    "names",
    "birth date",
    "sex",
    "SSN ends in",
];

fn person(role: &str, record: Option<&Value>) -> [String; 7] {
    let record = record.unwrap_or(&Value::Null);
    let names: Vec<&str> = list(record, "/shown/names")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    [
        role.to_owned(),
        text(record, "/system"),
        text(record, "/source_person_id"),
        names.join("; "),
        text(record, "/shown/birth_date"),
        text(record, "/shown/sex"),
        text(record, "/shown/ssn_last_four"),
    ]
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => super::super::table::printable(text),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_household_stands_under_its_record() {
        let record = |id: &str, name: &str| {
            json!({ "system": "demo", "source_person_id": id,
                "shown": { "names": [name], "birth_date": "2001-02-03" } })
        };
        let answer = json!({
            "id": "l-1", "standing": "candidate", "score_bits": 3.5,
            "explanation": {
                "fields": [{ "field": "last_name", "level": "exact", "weight_bits": 7.25 }],
                "notes": ["no-anchor"],
                "model": { "version": "abc", "link_bits": 9.5 },
            },
            "records": [
                { "record": record("1", "Testa Demofield"),
                  "household": [{ "relation": "child", "record": record("2", "Zorla Demofield") }] },
                { "record": record("7", "Testa Demofeld"), "household": [] },
            ],
        });
        let shown = for_people(&answer);
        let line = |word: &str| shown.lines().position(|line| line.contains(word)).unwrap();
        assert!(line("Testa Demofield") < line("Zorla Demofield"), "{shown}");
        assert!(line("Zorla Demofield") < line("Testa Demofeld"), "{shown}");
        assert!(
            shown.lines().any(|line| line.starts_with("child")),
            "{shown}"
        );
        for part in ["+7.25", "no-anchor", "linked from 9.5 bits"] {
            assert!(shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn a_link_in_doubt_says_why() {
        let answer = json!({ "id": "l-1", "standing": "linked", "doubt": "bridge" });
        assert!(for_people(&answer).contains("in doubt since it was made: bridge"));
    }

    #[test]
    fn what_a_caller_may_not_see_is_left_blank() {
        let answer = json!({ "id": "l-1", "records": [{ "record": { "system": "demo" } }] });
        assert!(for_people(&answer).contains("record 1  demo"));
    }
}
