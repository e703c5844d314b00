//! The entries of a person's list, from what was delivered and from the decisions before it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use tandem_consent::{ItemDecision, Verdict};
use tandem_mappings::model::id::PersonId;
use tandem_mappings::model::purpose::Purpose;
use utoipa::ToSchema;

use super::copy::Copy;
use super::emergency::{self, Emergency};
use super::law::{Law, Told, day};
use super::view::View;
use crate::pipeline::core::Core;
use crate::pipeline::weighed::answer_of;
use crate::state::directive::DirectiveDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::store::{DecisionRow, StoreError, Tx};

/// Decisions of a person among which the one before an attempt is looked for.
const DECISIONS: i64 = 100_000;

/// A rule on which a disclosure rests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct CitedRule {
    /// The rule's id.
    pub id: String,
    /// The law, as the rule cites it.
    pub citation: String,
}

/// One disclosure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Disclosed {
    /// When it reached the recipient.
    pub at: String,
    /// Who was told.
    pub recipient: String,
    /// The recipient's name.
    pub recipient_name: String,
    /// What kinds of data.
    pub categories: BTreeSet<String>,
    /// Why: the purpose's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The rules that permitted it.
    pub rules: BTreeSet<CitedRule>,
    /// The directives on which it rests.
    pub consents: BTreeSet<String>,
    /// The emergency in which it was seen, when it was seen under broken glass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// Whether the recipient was told to stop using it.
    pub is_recalled: bool,
    /// Whether nobody knows if it arrived: the connection broke before the recipient had answered.
    pub is_presumed: bool,
    /// Laws whose legal minimum asks for this entry.
    pub required_by: BTreeSet<Law>,
    /// The decision before it, for privacy staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Until when it is left out of others' copies, for privacy staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_until: Option<String>,
}

/// The disclosures about a person, newest first, as they stand in a copy.
///
/// # Errors
/// When the store fails.
pub async fn list(
    core: &Core,
    tx: &mut Tx,
    person: PersonId,
    copy: Copy,
    now: Timestamp,
) -> Result<Vec<Disclosed>, StoreError> {
    let key = person.to_string();
    let told = tx.find::<DisclosureDoc>("disclosure.person", &key).await?;
    let view = View::of(tx, person, copy, now).await?;
    let own: BTreeMap<(Timestamp, String), DecisionRow> = tx
        .decisions(Some(person), DECISIONS)
        .await?
        .into_iter()
        .filter(|row| row.stage == "attempt")
        .map(|row| ((row.decided_at, row.recipient.clone()), row))
        .collect();
    let mut entries = Vec::new();
    for disclosure in told {
        let Some(main) = tx.decision(disclosure.decision).await? else {
            continue;
        };
        // What is told of another than the main person is decided about that person at the same time.
        let row = if main.person == Some(person) {
            Some(&main)
        } else {
            own.get(&(main.decided_at, main.recipient.clone()))
        };
        let Some(row) = row else { continue };
        let attempts = tx.attempts(disclosure.message).await?;
        let at = attempts
            .iter()
            .find(|attempt| attempt.decision == disclosure.decision)
            .map_or(main.decided_at, |attempt| attempt.ended_at);
        if !view.shows(core, row) {
            continue;
        }
        let left_out = view.left_out(&row.recipient);
        let Some(mut entry) = entry(core, tx, row, &disclosure, copy, (at, now)).await? else {
            continue;
        };
        if copy == Copy::Staff {
            entry.decision = Some(row.id.to_string());
            entry.left_out_until = left_out.map(|until| until.to_string());
        }
        entries.push((at, entry));
    }
    entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

/// One entry; `None` when nothing of it may stand in this copy.
async fn entry(
    core: &Core,
    tx: &mut Tx,
    row: &DecisionRow,
    disclosure: &DisclosureDoc,
    copy: Copy,
    (at, now): (Timestamp, Timestamp),
) -> Result<Option<Disclosed>, StoreError> {
    let decision = answer_of(row)?;
    let purpose: Option<Purpose> = row
        .record
        .pointer("/request/purpose")
        .and_then(|value| value.as_str()?.parse().ok());
    let is_main = row.id == disclosure.decision;
    let is_told = |item: &&ItemDecision| {
        item.outcome == Verdict::Permit
            && (!is_main || disclosure.permitted.contains(&item.id))
            && copy.shows(&item.category)
    };
    let items: Vec<&ItemDecision> = decision.items.iter().filter(is_told).collect();
    if items.is_empty() {
        return Ok(None);
    }
    let (day_told, today) = (day(at, &core.loaded.zone), day(now, &core.loaded.zone));
    let mut entry = empty(core, row, at, purpose);
    entry.is_recalled = disclosure.is_recalled;
    entry.is_presumed = disclosure.is_presumed;
    entry.emergency = emergency::of(core, tx, disclosure.message, copy).await?;
    for item in items {
        entry.categories.insert(item.category.clone());
        for regime in &item.regimes {
            let rules = regime.rules.iter().zip(&regime.citations);
            entry.rules.extend(rules.map(|(id, citation)| CitedRule {
                id: id.clone(),
                citation: citation.clone(),
            }));
            let told = Told {
                regime: &regime.regime,
                is_consented: regime.consent.is_some(),
                is_general: is_general(tx, regime.consent.as_deref()).await?,
                purpose,
            };
            entry.required_by.extend(Law::of(told, day_told, today));
            entry.consents.extend(regime.consent.clone());
        }
    }
    Ok(Some(entry))
}

fn empty(core: &Core, row: &DecisionRow, at: Timestamp, purpose: Option<Purpose>) -> Disclosed {
    let name = match row.recipient.parse() {
        Ok(recipient) => core.name_of(&recipient),
        Err(_) => row.recipient.clone(),
    };
    Disclosed {
        at: at.to_string(),
        recipient: row.recipient.clone(),
        recipient_name: name,
        categories: BTreeSet::new(),
        purpose: purpose.map(|purpose| purpose.as_str().to_owned()),
        rules: BTreeSet::new(),
        consents: BTreeSet::new(),
        emergency: None,
        is_recalled: false,
        is_presumed: false,
        required_by: BTreeSet::new(),
        decision: None,
        left_out_until: None,
    }
}

/// Whether a directive designates its recipients in general: by class or as all participants (42 CFR 2.31(a)(4)).
async fn is_general(tx: &mut Tx, directive: Option<&str>) -> Result<bool, StoreError> {
    let Some(id) = directive else {
        return Ok(false);
    };
    let document = tx.get::<DirectiveDoc>(id).await?;
    Ok(document.is_some_and(|document| {
        let recipients = &document.directive.recipients;
        !recipients.class.is_empty() || recipients.all_participants_at_date.is_some()
    }))
}
