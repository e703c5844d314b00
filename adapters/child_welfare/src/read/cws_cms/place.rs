//! What is told about a row that was not used, always by file, line and column, never by content.

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;

use super::csv::Record;
use crate::gates::Refusal;

/// Refuses a row at the gate: it is cut out of the kept original.
pub(crate) fn refuse(sink: &mut dyn Sink, file: &str, record: &Record, refusal: Refusal) {
    let place = Place::line(file, record.line);
    sink.refused(place.clone(), record.last_line);
    sink.deviation(match refusal {
        Refusal::Sealed => Deviation::info(
            "sealed-record-refused",
            place,
            "no sealed file, nor a row that names one",
        ),
        Refusal::Report => Deviation::info(
            "report-content-refused",
            place,
            "no abuse report, allegation or reporter",
        ),
        Refusal::Address => Deviation::info(
            "address-refused",
            place,
            "an address of a client who may enter",
        ),
        Refusal::ClientUnknown => Deviation::record_error(
            "client-unknown",
            place,
            "a row that belongs to a client of CLIENT_T, so that its marking is known",
        ),
    });
}

/// A row that could not be read at all. Its client, and so its marking, is unknown: it is cut out.
pub(crate) fn malformed(sink: &mut dyn Sink, file: &str, line: u64) {
    let place = Place::line(file, line);
    sink.refused(place.clone(), line);
    sink.deviation(Deviation::record_error(
        "row-malformed",
        place,
        "comma-separated cells, as many as the header has",
    ));
}

/// A value that its column does not allow, and that is therefore not used.
pub(crate) fn bad_value(sink: &mut dyn Sink, file: &str, line: u64, column: &str, expected: &str) {
    let place = Place::line(file, line).field(column);
    sink.deviation(Deviation::value_error("value-not-allowed", place, expected));
}
