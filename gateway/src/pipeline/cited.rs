//! Directives as decisions cite them: each by the hash of its content, under which it is kept as evidence.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tandem_consent::{canonical_json, sha256};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::model::id::DirectiveId;

use crate::store::{Evidence, EvidenceKind, StoreError};

/// Directives whose evidence is kept. When there are more, it is made anew.
const MOST: usize = 2_048;

/// A directive that a decision cites.
#[derive(Debug, Clone)]
pub(super) struct Cited {
    pub(super) id: DirectiveId,
    pub(super) version: u32,
    /// The directive as it was.
    pub(super) evidence: Arc<Evidence>,
}

/// The evidence of directives of late, by what they say: a family's directives are cited in each decision about it, and
/// their canonical form costs more than the decision.
#[derive(Debug, Default)]
pub(super) struct KnownDirectives(Mutex<HashMap<[u8; 32], Arc<Evidence>>>);

impl KnownDirectives {
    /// A directive as it is cited.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) fn cite(&self, directive: &Directive) -> Result<Cited, StoreError> {
        let plain =
            serde_json::to_vec(directive).map_err(|_| StoreError::Shape { kind: "directive" })?;
        let said: [u8; 32] = Sha256::digest(plain).into();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let evidence = known
            .entry(said)
            .or_insert_with(|| Arc::new(evidence(directive)));
        Ok(Cited {
            id: directive.id.clone(),
            version: directive.version,
            evidence: Arc::clone(evidence),
        })
    }
}

/// A directive as it was, under the hash of its content.
fn evidence(directive: &Directive) -> Evidence {
    let content = canonical_json(directive);
    Evidence {
        kind: EvidenceKind::Directive,
        hash: sha256(content.as_bytes()),
        content,
    }
}
