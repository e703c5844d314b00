//! Step 1: records come in, mutual clients are found.

use anyhow::{Context as _, ensure};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::Input;
use tandem_adapter_port::report::{Collected, Counting, Outcome};

use crate::adapters::offline_reader;
use crate::demo::voice::{seen, tell};
use crate::demo::world::{PATIENCE, World};

/// Month of the story, as a period.
const PERIOD: (&str, &str) = ("2026-02-01", "2026-03-31");

pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    federal_file(world)?;
    let caseload = world.calworks.drop_caseload().await?;
    let answer = world.calworks.wait_for_answer(&caseload, PATIENCE).await?;
    ensure!(
        answer.accepted,
        "the caseload was not accepted: {}",
        answer.body
    );
    tell(&format!(
        "The CalWORKs system drops its caseload; the gateway acknowledges {} people.",
        answer.body["persons"]
    ));
    let extract = world.cws.drop_extract().await?;
    let answer = world.cws.wait_for_answer(&extract, PATIENCE).await?;
    ensure!(
        answer.accepted,
        "the extract was not accepted: {}",
        answer.body
    );
    tell(&format!(
        "Child welfare drops its extract: {} people, {} records refused at the gate before anything is stored.",
        answer.body["persons"], answer.body["refused"]
    ));
    ensure!(
        answer.body["refused"].as_u64().unwrap_or(0) > 0,
        "the sealed client was not refused"
    );
    world.settle().await?;
    let waiting = world.office.candidates().await?;
    ensure!(
        waiting.len() == 1,
        "expected one doubtful pair, found {}: {waiting:?}",
        waiting.len()
    );
    seen(
        "the mother and the daughter are linked; the son's pair is doubtful: estimated birth date, other surname",
    );
    let before = world
        .office
        .measure("MC-1", PERIOD.0, PERIOD.1, "&a=calworks-demo&b=cws-demo")
        .await?;
    let link = waiting[0]["id"].as_str().context("a link has an id")?;
    world
        .office
        .confirm(
            link,
            "same mother, same address, birth date estimated in child welfare",
        )
        .await?;
    world.settle().await?;
    let after = world
        .office
        .measure("MC-1", PERIOD.0, PERIOD.1, "&a=calworks-demo&b=cws-demo")
        .await?;
    ensure!(
        after["numerator"].as_f64() > before["numerator"].as_f64(),
        "the match rate did not rise: {before} then {after}"
    );
    seen(&format!(
        "a data steward confirms it; mutual clients MC-1 rise from {} to {} of {} people",
        before["numerator"], after["numerator"], after["denominator"]
    ));
    let backlog = world.office.measure("MC-5", PERIOD.0, PERIOD.1, "").await?;
    ensure!(
        backlog["numerator"].as_f64() == Some(0.0),
        "the review backlog is not empty: {backlog}"
    );
    seen("the review backlog is zero");
    Ok(())
}

/// The county's federal quarterly file: looked at before it is sent anywhere.
fn federal_file(world: &World) -> anyhow::Result<()> {
    let bytes = world.calworks.acf199_bytes()?;
    let (system, organization) = ("calworks-demo".parse()?, "org-calworks".parse()?);
    let reader = offline_reader(Format::Acf199, &system, &organization)?;
    let context = ReadContext::new(
        system,
        organization,
        "ADS.E2J.FTP1.TS06",
        "2026-02-02T09:00:00-08:00".parse()?,
        jiff::tz::TimeZone::UTC,
        [0; 32],
    );
    let mut nowhere = Collected::default();
    let mut counting = Counting::new(Format::Acf199, &mut nowhere);
    let mut stream = bytes.as_slice();
    reader.read(
        Input::Stream {
            name: "ADS.E2J.FTP1.TS06",
            reader: &mut stream,
        },
        &context,
        &mut counting,
    )?;
    let report = counting.report();
    ensure!(
        matches!(
            report.outcome,
            Outcome::Accepted | Outcome::AcceptedWithErrors
        ),
        "the ACF-199 file is {}: {:?}",
        report.outcome.code(),
        report.deviations
    );
    tell(&format!(
        "The county checks its federal ACF-199 file first: {}, {} families, {} people.",
        report.outcome.code(),
        report.records.get("T1").copied().unwrap_or(0),
        report.persons
    ));
    Ok(())
}
