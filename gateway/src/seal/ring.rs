//! The keys of a sealer: which there are, which seals, and how that changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use tandem_mappings::model::id::Jurisdiction;

use super::root_keys::{RootKey, RootKeys, Secret, fresh};
use super::{SealError, Sealer, derive};

/// What is derived of the root keys.
pub(super) struct Ring {
    pub(super) roots: RootKeys,
    pub(super) sealing: BTreeMap<u32, Secret>,
}

impl Ring {
    pub(super) fn of(roots: RootKeys, jurisdiction: &Jurisdiction) -> Result<Arc<Self>, SealError> {
        let derived = |(number, key): (&u32, &RootKey)| {
            Ok((*number, derive(&key.secret, jurisdiction, "seal/v1")?))
        };
        let sealing = roots.keys.iter().map(derived);
        Ok(Arc::new(Self {
            sealing: sealing.collect::<Result<_, SealError>>()?,
            roots,
        }))
    }
}

impl Sealer {
    /// The number of the key that seals.
    #[must_use]
    pub fn sealing(&self) -> u32 {
        self.sealing.load(Ordering::Acquire)
    }

    /// The numbers of the keys that are there, with the instants at which they were made as far as they are known.
    #[must_use]
    pub fn keys(&self) -> BTreeMap<u32, Option<Timestamp>> {
        let ring = self.ring();
        let keys = ring.roots.keys.iter();
        keys.map(|(number, key)| (*number, key.made_at)).collect()
    }

    /// The file of the keys; empty for keys that nobody keeps.
    #[must_use]
    pub fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(""))
    }

    pub(super) fn ring(&self) -> Arc<Ring> {
        // Whoever panicked while it was held had not changed it: it is replaced as a whole.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, roots: RootKeys) -> Result<(), SealError> {
        let ring = Ring::of(roots, &self.jurisdiction)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// Lets a key seal from now on.
    ///
    /// # Errors
    /// When it is not there, in the file either.
    pub fn seal_with(&self, number: u32) -> Result<(), SealError> {
        self.sealing_key(number)?;
        self.sealing.store(number, Ordering::Release);
        Ok(())
    }

    /// Writes keys that are new into their file, once.
    pub(super) fn write_new(&self) -> Result<(), SealError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.file.as_ref().filter(|_| self.is_unwritten()) else {
            return Ok(());
        };
        self.ring().roots.write_new(file)?;
        self.is_unwritten.store(false, Ordering::Release);
        // They are as old as their file.
        self.take(RootKeys::read(file)?)
    }

    fn is_unwritten(&self) -> bool {
        self.is_unwritten.load(Ordering::Acquire)
    }

    /// Reads the file again. Keys that were there and went are kept until the process ends: somebody may still need
    /// them.
    ///
    /// # Errors
    /// When it can't be read, does not hold keys, or holds another secret of look-ups or another key under a known
    /// number.
    pub fn reread(&self) -> Result<(), SealError> {
        let Some(file) = self.file.as_ref().filter(|_| !self.is_unwritten()) else {
            return Ok(());
        };
        let (mut read, known) = (RootKeys::read(file)?, self.ring());
        let mut is_same = read.look_up == known.roots.look_up;
        for (number, key) in &known.roots.keys {
            let found = read.keys.entry(*number).or_insert_with(|| key.clone());
            is_same &= found.secret == key.secret;
        }
        if !is_same {
            return Err(SealError::OtherKeys(file.clone()));
        }
        if read.keys.len() > known.roots.keys.len() {
            self.take(read)?;
        }
        Ok(())
    }

    /// Adds a new key to the file. It seals nothing before [`Sealer::seal_with`].
    ///
    /// # Errors
    /// When the file can't be read or written, or has another form.
    pub fn add(&self, number: u32, made_at: Timestamp) -> Result<(), SealError> {
        self.change(|roots| {
            let secret = fresh()?;
            let made_at = Some(made_at);
            let key = RootKey { made_at, secret };
            // A key that is there is never written over.
            roots.keys.entry(number).or_insert(key);
            Ok(())
        })
    }

    /// Takes a key out of the file. It is kept in a file of its own beside it, whose name is given.
    ///
    /// # Errors
    /// When it seals, is not there, or a file can't be read or written.
    pub fn take_out(&self, number: u32) -> Result<PathBuf, SealError> {
        if number == self.sealing() {
            return Err(SealError::InUse(number));
        }
        let mut aside = self.file().as_os_str().to_owned();
        aside.push(format!(".retired-{number}"));
        let aside = PathBuf::from(aside);
        self.change(|roots| {
            let key = roots.keys.remove(&number);
            let key = key.ok_or(SealError::InUse(number))?;
            let only = RootKeys {
                look_up: roots.look_up.clone(),
                keys: BTreeMap::from([(number, key)]),
            };
            if aside.exists() {
                only.replace(&aside)
            } else {
                only.write_new(&aside)
            }
        })?;
        Ok(aside)
    }

    /// Changes the keys in the file, as they stand there by now.
    fn change(
        &self,
        change: impl FnOnce(&mut RootKeys) -> Result<(), SealError>,
    ) -> Result<(), SealError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.reread()?;
        let mut roots = RootKeys::read(self.file())?;
        change(&mut roots)?;
        roots.replace(self.file())?;
        self.take(roots)
    }

    /// The sealing key of a number; the file is read again for one that is not known.
    pub(super) fn sealing_key(&self, number: u32) -> Result<Secret, SealError> {
        if let Some(key) = self.ring().sealing.get(&number) {
            return Ok(key.clone());
        }
        self.reread()?;
        let key = self.ring().sealing.get(&number).cloned();
        key.ok_or_else(|| SealError::NoKey {
            number,
            file: self.file().display().to_string(),
        })
    }
}
