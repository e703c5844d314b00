//! An answer of the gateway as a person reads it.

use serde_json::{Map, Value};

use super::super::exit::Failure;
use super::super::output::{print, print_json};
use super::super::table::{TextTable, printable};

/// Prints an answer as JSON or as text.
pub(super) fn print_answer(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        print_json(answer)
    } else {
        print(&for_people(answer))
    }
}

/// The rows of a list in chosen columns: title, and the JSON pointer of the value in a row.
pub(super) fn in_columns(answer: &Value, list: &str, columns: &[(&str, &str)]) -> Value {
    let rows = answer.get(list).and_then(Value::as_array);
    let row = |row: &Value| -> Map<String, Value> {
        let cells = columns.iter().map(|(title, pointer)| {
            let value = row.pointer(pointer).cloned().unwrap_or_default();
            ((*title).to_owned(), value)
        });
        cells.collect()
    };
    rows.into_iter().flatten().map(row).collect()
}

/// Letters of a line that tells of a step, beside when and which: with them it fits a terminal.
const WIDTH: usize = 64;

/// Puts each step of a list into three columns: when, which, and all the rest of it, in as many lines as that takes.
pub(super) fn in_lines(answer: &mut Value, list: &str) {
    if let Some(Value::Array(steps)) = answer.get_mut(list) {
        *steps = std::mem::take(steps)
            .into_iter()
            .flat_map(lines_of)
            .collect();
    }
}

fn lines_of(step: Value) -> Vec<Value> {
    let fields = match step {
        Value::Object(fields) => fields,
        other => return vec![other],
    };
    let of = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let (mut at, mut name) = (of("at"), of("step"));
    // What is taken out one by one leaves the rest in another order.
    let rest = fields.into_iter();
    let rest: Map<String, Value> = rest
        .filter(|(name, _)| name != "at" && name != "step")
        .collect();
    let lines = wrapped(&cell(&Value::Object(rest))).into_iter();
    let row = |line: String| {
        let mut row = Map::new();
        row.insert("at".to_owned(), at.take());
        row.insert("step".to_owned(), name.take());
        row.insert("what".to_owned(), Value::String(line));
        Value::Object(row)
    };
    lines.map(row).collect()
}

/// A text in lines, broken between words; a word that is longer than a line has one of its own.
fn wrapped(text: &str) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn for_people(answer: &Value) -> String {
    match answer {
        Value::Null => "done".to_owned(),
        Value::Array(rows) => table(rows).join("\n"),
        Value::Object(fields) => fields_of(fields, "").join("\n"),
        plain => cell(plain),
    }
}

/// Plain fields line by line, then lists of objects as tables under their name.
fn fields_of(fields: &Map<String, Value>, indent: &str) -> Vec<String> {
    let mut plain = TextTable::default();
    let mut blocks = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Array(rows) if rows.iter().any(Value::is_object) => {
                blocks.push(printable(name));
                blocks.extend(
                    table(rows)
                        .into_iter()
                        .map(|line| format!("{indent}  {line}")),
                );
            }
            Value::Array(rows) if rows.is_empty() => plain.row([name.as_str(), "none"]),
            Value::Object(inner) if !inner.is_empty() => {
                blocks.push(format!("{indent}{}", printable(name)));
                blocks.extend(fields_of(inner, &format!("{indent}  ")));
            }
            value => plain.row([name.clone(), cell(value)]),
        }
    }
    let mut lines = plain.lines(indent);
    lines.extend(blocks);
    lines
}

/// Objects as rows; the columns are their fields in the order in which they come.
fn table(rows: &[Value]) -> Vec<String> {
    if rows.is_empty() {
        return vec!["none".to_owned()];
    }
    let mut columns: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return rows.iter().map(|row| printable(&cell(row))).collect();
    }
    let mut table = TextTable::new(columns.iter().map(|name| name.as_str()));
    for row in rows {
        table.row(
            columns
                .iter()
                .map(|name| row.get(name.as_str()).map_or(String::new(), cell)),
        );
    }
    table.lines("")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let parts = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", cell(value)));
            parts.collect::<Vec<_>>().join(" ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_becomes_a_table_and_an_object_its_fields() {
        let lanes = json!([{"lane": "hmis-demo", "waiting": 2}, {"lane": "cws-demo", "waiting": 10, "paused": true}]);
        let text = for_people(&lanes);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[0].starts_with("lane") && lines[2].contains("true"),
            "{text}"
        );
        let one =
            json!({"id": "m-1", "state": "delivered", "decisions": [{"id": "d-1"}], "notes": []});
        let text = for_people(&one);
        assert!(
            text.contains("state  delivered") && text.contains("decisions\n  id\n  d-1"),
            "{text}"
        );
        assert_eq!(for_people(&Value::Null), "done");
    }

    #[test]
    fn a_step_is_one_line_with_when_which_and_the_rest() {
        let mut message = json!({"id": "m-1", "timeline": [
            {"at": "08:00", "step": "queued"},
            {"at": "08:01", "step": "attempted", "outcome": "retry", "response": "5xx"},
        ]});
        in_lines(&mut message, "timeline");
        let text = for_people(&message);
        let last = text.lines().last().unwrap();
        assert_eq!(last.trim(), "08:01  attempted  outcome=retry response=5xx");
    }

    #[test]
    fn a_step_of_which_there_is_much_to_say_takes_more_lines_and_no_wider_ones() {
        let mut message = json!({"id": "m-1", "timeline": [
            {"at": "08:01", "step": "attempted", "outcome": "retry", "note": "the partner answered 503 ".repeat(12)},
            {"at": "08:02", "step": "queued"},
        ]});
        in_lines(&mut message, "timeline");
        let text = for_people(&message);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.unwrap() < 100, "{text}");
        assert_eq!(text.matches("503").count(), 12, "{text}");
        assert_eq!(text.matches("08:01").count(), 1, "{text}");
        let last = text.lines().last().unwrap();
        assert_eq!(last.trim(), "08:02  queued");
    }

    #[test]
    fn a_list_in_columns_shows_what_was_chosen_and_leaves_the_rest_out() {
        let answer =
            json!({"inputs": [{"id": "i-1", "report": {"persons": 2, "records": {"T1": 1}}}]});
        let columns = [("id", "/id"), ("persons", "/report/persons")];
        let text = for_people(&in_columns(&answer, "inputs", &columns));
        assert_eq!(text, "id   persons\ni-1  2");
        let none = for_people(&in_columns(&json!({"inputs": []}), "inputs", &columns));
        assert_eq!(none, "none");
    }
}
