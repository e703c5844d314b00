//! The report as a reader's browser shows it. Needs Chromium (Debian's package `chromium`).

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::{Command, Output};

use crate::tables_run::{Tables, Wanted, generated, run};

/// What a telephone shows side by side, and the least width of a window in this browser.
const NARROW: &str = "500,900";
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Tells of each chart how many marks can be seen, and of the page what leaves its place, line by line.
const MEASURE: &str = "<script>
const lines = [];
for (const chart of document.querySelectorAll('svg')) {
  const marks = [...chart.querySelectorAll('rect, path')].filter(mark => {
    const box = mark.getBoundingClientRect();
    return box.width > 0.5 && box.height > 0.5;
  });
  const view = chart.viewBox.baseVal;
  const cut = [...chart.querySelectorAll('text')].filter(text => {
    const box = text.getBBox();
    return box.x < -1 || box.y < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1;
  });
  const shown = chart.getBoundingClientRect().width / view.width;
  lines.push(['chart', chart.id, marks.length, cut.length, shown].join(' '));
}
lines.push('wider ' + (document.documentElement.scrollWidth - document.documentElement.clientWidth));
const told = document.createElement('pre');
told.id = 'measured';
told.textContent = '\\n' + lines.join('\\n') + '\\n' + document.body.innerText;
document.body.replaceChildren(told);
</script>";

/// Opens a page and gives what the browser says of it.
fn open(page: &str, size: &str) -> Output {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("report.html");
    std::fs::write(&file, page).unwrap();
    let profile = place.path().join("profile");
    // Without Chromium (Debian's package `chromium`) nothing would be proven.
    let output = chromium(&file, &profile, size).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn chromium(file: &Path, profile: &Path, size: &str) -> Command {
    let mut command = Command::new("chromium");
    command
        // It looks nothing up: a test reaches no network.
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--window-size={size}"))
        .arg(format!("file://{}", file.display()));
    command
}

/// What a reader sees of a page: the measurements, then its text.
fn seen(page: &str, size: &str) -> (Vec<String>, String) {
    // The page allows no script; the copy that is measured allows this one.
    assert!(page.contains(POLICY), "the page's policy is another one");
    let allowed = page.replace(POLICY, "default-src 'unsafe-inline'");
    let measured = allowed.replace("</body>", &format!("{MEASURE}</body>"));
    let shown = String::from_utf8(open(&measured, size).stdout).unwrap();
    let (_, told) = shown.split_once("<pre id=\"measured\">").unwrap();
    let is_measure = |line: &&str| line.starts_with("chart ") || line.starts_with("wider ");
    let lines = told.lines().skip_while(|line| line.is_empty());
    let measures = lines.clone().take_while(is_measure).map(str::to_owned);
    let text: Vec<&str> = lines.skip_while(is_measure).collect();
    (measures.collect(), text.join("\n"))
}

fn reported() -> (Tables, String) {
    let tables = generated(2500, 36);
    let wanted = Wanted {
        estimate: true,
        page: true,
        beside: true,
        ..Wanted::default()
    };
    let page = run(&tables, wanted).unwrap().page;
    (tables, page)
}

/// Numbers, and names of at most three records.
fn secrets(tables: &Tables) -> HashSet<String> {
    let (mut names, mut found) = (HashMap::new(), HashSet::new());
    for (_, bytes) in tables {
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        let place = |name: &str| header.iter().position(|column| column == name).unwrap();
        let (first, last, ssn) = (place("first_name"), place("last_name"), place("ssn"));
        for row in reader.records().map(Result::unwrap) {
            for name in [&row[first], &row[last]] {
                *names.entry(name.to_owned()).or_insert(0) += 1;
            }
            found.insert(row[ssn].to_owned());
        }
    }
    let rare = names.into_iter().filter(|(_, records)| *records <= 3);
    found.extend(rare.map(|(name, _)| name));
    // What is shorter may be a word of the page by chance.
    found.retain(|secret| secret.len() >= 6);
    found
}

#[test]
fn a_browser_shows_every_chart_and_complains_of_nothing() {
    let (_, page) = reported();
    let output = open(&page, NARROW);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!messages.contains("CONSOLE"), "{messages}");
    for size in ["1280,900", NARROW] {
        let (measures, _) = seen(&page, size);
        let charts: Vec<Vec<&str>> = measures
            .iter()
            .filter(|line| line.starts_with("chart "))
            .map(|line| line.split(' ').collect())
            .collect();
        assert!(charts.len() >= 7, "{measures:?}");
        for chart in charts {
            let number = |place: usize| chart[place].parse::<f64>().unwrap();
            assert!(number(2) >= 2.0, "no marks can be seen: {chart:?}");
            assert!(number(3) == 0.0, "texts are cut off: {chart:?}");
            assert!(number(4) >= 0.75, "too small to read: {chart:?}");
        }
        let wider = measures.iter().find(|line| line.starts_with("wider "));
        assert_eq!(wider.unwrap(), "wider 0", "the page leaves its window");
    }
}

#[test]
fn no_number_and_no_rare_name_can_be_read_on_the_page() {
    let (tables, page) = reported();
    let (_, text) = seen(&page, "1280,900");
    assert!(text.contains("Example pairs"), "{text}");
    let secrets = secrets(&tables);
    assert!(secrets.len() > 1000);
    let words: HashSet<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .collect();
    let told: Vec<&String> = secrets
        .iter()
        .filter(|secret| words.contains(secret.as_str()))
        .collect();
    assert!(told.is_empty(), "{told:?}");
}
