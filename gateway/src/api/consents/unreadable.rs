//! Consents that can't be read: named as well as the gateway still can, so that they hide nothing else.

use serde::Serialize;
use utoipa::ToSchema;

use crate::state::directive::DirectiveDoc;
use crate::state::stuck::StuckDoc;
use crate::store::{Place, StoreError, Tx};

/// Where it stands, and why it can't be read.
pub(super) type NotRead = (Place, StoreError);

/// A consent that can't be read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unreadable {
    /// Where it stands in the store.
    pub place: String,
    /// Its id, if anything still tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why.
    pub error: String,
}

/// Names what can't be read.
///
/// # Errors
/// When the store fails.
pub(super) async fn views(tx: &mut Tx, found: Vec<NotRead>) -> Result<Vec<Unreadable>, StoreError> {
    let mut views = Vec::new();
    for (place, error) in found {
        let known = tx.get::<StuckDoc>(&place.to_string()).await?;
        let id = match known.and_then(|known| known.consent) {
            Some(id) => Some(id),
            None => {
                tx.object_at::<DirectiveDoc>(&place, "consent.capture")
                    .await?
            }
        };
        views.push(Unreadable {
            place: place.to_string(),
            id,
            error: error.to_string(),
        });
    }
    Ok(views)
}
