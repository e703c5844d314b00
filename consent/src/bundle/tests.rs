use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn regimes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regimes")
}

fn demo_county() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/overrides/demo-county")
}

fn changed(from: &Path, change: impl Fn(&Path)) -> Result<Bundle, String> {
    let folder = tempfile::tempdir().unwrap();
    copy(from, folder.path());
    change(folder.path());
    Bundle::load(folder.path()).map_err(|error| error.to_string())
}

#[test]
fn the_embedded_rules_and_the_folder_have_the_same_hash() {
    let embedded = Bundle::default_for("somewhere").unwrap();
    assert_eq!(embedded.hash(), Bundle::load(&regimes()).unwrap().hash());
    let demo = Bundle::default_for("demo-county").unwrap();
    assert_eq!(demo.hash(), Bundle::load(&demo_county()).unwrap().hash());
    assert_ne!(demo.hash(), embedded.hash());
    assert_eq!(demo.jurisdiction(), Some("demo-county"));
}

#[test]
fn a_stored_bundle_is_the_bundle_that_was_in_force() {
    let demo = Bundle::default_for("demo-county").unwrap();
    let stored = Bundle::from_stored(&demo.to_stored()).unwrap();
    assert_eq!(stored.hash(), demo.hash());
    assert_eq!(stored.jurisdiction(), Some("demo-county"));
    assert!(Bundle::from_stored("{\"base\":{}}").is_err());
}

#[test]
fn a_changed_word_changes_the_hash() {
    let changed = changed(&regimes(), |folder| {
        let file = folder.join("hipaa/HIPAA-01.cedar");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("may share", "can share")).unwrap();
    });
    assert_ne!(
        changed.unwrap().hash(),
        Bundle::default_for("x").unwrap().hash()
    );
}

#[test]
fn a_rule_that_reads_an_unguarded_attribute_does_not_load() {
    let error = changed(&regimes(), |folder| {
        let file = folder.join("hipaa/HIPAA-21.cedar");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("context.subject has age &&\n", "")).unwrap();
    })
    .unwrap_err();
    assert!(
        error.starts_with("regime hipaa does not validate"),
        "{error}"
    );
}

#[test]
fn a_rule_whose_name_effect_or_annotations_disagree_does_not_load() {
    for (old, new) in [
        ("@id(\"LPS-02\")", "@id(\"LPS-99\")"),
        ("@kind(\"permit\")", "@kind(\"bar\")"),
        ("@owner(", "@ouner("),
        (
            "@effective_from(\"2020-01-01\")",
            "@effective_from(\"soon\")",
        ),
    ] {
        let result = changed(&regimes(), |folder| {
            let file = folder.join("lps/LPS-02.cedar");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(old));
            fs::write(&file, text.replace(old, new)).unwrap();
        });
        assert!(result.unwrap_err().contains("LPS-02.cedar"), "{old}");
    }
}

