//! Sealing of personal data at rest.
//!
//! One secret key file holds the installation's root key. From it HKDF-SHA-256 derives, per jurisdiction, a sealing key and
//! one MAC key per look-up field. A sealed value is `version (1) | nonce (24) | XChaCha20-Poly1305 ciphertext`; its
//! associated data name jurisdiction, table, column and row, so that a value can't be moved to another place.
//! Look-ups go by keyed hash: the store never holds an agency's id in clear.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tandem_mappings::model::id::Jurisdiction;
use zeroize::Zeroizing;

/// Version of the sealed form; a rotated key gets the next one.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Why something can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key file can't be read or written.
    #[error("key file: {0}")]
    KeyFile(#[from] std::io::Error),
    /// The key file does not hold 32 bytes in hex.
    #[error("key file: expected 64 hexadecimal digits")]
    MalformedKey,
    /// A sealed value was altered, moved, or sealed under another key.
    #[error("sealed value does not open: altered, moved or sealed under another key")]
    DoesNotOpen,
    /// Randomness or sealing failed.
    #[error("sealing failed")]
    Failed,
}

/// Seals and opens values of one jurisdiction.
#[derive(Clone)]
pub struct Sealer {
    jurisdiction: Jurisdiction,
    cipher: XChaCha20Poly1305,
    root: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.jurisdiction)
    }
}

impl Sealer {
    /// Reads the root key; makes one at the first run, readable by its owner only.
    ///
    /// # Errors
    /// When the file can't be read or made, or does not hold a key.
    pub fn open_or_create(file: &Path, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        if !file.exists() {
            let mut key = Zeroizing::new([0_u8; 32]);
            fill_random(key.as_mut())?;
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut out = options.open(file)?;
            out.write_all(Zeroizing::new(hex::encode(key.as_ref())).as_bytes())?;
            out.sync_all()?;
        }
        Self::from_file(file, jurisdiction)
    }

    /// Reads the root key.
    ///
    /// # Errors
    /// When the file can't be read, or does not hold a key.
    pub fn from_file(file: &Path, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        let text = Zeroizing::new(fs::read_to_string(file)?);
        let bytes = Zeroizing::new(hex::decode(text.trim()).map_err(|_| SealError::MalformedKey)?);
        let root: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| SealError::MalformedKey)?;
        Self::new(Zeroizing::new(root), jurisdiction)
    }

    /// A sealer from a root key.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn new(root: Zeroizing<[u8; 32]>, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        let key = derive(&root, &jurisdiction, "seal/v1")?;
        let cipher = XChaCha20Poly1305::new(&Key::from(*key));
        Ok(Self {
            jurisdiction,
            cipher,
            root,
        })
    }

    /// A sealer with a key that nobody keeps, for who copies rows as they are and opens none.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn of_nobody(jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0_u8; 32]);
        fill_random(key.as_mut())?;
        Self::new(key, jurisdiction)
    }

    /// The jurisdiction whose keys these are.
    #[must_use]
    pub fn jurisdiction(&self) -> &Jurisdiction {
        &self.jurisdiction
    }

    fn associated(&self, table: &str, column: &str, row: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(96);
        for part in [
            self.jurisdiction.as_str().as_bytes(),
            table.as_bytes(),
            column.as_bytes(),
            row,
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(
        &self,
        table: &str,
        column: &str,
        row: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        fill_random(&mut nonce)?;
        let aad = self.associated(table, column, row);
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| SealError::Failed)?;
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a value sealed for the same place.
    ///
    /// # Errors
    /// When it was altered, moved, or sealed under another key.
    pub fn open(
        &self,
        table: &str,
        column: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let (Some(&VERSION), Some(nonce), Some(rest)) = (
            sealed.first(),
            sealed.get(1..=NONCE_BYTES),
            sealed.get(1 + NONCE_BYTES..),
        ) else {
            return Err(SealError::DoesNotOpen);
        };
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::DoesNotOpen)?;
        let aad = self.associated(table, column, row);
        self.cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: rest,
                    aad: &aad,
                },
            )
            .map_err(|_| SealError::DoesNotOpen)
    }

    /// Keyed hash of a look-up value: the same value of the same field gives the same 32 bytes.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn mac(&self, field: &str, value: &str) -> Result<[u8; 32], SealError> {
        let key = derive(&self.root, &self.jurisdiction, &format!("mac/v1/{field}"))?;
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_ref())
            .map_err(|_| SealError::Failed)?;
        mac.update(value.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }

    /// Key for the ids that adapters make of personal data.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn id_key(&self) -> Result<[u8; 32], SealError> {
        derive(&self.root, &self.jurisdiction, "ids/v1").map(|key| *key)
    }
}

fn derive(
    root: &[u8; 32],
    jurisdiction: &Jurisdiction,
    purpose: &str,
) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    Hkdf::<Sha256>::new(Some(jurisdiction.as_str().as_bytes()), root)
        .expand(purpose.as_bytes(), key.as_mut())
        .map_err(|_| SealError::Failed)?;
    Ok(key)
}

/// Fills with the operating system's randomness.
///
/// # Errors
/// When there is none.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), SealError> {
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, bytes).map_err(|_| SealError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(
            Zeroizing::new([7; 32]),
            Jurisdiction::new("demo-county").unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place() {
        let sealer = sealer();
        let sealed = sealer
            .seal("document", "body", b"row-1", b"secret")
            .unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(
            sealer.open("document", "body", b"row-1", &sealed).unwrap(),
            b"secret"
        );
        assert!(sealer.open("document", "body", b"row-2", &sealed).is_err());
        assert!(sealer.open("event", "body", b"row-1", &sealed).is_err());
    }

    #[test]
    fn an_altered_value_does_not_open() {
        let sealer = sealer();
        let mut sealed = sealer.seal("document", "body", b"r", b"secret").unwrap();
        if let Some(byte) = sealed.last_mut() {
            *byte ^= 1;
        }
        assert!(sealer.open("document", "body", b"r", &sealed).is_err());
    }

    #[test]
    fn look_up_hashes_differ_by_field_and_jurisdiction() {
        let other =
            Sealer::new(Zeroizing::new([7; 32]), Jurisdiction::new("other").unwrap()).unwrap();
        let mac = sealer().mac("record", "48211").unwrap();
        assert_ne!(mac, sealer().mac("case", "48211").unwrap());
        assert_ne!(mac, other.mac("record", "48211").unwrap());
        assert_eq!(mac, sealer().mac("record", "48211").unwrap());
    }
}
