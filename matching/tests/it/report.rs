//! The report: well-formed, from one file alone, and every figure the one of the outputs.

use std::collections::{BTreeMap, HashMap};

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use tandem_matching::{Field, Settings};

use crate::tables_run::{Ran, Wanted, generated, run, tables};

/// A page as a parser sees it.
#[derive(Debug, Default)]
struct Parsed {
    /// Rows of the bodies of tables, by id.
    tables: HashMap<String, Vec<Vec<String>>>,
    /// Charts by id: title and description.
    charts: BTreeMap<String, (String, String)>,
    elements: Vec<String>,
    attributes: Vec<(String, String)>,
    ids: Vec<String>,
}

/// What of a page is being read.
#[derive(Default)]
struct Place {
    table: String,
    chart: String,
    text: String,
    depth: Vec<String>,
}

impl Parsed {
    fn of(page: &str) -> Self {
        let mut reader = Reader::from_str(page);
        let (mut parsed, mut place) = (Self::default(), Place::default());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    let name = start.name().as_ref().to_owned();
                    let found = attributes(&start);
                    parsed.open(&name, &found, &mut place);
                    place.depth.push(name);
                }
                Event::Empty(empty) => {
                    let name = empty.name().as_ref().to_owned();
                    parsed.elements.push(name);
                    parsed.attributes.extend(attributes(&empty));
                }
                Event::Text(text) => place.text.push_str(&text),
                Event::GeneralRef(reference) => {
                    place.text.push('&');
                    place.text.push_str(&reference);
                    place.text.push(';');
                }
                Event::End(_) => {
                    let name = place.depth.pop().unwrap();
                    parsed.close(&name, &mut place);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(
            place.depth.is_empty(),
            "elements stay open: {:?}",
            place.depth
        );
        parsed
    }

    fn open(&mut self, name: &str, found: &[(String, String)], place: &mut Place) {
        let id = found
            .iter()
            .find(|(key, _)| key == "id")
            .map(|(_, id)| id.clone());
        match name {
            "table" => place.table = id.clone().unwrap(),
            "svg" => {
                place.chart = id.clone().unwrap();
                self.charts.entry(place.chart.clone()).or_default();
            }
            "tr" => self
                .tables
                .entry(place.table.clone())
                .or_default()
                .push(Vec::new()),
            _ => {}
        }
        place.text.clear();
        self.elements.push(name.to_owned());
        self.ids.extend(id);
        self.attributes.extend_from_slice(found);
    }

    fn close(&mut self, name: &str, place: &mut Place) {
        let is_chart_head = place.depth.last().is_some_and(|parent| parent == "svg");
        match name {
            "td" | "th" => {
                let rows = self.tables.get_mut(&place.table).unwrap();
                rows.last_mut().unwrap().push(place.text.clone());
            }
            "title" if is_chart_head => {
                self.charts.get_mut(&place.chart).unwrap().0 = place.text.clone();
            }
            "desc" => self.charts.get_mut(&place.chart).unwrap().1 = place.text.clone(),
            _ => {}
        }
        place.text.clear();
    }

    /// Rows of a table without its header.
    fn rows(&self, id: &str) -> &[Vec<String>] {
        &self.tables[id][1..]
    }
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) -> Vec<(String, String)> {
    start
        .attributes()
        .map(|attribute| attribute.unwrap())
        .map(|attribute| {
            (
                attribute.key.as_ref().to_owned(),
                attribute.value.into_owned(),
            )
        })
        .collect()
}

fn number(cell: &str) -> f64 {
    cell.replace(',', "").parse().unwrap()
}

fn column(rows: &[Vec<String>], place: usize) -> u64 {
    rows.iter().map(|row| number(&row[place]) as u64).sum()
}

fn reported(values: bool) -> (Ran, Parsed) {
    let wanted = Wanted {
        estimate: true,
        page: true,
        values,
        ..Wanted::default()
    };
    let ran = run(&generated(2500, 35), wanted).unwrap();
    let parsed = Parsed::of(&ran.page);
    (ran, parsed)
}

const EXAMPLES: [&str; 4] = ["clear-link", "near-threshold", "review", "near-miss"];

