//! Reads a Linkages batch strictly: every departure from the published table is a complaint.

use std::collections::BTreeMap;

use serde_json::Value;

use super::linkages_table::{LINE_TYPES, LinkagesTable};
use super::message::{LinkagesMessage, Part};
use crate::violation::Violation;

/// A batch as it was read: good messages, refused messages with the reason, all complaints.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<LinkagesMessage>,
    pub(crate) rejected: Vec<(String, String)>,
    pub(crate) file_refused: Option<String>,
    pub(crate) violations: Vec<Violation>,
}

/// One message while its lines are read.
#[derive(Debug, Default)]
struct Draft {
    message: LinkagesMessage,
    headers: usize,
    complaints: Vec<Violation>,
}

/// Reads the file `name` for the organisation `own`; its ending tells CSV from JSON.
pub(crate) fn read(table: &LinkagesTable, own: &str, name: &str, bytes: &[u8]) -> Batch {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refused(name, "encoding", "not UTF-8");
    };
    let drafts = if name.ends_with(".json") {
        json_drafts(table, name, text)
    } else {
        csv_drafts(table, name, text)
    };
    match drafts {
        Ok(drafts) => judge(table, own, name, drafts),
        Err((rule, detail)) => refused(name, rule, &detail),
    }
}

fn refused(name: &str, rule: &str, detail: &str) -> Batch {
    Batch {
        file_refused: Some(format!("{rule}: {detail}")),
        violations: vec![Violation::new(name, rule, detail)],
        ..Batch::default()
    }
}

type Refusal = (&'static str, String);

fn csv_drafts(table: &LinkagesTable, name: &str, text: &str) -> Result<Vec<Draft>, Refusal> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| ("csv", error.to_string()))?
        .clone();
    let expected: Vec<&str> = table
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    if header.iter().ne(expected.iter().copied()) {
        let unknown: Vec<&str> = header
            .iter()
            .filter(|field| !expected.contains(field))
            .collect();
        let detail = format!("header differs from the published table; unknown: {unknown:?}");
        return Err(("header", detail));
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| ("csv", error.to_string()))?;
        let line: BTreeMap<String, String> = header
            .iter()
            .zip(record.iter())
            .filter(|(_, value)| !value.is_empty())
            .map(|(field, value)| (field.to_owned(), value.to_owned()))
            .collect();
        add_line(table, &mut drafts, line, &format!("{name} row {}", row + 2));
    }
    Ok(drafts)
}

fn add_line(
    table: &LinkagesTable,
    drafts: &mut Vec<Draft>,
    line: BTreeMap<String, String>,
    place: &str,
) {
    let value_of = |field: &str| line.get(field).map_or("", String::as_str);
    let (id, line_type) = (
        value_of("message_id").to_owned(),
        value_of("line_type").to_owned(),
    );
    let complaints: Vec<Violation> = table
        .complaints(&line_type, value_of)
        .into_iter()
        .map(|(rule, detail)| Violation::new(place, rule, detail))
        .collect();
    let is_next = drafts
        .last()
        .is_none_or(|draft| draft.message.message_id != id);
    if is_next {
        let mut draft = Draft::default();
        if drafts
            .iter()
            .any(|earlier| earlier.message.message_id == id)
        {
            draft
                .complaints
                .push(Violation::new(place, "message-split", "its rows are apart"));
        }
        if line_type != "header" {
            draft.complaints.push(Violation::new(
                place,
                "header-first",
                "no header line before",
            ));
        }
        draft.message.message_id = id;
        drafts.push(draft);
    }
    let Some(draft) = drafts.last_mut() else {
        return;
    };
    draft.complaints.extend(complaints);
    draft.keep(&line_type, line);
}

impl Draft {
    fn keep(&mut self, line_type: &str, mut line: BTreeMap<String, String>) {
        line.remove("message_id");
        line.remove("line_type");
        if line_type == "header" {
            self.headers += 1;
            self.message.message_type = line.remove("message_type").unwrap_or_default();
            self.message.fields = line;
        } else {
            self.message.parts.push(Part {
                line_type: line_type.to_owned(),
                fields: line,
            });
        }
    }
}

