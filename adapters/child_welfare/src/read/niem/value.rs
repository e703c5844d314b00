//! Dates of a message. NIEM's `nc:DateType` holds one of several representations.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_mappings::model::date::PartialDate;

use super::tree::Element;

/// The date of an `nc:DateType`: a day, a month, a year, the day of a moment, or the start of a range.
pub(crate) fn date(element: Option<&Element>) -> Option<PartialDate> {
    let element = element?;
    for name in ["nc:Date", "nc:YearMonthDate", "nc:YearDate"] {
        if let Some(text) = element.text_at(name) {
            return plain(text);
        }
    }
    match element.text_at("nc:DateTime") {
        Some(text) => plain(text.get(..10)?),
        None => date(element.at("nc:DateRange/nc:StartDate")),
    }
}

/// The full day of an `nc:DateType`.
pub(crate) fn day(element: Option<&Element>) -> Option<Date> {
    date(element)?.full()
}

/// The moment of an `nc:DateType`; a day counts from its start in the zone.
pub(crate) fn moment(element: Option<&Element>, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(text) = element?.text_at("nc:DateTime") {
        return match text.parse::<Timestamp>() {
            Ok(moment) => Some(moment),
            // Without an offset it is local time.
            Err(_) => {
                let local: jiff::civil::DateTime = text.parse().ok()?;
                Some(local.to_zoned(zone.clone()).ok()?.timestamp())
            }
        };
    }
    Some(day(element)?.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Whether an element that represents a date holds one.
pub(crate) fn is_date(element: &Element) -> bool {
    let text = element.text.as_str();
    match element.is("nc:DateTime") {
        true => text.parse::<Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok(),
        false => plain(text).is_some(),
    }
}

/// An `xs:date` may carry an offset; the day stands without it.
fn plain(text: &str) -> Option<PartialDate> {
    let text = text.trim().trim_end_matches('Z');
    text.parse().ok().or_else(|| text.get(..10)?.parse().ok())
}