#[test]
fn the_page_is_well_formed_accessible_and_needs_nothing_from_outside() {
    let (ran, parsed) = reported(false);
    assert!(ran.page.starts_with("<!DOCTYPE html>"));
    for forbidden in ["script", "link", "img", "iframe", "object", "image", "use"] {
        assert!(
            !parsed.elements.iter().any(|name| name == forbidden),
            "{forbidden}"
        );
    }
    for (name, value) in &parsed.attributes {
        assert!(
            !name.starts_with("on") && name != "src" && name != "href",
            "{name}"
        );
        assert!(!value.contains("://"), "{value}");
    }
    assert!(
        !ran.page.contains("://") && !ran.page.contains("url(") && !ran.page.contains("@import")
    );
    let mut expected: Vec<String> = ["weights", "scores", "rate", "keys", "blocks", "clusters"]
        .iter()
        .chain(&EXAMPLES)
        .map(|name| format!("{name}-chart"))
        .collect();
    expected.retain(|id| !parsed.charts.contains_key(id));
    assert!(expected.is_empty(), "no chart {expected:?}");
    for (id, (title, description)) in &parsed.charts {
        assert!(!title.is_empty() && !description.is_empty(), "{id}");
    }
    let labelled = parsed
        .attributes
        .iter()
        .filter(|(name, _)| name == "aria-labelledby");
    for part in labelled.flat_map(|(_, ids)| ids.split(' ')) {
        assert!(
            parsed.ids.iter().any(|id| id == part),
            "{part} names nothing"
        );
    }
    let mut ids = parsed.ids.clone();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), parsed.ids.len(), "an id is there twice");
    assert!(ran.page.contains("prefers-color-scheme: dark") && ran.page.contains("@media print"));
}

#[test]
fn scores_links_and_clusters_are_those_of_the_tables() {
    let (ran, parsed) = reported(false);
    let decided = |label: &str| ran.links.iter().filter(|row| row[5] == label).count() as u64;
    let scores = parsed.rows("scores-table");
    assert_eq!(column(scores, 1), decided("link"));
    assert_eq!(column(scores, 2), decided("review"));
    let all = ran.candidates.len() as u64;
    assert_eq!(
        column(scores, 1) + column(scores, 2) + column(scores, 3),
        all
    );
    for row in scores {
        let from: f64 = row[0].parse().unwrap();
        // The outermost bins hold what lies beyond them.
        let within = |text: &str| text.parse::<f64>().unwrap().floor().clamp(-60.0, 99.0) == from;
        let pairs = ran.candidates.iter().filter(|row| within(&row[4])).count() as f64;
        let shown = number(&row[1]) + number(&row[2]) + number(&row[3]);
        // The table of candidates is rounded to a thousandth: a pair may stand at the edge of a bin.
        assert!((shown - pairs).abs() <= 2.0, "{row:?} against {pairs}");
    }
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for row in &ran.clusters {
        *sizes.entry(&row[2]).or_default() += 1;
    }
    let clusters = parsed.rows("clusters-table");
    assert_eq!(column(clusters, 1), sizes.len() as u64);
    assert_eq!(column(clusters, 2), ran.clusters.len() as u64);
    let alone = sizes.values().filter(|size| **size == 1).count() as f64;
    assert_eq!(number(&clusters[0][1]), alone);
}

#[test]
fn weights_are_those_of_the_settings_that_scored() {
    let (ran, parsed) = reported(false);
    let settings: Settings = ran.report.settings.unwrap();
    let rows = parsed.rows("weights-table");
    let levels: usize = Field::ALL.iter().map(|field| field.levels().len()).sum();
    assert_eq!(rows.len(), levels);
    for row in rows {
        let level = &settings.fields[&row[0].replace(' ', "_")][&row[1].replace(' ', "_")];
        let is_near = |shown: &str, set: f64| (number(shown) / set - 1.0).abs() < 0.01;
        assert!(
            is_near(&row[2], level.same) && is_near(&row[3], level.stranger),
            "{row:?}"
        );
        assert!((number(&row[4]) - (level.same / level.stranger).log2()).abs() < 0.006);
    }
}

#[test]
fn the_curve_meets_the_summary_at_the_threshold_and_falls_with_the_score() {
    let (ran, parsed) = reported(false);
    let statistics = &ran.report.statistics;
    let rate = statistics.false_match_rate.unwrap();
    let rows = parsed.rows("rate-table");
    let used = format!("{:.3}", statistics.link_bits);
    let row = rows.iter().find(|row| row[0] == used).unwrap();
    assert_eq!(number(&row[1]) as u64, statistics.links);
    for (cell, expected) in row[2..].iter().zip([rate.expected, rate.low, rate.high]) {
        assert!(
            (number(cell) / expected - 1.0).abs() < 0.01,
            "{row:?} {rate:?}"
        );
    }
    let summary = format!("Of the links {:.3} % are expected", rate.expected * 100.0);
    assert!(ran.page.contains(&summary), "{summary}");
    // From the highest threshold to the lowest.
    let expected: Vec<f64> = rows.iter().map(|row| number(&row[2])).collect();
    let links: Vec<f64> = rows.iter().map(|row| number(&row[1])).collect();
    assert!(expected.is_sorted() && links.is_sorted(), "{rows:?}");
    for row in rows {
        let [expected, low, high] = [2, 3, 4].map(|place| number(&row[place]));
        assert!(low <= expected && expected <= high, "{row:?}");
    }
}

