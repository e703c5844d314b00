//! CSV export of public rows (RFC 4180, UTF-8, header).

use jiff::Timestamp;

use super::PublicRow;

/// The columns of the export.
pub const CSV_HEADER: [&str; 12] = [
    "indicator_id",
    "period_start",
    "period_end",
    "jurisdiction",
    "stratum",
    "numerator",
    "denominator",
    "value",
    "suppressed",
    "snapshot_id",
    "method_version",
    "generated_at",
];

/// Writes public rows as CSV. Masked numbers are empty.
///
/// # Errors
/// When the writer fails.
pub fn write_csv(
    sink: impl std::io::Write,
    rows: &[PublicRow],
    snapshot_id: &str,
    method_version: &str,
    generated_at: Timestamp,
) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(sink);
    writer.write_record(CSV_HEADER)?;
    let count = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    for row in rows {
        writer.write_record([
            row.indicator.clone(),
            row.period.start().to_string(),
            row.period.end().to_string(),
            row.jurisdiction.to_string(),
            row.stratum.to_string(),
            count(row.numerator),
            count(row.denominator),
            row.value.map(value_text).unwrap_or_default(),
            row.suppressed.code().to_owned(),
            snapshot_id.to_owned(),
            method_version.to_owned(),
            generated_at.to_string(),
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// A value with at most four decimals.
fn value_text(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_carry_no_trailing_zeros() {
        for (value, text) in [
            (0.75, "0.75"),
            (10.0, "10"),
            (1.0 / 3.0, "0.3333"),
            (0.0, "0"),
        ] {
            assert_eq!(value_text(value), text);
        }
    }
}
