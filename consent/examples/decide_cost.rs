//! What a decision costs beside the bare Cedar calls that it needs: five items, three directives.
//!
//! `cargo run --release -p tandem-consent --features testing --example decide_cost`
//!
//! Floor and decision are timed in turns in one run, so that both meet the same machine. The cost must not grow with the
//! directives of other people: the last scene hands the engine a thousand of them.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem_consent::{Bundle, Facts, Floor, Request, decide};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::registry::Registry;

/// The allocator of the gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of each scene, when the command line names no other number.
const ROUNDS: usize = 2_000;

struct Scene {
    name: &'static str,
    request: Request,
    directives: Vec<Directive>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/registry");
    let facts = Facts::from_registry(&Registry::load(&folder)?);
    let bundle = Bundle::default_for("demo-county")?;
    let rounds = std::env::args()
        .nth(1)
        .map_or(Ok(ROUNDS), |text| text.parse())?;
    println!("scene                        calls  permits   floor p50  decision p50   p99  ratio");
    for scene in scenes()? {
        report(&scene, &facts, &bundle, rounds)?;
    }
    Ok(())
}

fn report(
    scene: &Scene,
    facts: &Facts,
    bundle: &Bundle,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let Scene {
        name,
        request,
        directives,
    } = scene;
    let floor = Floor::of(request, facts, directives, bundle).ok_or("no floor")?;
    let permits = decide(request, facts, directives, bundle)
        .permitted()
        .count();
    let (mut floors, mut decisions) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        floors.push(timed(|| black_box(floor.run())));
        decisions.push(timed(|| {
            black_box(decide(request, facts, directives, bundle))
        }));
    }
    floors.sort_unstable();
    decisions.sort_unstable();
    let at = |times: &[Duration], percent: usize| {
        times
            .get(times.len() * percent / 100)
            .map_or(0.0, |one| one.as_secs_f64() * 1e6)
    };
    println!(
        "{name:<28} {:>5} {permits:>8} {:>8.0} us {:>10.0} us {:>5.0} {:>6.2}",
        floor.len(),
        at(&floors, 50),
        at(&decisions, 50),
        at(&decisions, 99),
        at(&decisions, 50) / at(&floors, 50),
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn scenes() -> Result<Vec<Scene>, Box<dyn Error>> {
    let all = [
        "CASH_AID",
        "FOOD_AID",
        "CW_CASE",
        "HEALTH_GENERAL",
        "HOMELESS_SERVICES",
        "PERSON_INDEX",
    ];
    let three = |categories: [&[&str]; 3]| {
        let numbered = categories.iter().enumerate();
        Value::Array(
            numbered
                .map(|(at, categories)| release(&format!("d-{at}"), "p-1", categories))
                .collect(),
        )
    };
    let items = [
        ("CASH_AID", "org-calworks"),
        ("HOMELESS_SERVICES", "org-hmis"),
        ("HEALTH_GENERAL", "org-clinic"),
        ("MENTAL_HEALTH", "org-bh"),
        ("PERSON_INDEX", "org-calworks"),
    ];
    let spread = three([
        &["CASH_AID", "PERSON_INDEX"],
        &["HOMELESS_SERVICES"],
        &["HEALTH_GENERAL", "MENTAL_HEALTH"],
    ]);
    let thin = three([&["CASH_AID"], &["HOMELESS_SERVICES"], &["FOOD_AID"]]);
    let mut crowd = three([&all, &all, &["MENTAL_HEALTH"]]);
    if let Value::Array(directives) = &mut crowd {
        let others =
            (0..1_000).map(|other| release(&format!("o-{other}"), &format!("other-{other}"), &all));
        directives.extend(others);
    }
    let scene = |name, directives| -> Result<Scene, Box<dyn Error>> {
        Ok(Scene {
            name,
            request: request(&items)?,
            directives: serde_json::from_value(directives)?,
        })
    };
    Ok(vec![
        scene("all permitted by consent", spread)?,
        scene("part denied, said what lacks", thin)?,
        scene("and 1,000 of other people", crowd)?,
    ])
}

fn request(items: &[(&str, &str)]) -> serde_json::Result<Request> {
    let items: Vec<Value> = items
        .iter()
        .enumerate()
        .map(|(at, (category, source))| {
            json!({"id": format!("i{at}"), "category": category, "source_organization": source,
                   "authored": {"start": "2026-01-10", "end": "2026-01-10"}})
        })
        .collect();
    serde_json::from_value(json!({
        "as_of": "2026-03-02T09:15:00-08:00", "action": "disclose", "purpose": "COC",
        "jurisdiction": "demo-county",
        "requester": {"organization": "org-calworks", "role": "caseworker"},
        "recipient": {"organization": "org-cws"},
        "subject": {"id": "p-1", "birth_date": "1994-05-17", "capacity": "self", "flags": []},
        "items": items, "emergency": null
    }))
}

fn release(id: &str, subject: &str, categories: &[&str]) -> Value {
    let organizations = [
        "org-calworks",
        "org-cws",
        "org-clinic",
        "org-bh",
        "org-hmis",
    ];
    json!({
        "id": id, "version": 1, "subject": subject, "state": "active",
        "signer": {"who": subject, "capacity": "self"},
        "form_template": {"id": "county-general-release", "version": "2026-1", "language": "es"},
        "method": "e_signature",
        "captured_by": "w-1", "captured_at": "2026-02-02T10:00:00-08:00",
        "verified_by": "w-2", "verified_at": "2026-02-02T11:00:00-08:00",
        "effect": "permit", "categories": categories,
        "disclosers": organizations, "recipients": organizations,
        "purposes": ["COC"], "valid_from": "2026-02-02", "expiry": {"date": "2026-06-29"}
    })
}
