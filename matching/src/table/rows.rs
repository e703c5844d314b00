//! Rows of a CSV table (RFC 4180) as text. Runs write tens of millions of fields, nearly all of which need no quotes: they
//! are copied, and the scores are written digit by digit.

use std::io::Write as _;

/// Rows as they are written one after the other.
#[derive(Debug)]
pub(crate) struct Rows {
    text: Vec<u8>,
    is_within: bool,
}

impl Rows {
    /// No rows yet, with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: Vec::with_capacity(bytes),
            is_within: false,
        }
    }

    /// What was written.
    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// A field of text, quoted when it has to be.
    pub(crate) fn field(&mut self, text: &str) {
        self.part();
        let needs_quotes = |byte: u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
        if !text.bytes().any(needs_quotes) {
            return self.text.extend_from_slice(text.as_bytes());
        }
        self.text.push(b'"');
        for byte in text.bytes() {
            if byte == b'"' {
                self.text.push(b'"');
            }
            self.text.push(byte);
        }
        self.text.push(b'"');
    }

    /// A number with so many decimal places, nine at most.
    pub(crate) fn decimal(&mut self, value: f64, places: u8) {
        self.part();
        let places = places.min(9);
        let scale = 10_u64.pow(places.into());
        let scaled = (value * scale as f64).round();
        if scaled.abs() < 1e15 {
            if scaled < 0.0 {
                self.text.push(b'-');
            }
            let scaled = scaled.abs() as u64;
            self.digits(scaled / scale, 1);
            self.text.push(b'.');
            self.digits(scaled % scale, places.into());
        } else {
            // Writing to memory cannot fail.
            let _ = write!(self.text, "{value}");
        }
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) {
        self.text.push(b'\n');
        self.is_within = false;
    }

    /// Fields of text, one after the other.
    pub(crate) fn fields(&mut self, fields: &[&str]) {
        fields.iter().for_each(|field| self.field(field));
    }

    /// A whole row of text.
    pub(crate) fn row(&mut self, fields: &[&str]) {
        self.fields(fields);
        self.end();
    }

    fn part(&mut self) {
        if std::mem::replace(&mut self.is_within, true) {
            self.text.push(b',');
        }
    }

    /// At least so many digits of a number.
    fn digits(&mut self, mut number: u64, least: usize) {
        let start = self.text.len();
        while number > 0 || self.text.len() < start + least {
            self.text.push(b'0' + (number % 10) as u8);
            number /= 10;
        }
        if let Some(digits) = self.text.get_mut(start..) {
            digits.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(value: f64, places: u8) -> String {
        let mut rows = Rows::with_capacity(0);
        rows.decimal(value, places);
        String::from_utf8(rows.into_text()).unwrap()
    }

    #[test]
    fn numbers_have_the_places_that_were_asked_for() {
        assert_eq!(decimal(-12.3456, 3), "-12.346");
        assert_eq!(decimal(0.000_04, 6), "0.000040");
        assert_eq!(decimal(-0.000_1, 3), "0.000");
        assert_eq!(decimal(7.0, 3), "7.000");
        assert_eq!(decimal(f64::NEG_INFINITY, 3), "-inf");
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(rows in prop::collection::vec("[\"a,;\r\n é]{0,6}", 2..5)) {
            let mut written = Rows::with_capacity(0);
            let fields: Vec<&str> = rows.iter().map(String::as_str).collect();
            written.row(&fields);
            let text = written.into_text();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
            let read: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(read, vec![csv::StringRecord::from(fields)]);
        }

        #[test]
        fn a_number_is_rounded_to_its_places(value in -1e6_f64..1e6) {
            let read: f64 = decimal(value, 3).parse().unwrap();
            prop_assert!((read - value).abs() <= 0.000_500_001);
        }
    }
}
