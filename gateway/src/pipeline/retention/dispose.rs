//! Takes rows away, by kind.

use jiff::Timestamp;
use tandem_mappings::model::id::InputId;
use uuid::Uuid;

use super::people;
use crate::config::{RowKind, Terms};
use crate::pipeline::core::Core;
use crate::state::break_glass::BreakGlassDoc;
use crate::state::directive::DirectiveDoc;
use crate::state::disclosure::DisclosureDoc;
use crate::state::episode::EpisodeDoc;
use crate::state::large::LargeDoc;
use crate::state::overlay::OverlayDoc;
use crate::state::plan::{ConflictDoc, PlanDoc};
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::state::timer::ExpiredDoc;
use crate::store::{Aged, Disposal, Document as _, Logged, StoreError, Tx};

/// The action under which it is audited.
pub const ACTION: &str = "retention.dispose";

/// Disposes of rows of a kind that were found free in this transaction, and says so in the log. Returns how many went,
/// and the blobs whose files go after the commit.
///
/// # Errors
/// When the store fails.
pub(super) async fn all(
    core: &Core,
    tx: &mut Tx,
    kind: RowKind,
    rows: &[Aged],
    actor: &str,
    now: Timestamp,
) -> Result<(u64, Vec<Uuid>), StoreError> {
    let (mut count, mut logged, mut blobs) = (0, Vec::new(), Vec::new());
    for row in rows {
        if kind == RowKind::Originals {
            blobs.extend(original(tx, row.input()?, now).await?);
            count += 1;
        } else {
            count += one(core, tx, kind, row, &mut logged, now).await?;
        }
    }
    let term = core.loaded.config.retention.term(kind);
    let version = &Terms::shipped().version;
    let kind_code = kind.code();
    let detail = format!("retention.keep.{kind_code}, {term} (terms of {version}) rows={count}");
    let disposal = Disposal {
        at: now,
        actor: actor.to_owned(),
        action: ACTION,
        object: kind_code,
        detail,
    };
    tx.dispose(&logged, &disposal).await?;
    Ok((count, blobs))
}

/// Takes the original of an input away. Returns its blobs.
async fn original(tx: &mut Tx, id: InputId, now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
    tx.remove::<LargeDoc>(&id.to_string()).await?;
    tx.empty_input(id, now).await?;
    tx.remove_blobs(id).await
}

async fn one(
    core: &Core,
    tx: &mut Tx,
    kind: RowKind,
    row: &Aged,
    logged: &mut Vec<Logged>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    match kind {
        RowKind::Events => tx.empty_event(row.position()?, now).await?,
        RowKind::People => {
            let record = tx.document_at::<RecordDoc>(&row.place()?).await?;
            let Some(record) = record else { return Ok(0) };
            return people::dispose(core, tx, record.person_id, now).await;
        }
        RowKind::Originals => return Err(StoreError::Shape { kind: "disposal" }),
        RowKind::Evidence => logged.push(Logged::Evidence(row.hash()?.to_owned())),
        RowKind::Decisions => logged.push(Logged::Decision(row.decision()?)),
        RowKind::Plans => {
            if let Some(plan) = tx.document_at::<PlanDoc>(&row.place()?).await? {
                tx.remove::<PlanDoc>(&plan.key()).await?;
            }
        }
        RowKind::Referrals => {
            if let Some(referral) = tx.document_at::<ReferralDoc>(&row.place()?).await? {
                let id = referral.key();
                for timer in tx.find::<ExpiredDoc>("expired.referral", &id).await? {
                    tx.remove::<ExpiredDoc>(&timer.key()).await?;
                }
                tx.remove::<ReferralDoc>(&id).await?;
            }
        }
        RowKind::Episodes => {
            if let Some(episode) = tx.document_at::<EpisodeDoc>(&row.place()?).await? {
                let id = episode.key();
                for conflict in tx.find::<ConflictDoc>("conflict.episode", &id).await? {
                    tx.remove::<ConflictDoc>(&conflict.key()).await?;
                }
                tx.remove::<OverlayDoc>(&id).await?;
                tx.remove::<EpisodeDoc>(&id).await?;
            }
        }
        RowKind::Consents => {
            if let Some(document) = tx.document_at::<DirectiveDoc>(&row.place()?).await? {
                tx.remove_scan(&document.key()).await?;
                tx.remove::<DirectiveDoc>(&document.key()).await?;
            }
        }
        RowKind::Deliveries => {
            let id = row.message()?;
            logged.extend(tx.logged_attempts(id).await?);
            tx.remove::<DisclosureDoc>(&id.to_string()).await?;
            tx.empty_message(id, now).await?;
        }
        RowKind::Emergencies => {
            if let Some(document) = tx.document_at::<BreakGlassDoc>(&row.place()?).await? {
                tx.remove::<DisclosureDoc>(&document.key()).await?;
                tx.remove::<BreakGlassDoc>(&document.key()).await?;
            }
        }
        RowKind::Replays => tx.remove_replay(row.replay()?).await?,
    }
    Ok(1)
}
