//! Pairs that wait for a steward are judged anew when another model is in use: those that it no longer doubts are
//! linked, those that it takes for two people wait no longer, the others wait with its score.
//!
//! Bounded work a turn, the surest pairs first. Each pair keeps the version of the model that scored it, so that after
//! a stop it goes on where it was. A steward's decision is never touched, and no link that stands is undone.

use std::cmp::Reverse;

use jiff::Timestamp;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::link::LinkDecider;
use tandem_matching::Decision;

use super::core::Core;
use super::{linking, mutual};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::store::{StoreError, Tx};

/// Waiting pairs that are scored in one turn while their order is being found.
const SCORED: u32 = 200;
/// Pairs that are judged in one turn, in one transaction: other writers wait no longer.
const JUDGED: usize = 20;

/// What is still to be judged anew.
#[derive(Debug, Default)]
pub struct Rejudging {
    /// Version of the model by which pairs are judged.
    model: String,
    /// The place in the store up to which waiting pairs were scored; `None` when all were.
    scored_to: Option<Vec<u8>>,
    /// The pairs by that score, the surest last.
    plan: Vec<Planned>,
}

/// A pair's score in hundredths of a bit, and the pair, in reverse: of equal scores the first in order comes last.
type Planned = (i32, Reverse<(RecordKey, RecordKey)>);

impl Rejudging {
    /// One turn; whether more is to be done.
    ///
    /// # Errors
    /// When the store fails; the next turn begins with what is still to be judged.
    pub async fn turn(&mut self, core: &Core) -> Result<bool, StoreError> {
        let more = self.step(core).await;
        if more.is_err() {
            *self = Self::default();
        }
        more
    }

    async fn step(&mut self, core: &Core) -> Result<bool, StoreError> {
        let model = core.matcher.lock().await.model().version.clone();
        if model != self.model {
            *self = Self {
                model,
                scored_to: Some(Vec::new()),
                plan: Vec::new(),
            };
        }
        if let Some(after) = self.scored_to.take() {
            self.scored_to = self.score(core, &after).await?;
            if self.scored_to.is_none() {
                self.plan.sort_unstable();
            }
            return Ok(self.scored_to.is_some() || !self.plan.is_empty());
        }
        let rest = self.plan.len().saturating_sub(JUDGED);
        let next = self.plan.split_off(rest);
        if !next.is_empty() {
            self.judge(core, next).await?;
        }
        Ok(!self.plan.is_empty())
    }

    /// Scores some of the pairs that wait by another model's word. Returns the place from which to go on.
    async fn score(&mut self, core: &Core, after: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut tx = core.store.snapshot().await?;
        core.follow(&mut tx).await?;
        let waiting = LinkStanding::Candidate.code();
        let (links, last) = tx
            .find_page::<LinkDoc>("link.standing", waiting, after, SCORED)
            .await?;
        let is_last = links.is_empty();
        for link in links {
            if link.model.as_ref() == Some(&self.model) {
                continue;
            }
            // Whoever asks meanwhile waits for one pair, not for all.
            let candidate = core.matcher.lock().await.candidate(&link.a, &link.b);
            let bits = candidate.map_or(f64::NEG_INFINITY, |candidate| candidate.score_bits);
            self.plan
                .push((linking::centibits(bits), Reverse((link.a, link.b))));
        }
        Ok((!is_last).then_some(last))
    }

    async fn judge(&mut self, core: &Core, mut next: Vec<Planned>) -> Result<(), StoreError> {
        let now = core.clock.now();
        let mut tx = core.begin().await?;
        while let Some((_, Reverse((a, b)))) = next.pop() {
            judge(core, &mut tx, (&a, &b), &self.model, now).await?;
        }
        tx.commit().await?;
        core.wake();
        Ok(())
    }
}

/// Judges a pair anew, if it still waits.
async fn judge(
    core: &Core,
    tx: &mut Tx,
    (a, b): (&RecordKey, &RecordKey),
    model: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = tx.get::<LinkDoc>(&LinkDoc::key_of_pair(a, b)).await?;
    let Some(link) = known.filter(|link| link.standing == LinkStanding::Candidate) else {
        return Ok(());
    };
    let candidate = core.matcher.lock().await.candidate(a, b);
    match candidate {
        Some(candidate) if candidate.decision != Decision::NoLink => {
            let joined = linking::take_candidate(core, tx, (a, b), candidate, now).await?;
            if let Some(person) = joined {
                mutual::evaluate(core, tx, person, now).await?;
            }
            Ok(())
        }
        _ => set_aside(core, tx, link, model, now).await,
    }
}

/// A pair that the model takes for two people waits no longer. Should it be found again, it waits again.
async fn set_aside(
    core: &Core,
    tx: &mut Tx,
    link: LinkDoc,
    model: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let link = LinkDoc {
        standing: LinkStanding::Undone,
        decider: LinkDecider::Matcher,
        model: Some(model.to_owned()),
        decided_at: Some(now),
        ..link
    };
    tx.put(&link, now).await?;
    let told = linking::told(&link, None);
    core.record(tx, Body::LinkDecided(Box::new(told)), now)
        .await?;
    let detail = format!("two people by the model {model}");
    tx.audit(
        now,
        core.gateway.as_str(),
        "link.set-aside",
        &link.id.to_string(),
        &detail,
    )
    .await
}
