//! The whole account of one pair: every field, every rule and every key, whether the run compared the two or not. It
//! holds no name, number or date.

use serde::Serialize;

use crate::blocking::{KeyOutcome, SharedKey, Trace};
use crate::decide::{Decision, Judgement, Note};
use crate::field::Field;
use crate::matcher::Matcher;
use crate::model::{RIVALS, STRANGER};
use crate::population::Slot;
use crate::record::RecordKey;
use crate::result::{LinkResult, Pair};
use crate::ruling::Rulings;
use crate::score::{Evidence, Scorer};
use crate::settings::Probabilities;

/// What one field says about a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldAccount {
    /// The field.
    pub field: &'static str,
    /// At what level the values agree; none when a value is absent or says nothing.
    pub level: Option<&'static str>,
    /// How often pairs of one person are at this level (m).
    pub m: Option<f64>,
    /// How often pairs of strangers are (u).
    pub u: Option<f64>,
    /// log2(m / u).
    pub weight_bits: f64,
    /// What the frequency of the agreed value adds, or takes when it is common.
    pub frequency_bits: f64,
    /// Both together: the part of the field in the score.
    pub total_bits: f64,
}

/// What made the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// A steward.
    Steward,
    /// No key brought the two together: they were never compared.
    NotCompared,
    /// A rule that no score outweighs; `notes` names it.
    Rule,
    /// Linking them would have brought records together that cannot be one person.
    Cluster,
    /// The score is at the link threshold or above.
    LinkThreshold,
    /// The score is below the link threshold, but high enough for a steward to look.
    ReviewBand,
    /// The score is below the review band.
    BelowReview,
}

/// log2 of the odds of "one person" against each class of two people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OddsAgainst {
    /// Against relatives and members of one household.
    pub relatives: f64,
    /// Against people born together.
    pub twins: f64,
    /// Against strangers.
    pub strangers: f64,
}

/// Everything about one pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairAccount {
    /// One record.
    pub a: RecordKey,
    /// The other record.
    pub b: RecordKey,
    /// What was decided.
    pub decision: Decision,
    /// By what.
    pub decided_by: DecidedBy,
    /// What would have been decided had the two been compared; only when they were not.
    pub decision_if_compared: Option<Decision>,
    /// What beside the score made or changed the decision.
    pub notes: Vec<Note>,
    /// log2 of the odds that the two are one person: the prior, the fields and the household added up.
    pub score_bits: f64,
    /// The probability that the score stands for if the model holds. What share of links is false says the rate.
    pub probability_by_model: f64,
    /// Share of false links to be expected among all pairs of this score and above; none for a pair that was dropped.
    pub false_match_rate: Option<f64>,
    /// Score from which pairs are linked.
    pub link_bits: f64,
    /// Score from which a steward looks at them.
    pub review_bits: f64,
    /// The odds before anything is compared.
    pub prior_bits: f64,
    /// The fields, those that say nothing included.
    pub fields: Vec<FieldAccount>,
    /// What the chance of a relative or a twin takes away.
    pub household_bits: f64,
    /// The odds against each class alone.
    pub against_bits: OddsAgainst,
    /// Whether the two are in one cluster, directly or through others.
    pub is_same_cluster: bool,
    /// The keys that both have, and what each did.
    pub keys: Vec<SharedKey>,
}

impl LinkResult {
    /// The accounts of pairs, by the numbers of their records; a number that is none is passed over. `rulings` are
    /// those of the run.
    pub fn accounts(&self, pairs: &[(usize, usize)], rulings: &Rulings) -> Vec<PairAccount> {
        let slots: Vec<(Slot, Slot)> = pairs
            .iter()
            .filter_map(|(a, b)| Some((Slot::try_from(*a).ok()?, Slot::try_from(*b).ok()?)))
            .collect();
        let trace = Trace::of(&self.population, &slots);
        let limits = &self.model.settings.blocking;
        let accounts = slots.into_iter().filter_map(|pair| {
            let keys = trace.keys(&self.population, limits, pair);
            self.account(pair, rulings, keys)
        });
        accounts.collect()
    }

