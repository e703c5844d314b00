//! What a reader may know about its surroundings.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::Sha256;
use tandem_mappings::model::id::{OrganizationId, SystemId};

/// What a reader may know: who sends, when it arrived, in which zone, and a key for ids.
#[derive(Clone)]
pub struct ReadContext {
    /// The sending system.
    pub system: SystemId,
    /// The organisation that runs it.
    pub organization: OrganizationId,
    /// Name of the input (file name or message id), for places and derived event ids.
    pub input_name: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The jurisdiction's zone, for local times without a zone.
    pub zone: TimeZone,
    /// Key for ids made of personal data.
    id_key: [u8; 32],
}

impl std::fmt::Debug for ReadContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadContext")
            .field("system", &self.system)
            .field("input_name", &self.input_name)
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

impl ReadContext {
    /// A context. `id_key` is secret and stays the same for one installation and system.
    #[must_use]
    pub fn new(
        system: SystemId,
        organization: OrganizationId,
        input_name: impl Into<String>,
        received_at: Timestamp,
        zone: TimeZone,
        id_key: [u8; 32],
    ) -> Self {
        Self {
            system,
            organization,
            input_name: input_name.into(),
            received_at,
            zone,
            id_key,
        }
    }

    /// An id for something that has none of its own, from parts that may be personal: the first 128 bits of
    /// HMAC-SHA-256 under the installation's key, in hex. The same parts give the same id; without the key nobody
    /// can try out values.
    #[must_use]
    pub fn keyed_id(&self, parts: &[&str]) -> String {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.id_key) else {
            return String::new();
        };
        mac.update(self.system.as_str().as_bytes());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        hex::encode(bytes.get(..16).unwrap_or_default())
    }
}
