//! What a value holds that was sealed anew and keeps its first form.

use chacha20::R20;
use chacha20poly1305::Key;
use zeroize::Zeroizing;

use super::SealError;
use super::form::NONCE;
use super::root_keys::Secret;

/// What a value that was sealed anew holds: the key of the first message, and that message.
pub(super) struct Kept;

impl Kept {
    /// XChaCha20's own way from a key and a nonce to the key of one message.
    pub(super) fn pack(
        sealing_key: &Secret,
        nonce: &[u8; NONCE],
        first: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        let mut beginning = [0_u8; 16];
        for (to, from) in beginning.iter_mut().zip(nonce) {
            *to = *from;
        }
        let key = Key::from(**sealing_key);
        let message_key: [u8; 32] = chacha20::hchacha::<R20>(&key, &beginning.into()).into();
        let message_key = Zeroizing::new(message_key);
        let mut kept = Zeroizing::new(Vec::with_capacity(message_key.len() + first.len()));
        kept.extend_from_slice(message_key.as_ref());
        kept.extend_from_slice(first);
        kept
    }

    pub(super) fn unpack(kept: &[u8]) -> Result<(Secret, &[u8]), SealError> {
        let (key, first) = kept.split_first_chunk().ok_or(SealError::DoesNotOpen)?;
        Ok((Zeroizing::new(*key), first))
    }
}
