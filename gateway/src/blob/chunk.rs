//! One chunk: how it is sealed, and where it stands in the file.

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::{SealError, fill_random};

/// Bytes of text in a whole chunk.
pub const CHUNK: usize = 64 << 10;
/// What proves that a chunk was not altered.
pub(super) const TAG: usize = 16;
/// How a blob begins.
pub(super) const MAGIC: &[u8; 8] = b"TANDEMB1";
/// Bytes of a whole chunk in the file.
pub(super) const SEALED_CHUNK: usize = CHUNK + TAG;

/// The key of one blob.
pub type DataKey = Zeroizing<[u8; 32]>;

/// A new data key.
///
/// # Errors
/// When there is no randomness.
pub(super) fn new_key() -> Result<DataKey, SealError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    fill_random(key.as_mut())?;
    Ok(key)
}

/// Seals and opens the chunks of one blob.
pub(super) struct Chunks {
    cipher: XChaCha20Poly1305,
    id: Uuid,
}

impl Chunks {
    pub(super) fn new(id: Uuid, key: &DataKey) -> Self {
        let cipher = XChaCha20Poly1305::new(&Key::from(**key));
        Self { cipher, id }
    }

    pub(super) fn seal(
        &self,
        number: u64,
        is_last: bool,
        text: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let payload = Payload {
            msg: text,
            aad: self.id.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&nonce(number, is_last), payload);
        sealed.map_err(|_| SealError::Failed)
    }

    pub(super) fn open(
        &self,
        number: u64,
        is_last: bool,
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let payload = Payload {
            msg: sealed,
            aad: self.id.as_bytes(),
        };
        let text = self.cipher.decrypt(&nonce(number, is_last), payload);
        text.map_err(|_| SealError::DoesNotOpen)
    }
}

/// The number of a chunk and whether it is the last. The key is the blob's alone, so no nonce comes twice under it.
fn nonce(number: u64, is_last: bool) -> XNonce {
    let mut nonce = [0_u8; 24];
    if let Some((last, before)) = nonce.split_last_mut() {
        *last = u8::from(is_last);
        for (to, from) in before
            .iter_mut()
            .rev()
            .zip(number.to_be_bytes().iter().rev())
        {
            *to = *from;
        }
    }
    XNonce::from(nonce)
}

/// How the chunks of a file of a length lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The number of the last chunk.
    pub(super) last: u64,
    /// Bytes of the last chunk in the file.
    pub(super) last_sealed: usize,
}

impl Extent {
    /// The extent of a file; `None` when no blob has that length.
    pub(super) fn of(length: u64) -> Option<Self> {
        let body = length.checked_sub(MAGIC.len() as u64)?;
        let last_sealed = usize::try_from(body % SEALED_CHUNK as u64).ok()?;
        (last_sealed >= TAG).then_some(Self {
            last: body / SEALED_CHUNK as u64,
            last_sealed,
        })
    }

    /// Bytes of text in the whole blob.
    pub(super) fn text(self) -> u64 {
        self.last * CHUNK as u64 + (self.last_sealed - TAG) as u64
    }
}

/// Where a chunk begins in the file.
pub(super) fn place(number: u64) -> u64 {
    MAGIC.len() as u64 + number * SEALED_CHUNK as u64
}
