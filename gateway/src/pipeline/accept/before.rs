//! What came before under the name of an input. The same is a repeat. A name that its sender gave stands for one content
//! alone.
//!
//! Whatever was seen earlier, that is looked at in the turn that writes the input: who writes for a jurisdiction does so
//! alone, also where gateways share a database, and goes on when the one for whom he writes hangs up.

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::report::{Outcome, Report};
use tandem_mappings::model::id::SystemId;
use uuid::Uuid;

use super::{AcceptError, Accepted, Acceptor, Intake};
use crate::state::large::LargeDoc;
use crate::store::{InputRow, InputState, StoreError, Tx};

/// What is known of an input besides its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Hash of what was sent, whatever of it is kept.
    pub content_hash: [u8; 32],
    /// Whether its sender named it: then the name stands for this content alone.
    pub is_named: bool,
    /// The format as which it is kept when that is not its reader's: no reader of files is given it once more.
    pub kept_as: Option<&'static str>,
}

impl Sent {
    /// A file: under its name something else may come another day.
    pub(super) const fn file(content_hash: [u8; 32]) -> Self {
        Self {
            content_hash,
            is_named: false,
            kept_as: None,
        }
    }
}

/// What stands in the store under the name of an input.
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// The same, and nothing has come or will come of it.
    GivenUp(InputRow),
    /// The same.
    Same(InputRow),
    /// Something else, though the name stands for one content alone.
    Other,
}

/// The name of an input.
struct Name<'a> {
    system: &'a SystemId,
    name: &'a str,
    content_hash: &'a [u8; 32],
    is_given: bool,
}

impl Name<'_> {
    async fn before(&self, tx: &mut Tx) -> Result<Before, StoreError> {
        let (system, name, content_hash) = (self.system, self.name, self.content_hash);
        let same = tx.same_input(system, name, content_hash).await?;
        let given_up = match same {
            Some(row) if !is_given_up(tx, &row).await? => return Ok(Before::Same(row)),
            given_up => given_up,
        };
        if self.is_given && tx.has_other_content(system, name, content_hash).await? {
            return Ok(Before::Other);
        }
        Ok(given_up.map_or(Before::Nothing, Before::GivenUp))
    }
}

impl Acceptor {
    /// The same input, when it was taken before.
    ///
    /// # Errors
    /// When the store fails; [`AcceptError::NameTaken`] when its sender gave the name to something else.
    pub async fn came_before(
        &self,
        format: Format,
        context: &ReadContext,
        sent: &Sent,
    ) -> Result<Option<Accepted>, AcceptError> {
        let name = Name {
            system: &context.system,
            name: &context.input_name,
            content_hash: &sent.content_hash,
            is_given: sent.is_named,
        };
        let mut tx = self.store.snapshot().await?;
        match name.before(&mut tx).await? {
            Before::Same(row) => Ok(Some(duplicate(&row, format))),
            Before::Other => Err(AcceptError::NameTaken),
            Before::GivenUp(_) | Before::Nothing => Ok(None),
        }
    }
}

impl Intake {
    /// What came before under its name. What is left of the same that was given up is removed.
    pub(super) async fn before(&self, tx: &mut Tx) -> Result<Before, StoreError> {
        let name = Name {
            system: &self.system,
            name: &self.name,
            content_hash: &self.content_hash,
            is_given: self.is_named,
        };
        let before = name.before(tx).await?;
        if let Before::GivenUp(row) = &before {
            tx.discard_staged(row.id).await?;
            tx.remove::<LargeDoc>(&row.id.to_string()).await?;
            // Their files, if there are any, are nobody's then and go at the next start.
            let _files: Vec<Uuid> = tx.remove_blobs(row.id).await?;
            tx.forget_input(row.id).await?;
        }
        Ok(before)
    }
}

/// Whether nothing has come or will come of an input that stands in the store: its blob is gone, or an older program was stopped
/// while it staged it. Then the same may be sent again.
async fn is_given_up(tx: &mut Tx, row: &InputRow) -> Result<bool, StoreError> {
    let doc = tx.get::<LargeDoc>(&row.id.to_string()).await?;
    if row.state == InputState::Parked.code() {
        let again = doc.and_then(|doc| doc.again);
        return Ok(!again.is_some_and(|again| again.took_effect));
    }
    let is_staging = row.state == InputState::Staging.code();
    Ok(is_staging && doc.is_none())
}

/// What is told of an input that was taken before.
pub(super) fn duplicate(row: &InputRow, format: Format) -> Accepted {
    let report = row
        .report
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    Accepted {
        input: row.id,
        report: report.unwrap_or(Report {
            format: format.name().to_owned(),
            version: None,
            records: std::collections::BTreeMap::new(),
            persons: 0,
            events: std::collections::BTreeMap::new(),
            refused: 0,
            deviations: Vec::new(),
            outcome: Outcome::Accepted,
        }),
        is_duplicate: true,
    }
}
