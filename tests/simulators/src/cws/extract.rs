//! What stands in the extract: the demo family, its neighbours, and two guarded families.

use anyhow::Context;
use jiff::civil::{Date, DateTime, date};

use super::columns::{Columns, Values};
use super::key;
use crate::family;
use crate::person::{CITY, COUNTY, Family, Person, ZIP};

/// Staff id of the worker; the last three characters of every key she creates.
const STAFF: &str = "0X5";
/// CWS/CMS system code of the borrowed county.
const COUNTY_CODE: &str = "1125";
/// Service component Family Maintenance: child at home, services.
const FAMILY_MAINTENANCE: &str = "1693";

/// Tables of the extract in the order in which they are packed.
pub(crate) const TABLES: [&str; 9] = [
    "CLIENT_T", "OCL_NM_T", "CLN_RELT", "ADDRS_T", "CL_ADDRT", "CHLD_CLT", "CASE_T", "ASGNM_T",
    "STFPERST",
];

/// Rows under construction, one list for each of [`TABLES`].
#[derive(Debug)]
pub(crate) struct Extract {
    rows: Vec<(&'static str, Values<'static>)>,
    created: DateTime,
}

/// How a family is to be written.
struct Record<'family> {
    family: &'family Family,
    /// `N`, `S` sensitive or `R` sealed.
    guard: &'static str,
    /// (client, case) keys by member; made up where absent.
    keys: Vec<(Option<&'static str>, Option<&'static str>)>,
}

impl Extract {
    /// The extract of the county as it stands on the first day of the story.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub(crate) fn build(neighbours: &[Family]) -> anyhow::Result<Self> {
        let created = date(2025, 9, 3).at(8, 10, 0, 0);
        let mut extract = Self {
            rows: Vec::new(),
            created,
        };
        extract.add("STFPERST", staff());
        extract.family(&Record {
            family: &known_family(),
            guard: "N",
            keys: vec![
                (Some(family::CWS_MARISOL), None),
                (Some(family::CWS_ANA), Some(family::CWS_CASE_ANA)),
                (Some(family::CWS_LEO), Some(family::CWS_CASE_LEO)),
            ],
        })?;
        let guarded = [
            (family::sealed_family(), "R"),
            (family::sensitive_family(), "S"),
        ];
        for (family, guard) in &guarded {
            extract.family(&Record {
                family,
                guard,
                keys: Vec::new(),
            })?;
        }
        for family in neighbours {
            extract.family(&Record {
                family,
                guard: "N",
                keys: Vec::new(),
            })?;
        }
        let alias = vec![
            ("THIRD_ID", extract.next_key()?),
            ("FKCLIENT_T", family::CWS_ANA.to_owned()),
            ("FIRST_NM", "Ana".to_owned()),
            ("LAST_NM", "Rivas".to_owned()),
            ("NAME_TPC", "1311".to_owned()),
        ];
        extract.add("OCL_NM_T", alias);
        Ok(extract)
    }

    /// The tables as files of the zip.
    ///
    /// # Errors
    /// When a row does not fit its table.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let columns = Columns::load()?;
        TABLES
            .iter()
            .map(|table| {
                let rows: Vec<Values<'_>> = self
                    .rows
                    .iter()
                    .filter(|(name, _)| name == table)
                    .map(|(_, row)| row.clone())
                    .collect();
                Ok((format!("{table}.csv"), columns.csv(table, &rows)?))
            })
            .collect()
    }

    fn add(&mut self, table: &'static str, row: Values<'static>) {
        self.rows.push((table, row));
    }

    /// A key as the worker's machine would make it, 37 seconds after the one before.
    fn next_key(&mut self) -> anyhow::Result<String> {
        self.created = self
            .created
            .checked_add(jiff::Span::new().seconds(37).milliseconds(410))
            .context("the calendar ends")?;
        key::encode(self.created, STAFF)
    }

    fn family(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        let address = self.next_key()?;
        self.add("ADDRS_T", address_row(&address, record.family));
        let mut mother = String::new();
        let mut siblings: Vec<(String, char)> = Vec::new();
        for (place, person) in record.family.members.iter().enumerate() {
            let (client_key, case_key) = record.keys.get(place).copied().unwrap_or((None, None));
            let client = client_key.map_or_else(|| self.next_key(), |key| Ok(key.to_owned()))?;
            self.add("CLIENT_T", client_row(&client, person, record.guard));
            let link = self.next_key()?;
            self.add("CL_ADDRT", address_link(&link, &client, &address));
            if person.is_child {
                let case = case_key.map_or_else(|| self.next_key(), |key| Ok(key.to_owned()))?;
                self.child(&client, &case, person, record.guard)?;
                self.relation(&mother, &client, mother_code(person.sex))?;
                for (sibling, sex) in siblings.clone() {
                    self.relation(&sibling, &client, sibling_code(sex, person.sex))?;
                }
                siblings.push((client, person.sex));
            } else {
                mother = client;
            }
        }
        Ok(())
    }

    fn child(
        &mut self,
        client: &str,
        case: &str,
        person: &Person,
        guard: &str,
    ) -> anyhow::Result<()> {
        self.add(
            "CHLD_CLT",
            vec![
                ("FKCLIENT_T", client.to_owned()),
                ("CURNT_CSID", case.to_owned()),
            ],
        );
        let name = format!("{}, {}", person.last_name, person.first_name);
        self.add("CASE_T", case_row(case, client, &name, guard));
        let assignment = self.next_key()?;
        self.add("ASGNM_T", assignment_row(&assignment, case));
        Ok(())
    }

    fn relation(&mut self, primary: &str, secondary: &str, code: &str) -> anyhow::Result<()> {
        let row = vec![
            ("IDENTIFIER", self.next_key()?),
            ("FKCLIENT_T", primary.to_owned()),
            ("FKCLIENT_0", secondary.to_owned()),
            ("CLNTRELC", code.to_owned()),
            ("SAME_HM_CD", "Y".to_owned()),
            ("ABSENT_CD", "N".to_owned()),
        ];
        self.add("CLN_RELT", row);
        Ok(())
    }
}

