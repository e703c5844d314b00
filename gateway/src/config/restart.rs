//! What of a configuration can't take effect while the gateway serves.

use super::{Loaded, Sources, SystemConfig};

/// Keys that differ and take a restart, each with what was expected.
///
/// Store and data folder hold what was accepted, the zone says of which day a stored instant is, the public address stands
/// in the keys by which partners know a repeated delivery, and the match index in memory was built by the matching
/// settings. Rules change by signature or at a start, never with another file beside them.
#[must_use]
pub fn restart_only(
    (old, old_sources): (&Loaded, &Sources),
    (new, new_sources): (&Loaded, &Sources),
) -> Vec<String> {
    let (was, is) = (&old.config, &new.config);
    let other_files = old_sources.keys_of_other_files(new_sources);
    let same_files = |key: &str| !other_files.contains(key);
    let fixed = [
        ("jurisdiction", was.jurisdiction == is.jurisdiction),
        ("zone", was.zone == is.zone),
        ("data", was.data == is.data),
        ("store", was.store == is.store),
        ("files", was.files == is.files),
        ("rules", was.rules == is.rules && same_files("rules")),
        (
            "overrides",
            was.overrides == is.overrides && same_files("overrides"),
        ),
        (
            "matching",
            was.matching == is.matching && same_files("matching"),
        ),
        ("linking", was.linking == is.linking),
        ("public_url", was.public_url == is.public_url),
        ("listen.address", was.listen.address == is.listen.address),
        (
            "listen.certificate",
            was.listen.certificate.is_some() == is.listen.certificate.is_some(),
        ),
        (
            "listen.connections",
            was.listen.connections == is.listen.connections,
        ),
        ("telemetry", was.telemetry == is.telemetry),
        (
            "limits.header_seconds",
            was.limits.header_seconds == is.limits.header_seconds,
        ),
    ];
    let differing = fixed.into_iter().filter(|(_, is_same)| !is_same);
    let mut problems: Vec<String> = differing.map(|(key, _)| problem(key)).collect();
    let ids = was.systems.keys().chain(is.systems.keys());
    let ids: std::collections::BTreeSet<_> = ids.collect();
    for id in ids {
        let asks = |systems: &std::collections::BTreeMap<_, SystemConfig>| {
            systems.get(id).is_some_and(|system| system.own_matches)
        };
        if asks(&was.systems) != asks(&is.systems) {
            problems.push(problem(&format!("systems.{id}.own_matches")));
        }
    }
    problems
}

fn problem(key: &str) -> String {
    let expected = match key {
        "rules" | "overrides" => {
            "expected the rules with which the gateway started; others take effect by `tandem policy activate`, or at a restart"
        }
        _ => "expected what is in force; it changes with a restart only",
    };
    format!("{key}: {expected}")
}
