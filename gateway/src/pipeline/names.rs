//! Nicknames that stewards have taught: two given names under which several people were confirmed to be one person each.
//!
//! Nothing is kept beside the decisions themselves. The pairs are read from the links that stewards confirmed, so they
//! are the same after every start, and an undone link takes back what it taught.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::id::PersonId;
use tandem_matching::given_name;

use super::core::Core;
use super::family;
use crate::state::link::LinkDoc;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// So many people must have used both names: one may have changed theirs.
const FEWEST_PEOPLE: usize = 2;

/// Two plain given names, in alphabetical order.
pub type NamePair = (String, String);

/// The pairs that stewards have taught.
///
/// # Errors
/// When the store fails.
pub async fn taught(tx: &mut Tx) -> Result<BTreeSet<NamePair>, StoreError> {
    let mut people: BTreeMap<NamePair, BTreeSet<PersonId>> = BTreeMap::new();
    for link in tx.find::<LinkDoc>("link.teaches", "given-name").await? {
        let a = family::record(tx, &link.a.system, &link.a.person).await?;
        let b = family::record(tx, &link.b.system, &link.b.person).await?;
        let (Some(a), Some(b)) = (a, b) else { continue };
        if let Some(pair) = pair(&a, &b) {
            people.entry(pair).or_default().insert(a.person_id);
        }
    }
    people.retain(|_, people| people.len() >= FEWEST_PEOPLE);
    Ok(people.into_keys().collect())
}

/// Builds the index anew if stewards have taught other nicknames: it holds names with theirs.
///
/// # Errors
/// When the store fails.
pub async fn keep_up(core: &Core) -> Result<(), StoreError> {
    let taught = taught(&mut core.store.snapshot().await?).await?;
    let is_known = *core.matcher.lock().await.names() == taught;
    if !is_known {
        core.reload_index().await?;
        tracing::info!(pairs = taught.len(), "stewards have taught other nicknames");
    }
    Ok(())
}

fn pair(a: &RecordDoc, b: &RecordDoc) -> Option<NamePair> {
    let official = |record: &RecordDoc| {
        let name = record.person.names.first()?;
        given_name(&name.given)
    };
    let (a, b) = (official(a)?, official(b)?);
    (a != b).then(|| if a < b { (a, b) } else { (b, a) })
}
