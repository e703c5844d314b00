//! By what is chosen what is tried again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_mappings::model::id::SystemId;
use utoipa::ToSchema;

use crate::store::{Choice, InputRow, Of, ParkedRow, StoreError};

/// By what something is chosen: each condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// The destination of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub destination: Option<SystemId>,
    /// Who told an event or sent an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub system: Option<SystemId>,
    /// The type of an event.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A part of the text that says why; of a message also whose fault the last failure was (`partner`, `ours`, `network`), of an input
    /// the code of a deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The case of a message, by the key that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Written, recorded or received at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// Written, recorded or received before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Messages that were delivered as well.
    pub delivered: bool,
}

impl Conditions {
    /// A condition that nothing of a kind can be chosen by; `None` when all of them fit.
    #[must_use]
    pub fn unfit(&self, of: Of) -> Option<&'static str> {
        let of_messages = [
            ("destination", self.destination.is_some()),
            ("case", self.case.is_some()),
            ("delivered", self.delivered),
        ];
        let of_what_came = [("system", self.system.is_some())];
        let of_events = [("type", self.kind.is_some())];
        let unfit = match of {
            Of::Messages => [of_what_came.as_slice(), &of_events],
            Of::Events => [of_messages.as_slice(), &[]],
            Of::Inputs => [of_messages.as_slice(), &of_events],
        };
        let mut given = unfit
            .into_iter()
            .flatten()
            .filter(|(_, is_given)| *is_given);
        given.next().map(|(name, _)| *name)
    }

    pub(super) fn choose_message(&self, choice: &Choice) -> bool {
        let error = self.error.as_deref();
        let is_error = error.is_none_or(|error| {
            let says_so = |note: &String| note.contains(error);
            choice.fault.as_deref() == Some(error) || choice.note.iter().any(says_so)
        });
        let case = self.case.as_deref();
        let is_case = case.is_none_or(|case| hex::encode(&choice.case_key) == case);
        is_error && is_case && self.is_in_time(choice.created_at)
    }

    pub(super) fn choose_event(&self, event: &ParkedRow) -> bool {
        let error = self.error.as_deref();
        let kind = self.kind.as_deref();
        self.is_of(&event.system)
            && kind.is_none_or(|kind| kind == event.kind)
            && error.is_none_or(|error| event.note.contains(error))
            && self.is_in_time(event.recorded_at)
    }

    pub(super) fn choose_input(&self, input: &InputRow) -> bool {
        let error = self.error.as_deref();
        let says_so = |error: &str| {
            let report = input.report.as_deref();
            report.is_some_and(|report| names(report, error))
        };
        self.is_of(&input.system) && error.is_none_or(says_so) && self.is_in_time(input.received_at)
    }

    fn is_of(&self, system: &str) -> bool {
        let wanted = self.system.as_ref();
        wanted.is_none_or(|wanted| wanted.as_str() == system)
    }

    fn is_in_time(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// Whether a deviation of a report has this code, or says this of what was expected.
fn names(report: &str, error: &str) -> bool {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let deviations = report.get("deviations").and_then(Value::as_array);
    let text = |deviation: &Value, field: &str| {
        let text = deviation.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    deviations.into_iter().flatten().any(|deviation| {
        text(deviation, "code") == error || text(deviation, "expected").contains(error)
    })
}

/// What is to be tried again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// What.
    pub of: Of,
    /// Chosen by what.
    #[serde(rename = "where")]
    pub conditions: Conditions,
}

impl Wanted {
    pub(super) fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| shape())
    }

    /// What a replay was begun for. When there were replays of messages alone, it was their conditions.
    ///
    /// # Errors
    /// When it is neither.
    pub fn of(text: &str) -> Result<Self, StoreError> {
        let value: Value = serde_json::from_str(text).map_err(|_| shape())?;
        if value.get("where").is_some() {
            return serde_json::from_value(value).map_err(|_| shape());
        }
        let conditions = serde_json::from_value(value).map_err(|_| shape())?;
        Ok(Self {
            of: Of::Messages,
            conditions,
        })
    }
}

fn shape() -> StoreError {
    StoreError::Shape { kind: "replay" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_of_before_is_one_of_messages_by_the_same_conditions() {
        let old = Wanted::of(r#"{"destination":"hmis-demo","delivered":true}"#).unwrap();
        assert_eq!(old.of, Of::Messages);
        assert!(old.conditions.destination.is_some() && old.conditions.delivered);
        let new = Wanted {
            of: Of::Inputs,
            ..old
        };
        assert_eq!(Wanted::of(&new.text().unwrap()).unwrap(), new);
        assert!(Wanted::of("{\"destination\":1}").is_err());
    }

    #[test]
    fn an_input_is_chosen_by_the_code_of_a_deviation_and_not_by_what_else_its_report_says() {
        let report = r#"{"format":"hmis/csv","deviations":[{"code":"no-layout-fits","expected":"a header of the table"}]}"#;
        assert!(names(report, "no-layout-fits") && names(report, "of the table"));
        assert!(
            !names(report, "hmis/csv") && !names(report, "no-layout") && !names("no report", "x")
        );
    }

    #[test]
    fn conditions_that_cannot_choose_anything_are_named() {
        let of_a_case = Conditions {
            case: Some("5f0c".to_owned()),
            ..Conditions::default()
        };
        assert_eq!(of_a_case.unfit(Of::Messages), None);
        assert_eq!(of_a_case.unfit(Of::Events), Some("case"));
        let of_a_type = Conditions {
            kind: Some("plan.agreed".to_owned()),
            ..Conditions::default()
        };
        assert_eq!(of_a_type.unfit(Of::Events), None);
        assert_eq!(of_a_type.unfit(Of::Inputs), Some("type"));
        assert_eq!(of_a_type.unfit(Of::Messages), Some("type"));
    }
}
