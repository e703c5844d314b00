//! Cedar values.

use std::collections::BTreeMap;

use cedar_policy::RestrictedExpression as Value;
use jiff::civil::Date;
use tandem_mappings::registry::Term;

use super::CedarError;

/// Attributes of an entity, or fields of a record.
pub(super) type Fields = BTreeMap<&'static str, Value>;

pub(super) fn text(value: &str) -> Value {
    Value::new_string(value.to_owned())
}

pub(super) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    Value::new_set(values.into_iter().map(text))
}

pub(super) fn record(fields: Fields) -> Result<Value, CedarError> {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::new_record(fields).map_err(|_| CedarError)
}

/// Whole days since 1970-01-01.
pub(super) fn day(date: Date) -> i64 {
    let epoch = Date::constant(1970, 1, 1);
    date.since(epoch)
        .map_or(i64::MIN, |span| i64::from(span.get_days()))
}

pub(super) fn term(term: Term) -> Result<Value, CedarError> {
    record(Fields::from([
        (
            "from",
            Value::new_long(day(term.start.unwrap_or(Date::MIN))),
        ),
        ("to", Value::new_long(day(term.end.unwrap_or(Date::MAX)))),
    ]))
}

pub(super) fn is_true(fact: Option<bool>) -> Value {
    Value::new_bool(fact == Some(true))
}
