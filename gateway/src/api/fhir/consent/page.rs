//! One page of a search for filed consents, in the order in which they are stored.

use serde_json::Value;

use super::criteria::Criteria;
use super::filed::{self, FiledDoc};
use super::is_known_to;
use crate::api::caller::Caller;
use crate::store::{Document, StoreError, Tx};

/// Consents that are read together.
const ROWS: u32 = 200;
/// How many consents one page goes through at most.
const MOST_ROWS: usize = 10_000;

/// The consents of a page, each with its id and as it is shown, and the id after which the next page begins. Where little
/// of what is stored is wanted, a page ends before it is full.
pub(super) async fn search(
    tx: &mut Tx,
    caller: &Caller,
    wanted: &Criteria,
) -> Result<(Vec<(String, Value)>, Option<String>), StoreError> {
    let mut place = match &wanted.after {
        Some(after) => tx.mac(FiledDoc::KIND, after)?.to_vec(),
        None => Vec::new(),
    };
    let (mut found, mut last, mut seen) = (Vec::new(), None, 0_usize);
    loop {
        let (rows, end) = read(tx, caller, wanted, &place).await?;
        if rows.is_empty() {
            return Ok((found, None));
        }
        for filed in rows {
            if found.len() == wanted.count || seen == MOST_ROWS {
                return Ok((found, last));
            }
            seen = seen.saturating_add(1);
            last = Some(filed.id.clone());
            if !is_known_to(caller, &filed) {
                continue;
            }
            let parts = filed.parts(tx).await?;
            let shown = filed.shown(&parts);
            if wanted.fits(&filed, &shown) {
                found.push((filed.id.clone(), shown));
            }
        }
        place = end;
    }
}

/// Some consents that may be wanted, and the place of the last.
async fn read(
    tx: &mut Tx,
    caller: &Caller,
    wanted: &Criteria,
    place: &[u8],
) -> Result<(Vec<FiledDoc>, Vec<u8>), StoreError> {
    if let Some(id) = &wanted.id {
        let key = tx.mac(FiledDoc::KIND, id)?.to_vec();
        let one = match place < key.as_slice() {
            true => tx.get::<FiledDoc>(id).await?,
            false => None,
        };
        return Ok((one.into_iter().collect(), key));
    }
    match caller.system() {
        Ok(system) => {
            let system = system.as_str();
            tx.find_page(filed::BY_SYSTEM, system, place, ROWS).await
        }
        Err(_) => tx.page(place, ROWS).await,
    }
}
