//! Rules take effect at their instant, and reach what was told before.

use std::path::Path;

use serde_json::{Value, json};
use tandem::demo::world::PATIENCE;
use tandem_consent::Bundle;

use crate::county::County;

/// The demo county's layer with a rule that child welfare may be told nothing of cash aid.
fn narrower() -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/overrides/demo-county");
    copy(&demo, folder.path());
    let rule = r#"@id("DEMO-77")
@title("No cash aid to child welfare")
@citation("county order 77")
@kind("bar")
@basis("RESTRICTION")
@summary_en("The county keeps cash aid from child welfare.")
@summary_es("El condado no da datos de ayuda económica a bienestar infantil.")
@effective_from("2020-01-01")
@jurisdiction("demo-county")
@confidence("high")
@owner("county counsel")
forbid (
  principal,
  action in [Action::"disclose", Action::"refer", Action::"update_case_plan"],
  resource
)
when {
  principal.kinds.contains("CWS_AGENCY") &&
  ["CASH_AID"].contains(resource.category)
};
"#;
    let rules = folder.path().join("regimes/calworks");
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("DEMO-77.cedar"), rule).unwrap();
    Bundle::load(folder.path()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn files(bundle: &Bundle) -> Value {
    serde_json::from_str(&bundle.to_stored()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_take_effect_at_their_instant_and_recall_what_they_close() {
    let county = County::consented().await;
    let world = &county.world;
    world.settle().await.unwrap();
    let rules = narrower();
    let body = json!({ "bundle": files(&rules) });
    let replayed = world
        .office
        .post("auditor", "/v1/policy/replay", &body)
        .await
        .unwrap();
    assert_eq!(replayed["newly_permitted"], json!([]));
    let closes = |one: &Value| {
        one["opens"] == false
            && one["category"] == "CASH_AID"
            && one["recipient"] == "org-cws"
            && one["rules"] == json!(["DEMO-77"])
    };
    assert!(
        replayed["changes"].as_array().unwrap().iter().any(closes),
        "{replayed}"
    );

    let before = world.office.get("auditor", "/v1/policy").await.unwrap();
    let now = world.core().clock.now();
    let at = now
        .checked_add(jiff::SignedDuration::from_mins(30))
        .unwrap();
    let body = json!({ "bundle": files(&rules), "effective_at": at.to_string() });
    world
        .office
        .post("administrator", "/v1/policy/activations", &body)
        .await
        .unwrap();
    let scheduled = world.office.get("auditor", "/v1/policy").await.unwrap();
    assert_eq!(scheduled["in_force"], before["in_force"]);
    assert_eq!(scheduled["activations"].as_array().unwrap().len(), 1);
    let recalled = |message: &tandem_simulators::cws::NiemMessage| message.raw.contains("recall");
    assert!(
        !world
            .partner
            .received()
            .iter()
            .any(|one| recalled(&one.content))
    );

    world.core().clock.set(at);
    world
        .partner
        .wait_for("a recall", recalled, PATIENCE)
        .await
        .unwrap();
    let after = world.office.get("auditor", "/v1/policy").await.unwrap();
    assert_eq!(after["in_force"], rules.hash());
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_permit_more_need_a_tick_for_each_category() {
    let county = County::linked().await;
    let world = &county.world;
    world.settle().await.unwrap();
    // State and federal law without the county's narrowing.
    let wider = Bundle::default_for("elsewhere").unwrap();
    let body = json!({ "bundle": files(&wider) });
    let replayed = world
        .office
        .post("privacy", "/v1/policy/replay", &body)
        .await
        .unwrap();
    let newly = replayed["newly_permitted"].as_array().unwrap().clone();
    let at = world.core().clock.now();
    let mut body = json!({ "bundle": files(&wider), "effective_at": at.to_string() });
    let asked = world
        .office
        .post("administrator", "/v1/policy/activations", &body)
        .await;
    assert_eq!(asked.is_err(), !newly.is_empty());
    body["ticks"] = json!(newly);
    let again = world
        .office
        .post("administrator", "/v1/policy/activations", &body)
        .await;
    assert_eq!(again.is_ok(), asked.is_err());
    county.stop().await;
}

/// Rules that permit everything to everybody, without the bars outside them: enforcement unplugged.
fn unplugged() -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let regimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../consent/regimes");
    copy(&regimes, folder.path());
    let coverage = folder.path().join("coverage.toml");
    let text = std::fs::read_to_string(&coverage).unwrap();
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("hard_bar"))
        .collect();
    std::fs::write(&coverage, text.join("\n")).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let regime = entry.unwrap().path();
        if !regime.join("regime.toml").is_file() {
            continue;
        }
        for file in std::fs::read_dir(&regime).unwrap() {
            let path = file.unwrap().path();
            let is_rule = path.extension().is_some_and(|kind| kind == "cedar");
            if is_rule {
                let text = std::fs::read_to_string(&path).unwrap();
                let closes = text.contains("\nforbid");
                if closes {
                    let head: Vec<&str> = text
                        .lines()
                        .take_while(|line| line.starts_with('@'))
                        .collect();
                    let head = head
                        .join("\n")
                        .replace("@kind(\"bar\")", "@kind(\"permit\")")
                        .replace("@kind(\"condition\")", "@kind(\"permit\")");
                    std::fs::write(
                        &path,
                        format!("{head}\npermit (principal, action, resource);\n"),
                    )
                    .unwrap();
                }
            }
        }
    }
    Bundle::load(folder.path()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canary_is_silent_while_rules_hold_and_fires_when_enforcement_is_unplugged() {
    let county = County::quiet().await;
    let core = county.world.core();
    tandem::pipeline::canary::probe(&core).await.unwrap();
    county.world.settle().await.unwrap();
    let lanes = core
        .loaded
        .config
        .systems
        .values()
        .filter(|one| one.output.is_some())
        .count();
    let all = 3 * u64::try_from(lanes).unwrap();
    crate::county::until(&core, "every place is probed", || async {
        core.canary.probes() == all
    })
    .await;
    assert_eq!(core.canary.escapes(), 0);

    core.judge.put_in_force(std::sync::Arc::new(unplugged()));
    tandem::pipeline::canary::probe(&core).await.unwrap();
    crate::county::until(&core, "every place is probed again", || async {
        core.canary.probes() == 2 * all
    })
    .await;
    assert_eq!(core.canary.escapes(), all, "some place did not fire");
    // Though permitted, it was told to nobody.
    assert!(county.world.partner.received().is_empty());
    assert!(county.outbox("cws-demo").await.is_empty());
    let status = county
        .world
        .office
        .get("auditor", "/v1/policy")
        .await
        .unwrap();
    assert_eq!(status["canary_permitted"], all);
    county.stop().await;
}
