//! The dashboard and the alerts ask for figures that a running gateway really shows, by labels and values that it gives them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::Value;
use tandem::store::OutboxState;

use crate::api_match::question;
use crate::api_office::{Office, marisol};
use crate::api_referrals::referred;

/// What PromQL has of its own.
const WORDS: [&str; 10] = [
    "by",
    "max",
    "min",
    "sum",
    "rate",
    "increase",
    "time",
    "histogram_quantile",
    // Prometheus' own figure of a target, by the name of its job.
    "up",
    "job",
];

/// A certificate that ends in 2031, in PEM form.
fn certificate() -> String {
    let mut params = rcgen::CertificateParams::new(vec!["partner.invalid".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2031, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}

/// A gateway that trusts an authority of its clinic, has delivered a referral and told somebody nothing.
async fn busy() -> Office {
    let office = Office::changed(|folder, text| {
        std::fs::write(folder.join("clinic.pem"), certificate()).unwrap();
        text.replace(
            "base = \"http://127.0.0.1:9/fhir\"",
            "base = \"http://127.0.0.1:9/fhir\", authority = \"clinic.pem\"",
        )
    })
    .await;
    referred(&office).await;
    office.message("cws-demo", OutboxState::Delivered).await;
    office
}

/// Each label with its values, by the name of the figure.
type Shown = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What a gateway shows: Prometheus' text form.
fn shown(text: &str) -> Shown {
    let mut shown = Shown::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let of = shown.entry(name.to_owned()).or_default();
        for label in labels
            .trim_end_matches('}')
            .split("\",")
            .filter(|one| !one.is_empty())
        {
            let (label, value) = label.split_once("=\"").unwrap();
            let values = of.entry(label.to_owned()).or_default();
            values.insert(value.trim_end_matches('"').to_owned());
        }
    }
    shown
}

async fn scraped(office: &Office) -> Shown {
    let answer = office.get("operator", "/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    shown(&answer.text)
}

/// The words of an expression, with what stands in quotes left out.
fn words(expression: &str) -> Vec<String> {
    let outside: String = expression
        .split('"')
        .step_by(2)
        .collect::<Vec<_>>()
        .join(" ");
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_.$".contains(letter);
    let words = outside.split(|letter| !is_part(letter));
    let words = words.filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()));
    words.map(str::to_owned).collect()
}

/// What of an expression a gateway does not show.
fn missing(expression: &str, shown: &Shown) -> Vec<String> {
    let words = words(expression);
    let (figures, others): (Vec<_>, Vec<_>) = words
        .into_iter()
        .partition(|word| word.starts_with("tandem_"));
    let mut missing: Vec<String> = figures
        .iter()
        .filter(|figure| !shown.contains_key(*figure))
        .cloned()
        .collect();
    let labels: BTreeMap<&String, &BTreeSet<String>> = figures
        .iter()
        .filter_map(|figure| shown.get(figure))
        .flatten()
        .collect();
    let is_known = |word: &String| WORDS.contains(&word.as_str()) || labels.contains_key(word);
    missing.extend(others.into_iter().filter(|word| !is_known(word)));
    // A value that is asked for by name must be one that is given.
    let pieces: Vec<&str> = expression.split('"').collect();
    for pair in pieces.windows(2).step_by(2) {
        let Some(label) = pair[0].strip_suffix('=') else {
            continue;
        };
        let label = words_last(label);
        let is_given = labels
            .iter()
            .any(|(name, values)| **name == label && values.contains(pair[1]));
        if !is_given && label != "job" {
            missing.push(format!("{label}={}", pair[1]));
        }
    }
    missing
}

fn words_last(text: &str) -> String {
    words(text).pop().unwrap_or_default()
}

/// Every text that stands under a name, however deep.
fn texts_of<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name).and_then(Value::as_str));
            fields
                .values()
                .for_each(|inner| texts_of(inner, name, found));
        }
        Value::Array(all) => all.iter().for_each(|inner| texts_of(inner, name, found)),
        _ => {}
    }
}

/// The names in double braces.
fn named(text: &str) -> Vec<String> {
    let inner = text
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    let inner = inner.map(|name| name.trim().trim_start_matches("$labels.").to_owned());
    inner.filter(|name| name != "$value").collect()
}