    fn account(
        &self,
        (a, b): (Slot, Slot),
        rulings: &Rulings,
        keys: Vec<SharedKey>,
    ) -> Option<PairAccount> {
        let (key_a, key_b) = (self.population.key(a)?, self.population.key(b)?);
        let matcher = Matcher::new(&self.population, &self.model, rulings);
        let (evidence, judgement) = matcher.judge(a, b)?;
        let scorer = Scorer::new(&self.model, self.population.len());
        let score = scorer.score(&evidence);
        let found = self.pair(&key_a, &key_b);
        let is_compared = found.is_some()
            || judgement.notes.contains(Note::StewardRejected)
            || keys.iter().any(|key| key.outcome == KeyOutcome::Compared);
        let (decision, decided_by) = decision(&scorer, &judgement, found, is_compared);
        let odds = scorer.odds(&evidence);
        let thresholds = &self.model.settings.thresholds;
        let cluster = |slot: Slot| self.clusters().get(slot as usize);
        let notes = found.map_or(judgement.notes, |pair| pair.notes);
        Some(PairAccount {
            a: key_a,
            b: key_b,
            decision,
            decided_by,
            decision_if_compared: (!is_compared).then_some(judgement.decision),
            notes: notes.iter().collect(),
            score_bits: score.bits,
            probability_by_model: 1.0 - score.false_share(),
            false_match_rate: found.map(|pair| pair.false_match_rate),
            link_bits: thresholds.link_bits,
            review_bits: thresholds.review_bits,
            prior_bits: score.prior_bits,
            fields: fields(&scorer, &evidence),
            household_bits: score.household_bits,
            against_bits: against(odds),
            is_same_cluster: cluster(a).is_some() && cluster(a) == cluster(b),
            keys,
        })
    }
}

fn against([relatives, twins, strangers]: [f64; RIVALS]) -> OddsAgainst {
    OddsAgainst {
        relatives,
        twins,
        strangers,
    }
}

/// What each field says, in the order of all fields.
pub(crate) fn fields(scorer: &Scorer<'_>, evidence: &Evidence) -> Vec<FieldAccount> {
    let account = |field: &Field| {
        let level = evidence.pattern.label(*field);
        let settings = &scorer.model.settings;
        let probabilities: Option<Probabilities> =
            level.and_then(|level| settings.level(*field, level));
        let number = evidence.pattern.level(*field);
        let weight_bits = scorer.model.weight(*field, number)[STRANGER];
        let frequency_bits = evidence.frequency_of(*field);
        FieldAccount {
            field: field.label(),
            level,
            m: probabilities.map(|found| found.same),
            u: probabilities.map(|found| found.stranger),
            weight_bits,
            frequency_bits,
            total_bits: weight_bits + frequency_bits,
        }
    };
    Field::ALL.iter().map(account).collect()
}

fn decision(
    scorer: &Scorer<'_>,
    judgement: &Judgement,
    found: Option<&Pair>,
    is_compared: bool,
) -> (Decision, DecidedBy) {
    if !is_compared {
        return (Decision::NoLink, DecidedBy::NotCompared);
    }
    let decision = found.map_or(Decision::NoLink, |pair| pair.decision);
    let thresholds = &scorer.model.settings.thresholds;
    let is_ruled = [Note::StewardConfirmed, Note::StewardRejected]
        .iter()
        .any(|note| judgement.notes.contains(*note));
    // A rule decides only where the score alone would have had it otherwise.
    let by = if found.is_some_and(|pair| pair.is_refused) {
        DecidedBy::Cluster
    } else if is_ruled {
        DecidedBy::Steward
    } else if judgement.bits < thresholds.review_bits {
        DecidedBy::BelowReview
    } else if judgement.is_forbidden
        || (!judgement.is_open && is_high(judgement, thresholds.link_bits))
    {
        DecidedBy::Rule
    } else if is_high(judgement, thresholds.link_bits) {
        DecidedBy::LinkThreshold
    } else {
        DecidedBy::ReviewBand
    };
    (decision, by)
}

fn is_high(judgement: &Judgement, link_bits: f64) -> bool {
    judgement.bits >= link_bits
}
