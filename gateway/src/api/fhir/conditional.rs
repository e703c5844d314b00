//! `If-None-Exist` on `POST /fhir/Task`: create only what is not there (FHIR R4, section 3.1.0.8.1).
//!
//! Only Tasks that the caller itself posted are searched, so the answer tells nothing of others.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tandem_fhir::config::FhirConfig;
use tandem_mappings::model::id::SystemId;

use super::view::{PostedTaskDoc, Served, serve};
use super::{FhirError, store_failed};
use crate::api::Api;
use crate::api::problem::ApiError;
use crate::state::referral::ReferralDoc;

/// Index of posted Tasks by sender and identifier.
pub(super) const BY_IDENTIFIER: &str = "fhir-task.identifier";

const NAME: &str = "if-none-exist";

/// Under what a Task's identifiers are found: each with its system, and by its value alone.
pub(super) fn index_values(system: &SystemId, task: &Value) -> Vec<String> {
    let identifiers = task.get("identifier").and_then(Value::as_array);
    let mut values = Vec::new();
    for identifier in identifiers.into_iter().flatten() {
        let text = |field: &str| identifier.get(field).and_then(Value::as_str);
        let Some(value) = text("value") else { continue };
        let token = Token {
            system: Some(text("system").unwrap_or_default().to_owned()),
            value: value.to_owned(),
        };
        values.push(token.index(system));
        values.push(
            Token {
                system: None,
                ..token
            }
            .index(system),
        );
    }
    values
}

/// The answer instead of a create, when a Task fits the condition already.
///
/// # Errors
/// 400 when the condition is not understood, 412 when several Tasks fit it, else when the store fails.
pub(super) async fn existing(
    api: &Api,
    system: &SystemId,
    config: &FhirConfig,
    headers: &HeaderMap,
) -> Result<Option<Response>, FhirError> {
    let Some(token) = condition(headers)? else {
        return Ok(None);
    };
    let mut tx = api.core().store.begin().await?;
    let posted = tx
        .find::<PostedTaskDoc>(BY_IDENTIFIER, &token.index(system))
        .await?;
    let mut found: Vec<(ReferralDoc, Served)> = Vec::new();
    for posted in posted {
        let document = tx
            .get::<ReferralDoc>(&posted.referral.to_string())
            .await
            .map_err(store_failed)?;
        let Some(document) = document.filter(|document| document.source == *system) else {
            continue;
        };
        if let Some(served) = serve(api, &mut tx, system, &document).await? {
            found.push((document, served));
        }
    }
    tx.commit().await?;
    match &found[..] {
        [] => Ok(None),
        [(document, served)] => Ok(Some(served.placed(StatusCode::OK, document.id, config))),
        _ => Err(FhirError::refused(
            StatusCode::PRECONDITION_FAILED,
            "multiple-matches",
            "Task.identifier",
            "several tasks fit the condition of If-None-Exist",
        )),
    }
}

/// An identifier searched for (FHIR R4, section 3.1.1.4.10): any system when it names none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    system: Option<String>,
    value: String,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                // Several values would mean any of them.
                ',' => return None,
                '|' => parts.push(String::new()),
                letter => parts.last_mut()?.push(if letter == '\\' {
                    letters.next()?
                } else {
                    letter
                }),
            }
        }
        let value = parts.pop().filter(|value| !value.is_empty())?;
        let system = parts.pop();
        parts.is_empty().then_some(Self { system, value })
    }

    fn index(&self, sender: &SystemId) -> String {
        match &self.system {
            Some(system) => format!("{sender}\u{1f}{system}\u{1f}{}", self.value),
            None => format!("{sender}\u{1f}{}", self.value),
        }
    }
}

/// The condition: what cannot be evaluated is refused, for ignoring it could create a second Task.
fn condition(headers: &HeaderMap) -> Result<Option<Token>, FhirError> {
    let mut given = headers.get_all(NAME).iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let text = first.to_str().unwrap_or_default().trim();
    let query = text.rsplit_once('?').map_or(text, |(_, query)| query);
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let token = match (pairs.next(), pairs.next(), given.next()) {
        (Some((name, value)), None, None) if name == "identifier" => Token::parse(&value),
        _ => None,
    };
    token.map(Some).ok_or_else(|| {
        let text = "If-None-Exist: expected identifier=SYSTEM|VALUE and nothing else";
        ApiError::Malformed(text.to_owned()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_one_identifier_and_nothing_else() {
        let token = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(NAME, text.parse().ok()?);
            condition(&headers).ok().flatten()
        };
        let known = |system: Option<&str>, value: &str| {
            Some(Token {
                system: system.map(str::to_owned),
                value: value.to_owned(),
            })
        };
        assert_eq!(token("identifier=urn:a|1"), known(Some("urn:a"), "1"));
        assert_eq!(token("identifier=urn%3Aa%7C1"), known(Some("urn:a"), "1"));
        assert_eq!(token("?identifier=|1"), known(Some(""), "1"));
        assert_eq!(token("identifier=1"), known(None, "1"));
        assert_eq!(
            token(r"identifier=urn:a|1\|2\,3"),
            known(Some("urn:a"), "1|2,3")
        );
        for other in [
            "",
            "identifier=",
            "identifier=a|1,a|2",
            "identifier=a|b|c",
            "status=draft",
            "identifier=1&status=draft",
        ] {
            assert_eq!(token(other), None, "{other}");
        }
    }
}
