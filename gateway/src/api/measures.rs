//! `GET /v1/measures`: what the events say, counted. Unmasked, so for oversight alone; the public sees masked tables.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_coordination::assessment::Instruments;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::MeasuredRow;
use tandem_coordination::measures::{
    Facts, Known, MeasureReport, Parameters, ReportHeader, Resolver, Scene, Snapshot, SystemPair,
    measure,
};
use tandem_coordination::period::Period;
use tandem_coordination::referral::{ReferralFact, Sides};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{MessageId, ReferralId, SystemId};
use tandem_mappings::model::referral::ReferralRef;
use utoipa::ToSchema;

use super::Api;
use super::areas::{self, Reported};
use super::body::Query;
use super::caller::{As, MeasureReaders};
use super::problem::ApiError;
use super::route::{Doc, Routes};
use crate::pipeline::core::Core;
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Events that are read at once.
const PAGE: i64 = 1_000;

/// Why measures can't be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A shipped table is malformed.
    #[error(transparent)]
    Table(#[from] tandem_mappings::tables::TableError),
}

impl From<MeasureError> for ApiError {
    fn from(error: MeasureError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// What the gateway knows about referrals, for reading events.
#[derive(Debug, Default)]
struct KnownReferrals {
    sides: HashMap<ReferralId, Sides>,
    organizations: HashMap<ReferralId, (String, String)>,
    by_ref: HashMap<(SystemId, String), ReferralId>,
    requests: HashMap<MessageId, ReferralId>,
    outcomes: HashMap<MessageId, ReferralId>,
}

impl KnownReferrals {
    async fn load(core: &Core, tx: &mut Tx) -> Result<Self, StoreError> {
        let mut known = Self::default();
        for document in tx.all::<ReferralDoc>().await? {
            let id = document.id;
            let organizations = (
                document.source_organization.to_string(),
                document.target_organization.to_string(),
            );
            known.organizations.insert(id, organizations);
            let refs = [
                (Some(&document.source), &document.source_ref),
                (document.target.as_ref(), &document.target_ref),
            ];
            for (system, reference) in refs {
                if let (Some(system), Some(reference)) = (system, reference) {
                    known.by_ref.insert((system.clone(), reference.clone()), id);
                }
            }
            known
                .requests
                .extend(document.request_message.map(|message| (message, id)));
            known
                .outcomes
                .extend(document.outcome_message.map(|message| (message, id)));
            let sides = Sides {
                source: document.source,
                target: document.target,
                gateway: core.gateway.clone(),
            };
            known.sides.insert(id, sides);
        }
        Ok(known)
    }
}

fn reference_of(body: &Body) -> Option<&ReferralRef> {
    match body {
        Body::ReferralDrafted(told) | Body::ReferralRequested(told) => Some(&told.referral),
        Body::ReferralAccepted(told)
        | Body::ReferralRejected(told)
        | Body::ReferralInProgress(told)
        | Body::ReferralOnHold(told)
        | Body::ReferralClosed(told)
        | Body::ReferralCancelled(told)
        | Body::ReferralError(told) => Some(&told.referral),
        Body::ReferralContact(told) => Some(&told.referral),
        Body::ServiceDelivered(told) => told.referral.as_ref(),
        _ => None,
    }
}

impl Resolver for KnownReferrals {
    fn referral(&self, event: &Event) -> Option<ReferralId> {
        let reference = reference_of(&event.told.body)?;
        let own = [&reference.source_ref, &reference.target_ref];
        let by_own = own
            .into_iter()
            .flatten()
            .find_map(|own| self.by_ref.get(&(event.system.clone(), own.clone())));
        reference.id.or(by_own.copied())
    }

    fn sides(&self, referral: ReferralId) -> Option<Sides> {
        self.sides.get(&referral).cloned()
    }

    fn organizations(&self, referral: ReferralId) -> Option<(String, String)> {
        self.organizations.get(&referral).cloned()
    }

    fn delivery(&self, event: &Event) -> Option<(ReferralId, ReferralFact)> {
        let at = event.told.occurred_at;
        match &event.told.body {
            Body::DeliverySent(told) => self
                .requests
                .get(&told.message)
                .map(|id| (*id, ReferralFact::RequestSent { at })),
            Body::DeliveryAcknowledged(told) => {
                let request = self.requests.get(&told.message);
                let outcome = self.outcomes.get(&told.message);
                request
                    .map(|id| (*id, ReferralFact::RequestDelivered { at }))
                    .or_else(|| outcome.map(|id| (*id, ReferralFact::OutcomeAcknowledged { at })))
            }
            _ => None,
        }
    }
}

/// What the events say, read page by page: no more than one page of them is in memory.
struct Read {
    facts: Facts,
    reported: Reported,
    position: i64,
}

async fn read(core: &Core, tx: &mut Tx, period: Period) -> Result<Read, StoreError> {
    let resolver = KnownReferrals::load(core, tx).await?;
    let config = &core.loaded.config;
    let calendar = Calendar::new(core.loaded.zone.clone(), config.holidays.iter().copied());
    let known = Known {
        resolver: &resolver,
        calendar: &calendar,
    };
    let mut read = Read {
        facts: Facts::default(),
        reported: Reported::new(&config.jurisdiction, period),
        position: 0,
    };
    loop {
        let page = tx.events_after(read.position, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(read);
        };
        read.position = last.position;
        for one in &page {
            read.facts.read(&one.event, &known);
            read.reported.read(&one.event);
        }
    }
}

/// Computes the measures of a period from the applied events, with what data owners reported for it.
///
/// # Errors
/// When the store fails or a shipped table is malformed.
pub async fn compute(core: &Core, period: Period) -> Result<MeasureReport, MeasureError> {
    let mut tx = core.store.snapshot().await?;
    let read = read(core, &mut tx, period).await?;
    let snapshot = snapshot(&mut tx, read.position).await?;
    drop(tx);
    let config = &core.loaded.config;
    let calendar = Calendar::new(core.loaded.zone.clone(), config.holidays.iter().copied());
    let systems: Vec<&SystemId> = config.systems.keys().collect();
    let parameters = Parameters {
        pairs: pairs(&systems),
        ..Parameters::default()
    };
    let mut report = measure(&Scene {
        jurisdiction: &config.jurisdiction,
        period,
        as_of: core.clock.now(),
        facts: &read.facts,
        snapshot: &snapshot,
        calendar: &calendar,
        rules: &core.referral_rules,
        instruments: &Instruments::shipped()?,
        indicators: &Indicators::shipped(None)?,
        parameters: &parameters,
    });
    areas::join(
        &mut report.rows,
        read.reported.into_rows(),
        &config.jurisdiction,
    );
    Ok(report)
}

fn pairs(systems: &[&SystemId]) -> Vec<SystemPair> {
    let later = |place: usize| systems.iter().skip(place + 1);
    let of = |(place, a): (usize, &&SystemId)| {
        let a = (*a).clone();
        later(place)
            .map(move |b| SystemPair {
                a: a.clone(),
                b: (*b).clone(),
            })
            .collect::<Vec<_>>()
    };
    systems.iter().enumerate().flat_map(of).collect()
}

async fn snapshot(tx: &mut Tx, position: i64) -> Result<Snapshot, StoreError> {
    let records = tx.all::<RecordDoc>().await?;
    let active = records.into_iter().filter(RecordDoc::is_active);
    let persons = active
        .map(|record| (record.key, record.person_id))
        .collect();
    Ok(Snapshot::new(&format!("links-at-{position}"), persons))
}

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = Doc::get(
        "/v1/measures",
        "Measures of a period, unmasked, with strata",
    )
    .allow::<MeasureReaders>()
    .query("ids", "Only these indicators, with commas between")
    .query("from", "First day; the calendar year when absent")
    .query("to", "Last day")
    .query(
        "a",
        "With `b`: of pairs of systems only this one, in both directions",
    )
    .query("b", "The pair's other system")
    .gives::<Measures>(200, "Rows, and what a rerun needs to give the same");
    routes.add(doc, list)
}

/// Measures.
#[derive(Debug, Serialize, ToSchema)]
pub struct Measures {
    /// Snapshot of links, event position, parameters, versions.
    #[schema(value_type = Object)]
    pub header: ReportHeader,
    /// The rows.
    pub rows: Vec<MeasureRow>,
}

/// One row.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeasureRow {
    /// The indicator.
    pub indicator: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// The area.
    pub jurisdiction: String,
    /// `name=value;...`; empty for the whole.
    pub stratum: String,
    /// The count itself or the numerator.
    pub numerator: Option<u64>,
    /// The denominator.
    pub denominator: Option<u64>,
    /// Share, ratio, median or count.
    pub value: Option<f64>,
}

