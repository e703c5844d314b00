//! What is wrong with a JSON text, told by line, column and path of the field, never by its value.

mod path;

use self::path::path_at;

/// What is wrong: place, field, and what was expected there. Names of fields are told, values never.
#[must_use]
pub fn problem(text: &str, error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        // Errors of syntax quote no value.
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        return format!("{place}: not JSON: {what}");
    }
    let path = path_at(text, error.line(), error.column());
    let field = if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    };
    format!("{place}: {field}{}", without_value(&error.to_string()))
}

/// Keeps what serde says about names and expectations, and drops what it quotes of values.
fn without_value(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    let names = ["missing field", "unknown field", "duplicate field"];
    if names.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let quoting = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
    ];
    let expected = message
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected);
    match expected {
        Some(expected) if quoting.iter().any(|start| message.starts_with(start)) => {
            // Names of types in the program say nothing to whoever wrote the JSON.
            let is_type = expected.starts_with("struct ") || expected.contains("tagged enum ");
            let expected = if is_type { "an object" } else { expected };
            format!("expected {expected}")
        }
        _ => "the value can't be used".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading is tested")]
        items: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading is tested")]
        birth_date: jiff::civil::Date,
    }

    fn message(text: &str) -> String {
        problem(text, &serde_json::from_str::<Outer>(text).unwrap_err())
    }

    #[test]
    fn an_error_names_the_field_and_never_the_value() {
        let text = r#"{"items":[{"birth_date":"2018-03-02"},{"birth_date":"Demofield"}]}"#;
        let told = message(text);
        assert!(
            told.contains("items[1].birth_date") && !told.contains("Demofield"),
            "{told}"
        );
        let told = message(r#"{"items":[{"birth_date":19940517}]}"#);
        assert!(
            told.contains("items[0].birth_date") && !told.contains("1994"),
            "{told}"
        );
    }

    #[test]
    fn an_object_that_is_none_is_told_without_the_programs_names() {
        assert_eq!(
            message(r#"{"items":["Demofield"]}"#),
            "line 1, column 21: items[0]: expected an object"
        );
    }

    #[test]
    fn an_unknown_or_missing_field_is_named_with_its_place() {
        let told = message(r#"{"items":[{"colour":"red"}]}"#);
        assert!(
            told.contains("items[0]") && told.contains("unknown field `colour`"),
            "{told}"
        );
        let told = message(r#"{"items":[{"birth_date":"2018-03-02"},{}]}"#);
        assert!(
            told.contains("items[1]: missing field `birth_date`"),
            "{told}"
        );
        assert_eq!(message("{}"), "line 1, column 2: missing field `items`");
    }

    #[test]
    fn broken_and_deep_json_is_told_with_line_and_column() {
        assert!(message("{\n\"items\": [,]}").starts_with("line 2, column 11: not JSON"));
        let deep = "[".repeat(100_000);
        assert!(message(&format!("{{\"items\":{deep}")).contains("line 1"));
    }
}