#[test]
fn a_county_cannot_permit_or_switch_off_a_bar() {
    let error = changed(&demo_county(), |folder| {
        let file = folder.join("county.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("HMIS-02", "VAWA-01")).unwrap();
    })
    .unwrap_err();
    assert_eq!(
        error,
        "county.toml: switching off VAWA-01 would widen; a county may only narrow"
    );
    let error = changed(&demo_county(), |folder| {
        let rule = fs::read_to_string(regimes().join("gateway/GEN-10.cedar")).unwrap();
        let rule = rule.replace("GEN-10", "DEMO-09");
        fs::write(folder.join("regimes/gateway/DEMO-09.cedar"), rule).unwrap();
    })
    .unwrap_err();
    assert!(
        error.ends_with("the rule DEMO-09 permits; a county may only narrow"),
        "{error}"
    );
}

#[test]
fn every_permit_rule_on_consent_asks_for_every_limit_of_the_directive() {
    let bundle = Bundle::default_for("demo-county").unwrap();
    let consents = bundle.rules().filter(|rule| {
        rule.kind == RuleKind::Permit
            && rule
                .basis
                .as_deref()
                .is_some_and(|basis| basis.contains("CONSENT"))
            && rule.basis.as_deref() != Some("INFERRED_CONSENT")
    });
    let mut count = 0;
    for rule in consents {
        for part in [
            "context.directive.effect == \"permit\"",
            "context.directive.state == \"active\"",
            "!context.directive.revoked &&",
            "!context.directive.revoked_categories.contains(resource.category)",
            "context.directive.valid_from <= context.now",
            "context.now < context.directive.expires",
            &format!("context.directive.serves.contains(\"{}\")", rule.regime),
            "context.directive.categories.contains(resource.category)",
            "context.directive.purposes.contains(context.purpose)",
            "context.directive.disclosers.contains(resource.source)",
            "context.directive.recipient_named",
            "!context.directive.data_limited",
        ] {
            assert!(rule.text.contains(part), "{} lacks {part}", rule.id);
        }
        count += 1;
    }
    assert!(count >= 15, "{count}");
}

#[test]
fn a_county_takes_the_place_of_a_rule_only_where_the_rule_allows_it() {
    let superseding = |old: &'static str| {
        changed(&demo_county(), |folder| {
            let rule = fs::read_to_string(regimes().join(format!("hipaa/{old}.cedar"))).unwrap();
            let rule = rule.replace(&format!("@id(\"{old}\")"), "@id(\"DEMO-09\")");
            let rule = rule.replace("@owner(", &format!("@supersedes(\"{old}\")\n@owner("));
            let own = folder.join("regimes/hipaa");
            fs::create_dir_all(&own).unwrap();
            fs::write(own.join("DEMO-09.cedar"), rule).unwrap();
        })
    };
    let bundle = superseding("HIPAA-02").unwrap();
    assert!(bundle.rules().any(|rule| rule.id == "DEMO-09"));
    assert!(bundle.rules().all(|rule| rule.id != "HIPAA-02"));
    assert_eq!(
        superseding("HIPAA-01").unwrap_err(),
        "regimes/hipaa/DEMO-09.cedar: the rule DEMO-09 supersedes HIPAA-01; a county may only narrow"
    );
}

#[test]
fn an_annotation_that_no_list_knows_does_not_load() {
    for (old, new, reason) in [
        (
            "@confidence(\"high\")",
            "@confidence(\"sure\")",
            "@confidence is one of verified, high",
        ),
        (
            "@notice(\"N_205_50\")",
            "@notice(\"205\")",
            "@notice is no code of a notice",
        ),
        (
            "@refrains(\"NOREUSE\")",
            "@refrains(\"NOTHING\")",
            "@refrains is one of NOINTEGRATE",
        ),
        (
            "@owner(\"county counsel\")",
            "@owner(\"county counsel\")\n@effective_to(\"2019-12-31\")",
            "@effective_to is before @effective_from",
        ),
        (
            "@owner(\"county counsel\")",
            "@owner(\"county counsel\")\n@reviewed_by(\"w-1\")",
            "@reviewed_by and @reviewed_on come together",
        ),
    ] {
        let result = changed(&regimes(), |folder| {
            let file = folder.join("child_welfare/CW-08.cedar");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(old), "{old}");
            fs::write(&file, text.replace(old, new)).unwrap();
        });
        let error = result.unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn an_example_is_part_of_the_bundle_and_one_that_does_not_parse_does_not_load() {
    let with = |old: &'static str, new: &'static str| {
        changed(&regimes(), |folder| {
            let file = folder.join("hipaa/examples/HIPAA-01.toml");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(old), "{old}");
            fs::write(&file, text.replace(old, new)).unwrap();
        })
    };
    let usual = Bundle::default_for("x").unwrap();
    let worded = with("A clinic tells", "The clinic tells").unwrap();
    assert_ne!(worded.hash(), usual.hash());
    let error = with("[only]", "[solely]").unwrap_err();
    assert!(
        error.starts_with("hipaa/examples/HIPAA-01.toml: unknown field `solely`"),
        "{error}"
    );
    // A field that no scene has is found when the example is put to the rule.
    let failing = with("to = \"hospital\"", "onto = \"hospital\"").unwrap();
    let failures = crate::test_rule(&failing, "HIPAA-01").unwrap().failures;
    assert!(
        failures
            .iter()
            .any(|one| one.reason.contains("unknown field `onto`")),
        "{failures:?}"
    );
}
