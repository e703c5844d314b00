//! What hangs on a client in other tables: names, addresses, further numbers.

use std::collections::HashMap;

use tandem_mappings::model::name::PersonName;
use tandem_mappings::model::person::{Address, Identifier};

use super::client::{Reporter, other_name};
use super::extract::{Extract, Halt, Met};
use super::row::Row;
use super::row_id::RowId;
use crate::gates::Gate;
use crate::tables::Tables;
use tandem_adapter_port::read::Sink;

/// System code of California in `STATE_C`; the other states are not in the published list.
const STATE_CALIFORNIA: u32 = 1828;
/// Type of a homeless address in `ADDR_TPC`.
const ADDRESS_HOMELESS: u32 = 29;
/// Addresses that are not where the person can be found at home: business, day care, penal institution.
const ADDRESSES_UNUSED: [u32; 3] = [27, 28, 30];
/// Number type of the MEDS id in `OTH_ID_C`.
const NUMBER_MEDS_ID: u32 = 1332;

/// An address of a client, and since when it is no longer current.
struct Residence {
    address_id: Option<RowId>,
    is_current: bool,
    homeless: bool,
    address: Address,
    phones: Vec<String>,
}

/// What hangs on one client.
#[derive(Default)]
pub(crate) struct Side {
    pub(crate) names: Vec<PersonName>,
    pub(crate) identifiers: Vec<Identifier>,
    residences: Vec<Residence>,
}

impl Side {
    /// Addresses, the current ones first, and telephone numbers of the current ones.
    pub(crate) fn contact(&self) -> (Vec<Address>, Vec<String>) {
        let mut residences: Vec<&Residence> = self.residences.iter().collect();
        residences.sort_by_key(|residence| !residence.is_current);
        let addresses = residences.iter().map(|residence| Address {
            homeless: residence.homeless,
            ..residence.address.clone()
        });
        let addresses = addresses
            .filter(|address| *address != Address::default())
            .collect();
        let mut phones: Vec<String> = Vec::new();
        for phone in residences
            .iter()
            .filter(|one| one.is_current)
            .flat_map(|one| &one.phones)
        {
            if !phones.contains(phone) {
                phones.push(phone.clone());
            }
        }
        (addresses, phones)
    }
}

/// Fills in what hangs on the clients that are keys of `sides`.
pub(crate) fn fill(
    sides: &mut HashMap<RowId, Side>,
    extract: &mut Extract<'_>,
    gate: &Gate,
    tables: &Tables,
    sink: &mut dyn Sink,
) -> Result<(), Halt> {
    for table in ["OCL_NM_T", "ST_ID_T", "NCWSNO_T", "CL_ADDRT"] {
        extract.walk(table, sink, &mut |met, file, sink| {
            let Met::Row(row) = met else { return Ok(()) };
            if gate.refusal(table, row).is_some() {
                return Ok(());
            }
            let Some(side) = row
                .id("FKCLIENT_T")
                .and_then(|client| sides.get_mut(&client))
            else {
                return Ok(());
            };
            let mut report = Reporter {
                file,
                line: row.record.line,
                sink,
            };
            match table {
                "OCL_NM_T" => side.names.extend(other_name(row, &mut report)),
                "ST_ID_T" => side.identifiers.extend(state_id(row, tables, &mut report)),
                "NCWSNO_T" => side.identifiers.extend(other_number(row, &mut report)),
                _ => side.residences.extend(residence(row, &mut report)),
            }
            Ok(())
        })?;
    }
    fill_addresses(sides, extract, gate, sink)
}

fn fill_addresses(
    sides: &mut HashMap<RowId, Side>,
    extract: &mut Extract<'_>,
    gate: &Gate,
    sink: &mut dyn Sink,
) -> Result<(), Halt> {
    let mut wanted: HashMap<RowId, Vec<RowId>> = HashMap::new();
    for (client, side) in sides.iter() {
        for address in side
            .residences
            .iter()
            .filter_map(|one| one.address_id.clone())
        {
            wanted.entry(address).or_default().push(client.clone());
        }
    }
    extract.walk("ADDRS_T", sink, &mut |met, file, sink| {
        let Met::Row(row) = met else { return Ok(()) };
        if gate.refusal("ADDRS_T", row).is_some() {
            return Ok(());
        }
        let Some(id) = row.id("IDENTIFIER") else {
            return Ok(());
        };
        let Some(clients) = wanted.get(&id) else {
            return Ok(());
        };
        let mut report = Reporter {
            file,
            line: row.record.line,
            sink,
        };
        let address = address(row, &mut report);
        let phones: Vec<String> = ["PRM_TEL_NO", "MSG_TEL_NO"]
            .iter()
            .filter_map(|column| row.phone(column))
            .collect();
        for client in clients {
            let Some(side) = sides.get_mut(client) else {
                continue;
            };
            for residence in &mut side.residences {
                if residence.address_id.as_ref() == Some(&id) {
                    residence.address = address.clone();
                    residence.phones.clone_from(&phones);
                }
            }
        }
        Ok(())
    })
}

fn residence(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<Residence> {
    let kind = report.code(row, "ADDR_TPC");
    if kind.is_some_and(|kind| ADDRESSES_UNUSED.contains(&kind)) {
        return None;
    }
    Some(Residence {
        address_id: row.id("FKADDRS_T"),
        is_current: report.date(row, "EFF_END_DT").is_none(),
        homeless: kind == Some(ADDRESS_HOMELESS) || row.text("HOMLES_IND") == Some("Y"),
        address: Address::default(),
        phones: Vec::new(),
    })
}

fn address(row: &Row<'_>, report: &mut Reporter<'_>) -> Address {
    let parts = [
        "STREET_NO",
        "PREDIR_CD",
        "STREET_NM",
        "POSTDIR_CD",
        "UNIT_NO",
    ];
    let street: Vec<&str> = parts.iter().filter_map(|column| row.text(column)).collect();
    let zip = row.text("ZIP_NO").and_then(|text| text.parse::<u32>().ok());
    let zip = zip.filter(|zip| (1..100_000).contains(zip));
    let state = report
        .code(row, "STATE_C")
        .filter(|state| *state == STATE_CALIFORNIA);
    Address {
        street: street.join(" "),
        city: row.owned("CITY_NM"),
        state: state.map_or_else(String::new, |_| "CA".to_owned()),
        zip: zip.map_or_else(String::new, |zip| format!("{zip:05}")),
        homeless: false,
    }
}

/// The state case id: county, serial, assistance unit, person. With the aid code, which CWS/CMS keeps
/// elsewhere, it would be the fourteen-character county id of MEDS.
fn state_id(row: &Row<'_>, tables: &Tables, report: &mut Reporter<'_>) -> Option<Identifier> {
    if report.date(row, "END_DT").is_some() {
        return None;
    }
    let county = report.code(row, "GVR_ENTC")?;
    let county = tables.logical_id("GVR_ENTC", county)?.to_owned();
    let serial = row.text("SERIAL_NO")?;
    let value = format!(
        "{county}{serial:0>7}{}{}",
        row.owned("AST_UNT_CD"),
        row.owned("PERSON_NO")
    );
    Some(Identifier {
        kind: "state-case-id".to_owned(),
        value,
    })
}

fn other_number(row: &Row<'_>, report: &mut Reporter<'_>) -> Option<Identifier> {
    let is_meds = report.code(row, "OTH_ID_C") == Some(NUMBER_MEDS_ID);
    let value = row.text("OTHER_CLID").filter(|_| is_meds)?;
    Some(Identifier {
        kind: "meds-id".to_owned(),
        value: value.to_owned(),
    })
}