fn json_drafts(table: &LinkagesTable, name: &str, text: &str) -> Result<Vec<Draft>, Refusal> {
    let batch: Value = serde_json::from_str(text).map_err(|error| ("json", error.to_string()))?;
    if batch.get("version").and_then(Value::as_str) != Some("1.0") {
        return Err(("version", "expected 1.0".to_owned()));
    }
    let Some(messages) = batch.get("messages").and_then(Value::as_array) else {
        return Err(("messages", "no list of messages".to_owned()));
    };
    let mut drafts = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let place = format!("{name} message {}", index + 1);
        let Some(fields) = message.as_object() else {
            return Err(("messages", format!("{place} is no object")));
        };
        let mut header = BTreeMap::from([("line_type".to_owned(), "header".to_owned())]);
        let mut parts = Vec::new();
        for (field, value) in fields {
            match value {
                Value::Array(rows) => {
                    let part = part_name(field)
                        .ok_or_else(|| ("unknown-field", format!("{place}: {field}")))?;
                    parts.push((part, rows));
                }
                value => {
                    header.insert(field.clone(), scalar(value)?);
                }
            }
        }
        let id = header.get("message_id").cloned().unwrap_or_default();
        let mut lines = vec![header];
        for line_type in LINE_TYPES {
            for (_, rows) in parts.iter().filter(|(part, _)| *part == line_type) {
                for row in *rows {
                    lines.push(json_line(&id, line_type, row)?);
                }
            }
        }
        for line in lines {
            if let Some(unknown) = line.keys().find(|field| table.field(field).is_none()) {
                return Err(("unknown-field", format!("{place}: {unknown}")));
            }
            add_line(table, &mut drafts, line, &place);
        }
    }
    Ok(drafts)
}

/// `persons` holds person lines and so on; other lists are none of the form.
fn part_name(list: &str) -> Option<&'static str> {
    match list {
        "persons" => Some("person"),
        "activities" => Some("activity"),
        "goals" => Some("goal"),
        "fundings" => Some("funding"),
        "ratings" => Some("rating"),
        _ => None,
    }
}

fn json_line(id: &str, line_type: &str, row: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(fields) = row.as_object() else {
        return Err(("parts", format!("a {line_type} is no object")));
    };
    let mut line = BTreeMap::from([
        ("message_id".to_owned(), id.to_owned()),
        ("line_type".to_owned(), line_type.to_owned()),
    ]);
    for (field, value) in fields {
        line.insert(field.clone(), scalar(value)?);
    }
    Ok(line)
}

fn scalar(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err((
            "json-value",
            "blank or nested value; blank fields are left out".to_owned(),
        )),
    }
}

fn judge(table: &LinkagesTable, own: &str, name: &str, drafts: Vec<Draft>) -> Batch {
    let mut batch = Batch::default();
    for mut draft in drafts {
        let place = format!("{name} message {}", draft.message.message_id);
        if draft.headers != 1 {
            let detail = format!("{} header lines", draft.headers);
            draft
                .complaints
                .push(Violation::new(&place, "one-header", detail));
        }
        if draft.message.field("recipient") != own {
            let detail = "addressed to somebody else";
            draft
                .complaints
                .push(Violation::new(&place, "recipient", detail));
        }
        if draft
            .message
            .parts_of("person")
            .any(|person| !person.field("ssn").is_empty())
        {
            let detail = "the gateway never writes an SSN";
            draft
                .complaints
                .push(Violation::new(&place, "ssn-sent", detail));
        }
        if let Some(unknown) = unknown_line(table, &draft.message) {
            draft
                .complaints
                .push(Violation::new(&place, "line-type", unknown));
        }
        if draft.complaints.is_empty() {
            batch.messages.push(draft.message);
        } else {
            let reasons: Vec<String> = draft
                .complaints
                .iter()
                .map(|complaint| format!("{}: {}", complaint.rule, complaint.detail))
                .collect();
            batch
                .rejected
                .push((draft.message.message_id, reasons.join("; ")));
            batch.violations.extend(draft.complaints);
        }
    }
    batch
}

