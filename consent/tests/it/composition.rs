//! What puts the regimes together, exhausted: every combination of what each regime can answer about an item.
//!
//! The rules are replaced by rules that do what flags of the person tell them; the engine is the real one. HEALTH_GENERAL
//! is covered by a federal regime (hipaa), a state regime (cmia), safety and the exchange itself; ab133 lifts cmia.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tandem_consent::{Bundle, Decision, Facts, Outcome, Verdict};
use tempfile::TempDir;

use crate::world::{ask_with, consent, pair, request, with, with_item};

/// What a regime is told to do: each of these is a rule of its own, and several may apply at once.
const DEEDS: [(&str, &str, &str); 4] = [
    ("permit", "permit", ""),
    ("human", "permit", "@manual(\"true\")\n"),
    ("require", "require", ""),
    ("forbid", "bar", ""),
];

const REGIMES: [&str; 5] = ["hipaa", "cmia", "safety", "gateway", "ab133"];

/// Sets of deeds. The empty one is a regime of whose rules none applies.
type Deeds = &'static [&'static str];

const ALL: [Deeds; 6] = [
    &[],
    &["permit"],
    &["human"],
    &["forbid"],
    &["permit", "human"],
    &["permit", "forbid"],
];

const FEW: [Deeds; 4] = [&[], &["permit"], &["human"], &["forbid"]];

