//! Category 2: what a single field may hold (rule V).

use super::finding::{Finding, Findings, Weight};
use crate::tables::{Accepted, Field, FieldKind, day_faults};

/// Whether a field counts as empty: blanks, or `#` or `_` over its whole width.
#[must_use]
pub(super) fn is_missing(value: &str) -> bool {
    let only = |fill: u8| value.bytes().all(|byte| byte == fill);
    only(b' ') || only(b'#') || only(b'_')
}

/// Whether a group counts as absent: blanks, zeros or `#` over its whole width.
#[must_use]
pub(super) fn is_unused(group: &str) -> bool {
    is_missing(group) || group.bytes().all(|byte| byte == b'0' || byte == b' ')
}

/// The number in a field; blanks around it are tolerated. `None` when it holds anything but digits.
#[must_use]
pub(super) fn number(value: &str) -> Option<u64> {
    let digits = value.trim();
    let is_plain = !digits.is_empty()
        && digits.len() <= 18
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { digits.parse().ok() } else { None }
}

/// Checks one field. The portal looks only at fields that are required.
pub(super) fn check_field(
    field: &Field,
    value: &str,
    line: u64,
    record: &str,
    findings: &mut dyn Findings,
) {
    if !field.is_required {
        return;
    }
    let mut report = |rule, what| {
        let (item, field) = (field.item.as_str(), field.name.as_str());
        findings.found(Finding {
            rule,
            weight: Weight::Value,
            line,
            record,
            item,
            field,
            what,
        });
    };
    if is_missing(value) {
        return report("V-required", "a value: the field is required");
    }
    if field.kind == FieldKind::Number && number(value).is_none() {
        return report("V-required", "a number: the field is required");
    }
    if let Accepted::DayAfter(year) = &field.accepted {
        for fault in day_faults(value, *year) {
            report("V-date", fault);
        }
    } else if !field.accepted.allows(value) {
        report("V-value", "one of the accepted values");
    }
}

/// Checks fields of one record.
pub(super) fn check_fields(
    fields: &[Field],
    text: &str,
    line: u64,
    record: &str,
    findings: &mut dyn Findings,
) {
    for field in fields {
        check_field(field, field.span.of(text), line, record, findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_count_as_blank() {
        for fill in ["", "   ", "###", "___"] {
            assert!(is_missing(fill), "{fill:?}");
        }
        assert!(!is_missing("000") && !is_missing("#1#"));
        assert!(is_unused("0000") && is_unused("    ") && !is_unused("0100"));
    }

    #[test]
    fn right_aligned_numbers_are_numbers() {
        assert_eq!(number("  8"), Some(8));
        assert_eq!(number("008"), Some(8));
        assert_eq!(number("0 8"), None);
        assert_eq!(number("-8"), None);
    }
}
