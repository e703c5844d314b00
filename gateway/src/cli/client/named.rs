//! What a call is about, in the words of whoever gave the command: a gateway that knows no such thing does not say which.

/// What stands in a path before an id, and what that names.
const NOUNS: [(&str, &str); 13] = [
    ("baseline", "system"),
    ("break-glass", "emergency"),
    ("consents", "consent"),
    ("decisions", "decision"),
    ("events", "event"),
    ("holds", "hold"),
    ("inputs", "input"),
    ("keys", "key"),
    ("lanes", "lane"),
    ("links", "link"),
    ("messages", "message"),
    ("persons", "person"),
    ("replays", "replay"),
];

/// What stands where ids do, and is none.
const NO_IDS: [&str; 7] = [
    "authority-ended",
    "disclosed",
    "parked",
    "reseal",
    "revocations",
    "rotate",
    "users",
];

/// What a path names, if it names one thing.
pub(super) fn named(path: &[String]) -> Option<String> {
    let [kind, id, ..] = path else {
        return None;
    };
    let (_, noun) = NOUNS.iter().find(|(before, _)| kind == before)?;
    let is_id = !NO_IDS.contains(&id.as_str());
    is_id.then(|| format!("{noun} {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_thing_or_none() {
        let of = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            named(&path)
        };
        let lane = of(&["lanes", "hmis-demo", "pause"]);
        assert_eq!(lane.as_deref(), Some("lane hmis-demo"));
        assert_eq!(of(&["keys", "7", "retire"]).as_deref(), Some("key 7"));
        assert_eq!(of(&["lanes"]), None);
        assert_eq!(of(&["events", "parked"]), None);
        assert_eq!(of(&["audit", "proof"]), None);
    }
}