/// The built-in bundle with the rules of these regimes replaced.
fn obedient() -> (TempDir, Bundle) {
    let folder = tempfile::tempdir().unwrap();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("regimes");
    copy(&rules, folder.path());
    let mut flags = Vec::new();
    for regime in REGIMES {
        for (deed, kind, manual) in DEEDS {
            let flag = format!("{regime}_{deed}");
            let lifts = if regime == "ab133" && deed != "forbid" {
                "@lifts(\"cmia\")\n"
            } else {
                ""
            };
            let id = flag.to_uppercase();
            let effect = if deed == "forbid" { "forbid" } else { "permit" };
            let text = format!(
                "@id({id:?})\n@kind({kind:?})\n{manual}{lifts}@title(\"t\")\n@citation(\"c\")\n@summary_en(\"s\")\n\
                 @summary_es(\"s\")\n@effective_from(\"2020-01-01\")\n@jurisdiction(\"CA\")\n@confidence(\"high\")\n\
                 @owner(\"o\")\n{effect} (principal, action, resource)\n\
                 when {{ context.subject.flags.contains({flag:?}) }};\n"
            );
            fs::write(folder.path().join(regime).join(format!("{id}.cedar")), text).unwrap();
            flags.push(format!("{flag:?}"));
        }
    }
    // Points for counsel and the table of laws speak of the rules that were replaced.
    fs::write(folder.path().join("switches.toml"), "switch = []\n").unwrap();
    let file = folder.path().join("coverage.toml");
    let text = fs::read_to_string(&file).unwrap();
    let known = format!("subject_flags = [{},", flags.join(", "));
    fs::write(&file, text.replace("subject_flags = [", &known)).unwrap();
    let bundle = Bundle::load(folder.path()).unwrap();
    (folder, bundle)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        let replaced = REGIMES.iter().any(|regime| from.ends_with(regime));
        if path.is_dir() {
            if !replaced {
                copy(&path, &target);
            }
        } else if !(replaced && path.extension().is_some_and(|one| one == "cedar")) {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What one regime says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Permit,
    Human,
    Deny,
    Nothing,
}

fn says(deeds: Deeds) -> Says {
    let has = |deed| deeds.contains(&deed);
    if has("forbid") {
        Says::Deny
    } else if has("permit") || has("require") {
        Says::Permit
    } else if has("human") {
        Says::Human
    } else {
        Says::Nothing
    }
}

/// What the specification says of the whole (section 5): safety first, then every regime, a lift opening only the state
/// regime that has nothing to say.
fn expected(hipaa: Says, cmia: Says, safety: Says, gateway: Says, ab133: Says) -> Outcome {
    if safety != Says::Permit {
        return Outcome::Deny;
    }
    let is_lifted = cmia == Says::Nothing && ab133 == Says::Permit;
    let all = [hipaa, if is_lifted { Says::Permit } else { cmia }, gateway];
    if all.iter().all(|one| *one == Says::Permit) {
        Outcome::Permit
    } else if all
        .iter()
        .all(|one| matches!(one, Says::Permit | Says::Human))
    {
        Outcome::NeedsHuman
    } else {
        Outcome::Deny
    }
}

fn world() -> (Facts, Value) {
    let facts = json!({ "hipaa_covered_entity": true });
    let provider = json!({ "kinds": ["HEALTH_PROVIDER"], "facts": facts });
    let facts = pair(provider.clone(), provider);
    (facts, request("HEALTH_GENERAL", "org-a", "org-b"))
}

fn told(request: &Value, regimes: &[(&str, Deeds)]) -> Value {
    let flags = regimes
        .iter()
        .flat_map(|(regime, deeds)| deeds.iter().map(move |deed| format!("{regime}_{deed}")));
    let subject = with(
        request["subject"].clone(),
        &json!({ "flags": flags.collect::<Vec<_>>() }),
    );
    with(request.clone(), &json!({ "subject": subject }))
}

/// Whether a regime's own line permits.
fn line(decision: &Decision, regime: &str) -> Option<Verdict> {
    let regimes = &decision.items.first()?.regimes;
    let found = regimes.iter().find(|one| one.regime == regime);
    found.map(|one| one.outcome)
}

#[test]
fn no_deny_of_a_regime_becomes_a_permit_but_by_a_lift_and_no_human_basis_permits() {
    let (_folder, bundle) = obedient();
    let (facts, request) = world();
    let mut asked = 0;
    for hipaa in FEW {
        for cmia in ALL {
            for safety in FEW {
                for gateway in FEW {
                    for ab133 in ALL {
                        let regimes = [
                            ("hipaa", hipaa),
                            ("cmia", cmia),
                            ("safety", safety),
                            ("gateway", gateway),
                            ("ab133", ab133),
                        ];
                        let decision = ask_with(&bundle, &facts, &told(&request, &regimes), &[]);
                        let expected = expected(
                            says(hipaa),
                            says(cmia),
                            says(safety),
                            says(gateway),
                            says(ab133),
                        );
                        assert_eq!(decision.outcome, expected, "{regimes:?}");
                        let lifted = says(cmia) == Says::Nothing && says(ab133) == Says::Permit;
                        for (regime, deeds) in &regimes[..4] {
                            let opens = says(deeds) == Says::Permit;
                            if line(&decision, regime) == Some(Verdict::Permit) && !opens {
                                assert!(*regime == "cmia" && lifted, "{regime} in {regimes:?}");
                            }
                        }
                        asked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(asked, 4 * 6 * 4 * 4 * 6);
}

#[test]
fn a_refusal_closes_every_permit_but_what_law_requires() {
    let (_folder, bundle) = obedient();
    let (facts, request) = world();
    let refusal = with(consent(&["HEALTH_GENERAL"]), &json!({ "effect": "deny" }));
    let open: Deeds = &["permit"];
    for required in [None, Some("hipaa"), Some("cmia"), Some("gateway")] {
        let deeds = |regime| -> Deeds {
            if required == Some(regime) {
                &["require"]
            } else {
                open
            }
        };
        let regimes = ["hipaa", "cmia", "safety", "gateway"].map(|one| (one, deeds(one)));
        let asked = told(&request, &regimes);
        let decision = ask_with(&bundle, &facts, &asked, std::slice::from_ref(&refusal));
        let expected = if required.is_some() {
            Outcome::Permit
        } else {
            Outcome::Deny
        };
        assert_eq!(decision.outcome, expected, "{regimes:?}");
        // What is required opens nothing that another regime closes.
        for closed in ["hipaa", "cmia", "safety", "gateway"] {
            let but = regimes.map(|(one, deeds)| (one, if one == closed { FEW[3] } else { deeds }));
            let decision = ask_with(
                &bundle,
                &facts,
                &told(&request, &but),
                std::slice::from_ref(&refusal),
            );
            assert_eq!(decision.outcome, Outcome::Deny, "{but:?}");
        }
    }
}

#[test]
fn a_bar_is_outvoted_by_nothing() {
    let (_folder, bundle) = obedient();
    let (facts, request) = world();
    let everything = REGIMES.map(|regime| -> (&str, Deeds) { (regime, &["permit", "require"]) });
    let open = told(&request, &everything);
    assert_eq!(
        ask_with(&bundle, &facts, &open, &[]).outcome,
        Outcome::Permit
    );
    for barred in [
        json!({ "category": "VSP_RECORD" }),
        json!({ "category": "CW_REPORTER" }),
        json!({ "category": "IMMIGRATION" }),
        json!({ "labels": ["SEALED"] }),
    ] {
        let decision = ask_with(&bundle, &facts, &with_item(open.clone(), &barred), &[]);
        assert_eq!(decision.outcome, Outcome::Deny, "{barred}");
    }
}