#[test]
fn keys_account_for_every_block_and_every_link() {
    let (ran, parsed) = reported(false);
    let keys = parsed.rows("keys-table");
    for row in keys {
        let [pairs, kept, dropped] = [2, 3, 4].map(|place| number(&row[place]));
        assert_eq!(pairs, kept + dropped, "{row:?}");
        assert!(
            number(&row[6]) <= number(&row[5]) && number(&row[5]) <= kept,
            "{row:?}"
        );
    }
    let found = ran.links.len() as u64;
    assert!(
        column(keys, 5) >= found,
        "each pair that was found has a key"
    );
    assert!(column(keys, 6) <= found);
    assert!(column(keys, 3) >= ran.candidates.len() as u64);
    let blocks = column(parsed.rows("blocks-table"), 1);
    assert_eq!(blocks, ran.report.statistics.blocking.blocks);
}

#[test]
fn a_waterfall_adds_up_to_the_score_of_its_pair() {
    let (ran, parsed) = reported(false);
    for name in EXAMPLES {
        let rows = parsed.rows(&format!("{name}-table"));
        let (score, parts) = rows.split_last().unwrap();
        let sum: f64 = parts.iter().map(|row| number(&row[6])).sum();
        let score_bits = number(&score[6]);
        assert!(
            (sum - score_bits).abs() < 0.005 * rows.len() as f64,
            "{name}: {sum}"
        );
        let decision = &score[3];
        let thresholds = &ran.report.settings.as_ref().unwrap().thresholds;
        match name {
            "near-miss" => assert!(score_bits < thresholds.review_bits && decision == "no-link"),
            "review" => assert_eq!(decision, "review"),
            _ => assert!(score_bits >= thresholds.link_bits - 0.005 && decision == "link"),
        }
    }
    // The line that is named is the pair's own.
    let after = ran.page.split("id=\"near-threshold\"").nth(1).unwrap();
    let line = after
        .split("line ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let line: usize = line.parse().unwrap();
    let bits: f64 = ran.links[line - 2][4].parse().unwrap();
    let links = ran.links.iter().filter(|row| row[5] == "link");
    let least = links
        .map(|row| row[4].parse::<f64>().unwrap())
        .fold(f64::MAX, f64::min);
    assert!((bits - least).abs() < 0.001, "{bits} {least}");
}

const PEOPLE: &str = "record_id,first_name,last_name,dob,ssn,phone,street,zip,id_cin\n\
    900-12-3456,Marisol<b>,Demofield & Sons,1994-05-17,900123456,2135550199,7 Example Avenue,90002,91234567A\n";

#[test]
fn nothing_about_a_person_is_shown_unless_asked_for_and_numbers_never_are() {
    let people = tables(&[("a", PEOPLE), ("b", PEOPLE)]);
    let page = |values: bool| {
        let wanted = Wanted {
            page: true,
            values,
            ..Wanted::default()
        };
        run(&people, wanted).unwrap().page
    };
    let masked = page(false);
    let parsed = Parsed::of(&masked);
    assert!(
        parsed
            .rows("clear-link-table")
            .iter()
            .any(|row| row[1] == "•••")
    );
    for value in [
        "Marisol",
        "Demofield",
        "1994-05",
        "555",
        "Example Avenue",
        "90002",
    ] {
        assert!(!masked.contains(value), "{value}");
    }
    let shown = page(true);
    let parsed = Parsed::of(&shown);
    let rows = parsed.rows("clear-link-table");
    let of = |field: &str| rows.iter().find(|row| row[0] == field).unwrap();
    assert_eq!(of("first name")[1], "Marisol&lt;b&gt;");
    assert_eq!(of("birth date")[2], "1994-05-17");
    assert_eq!(
        (of("ssn")[1].as_str(), of("shared identifier")[1].as_str()),
        ("•••", "•••")
    );
    assert!(shown.contains("keep it as you keep their records"));
    for page in [masked, shown] {
        for number in ["900123456", "900-12-3456", "91234567A"] {
            assert!(!page.contains(number), "{number}");
        }
    }
}

#[test]
fn a_run_without_pairs_still_has_a_well_formed_page() {
    for people in [
        tables(&[("a", "record_id,first_name\n")]),
        tables(&[(
            "a",
            "record_id,first_name,last_name\n1,Ana,Testa\n2,Leo,Demofield\n",
        )]),
    ] {
        let wanted = Wanted {
            page: true,
            values: true,
            estimate: true,
            ..Wanted::default()
        };
        let ran = run(&people, wanted).unwrap();
        let parsed = Parsed::of(&ran.page);
        assert!(parsed.rows("scores-table").is_empty());
        assert!(!parsed.charts.contains_key("clear-link-chart"));
        assert!(!ran.page.contains("NaN") && !ran.page.contains("inf"));
    }
}
