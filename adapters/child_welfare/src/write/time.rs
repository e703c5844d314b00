//! Dates and times as NIEM writes them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_mappings::model::date::PartialDate;

use super::xml::Node;

/// `xs:dateTime` with the offset of the zone.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// An `nc:DateType` that holds a moment.
pub(crate) fn date_time(name: &'static str, at: Timestamp, zone: &TimeZone) -> Node {
    Node::new(name).child(Node::text("nc:DateTime", moment(at, zone)))
}

/// An `nc:DateType` that holds a day and the moment on it, where the profile asks for the day.
pub(crate) fn day_and_moment(name: &'static str, at: Timestamp, zone: &TimeZone) -> Node {
    let day = at.to_zoned(zone.clone()).date();
    date(name, day).child(Node::text("nc:DateTime", moment(at, zone)))
}

/// An `nc:DateType` that holds a day.
pub(crate) fn date(name: &'static str, day: Date) -> Node {
    Node::new(name).child(Node::text("nc:Date", day.to_string()))
}

/// An `nc:DateType` that holds as much of a date as is known.
pub(crate) fn partial(name: &'static str, date: PartialDate) -> Node {
    let representation = match (date.month(), date.day()) {
        (Some(_), Some(_)) => "nc:Date",
        (Some(_), None) => "nc:YearMonthDate",
        _ => "nc:YearDate",
    };
    Node::new(name).child(Node::text(representation, date.to_string()))
}

/// An `nc:DateType` that holds a range, when either end is known.
pub(crate) fn range(name: &'static str, from: Option<Date>, to: Option<Date>) -> Option<Node> {
    let start = from.map(|day| date("nc:StartDate", day));
    let end = to.map(|day| date("nc:EndDate", day));
    let range = Node::new("nc:DateRange")
        .with(start)
        .with(end)
        .unless_empty()?;
    Some(Node::new(name).child(range))
}
