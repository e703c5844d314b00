//! Step 2: a match answer is a disclosure.

use anyhow::ensure;
use serde_json::json;
use tandem_simulators::family::{self, CIN_ANA, CIN_LEO, CIN_MARISOL};

use super::reasons;
use crate::demo::directives;
use crate::demo::voice::{seen, tell};
use crate::demo::world::{PATIENCE, World};

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    let question = json!({ "person": { "names": [{ "given": "Ana", "family": "Demofield", "name_use": "official", "quality": "full" }],
        "birth": { "date": "2018-03-02", "quality": "exact" } } });
    let answer = world
        .office
        .post("calworks", "/v1/match", &question)
        .await?;
    ensure!(
        answer["matches"] == json!([]),
        "a match was answered without consent: {answer}"
    );
    let audit = world
        .office
        .get("auditor", "/v1/audit?action=match.query")
        .await?;
    ensure!(
        audit["entries"]
            .as_array()
            .is_some_and(|entries| entries.len() == 1),
        "the query was not audited: {audit}"
    );
    seen(
        "a CalWORKs worker asks whether another agency knows the daughter: the answer is empty, and audited",
    );
    world.settle().await?;
    ensure!(
        world.calworks.received().is_empty(),
        "CalWORKs was told something without consent"
    );
    ensure!(
        world.partner.received().is_empty(),
        "child welfare was told something without consent"
    );
    seen("neither system has been told anything");
    reasons::play(world).await?;

    world.it_is("2026-02-02T14:00:00-08:00")?;
    tell(
        "The mother signs the county's release for case coordination, for herself and both children,",
    );
    tell("and a separate one for behavioural-health data. A second officer verifies each.");
    for (id, capacity, cin) in [
        ("consent-marisol", "self", CIN_MARISOL),
        ("consent-ana", "parent", CIN_ANA),
        ("consent-leo", "parent", CIN_LEO),
    ] {
        world
            .office
            .consent(
                &directives::coordination(id, capacity),
                "calworks-demo",
                cin,
            )
            .await?;
    }
    world
        .office
        .consent(
            &directives::behavioral_health("consent-marisol-bh"),
            "calworks-demo",
            CIN_MARISOL,
        )
        .await?;

    let notice = world
        .calworks
        .wait_for(
            "a mutual-client notice",
            |message| message.message_type == "client_match",
            PATIENCE,
        )
        .await?;
    ensure!(
        notice.content.field("partner_program") == "child-welfare",
        "the notice names no programme"
    );
    seen(&format!(
        "the CalWORKs worker finds a client match in her own system: child welfare, case {}",
        notice.content.field("partner_case_number")
    ));
    let notice = world
        .partner
        .wait_for(
            "a mutual-client notice",
            |message| !message.related_cases.is_empty(),
            PATIENCE,
        )
        .await?;
    let related = &notice.content.related_cases;
    ensure!(
        related
            .iter()
            .any(|case| case.case_id == family::CALWORKS_CASE),
        "the notice does not name the CalWORKs case: {related:?}"
    );
    seen("the social worker finds a NIEM message that names the CalWORKs case and worker");
    Ok(())
}
