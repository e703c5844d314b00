//! Step 9: the public table.

use anyhow::ensure;
use serde_json::json;

use crate::demo::voice::{seen, tell};
use crate::demo::world::World;

const QUARTER: (&str, &str) = ("2026-01-01", "2026-03-31");
/// What other counties report for the same indicator (families served).
const OTHERS: [(&str, u64); 3] = [
    ("example-north", 41),
    ("example-south", 18),
    ("example-east", 120),
];

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    for (county, numerator) in OTHERS {
        let reported = json!({ "indicator": "UN-2", "numerator": numerator, "from": QUARTER.0, "to": QUARTER.1,
            "strata": [format!("county={county}")], "source": "state report" });
        world
            .office
            .post("administrator", "/v1/indicators", &reported)
            .await?;
    }
    world.settle().await?;
    let path = format!("/public/measures.csv?from={}&to={}", QUARTER.0, QUARTER.1);
    let table = world.office.page(&path).await?;
    let row = |stratum: &str| {
        table
            .lines()
            .find(|line| line.starts_with("UN-2") && line.contains(stratum))
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let own = row("county=demo-county");
    ensure!(
        own.contains("primary"),
        "this county's one family is not masked: {own}\n{table}"
    );
    let another = OTHERS
        .iter()
        .filter(|(county, _)| row(&format!("county={county}")).contains("complementary"))
        .count();
    ensure!(
        another >= 1,
        "no second county is masked: the first could be computed\n{table}"
    );
    let total: u64 = OTHERS.iter().map(|(_, count)| count).sum::<u64>() + 1;
    ensure!(
        table
            .lines()
            .any(|line| line.starts_with("UN-2") && line.contains(&total.to_string())),
        "the total is not shown:\n{table}"
    );
    seen(&format!(
        "the small county's families served are masked, one more county beside it, and the state total {total} is shown"
    ));
    let page = world
        .office
        .page(&format!(
            "/public/measures?from={}&to={}",
            QUARTER.0, QUARTER.1
        ))
        .await?;
    ensure!(
        !page.contains("<script"),
        "the public page carries a script"
    );
    seen(
        "the page needs no account and no script; the checker finds no masked cell that could be computed",
    );
    everybody_kept_silent(world)
}

/// Nothing sealed, sensitive or from a victim service provider reached anybody; no strict reader complained.
fn everybody_kept_silent(world: &World) -> anyhow::Result<()> {
    for word in world
        .cws
        .secret_words()
        .into_iter()
        .chain(world.hmis.secret_words())
    {
        let told = world.anybody_was_told(&word);
        ensure!(
            told.is_none(),
            "{} was told of a protected person",
            told.unwrap_or_default()
        );
    }
    let violations = world.violations();
    ensure!(
        violations.is_empty(),
        "a strict reader complains: {}",
        violations.join("; ")
    );
    tell(
        "No sealed, sensitive or sheltered person was named to anybody, and no strict reader complained.",
    );
    Ok(())
}
