//! Sealing of personal data at rest.
//!
//! A secret key file holds the installation's root keys by number, and a secret of look-ups. From a root key
//! HKDF-SHA-256 derives, per jurisdiction, a sealing key; from the secret of look-ups one MAC key per field. A sealed
//! value names the key that sealed it, holds a nonce, and is an XChaCha20-Poly1305 ciphertext; its associated data name
//! jurisdiction, table, column and row, so that a value can't be moved to another place. Look-ups go by keyed hash: the
//! store never holds an agency's id in clear. One key seals; the others open what they sealed until it is sealed anew.
//!
//! A row that the audit log binds must be shown as it was sealed first for as long as it is kept. Sealed anew, it holds
//! that first form inside, and the key of that one message: XChaCha20 derives a key from the sealing key and the
//! beginning of the nonce, which opens nothing else.

mod beside;
mod error;
mod form;
mod kept;
mod ring;
mod root_keys;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tandem_mappings::model::id::Jurisdiction;
use zeroize::Zeroizing;

pub use self::error::{MalformedKeys, SealError};
pub(crate) use self::form::FIRST;
pub use self::form::{HEAD, UNIQUE, key_of};
use self::form::{NONCE, Parts};
use self::kept::Kept;
use self::ring::Ring;
use self::root_keys::{RootKeys, Secret};

/// The place of a sealed value, by which it is bound.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// The table.
    pub table: &'a str,
    /// The column, or the kind of a document.
    pub column: &'a str,
    /// What names the row.
    pub row: &'a [u8],
}

/// Seals and opens values of one jurisdiction.
pub struct Sealer {
    jurisdiction: Jurisdiction,
    ring: RwLock<Arc<Ring>>,
    /// The keys of look-ups by their fields, each derived once: their secret never changes.
    look_ups: RwLock<HashMap<String, Hmac<Sha256>>>,
    /// The number of the key that seals.
    sealing: AtomicU32,
    file: Option<PathBuf>,
    /// Whether the keys are new and not in the file yet: no store knows them.
    is_unwritten: AtomicBool,
    /// Held by whoever changes the file.
    changing: Mutex<()>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.jurisdiction)
    }
}

impl Sealer {
    /// Reads the root keys; makes them at the first run, readable by their owner only.
    ///
    /// # Errors
    /// When the file can't be read or made, does not hold keys, or is not there and was before.
    pub fn open_or_create(file: &Path, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        if !file.exists() {
            beside::refuse_lost(file)?;
            RootKeys::make()?.write_new(file)?;
        }
        Self::from_file(file, jurisdiction)
    }

    /// Reads the root keys with which a store is opened. Where there are none, new ones are made, and written no sooner than a
    /// store gets to know them: one that was written with others refuses them, and then no file is left that looks like its own.
    ///
    /// # Errors
    /// When the file can't be read, does not hold keys, or is not there and was before.
    pub fn for_store(file: &Path, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        if file.exists() {
            return Self::from_file(file, jurisdiction);
        }
        beside::refuse_lost(file)?;
        let sealer = Self::of(RootKeys::make()?, Some(file), jurisdiction)?;
        sealer.is_unwritten.store(true, Ordering::Release);
        Ok(sealer)
    }

    /// Reads the root keys.
    ///
    /// # Errors
    /// When the file can't be read, or does not hold keys.
    pub fn from_file(file: &Path, jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        Self::of(RootKeys::read(file)?, Some(file), jurisdiction)
    }