impl From<&MeasuredRow> for MeasureRow {
    fn from(row: &MeasuredRow) -> Self {
        Self {
            indicator: row.indicator.clone(),
            from: row.period.start().to_string(),
            to: row.period.end().to_string(),
            jurisdiction: row.jurisdiction.to_string(),
            stratum: row.stratum.to_string(),
            numerator: row.numerator,
            denominator: row.denominator,
            value: row.value,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    ids: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
    a: Option<String>,
    b: Option<String>,
}

impl Filter {
    /// Whether a row is asked for: by indicator, and by pair where the row is about one.
    fn wants(&self, row: &MeasuredRow) -> bool {
        let by_id = self
            .ids
            .as_deref()
            .is_none_or(|ids| ids.split(',').any(|id| id.trim() == row.indicator));
        let pair = row
            .stratum
            .iter()
            .find(|(name, _)| *name == "pair")
            .map(|(_, pair)| pair);
        let by_pair = match (pair, &self.a, &self.b) {
            (Some(pair), Some(a), Some(b)) => {
                pair == format!("{a}>{b}") || pair == format!("{b}>{a}")
            }
            _ => true,
        };
        by_id && by_pair
    }
}

async fn list(
    _as: As<MeasureReaders>,
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Measures>, ApiError> {
    let core = api.core();
    let today = core.day(core.clock.now());
    let from = filter.from.unwrap_or_else(|| today.first_of_year());
    let to = filter.to.unwrap_or_else(|| today.last_of_year());
    let period =
        Period::new(from, to).map_err(|_| ApiError::Invalid("to: lies before from".to_owned()))?;
    let report = compute(core, period).await?;
    let rows = report
        .rows
        .iter()
        .filter(|row| filter.wants(row))
        .map(MeasureRow::from)
        .collect();
    Ok(Json(Measures {
        header: report.header,
        rows,
    }))
}
