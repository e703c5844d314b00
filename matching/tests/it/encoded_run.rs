//! Generated people as encodings, linked, and what the links are worth. All people are invented.

use std::collections::HashMap;
use std::io::Cursor;

use tandem_matching::{
    EncodeOptions, EncodedTables, LinkOutputs, LinkTablesError, Noise, PprlKey, PprlReport,
    Settings, TableInput, encode_table, link_encoded,
};
use tandem_population::{Parameters, write_tables};

/// Tables by system.
pub(crate) type Tables = Vec<(String, Vec<u8>)>;

/// The key of the exchange.
pub(crate) const KEY: &str = "8f1d0c6b92e47a35d1fe60b8437c29a05be2914c7df3086aa91c5e27b4d8f063";

/// Whom each record is about and the number of the family, by system and id.
pub(crate) type Truth = HashMap<(String, String), [String; 2]>;

/// The tables of generated people, with the truth.
pub(crate) fn people(parameters: Parameters) -> (Tables, Truth) {
    let place = tempfile::tempdir().unwrap();
    write_tables(parameters, place.path()).unwrap();
    let read = |name: &str| std::fs::read(place.path().join(format!("{name}.csv"))).unwrap();
    let truth = rows(&read("truth")).into_iter();
    let truth = truth.map(|row| {
        (
            (row[0].clone(), row[1].clone()),
            [row[2].clone(), row[3].clone()],
        )
    });
    let table = |system: &str| (system.to_owned(), read(system));
    (
        ["tanf", "cws", "fhir", "hmis"].map(table).into(),
        truth.collect(),
    )
}

pub(crate) fn options(key: &str) -> EncodeOptions {
    EncodeOptions {
        key: PprlKey::parse(key).unwrap(),
        noise: Noise::NONE,
        keeps_ids: true,
    }
}

pub(crate) fn input((system, bytes): &(String, Vec<u8>)) -> TableInput<'static> {
    TableInput {
        system: system.clone(),
        file: format!("{system}.csv"),
        input: Box::new(Cursor::new(bytes.clone())),
    }
}

/// A table encoded, and the list of its ids.
pub(crate) fn encoded(
    table: &(String, Vec<u8>),
    options: &EncodeOptions,
) -> (Vec<u8>, Vec<Vec<String>>) {
    let (mut output, mut ids) = (Vec::new(), Vec::new());
    encode_table(input(table), options, &mut output, &mut ids).unwrap();
    (output, rows(&ids))
}

/// All tables encoded.
pub(crate) fn all_encoded(tables: &Tables, options: &EncodeOptions) -> Tables {
    let encode = |table: &(String, Vec<u8>)| (table.0.clone(), encoded(table, options).0);
    tables.iter().map(encode).collect()
}

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) report: PprlReport,
    pub(crate) links: Vec<Vec<String>>,
    pub(crate) clusters: Vec<Vec<String>>,
}

/// Links encoded tables, and clear ones with the key.
pub(crate) fn link(
    encoded: &Tables,
    clear: &Tables,
    settings: &Settings,
) -> Result<Ran, LinkTablesError> {
    let key = || PprlKey::parse(KEY).unwrap();
    let tables = EncodedTables {
        encoded: encoded.iter().map(input).collect(),
        clear: (!clear.is_empty()).then(|| (clear.iter().map(input).collect(), key())),
    };
    let (mut links, mut clusters) = (Vec::new(), Vec::new());
    let outputs = LinkOutputs {
        links: &mut links,
        clusters: &mut clusters,
        candidates: None,
    };
    let report = link_encoded(tables, settings, outputs, None)?;
    Ok(Ran {
        report,
        links: rows(&links),
        clusters: rows(&clusters),
    })
}

/// What the links are worth: precision, recall, and recall of links and reviews together.
pub(crate) fn quality(ran: &Ran, truth: &Truth) -> (f64, f64, f64) {
    let mut sizes: HashMap<&String, u64> = HashMap::new();
    for [person, _] in truth.values() {
        *sizes.entry(person).or_default() += 1;
    }
    let matches: u64 = sizes.values().map(|size| size * (size - 1) / 2).sum();
    let right = |decision: &str| {
        let rows = ran.links.iter().filter(|row| row[5] == decision);
        let about = rows.map(|row| about(truth, row));
        about.filter(|[one, other]| one[0] == other[0]).count() as f64
    };
    let (linked, reviewed) = (right("link"), right("review"));
    (
        linked / ran.report.statistics.links as f64,
        linked / matches as f64,
        (linked + reviewed) / matches as f64,
    )
}

/// How many of the links that join two people join two of one family, and how many there are.
pub(crate) fn false_within_families(ran: &Ran, truth: &Truth) -> (usize, usize) {
    let links = ran.links.iter().filter(|row| row[5] == "link");
    let pairs = links.map(|row| about(truth, row));
    let wrong: Vec<_> = pairs.filter(|[one, other]| one[0] != other[0]).collect();
    let within = wrong.iter().filter(|[one, other]| one[1] == other[1]);
    (within.count(), wrong.len())
}

fn about<'a>(truth: &'a Truth, row: &[String]) -> [&'a [String; 2]; 2] {
    [0, 2].map(|place| &truth[&(row[place].clone(), row[place + 1].clone())])
}

pub(crate) fn rows(table: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(table);
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        row.unwrap().iter().map(str::to_owned).collect()
    };
    reader.records().map(row).collect()
}
