//! Of step 2: why nothing was told, and the smallest consent that would open it.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::demo::voice::{seen, tell};
use crate::demo::world::World;

/// An explanation, one line a law: each ends with the rule and its citation in brackets.
fn reasons(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in text.split_inclusive(") ") {
        let cites = part
            .rsplit('(')
            .next()
            .is_some_and(|last| last.contains(", "))
            || part.contains(", WIC ");
        if let Some(line) = lines.last_mut() {
            line.push_str(part);
        }
        if cites {
            lines.push(String::new());
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// A privacy officer looks at what was denied to the social workers.
pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    let all = world
        .office
        .get("privacy", "/v1/decisions?limit=1000")
        .await?;
    let denied = |one: &&Value| {
        one["recipient"] == "org-cws" && one["outcome"] == "deny" && one["person"].is_string()
    };
    let decisions = all["decisions"].as_array().context("no decisions")?;
    let denied = decisions
        .iter()
        .find(denied)
        .context("nothing was denied")?;
    let text = |name: &str| denied[name].as_str().unwrap_or_default().to_owned();
    let (person, decision) = (text("person"), text("id"));

    let path = format!("/v1/why?person={person}&recipient=org-cws");
    let why = world.office.get("privacy", &path).await?;
    let english = why["answers"][0]["en"].as_str().unwrap_or_default();
    ensure!(
        english.starts_with("This may not be told."),
        "no reason is given: {why}"
    );
    tell("The privacy officer asks why:");
    reasons(english).iter().for_each(|line| seen(line));

    let path = format!("/v1/decisions/{decision}/opening");
    let opening = world.office.get("privacy", &path).await?;
    let listed = |value: &Value| -> String {
        let words = value.as_array().into_iter().flatten();
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        words.join(", ")
    };
    let consent = &opening["consent"];
    ensure!(consent.is_object(), "no consent would open it: {opening}");
    seen(&format!(
        "the smallest consent that would open it: {} may tell {} of {} for {}",
        listed(&consent["disclosers"]["named"]),
        listed(&consent["recipients"]["named"]),
        listed(&consent["categories"]),
        listed(&consent["purposes"]),
    ));
    seen(&format!(
        "and the form must hold: {}",
        listed(&opening["elements"])
    ));
    Ok(())
}
