//! Measures over the events: computed figures for staff, and the masked table for the public.

mod public;
mod resolver;

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
use tandem_coordination::assessment::Instruments;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::{MeasuredRow, Stratum};
use tandem_coordination::measures::{Facts, Known, MeasureReport, Parameters, Scene, Snapshot, SystemPair, measure};
use tandem_coordination::period::Period;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::SystemId;

pub use public::{PublicTable, public_table};
use resolver::StoredReferrals;

use crate::pipeline::core::Core;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Events read at once.
const PAGE: i64 = 2_000;

/// Everything that measures look at, at one snapshot of the store.
#[derive(Debug)]
pub struct Evidence {
    events: Vec<Event>,
    referrals: StoredReferrals,
    snapshot: Snapshot,
}

impl Evidence {
    /// Reads the events, the links and the referrals in one snapshot.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let mut events = Vec::new();
        let mut position = 0;
        loop {
            let page = tx.events_after(position, PAGE).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            events.extend(page.into_iter().map(|next| next.event));
        }
        let persons: BTreeMap<_, _> = tx
            .all::<RecordDoc>()
            .await?
            .into_iter()
            .filter(RecordDoc::is_active)
            .map(|record| (record.key, record.person_id))
            .collect();
        let referrals = StoredReferrals::new(tx.all::<ReferralDoc>().await?);
        Ok(Self { events, referrals, snapshot: Snapshot::new(&format!("links@{position}"), persons) })
    }

    /// Figures that data owners reported for a period.
    fn reported(&self, period: Period) -> impl Iterator<Item = MeasuredRow> + '_ {
        self.events.iter().filter_map(move |event| {
            let Body::IndicatorReported(told) = &event.told.body else { return None };
            if told.from != period.start() || told.to != period.end() {
                return None;
            }
            let stratum = told
                .strata
                .iter()
                .filter_map(|one| one.split_once('='))
                .fold(Stratum::whole(), |stratum, (name, value)| stratum.with(name, value));
            #[expect(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]
            let value = match told.denominator {
                Some(0) => None,
                Some(denominator) => Some(told.numerator as f64 / denominator as f64),
                None => Some(told.numerator as f64),
            };
            Some(MeasuredRow {
                indicator: told.indicator.clone(),
                period,
                jurisdiction: event.jurisdiction.clone(),
                stratum,
                numerator: Some(told.numerator),
                denominator: told.denominator,
                value,
            })
        })
    }
}

/// Computes the measures of a period. Not for the public.
///
/// # Errors
/// When a shipped table is not sound.
pub fn compute(
    core: &Core,
    evidence: &Evidence,
    period: Period,
    pairs: Vec<(SystemId, SystemId)>,
    as_of: Timestamp,
) -> anyhow::Result<MeasureReport> {
    let calendar = Calendar::new(core.loaded.zone.clone(), core.loaded.config.holidays.iter().copied());
    let facts = Facts::collect(&evidence.events, &Known { resolver: &evidence.referrals, calendar: &calendar });
    let instruments = Instruments::shipped().context("loading the instruments")?;
    let indicators = Indicators::shipped(None).context("loading the indicators")?;
    let parameters = Parameters {
        pairs: pairs.into_iter().map(|(a, b)| SystemPair { a, b }).collect(),
        ..Parameters::default()
    };
    Ok(measure(&Scene {
        jurisdiction: &core.loaded.config.jurisdiction,
        period,
        as_of,
        facts: &facts,
        snapshot: &evidence.snapshot,
        calendar: &calendar,
        rules: &core.referral_rules,
        instruments: &instruments,
        indicators: &indicators,
        parameters: &parameters,
    }))
}

/// Every pair of configured systems, each once.
#[must_use]
pub fn all_pairs(core: &Core) -> Vec<(SystemId, SystemId)> {
    let systems: Vec<&SystemId> = core.loaded.config.systems.keys().collect();
    let mut pairs = Vec::new();
    for (place, a) in systems.iter().enumerate() {
        for b in systems.iter().skip(place + 1) {
            pairs.push(((*a).clone(), (*b).clone()));
        }
    }
    pairs
}
