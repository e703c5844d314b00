//! A run over tables with everything that it can give. All people are invented.

use std::io::Write;
use std::path::Path;

use tandem_matching::{
    Audience, LinkExtras, LinkOptions, LinkOutputs, LinkReport, LinkTablesError, Rulings, Settings,
    TableInput, link_tables_with,
};
use tandem_population::{Parameters, write_tables};

/// Tables by system.
pub(crate) type Tables = Vec<(String, Vec<u8>)>;

/// The tables of generated people.
pub(crate) fn generated(people: u64, seed: u64) -> Tables {
    let place = tempfile::tempdir().unwrap();
    let parameters = Parameters {
        people,
        seed,
        difficulty: 1.0,
    };
    write_tables(parameters, place.path()).unwrap();
    let read = |system: &str| {
        let file = Path::new(place.path()).join(format!("{system}.csv"));
        (system.to_owned(), std::fs::read(file).unwrap())
    };
    ["tanf", "cws", "fhir", "hmis"].map(read).into()
}

/// Tables written in a test.
pub(crate) fn tables(tables: &[(&str, &str)]) -> Tables {
    let owned = |(system, text): &(&str, &str)| ((*system).to_owned(), text.as_bytes().to_vec());
    tables.iter().map(owned).collect()
}

pub(crate) fn inputs(tables: &Tables) -> Vec<TableInput<'static>> {
    let input = |(system, bytes): &(String, Vec<u8>)| TableInput {
        system: system.clone(),
        file: format!("{system}.csv"),
        input: Box::new(std::io::Cursor::new(bytes.clone())),
    };
    tables.iter().map(input).collect()
}

/// What a run is asked for.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) estimate: bool,
    /// Other settings than the standard ones.
    pub(crate) settings: Option<Settings>,
    pub(crate) explain: &'a [(&'a str, &'a str)],
    pub(crate) page: bool,
    pub(crate) values: bool,
    /// Groups and households, ages as of 1 July 2026.
    pub(crate) beside: bool,
    pub(crate) progress: Audience<'a>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) report: LinkReport,
    pub(crate) links: Vec<Vec<String>>,
    pub(crate) clusters: Vec<Vec<String>>,
    pub(crate) candidates: Vec<Vec<String>>,
    pub(crate) page: String,
    pub(crate) fairness: Vec<Vec<String>>,
    pub(crate) households: Vec<Vec<String>>,
}

/// Runs tables.
pub(crate) fn run(tables: &Tables, wanted: Wanted<'_>) -> Result<Ran, LinkTablesError> {
    let options = LinkOptions {
        settings: wanted
            .settings
            .unwrap_or_else(|| Settings::standard().unwrap()),
        estimate: wanted.estimate,
        rulings: Rulings::new(),
    };
    let (mut links, mut clusters, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut page, mut fairness, mut households) = (Vec::new(), Vec::new(), Vec::new());
    let outputs = LinkOutputs {
        links: &mut links,
        clusters: &mut clusters,
        candidates: Some(&mut candidates),
    };
    let reopen = || Ok(inputs(tables));
    let pairs = wanted.explain.iter();
    let [output, groups, homes]: [&mut dyn Write; 3] = [&mut page, &mut fairness, &mut households];
    let extras = LinkExtras {
        explain: pairs
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect(),
        page: wanted.page.then_some(output),
        values: wanted.values.then_some(&reopen),
        as_of: wanted.beside.then_some(jiff::civil::date(2026, 7, 1)),
        fairness: wanted.beside.then_some(groups),
        households: wanted.beside.then_some(homes),
        progress: wanted.progress,
    };
    let report = link_tables_with(inputs(tables), &options, outputs, extras)?;
    Ok(Ran {
        report,
        links: rows(&links),
        clusters: rows(&clusters),
        candidates: rows(&candidates),
        page: String::from_utf8(page).unwrap(),
        fairness: rows(&fairness),
        households: rows(&households),
    })
}

fn rows(table: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(table);
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        row.unwrap().iter().map(str::to_owned).collect()
    };
    reader.records().map(row).collect()
}

/// Settings under which blocks are split, and looked at by neighbours only, in small tables already.
pub(crate) fn small_blocks() -> Settings {
    let mut settings = Settings::standard().unwrap();
    settings.blocking.largest_block = 3;
    settings.blocking.window = 1;
    settings.blocking.largest_small_block = 2;
    settings
}
