//! The match model follows the records: it is learnt anew when there are half as many again, and doubtful pairs that it
//! no longer doubts are linked. Links that were made stay; only a steward or a source undoes them.

use std::cmp::Reverse;

use tandem_matching::{Candidate, Decision};

use super::core::Core;
use super::match_model::UNKNOWN;
use super::{linking, mutual, names};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::match_model::MatchModelDoc;
use crate::store::StoreError;

/// Pairs that are linked in one transaction.
const PAIRS: usize = 100;

/// Learns the model anew if the records have outgrown it, and the nicknames if stewards have taught others.
///
/// # Errors
/// When the store fails; the model in use then stays.
pub async fn keep_up(core: &Core) -> Result<(), StoreError> {
    keep_up_names(core).await?;
    keep_up_model(core).await
}

/// The index holds names with their nicknames: it is built anew when these change.
async fn keep_up_names(core: &Core) -> Result<(), StoreError> {
    let taught = names::taught(&mut core.store.snapshot().await?).await?;
    let is_known = *core.matcher.lock().await.names() == taught;
    if !is_known {
        core.reload_index().await?;
        tracing::info!(pairs = taught.len(), "stewards have taught other nicknames");
    }
    Ok(())
}

async fn keep_up_model(core: &Core) -> Result<(), StoreError> {
    if !core.loaded.config.linking.learn {
        return Ok(());
    }
    // The lock ends before the transaction begins: whoever writes may be waiting for the index.
    let learnt = {
        let mut matcher = core.matcher.lock().await;
        if !matcher.is_outgrown() {
            return Ok(());
        }
        matcher.learn(&core.engine).await
    };
    let learnt = match learnt {
        Ok(learnt) => learnt,
        Err(why) => {
            tracing::warn!(%why, "no match model was learnt; the one in use stays");
            if core.matcher.lock().await.is_empty() {
                // The task that had the index did not give it back.
                core.reload_index().await?;
            }
            return Ok(());
        }
    };
    let now = core.clock.now();
    let model = MatchModelDoc::new(&learnt, core.engine.settings(), now).map_err(|_| UNKNOWN)?;
    let mut tx = core.store.begin().await?;
    tx.put(&model, now).await?;
    let records = format!("learnt from {} records", model.records);
    tx.audit(
        now,
        core.gateway.as_str(),
        "match.model",
        &model.version,
        &records,
    )
    .await?;
    tx.commit().await?;
    core.matcher.lock().await.adopt(&model)?;
    tracing::info!(
        version = model.version,
        records = model.records,
        link_bits = learnt.settings.thresholds.link_bits,
        expected_false_match_rate = model.false_match_rate.expected,
        "a match model was learnt"
    );
    doubt_again(core).await
}

/// Links the waiting pairs that the model in use links, the surest first.
async fn doubt_again(core: &Core) -> Result<(), StoreError> {
    let waiting = {
        let mut tx = core.store.snapshot().await?;
        tx.find::<LinkDoc>("link.standing", LinkStanding::Candidate.code())
            .await?
    };
    let mut sure: Vec<(LinkDoc, Candidate)> = {
        let matcher = core.matcher.lock().await;
        let judged = waiting.into_iter().filter_map(|link| {
            let candidate = matcher.candidate(&link.a, &link.b)?;
            Some((link, candidate))
        });
        judged
            .filter(|(_, candidate)| candidate.decision == Decision::Link)
            .collect()
    };
    sure.sort_by_cached_key(|(link, candidate)| {
        let centibits = (candidate.score_bits * 100.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a score has no more than some thousand hundredths of a bit"
        )]
        (Reverse(centibits as i64), link.a.clone(), link.b.clone())
    });
    for pairs in sure.chunks(PAIRS) {
        let now = core.clock.now();
        let mut tx = core.store.begin().await?;
        for (link, candidate) in pairs {
            let joined =
                linking::take_candidate(core, &mut tx, &link.a, &link.b, candidate, now).await?;
            if let Some(person) = joined {
                mutual::evaluate(core, &mut tx, person, now).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}