fn unknown_line(table: &LinkagesTable, message: &LinkagesMessage) -> Option<String> {
    let _published = table.field("line_type")?;
    message
        .parts
        .iter()
        .find(|part| !LINE_TYPES.contains(&part.line_type.as_str()))
        .map(|part| format!("unknown line type {}", part.line_type))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::calworks::linkages_table::LinkagesTable;
    use crate::calworks::linkages_writer::batch;
    use crate::calworks::message::LinkagesMessage;

    fn message() -> LinkagesMessage {
        LinkagesMessage {
            message_id: "G-1".into(),
            message_type: "plan_update".into(),
            ..LinkagesMessage::default()
        }
        .with("created_at", "2026-02-02T09:00:00-08:00")
        .with("sender", "org-cws")
        .with("recipient", "org-calworks")
        .with_part(
            "activity",
            &[("activity_id", "A1"), ("domain", "employment")],
        )
    }

    fn rules(bytes: &[u8], name: &str) -> Vec<String> {
        let table = LinkagesTable::load().unwrap();
        let batch = read(&table, "org-calworks", name, bytes);
        assert_eq!(batch.messages.is_empty(), !batch.violations.is_empty());
        batch
            .violations
            .into_iter()
            .map(|violation| violation.rule)
            .collect()
    }

    #[test]
    fn written_batch_reads_back_the_same() {
        let table = LinkagesTable::load().unwrap();
        let bytes = batch(&table, &[message()]).unwrap();
        let read_back = read(&table, "org-calworks", "b.csv", &bytes);
        assert_eq!(read_back.messages, [message()]);
        assert!(read_back.violations.is_empty());
    }

    #[test]
    fn json_form_reads_as_the_csv_form_does() {
        let table = LinkagesTable::load().unwrap();
        let json =
            br#"{"version":"1.0","messages":[{"message_id":"G-1","message_type":"plan_update",
            "created_at":"2026-02-02T09:00:00-08:00","sender":"org-cws","recipient":"org-calworks",
            "activities":[{"activity_id":"A1","domain":"employment"}]}]}"#;
        assert_eq!(
            read(&table, "org-calworks", "b.json", json).messages,
            [message()]
        );
    }

    #[test]
    fn file_with_another_header_is_refused_as_a_whole() {
        assert_eq!(rules(b"message_id,extra\nG-1,x\n", "b.csv"), ["header"]);
        assert_eq!(rules(b"\xff\xfe", "b.csv"), ["encoding"]);
        assert_eq!(rules(b"{\"version\":\"2\"}", "b.json"), ["version"]);
    }

    #[test]
    fn wrong_code_misplaced_field_and_ssn_are_refused_with_their_rule() {
        let table = LinkagesTable::load().unwrap();
        let good = String::from_utf8(batch(&table, &[message()]).unwrap()).unwrap();
        let wrong_code = good.replace("plan_update", "plan_upset");
        assert_eq!(rules(wrong_code.as_bytes(), "b.csv"), ["field-value"]);
        let elsewhere = good.replace("org-calworks", "org-hmis");
        assert_eq!(rules(elsewhere.as_bytes(), "b.csv"), ["recipient"]);
        let json = br#"{"version":"1.0","messages":[{"message_id":"G-2","message_type":"recall",
            "created_at":"2026-02-02T09:00:00-08:00","sender":"g","recipient":"org-calworks",
            "activity_name":"x","persons":[{"person_id":"1","ssn":"900123456"}]}]}"#;
        assert_eq!(rules(json, "b.json"), ["field-line", "ssn-sent"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_messages_or_in_a_complaint(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            is_json: bool,
        ) {
            let table = LinkagesTable::load().unwrap();
            let name = if is_json { "b.json" } else { "b.csv" };
            let batch = read(&table, "org-calworks", name, &bytes);
            proptest::prop_assert!(batch.messages.is_empty());
        }
    }
}