/// The demo family as child welfare knows it: variant surname, the daughter's CIN only, and a birth
/// date of the son that somebody estimated.
fn known_family() -> Family {
    let mut family = family::demo_family();
    for person in &mut family.members {
        if person.is_child {
            person.last_name = family::CWS_SURNAME.to_owned();
            person.ssn = String::new();
        } else {
            person.cin = String::new();
        }
        if person.cin == family::CIN_LEO {
            person.cin = String::new();
            person.birth_date = date(2021, 9, 1);
        }
    }
    family
}

fn client_row(key: &str, person: &Person, guard: &str) -> Values<'static> {
    let is_estimated = person.birth_date == date(2021, 9, 1);
    vec![
        ("IDENTIFIER", key.to_owned()),
        ("COM_FST_NM", person.first_name.clone()),
        ("COM_LST_NM", person.last_name.clone()),
        ("BIRTH_DT", person.birth_date.to_string()),
        (
            "EST_DOB_CD",
            if is_estimated { "Y" } else { "N" }.to_owned(),
        ),
        ("GENDER_CD", person.sex.to_string()),
        ("SS_NO", person.ssn.clone()),
        ("CL_INDX_NO", person.cin.clone()),
        ("SENSTV_IND", guard.to_owned()),
        (
            "SOC158_IND",
            if guard == "R" { "Y" } else { "N" }.to_owned(),
        ),
        ("NAME_TPC", "1313".to_owned()),
        (
            "CHLD_CLT_B",
            if person.is_child { "Y" } else { "N" }.to_owned(),
        ),
        ("CREATN_DT", "2026-01-20".to_owned()),
        ("LST_UPD_ID", STAFF.to_owned()),
        ("LST_UPD_TS", "2026-01-26 10:30:00.000".to_owned()),
    ]
}

fn address_row(key: &str, family: &Family) -> Values<'static> {
    vec![
        ("IDENTIFIER", key.to_owned()),
        ("STREET_NO", family.house.clone()),
        ("STREET_NM", family.street.clone()),
        ("CITY_NM", CITY.to_owned()),
        ("STATE_C", "1828".to_owned()),
        ("ZIP_NO", ZIP.to_owned()),
        ("GVR_ENTC", COUNTY_CODE.to_owned()),
        ("PRM_TEL_NO", family.phone.clone()),
    ]
}

fn address_link(key: &str, client: &str, address: &str) -> Values<'static> {
    vec![
        ("IDENTIFIER", key.to_owned()),
        ("FKCLIENT_T", client.to_owned()),
        ("FKADDRS_T", address.to_owned()),
        ("ADDR_TPC", "32".to_owned()),
        ("EFF_STRTDT", "2025-08-01".to_owned()),
        ("HOMLES_IND", "N".to_owned()),
    ]
}

fn case_row(key: &str, child: &str, name: &str, guard: &str) -> Values<'static> {
    let opened: Date = date(2026, 1, 26);
    let short: String = name.chars().take(35).collect();
    vec![
        ("IDENTIFIER", key.to_owned()),
        ("CASE_NM", short),
        ("FKCHLD_CLT", child.to_owned()),
        ("START_DT", opened.to_string()),
        ("SRV_CMPC", FAMILY_MAINTENANCE.to_owned()),
        ("SRV_CMPDT", opened.to_string()),
        ("GVR_ENTC", COUNTY_CODE.to_owned()),
        ("CNTY_SPFCD", COUNTY.to_owned()),
        ("RSP_AGY_CD", "C".to_owned()),
        ("LMT_ACSSCD", guard.to_owned()),
        (
            "L_GVR_ENTC",
            if guard == "N" { "" } else { COUNTY_CODE }.to_owned(),
        ),
        ("FKSTFPERST", STAFF.to_owned()),
    ]
}