    /// A sealer with keys that nobody keeps, for who copies rows as they are and opens none.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn of_nobody(jurisdiction: Jurisdiction) -> Result<Self, SealError> {
        Self::of(RootKeys::make()?, None, jurisdiction)
    }

    /// Until the store says which key seals, it is the newest.
    fn of(
        roots: RootKeys,
        file: Option<&Path>,
        jurisdiction: Jurisdiction,
    ) -> Result<Self, SealError> {
        let newest = roots.keys.last_key_value().map_or(1, |(number, _)| *number);
        Ok(Self {
            ring: RwLock::new(Ring::of(roots, &jurisdiction)?),
            look_ups: RwLock::default(),
            jurisdiction,
            sealing: AtomicU32::new(newest),
            file: file.map(Path::to_owned),
            is_unwritten: AtomicBool::new(false),
            changing: Mutex::new(()),
        })
    }

    /// The jurisdiction whose keys these are.
    #[must_use]
    pub fn jurisdiction(&self) -> &Jurisdiction {
        &self.jurisdiction
    }

    fn associated(&self, spot: Spot<'_>, bound: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(96);
        for part in [
            self.jurisdiction.as_str().as_bytes(),
            spot.table.as_bytes(),
            spot.column.as_bytes(),
            spot.row,
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data.extend_from_slice(bound);
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
        let spot = Spot { table, column, row };
        self.seal_in(spot, plain, self.sealing(), false)
    }

    /// The constant by which a store knows a key, sealed by it. Keys that are new stand in their file from then on.
    pub(crate) fn sign(
        &self,
        number: u32,
        spot: Spot<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.write_new()?;
        self.seal_in(spot, plain, number, false)
    }

    fn seal_in(
        &self,
        spot: Spot<'_>,
        plain: &[u8],
        number: u32,
        keeps_first: bool,
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE];
        fill_random(&mut nonce)?;
        let mut out = form::head(number, keeps_first);
        let aad = self.associated(spot, form::bound(&out));
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        let cipher = XChaCha20Poly1305::new(&Key::from(*self.sealing_key(number)?));
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealError::Failed)?;
        out.reserve_exact(NONCE + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a value sealed for the same place.
    ///
    /// # Errors
    /// When it was altered, moved, or sealed under another key; or its key is not there.
    pub fn open(
        &self,
        table: &str,
        column: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let spot = Spot { table, column, row };
        let parts = Parts::of(sealed).ok_or(SealError::DoesNotOpen)?;
        let plain = self.open_outside(spot, &parts)?;
        if !parts.keeps_first {
            return Ok(plain);
        }
        let kept = Zeroizing::new(plain);
        let (message_key, first) = Kept::unpack(&kept)?;
        let inner = Parts::of(first).ok_or(SealError::DoesNotOpen)?;
        let [.., a, b, c, d, e, f, g, h] = *inner.nonce;
        let nonce = Nonce::from([0, 0, 0, 0, a, b, c, d, e, f, g, h]);
        let aad = self.associated(spot, inner.bound);
        let payload = Payload {
            msg: inner.text,
            aad: &aad,
        };
        let cipher = ChaCha20Poly1305::new(&Key::from(*message_key));
        cipher
            .decrypt(&nonce, payload)
            .map_err(|_| SealError::DoesNotOpen)
    }

    fn open_outside(&self, spot: Spot<'_>, parts: &Parts<'_>) -> Result<Vec<u8>, SealError> {
        let aad = self.associated(spot, parts.bound);
        let payload = Payload {
            msg: parts.text,
            aad: &aad,
        };
        let cipher = XChaCha20Poly1305::new(&Key::from(*self.sealing_key(parts.number)?));
        cipher
            .decrypt(&XNonce::from(*parts.nonce), payload)
            .map_err(|_| SealError::DoesNotOpen)
    }

    /// A value sealed anew, by the key that seals now. With `keeps_first` it holds the value as it was sealed first.
    ///
    /// # Errors
    /// When it does not open, or there is no randomness.
    pub fn reseal(
        &self,
        spot: Spot<'_>,
        sealed: &[u8],
        keeps_first: bool,
    ) -> Result<Vec<u8>, SealError> {
        let parts = Parts::of(sealed).ok_or(SealError::DoesNotOpen)?;
        let plain = Zeroizing::new(self.open_outside(spot, &parts)?);
        let kept = if parts.keeps_first || !keeps_first {
            plain
        } else {
            let key = self.sealing_key(parts.number)?;
            Kept::pack(&key, parts.nonce, sealed)
        };
        let keeps_first = parts.keeps_first || keeps_first;
        self.seal_in(spot, &kept, self.sealing(), keeps_first)
    }

    /// A value as it was sealed first.
    ///
    /// # Errors
    /// When it does not open.
    pub fn first_form<'a>(
        &self,
        spot: Spot<'_>,
        sealed: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, SealError> {
        let parts = Parts::of(sealed).ok_or(SealError::DoesNotOpen)?;
        if !parts.keeps_first {
            return Ok(Cow::Borrowed(sealed));
        }
        let kept = Zeroizing::new(self.open_outside(spot, &parts)?);
        let (_, first) = Kept::unpack(&kept)?;
        Ok(Cow::Owned(first.to_vec()))
    }

    /// Keyed hash of a look-up value: the same value of the same field gives the same 32 bytes, whichever key seals.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn mac(&self, field: &str, value: &str) -> Result<[u8; 32], SealError> {
        let mut mac = self.look_up(field)?;
        mac.update(value.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }

    /// A keyed hash of a field that has taken in nothing yet.
    fn look_up(&self, field: &str) -> Result<Hmac<Sha256>, SealError> {
        let known = self.look_ups.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(mac) = known.get(field) {
            return Ok(mac.clone());
        }
        drop(known);
        let purpose = format!("mac/v1/{field}");
        let key = derive(&self.ring().roots.look_up, &self.jurisdiction, &purpose)?;
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_ref())
            .map_err(|_| SealError::Failed)?;
        let mut known = self
            .look_ups
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(field.to_owned(), mac.clone());
        Ok(mac)
    }

    /// Key for the ids that adapters make of personal data.
    ///
    /// # Errors
    /// When no key can be derived.
    pub fn id_key(&self) -> Result<[u8; 32], SealError> {
        let ring = self.ring();
        derive(&ring.roots.look_up, &self.jurisdiction, "ids/v1").map(|key| *key)
    }
}

fn derive(
    root: &[u8; 32],
    jurisdiction: &Jurisdiction,
    purpose: &str,
) -> Result<Secret, SealError> {
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
mod tests;