fn file(path: &str) -> String {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    std::fs::read_to_string(config.join(path)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_asks_for_what_a_gateway_shows() {
    let shown = scraped(&busy().await).await;
    let dashboard: Value = serde_json::from_str(&file("grafana/tandem.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 10);
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            assert_eq!(missing(expression, &shown), [""; 0], "{}", panel["title"]);
            for label in named(target["legendFormat"].as_str().unwrap()) {
                assert!(
                    words(expression).contains(&label),
                    "{}: {label}",
                    panel["title"]
                );
            }
        }
    }
    let mut queries = Vec::new();
    texts_of(&dashboard["templating"], "query", &mut queries);
    let variable = queries
        .iter()
        .find_map(|query| query.strip_prefix("label_values("));
    let asked = variable
        .unwrap()
        .trim_end_matches(')')
        .replace(", ", " by ");
    assert_eq!(missing(&asked, &shown), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alerts_ask_for_what_a_gateway_shows() {
    let shown = scraped(&busy().await).await;
    let text = file("alerts/tandem.yml");
    let mut count = 0;
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let expression = rule
            .lines()
            .find_map(|line| line.trim().strip_prefix("expr: "))
            .unwrap();
        assert_eq!(missing(expression, &shown), [""; 0], "{name}");
        for label in named(rule) {
            let is_there = words(expression).contains(&label) || label == "instance";
            assert!(is_there, "{name}: {label}");
        }
        count += 1;
    }
    assert!(count > 8 && count == text.matches("expr: ").count());
}

/// What Prometheus itself says of a file.
fn promtool(what: &str, file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = Command::new("promtool")
        .args([what, "rules", file])
        .current_dir(folder)
        .output();
    let said = said.unwrap_or_else(|error| panic!("promtool (Debian package prometheus): {error}"));
    let text = String::from_utf8_lossy(&said.stdout);
    let problem = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}{problem}");
}

#[test]
fn prometheus_takes_the_alerts_and_they_tell_states_and_ages_and_no_single_failure() {
    promtool("check", "../config/alerts/tandem.yml");
    promtool("test", "tests/it/alerts.test.yml");
}

#[test]
fn a_figure_a_label_and_a_value_that_are_not_shown_are_missed() {
    let shown = shown("# HELP a\ntandem_lane_due{lane=\"cws-demo\"} 3\ntandem_x 1\n");
    let right = "max by (lane) (tandem_lane_due{lane=\"cws-demo\"}) > 5m";
    assert_eq!(missing(right, &shown), [""; 0]);
    assert_eq!(
        missing("tandem_lane_gone > 0", &shown),
        ["tandem_lane_gone"]
    );
    assert_eq!(missing("sum by (road) (tandem_lane_due)", &shown), ["road"]);
    assert_eq!(
        missing("tandem_lane_due{lane=\"nobody\"}", &shown),
        ["lane=nobody"]
    );
    assert_eq!(
        missing("tandem_x{lane=\"cws-demo\"}", &shown),
        ["lane", "lane=cws-demo"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_where_it_happens() {
    let office = busy().await;
    let text = office.get("operator", "/metrics").await.text;
    for line in text.lines() {
        let Some(typed) = line.strip_prefix("# TYPE ") else {
            continue;
        };
        let name = typed.split(' ').next().unwrap();
        assert!(
            text.contains(&format!("# HELP {name} ")),
            "{name} says nothing of itself"
        );
    }
    let value = |series: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series} is not in {text}"))
            .parse()
            .unwrap()
    };
    let least = |series: &str, least: f64| {
        let is = value(series);
        assert!(is >= least, "{series} is {is}");
    };
    least(
        "tandem_messages_delivered_total{destination=\"cws-demo\",outcome=\"delivered\"}",
        1.0,
    );
    least(
        "tandem_delivery_attempt_duration_seconds_count{destination=\"cws-demo\"}",
        1.0,
    );
    least("tandem_commit_duration_seconds_count", 5.0);
    assert!(value("tandem_commit_batch_size_sum") >= value("tandem_commit_batch_size_count"));
    let expires =
        value("tandem_certificate_expiry_timestamp_seconds{use=\"trusted\",name=\"clinic-demo\"}");
    assert!((expires - 1_924_992_000.0).abs() < 1.0, "{expires}");
    for figure in ["due", "in_flight", "parked", "oldest_age_seconds"] {
        assert!(value(&format!("tandem_lane_{figure}{{lane=\"cws-demo\"}}")).abs() < f64::EPSILON);
    }
    assert!(value("tandem_breaker_state{destination=\"cws-demo\"}").abs() < f64::EPSILON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_permits_nothing_is_counted_without_a_word_about_whom() {
    let office = busy().await;
    let denied = |text: &str| -> u64 {
        let series = "tandem_consent_denied_total{stage=\"query\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap().parse().unwrap()
    };
    let before = denied(&office.get("operator", "/metrics").await.text);
    // Behavioural health knows her too; nothing permits it to say so.
    office.record("bh", "mrn-1", &marisol()).await;
    let answer = office
        .post("calworks", "/v1/match", &question(&marisol()))
        .await;
    assert_eq!(answer.text, "{\"matches\":[]}");
    let text = office.get("operator", "/metrics").await.text;
    assert!(denied(&text) > before, "{text}");
}