fn assignment_row(key: &str, case: &str) -> Values<'static> {
    vec![
        ("IDENTIFIER", key.to_owned()),
        ("ESTBLSH_CD", "C".to_owned()),
        ("ESTBLSH_ID", case.to_owned()),
        ("ASGNMNT_CD", "P".to_owned()),
        ("FKCASE_LDT", key.to_owned()),
        ("START_DT", "2026-01-26".to_owned()),
    ]
}

fn staff() -> Values<'static> {
    let (first, last) = family::CWS_WORKER.split_once(' ').unwrap_or_default();
    vec![
        ("IDENTIFIER", STAFF.to_owned()),
        ("FIRST_NM", first.to_owned()),
        ("LAST_NM", last.to_owned()),
        ("PHONE_NO", "5305550120".to_owned()),
        ("EMAIL_ADDR", "casey@example.org".to_owned()),
        ("CNTY_SPFCD", COUNTY.to_owned()),
    ]
}

/// Relationship codes read primary/secondary: Mother/Daughter and Mother/Son (Birth).
const fn mother_code(child: char) -> &'static str {
    if child == 'F' { "247" } else { "252" }
}

const fn sibling_code(elder: char, younger: char) -> &'static str {
    match (elder, younger) {
        ('F', 'F') => "279",
        ('F', _) => "276",
        (_, 'F') => "182",
        _ => "179",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Extract, TABLES};
    use crate::family;
    use crate::fillers::{Neighbourhood, families};
    use crate::table;

    fn tables() -> Vec<(String, Vec<std::collections::BTreeMap<String, String>>)> {
        let extract = Extract::build(&families(1, Neighbourhood::ChildWelfare, 6)).unwrap();
        let read = |bytes: Vec<u8>| {
            let text = format!(
                "# source: x\n# version: x\n{}",
                String::from_utf8(bytes).unwrap()
            );
            table::rows(&text).unwrap()
        };
        extract
            .files()
            .unwrap()
            .into_iter()
            .map(|(name, bytes)| (name, read(bytes)))
            .collect()
    }

    #[test]
    fn every_foreign_key_of_the_extract_resolves_and_every_key_is_ten_characters() {
        let tables = tables();
        assert_eq!(tables.len(), TABLES.len());
        let keys = |table: &str| -> BTreeSet<String> {
            let (_, rows) = tables.iter().find(|(name, _)| name == table).unwrap();
            rows.iter().map(|row| row["IDENTIFIER"].clone()).collect()
        };
        let (clients, cases) = (keys("CLIENT_T.csv"), keys("CASE_T.csv"));
        let addresses = keys("ADDRS_T.csv");
        assert!(clients.len() >= 15 && clients.iter().all(|key| key.len() == 10));
        for (name, rows) in &tables {
            for row in rows {
                for (column, target) in [
                    ("FKCLIENT_T", &clients),
                    ("FKCLIENT_0", &clients),
                    ("FKCHLD_CLT", &clients),
                    ("CURNT_CSID", &cases),
                    ("ESTBLSH_ID", &cases),
                    ("FKADDRS_T", &addresses),
                ] {
                    if let Some(key) = row.get(column) {
                        assert!(target.contains(key), "{name} {column} {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn codes_exist_and_unset_columns_are_blank_padded_or_zero() {
        let codes = table::rows(include_str!("../../tables/cws/codes.csv")).unwrap();
        let tables = tables();
        for (table, column, meta) in [
            ("CLN_RELT.csv", "CLNTRELC", "CLNTRELC"),
            ("CASE_T.csv", "SRV_CMPC", "SRV_CMPC"),
            ("CASE_T.csv", "GVR_ENTC", "GVR_ENTC"),
            ("CLIENT_T.csv", "NAME_TPC", "NAME_TPC"),
        ] {
            let (_, rows) = tables.iter().find(|(name, _)| name == table).unwrap();
            for row in rows {
                let known = codes
                    .iter()
                    .any(|code| code["meta"] == meta && code["sys_id"] == row[column]);
                assert!(known, "{column} {}", row[column]);
            }
        }
        let (_, clients) = &tables[0];
        let marisol = clients
            .iter()
            .find(|row| row["IDENTIFIER"] == family::CWS_MARISOL)
            .unwrap();
        assert_eq!(marisol["COM_FST_NM"], "Marisol             ");
        assert_eq!(marisol["P_ETHNCTYC"], "0");
        assert_eq!(marisol["DEATH_DT"], "");
        let leo = clients
            .iter()
            .find(|row| row["IDENTIFIER"] == family::CWS_LEO)
            .unwrap();
        assert_eq!(
            (leo["EST_DOB_CD"].as_str(), leo["CL_INDX_NO"].trim()),
            ("Y", "")
        );
    }
}
