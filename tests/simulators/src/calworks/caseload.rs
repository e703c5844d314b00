//! The caseload batch: one CSV row for each person on a case, in the county's own layout.
//!
//! Columns, in this order: `case_number` (seven-character serial), `county_id` (14 characters: county,
//! aid code, serial, family budget unit, person number), `cin`, `first_name`, `middle_name`,
//! `last_name`, `suffix`, `birth_date` (YYYY-MM-DD), `sex` (F or M), `ssn` (nine digits), `aid_code`,
//! `worker_id`, `worker_name`, `worker_phone`, `relationship` (to the head: self or child), `street`,
//! `city`, `state`, `zip`, `phone` (ten digits), `status` (active), `case_status_date`.

use crate::family;
use crate::person::{CITY, COUNTY, Family, Person, ZIP};

/// Columns of the layout in file order.
pub(crate) const COLUMNS: [&str; 22] = [
    "case_number",
    "county_id",
    "cin",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "birth_date",
    "sex",
    "ssn",
    "aid_code",
    "worker_id",
    "worker_name",
    "worker_phone",
    "relationship",
    "street",
    "city",
    "state",
    "zip",
    "phone",
    "status",
    "case_status_date",
];

/// "All families", the general cash aid code.
const AID_CODE: &str = "30";

/// Writes the batch.
///
/// # Errors
/// When writing fails.
pub(crate) fn write(families: &[Family]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for family in families {
        for (place, person) in family.members.iter().enumerate() {
            writer.write_record(row(family, place + 1, person))?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| anyhow::anyhow!("closing the batch: {error}"))
}

/// The 14-character County ID of a person: it changes with aid code and county, the serial stays.
pub(crate) fn county_id(family: &Family, person_number: usize) -> String {
    format!("{COUNTY}{AID_CODE}{}0{person_number:02}", family.serial)
}

fn row(family: &Family, person_number: usize, person: &Person) -> [String; 22] {
    let text = |value: &str| value.to_owned();
    [
        family.serial.clone(),
        county_id(family, person_number),
        person.cin.clone(),
        person.first_name.clone(),
        String::new(),
        person.last_name.clone(),
        String::new(),
        person.birth_date.to_string(),
        person.sex.to_string(),
        person.ssn.clone(),
        text(AID_CODE),
        text("W0417"),
        text(family::CALWORKS_WORKER),
        text(family::CALWORKS_WORKER_PHONE),
        text(if person.is_child { "child" } else { "self" }),
        format!("{} {}", family.house, family.street),
        text(CITY),
        text("CA"),
        text(ZIP),
        family.phone.clone(),
        text("active"),
        text("2025-07-01"),
    ]
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, county_id, write};
    use crate::family::demo_family;

    #[test]
    fn each_person_has_one_whole_row_and_a_county_id_of_fourteen_characters() {
        let family = demo_family();
        let bytes = write(std::slice::from_ref(&family)).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(row[1], county_id(&family, place + 1));
            assert_eq!(row[1].len(), 14);
        }
    }
}
