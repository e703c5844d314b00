//! When two persons become one, what was kept under the one id moves to the other.

use jiff::Timestamp;
use tandem_mappings::model::id::PersonId;

use crate::state::episode::EpisodeDoc;
use crate::state::mutual::MutualDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// Moves referrals, episodes and notices of a person to another person's id.
///
/// # Errors
/// When the store fails.
pub(super) async fn person(
    tx: &mut Tx,
    from: PersonId,
    to: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for mut referral in tx
        .find::<ReferralDoc>("referral.person", &from.to_string())
        .await?
    {
        referral.person = to;
        tx.put(&referral, now).await?;
    }
    for mut episode in tx
        .find::<EpisodeDoc>("episode.person", &from.to_string())
        .await?
    {
        episode.people.remove(&from);
        episode.people.insert(to);
        tx.put(&episode, now).await?;
    }
    for mut notice in tx
        .find::<MutualDoc>("mutual.person", &from.to_string())
        .await?
    {
        tx.remove::<MutualDoc>(&MutualDoc::key_of(from, &notice.recipient, &notice.partner))
            .await?;
        notice.person = to;
        tx.put(&notice, now).await?;
    }
    Ok(())
}
