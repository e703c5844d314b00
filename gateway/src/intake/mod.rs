//! Intake: watched folders and FHIR servers are looked at, and what is found is accepted.

pub mod folder;
pub mod pull;

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_mappings::model::id::{OrganizationId, SystemId};

use crate::adapters::Adapters;
use crate::pipeline::accept::Acceptor;
use crate::pipeline::core::Core;
use crate::seal::SealError;

/// What every intake needs.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The shared core.
    pub core: Arc<Core>,
    /// The adapters.
    pub adapters: Arc<Adapters>,
    /// Accepts inputs.
    pub acceptor: Acceptor,
}

impl Intake {
    /// What a reader may know about an input.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn context(
        &self,
        system: &SystemId,
        organization: &OrganizationId,
        name: &str,
        now: Timestamp,
    ) -> Result<ReadContext, SealError> {
        Ok(ReadContext::new(
            system.clone(),
            organization.clone(),
            name,
            now,
            self.core.loaded.zone.clone(),
            self.core.store.sealer().id_key()?,
        ))
    }
}
