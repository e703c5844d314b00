//! That something was sealed, withdrawn or deleted of which nothing was known: when, and by which system. Of what it was nothing is
//! kept; an older input might bring it in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::id::SystemId;

use crate::store::{Document, StoreError, Tx};

/// When a system told last that something is gone of which nothing was known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgottenDoc {
    /// The system.
    pub system: SystemId,
    /// When.
    pub at: Timestamp,
}

impl Document for ForgottenDoc {
    const KIND: &'static str = "forgotten";

    fn key(&self) -> String {
        self.system.to_string()
    }
}

impl ForgottenDoc {
    /// Notes that something was forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note(tx: &mut Tx, system: &SystemId, at: Timestamp) -> Result<(), StoreError> {
        let document = Self {
            system: system.clone(),
            at,
        };
        tx.put(&document, at).await
    }

    /// Whether anything of a system was forgotten at a time or later.
    ///
    /// # Errors
    /// When the store fails or the document does not open.
    pub async fn since(tx: &mut Tx, system: &SystemId, at: Timestamp) -> Result<bool, StoreError> {
        let known = tx.get::<Self>(system.as_str()).await?;
        Ok(known.is_some_and(|known| known.at >= at))
    }
}
