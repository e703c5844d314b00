//! The keys of the audit log, each in its own file of the data folder, readable by its owner only.
//!
//! `audit.key` signs checkpoints. `audit-witness.key` is the gateway's own witness: it remembers in
//! `audit-witness.last` the head that it signed last, and signs none that contradicts it, so that a store that was set
//! back or rewritten is noticed at the next checkpoint. A witness at another agency notices it also when somebody
//! rewrote this folder as a whole. The public keys stand beside, in files ending in `.pub`.

mod lost;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tandem_audit::{KeyError, KeyKind, Signer, VerifierKey, Witness, WitnessError, WitnessState};
use tandem_mappings::model::id::Jurisdiction;
use zeroize::Zeroizing;

use crate::seal::{SealError, fill_random};
use crate::store::StoreError;

const LOG: &str = "audit";
const WITNESS: &str = "audit-witness";

/// Why the keys can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditKeyError {
    /// A file can't be read or written.
    #[error("{file}: {error}")]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file holds no key.
    #[error("{file}: {error}")]
    Key {
        /// Which file.
        file: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// A file holds no state of a witness.
    #[error("{file}: expected what a witness remembers, as JSON")]
    State {
        /// Which file.
        file: PathBuf,
    },
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] SealError),
    /// The witness can't start.
    #[error("the witness: {0}")]
    Witness(#[from] WitnessError),
    /// A key is not there, and was before.
    #[error(
        "{file} is not there, though {beside} is: a new {name} is not the one of this store, so none is made. Bring the file back \
         from where copies of the keys are kept, or copy it from the data folder of another gateway of the store"
    )]
    Lost {
        /// The file of the key.
        file: PathBuf,
        /// Its name.
        name: String,
        /// What shows that the key was there.
        beside: String,
    },
    /// The store has no log, and had one.
    #[error(
        "{store} has no audit log, and {memory} remembers one of {leaves} leaves: restore the store from a backup \
         (`tandem restore`); if it is meant to be new, move that file away"
    )]
    Emptied {
        /// Where the store is.
        store: String,
        /// What the gateway's own witness remembers.
        memory: PathBuf,
        /// How many leaves the log had at least.
        leaves: u64,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn in_file(file: &Path) -> impl FnOnce(io::Error) -> AuditKeyError + '_ {
    move |error| AuditKeyError::File {
        file: file.to_owned(),
        error,
    }
}

fn no_key(file: &Path) -> impl FnOnce(KeyError) -> AuditKeyError + '_ {
    move |error| AuditKeyError::Key {
        file: file.to_owned(),
        error,
    }
}

/// Public keys of a log.
#[derive(Debug, Clone)]
pub struct PublicKeys {
    /// The log's.
    pub origin: VerifierKey,
    /// Its own witness's.
    pub witness: VerifierKey,
}

impl PublicKeys {
    /// Reads the public keys that stand in a data folder.
    ///
    /// # Errors
    /// When they are not there or are no keys.
    pub fn read(data: &Path) -> Result<Self, AuditKeyError> {
        let read = |name: &str| {
            let file = public_file(data, name);
            let text = fs::read_to_string(&file).map_err(in_file(&file))?;
            VerifierKey::parse(text.trim()).map_err(no_key(&file))
        };
        Ok(Self {
            origin: read(LOG)?,
            witness: read(WITNESS)?,
        })
    }
}

fn public_file(data: &Path, name: &str) -> PathBuf {
    data.join(format!("{name}.pub"))
}

fn key_file(data: &Path, name: &str) -> PathBuf {
    data.join(format!("{name}.key"))
}

/// What the gateway's own witness remembers.
fn memory(data: &Path) -> PathBuf {
    data.join(format!("{WITNESS}.last"))
}

/// The keys with which a gateway signs.
#[derive(Debug)]
pub struct AuditKeys {
    /// Signs checkpoints.
    pub origin: Signer,
    /// Signs them as well, when the log has only grown.
    pub witness: Witness,
    /// What the witness remembers.
    state: PathBuf,
}

impl AuditKeys {
    /// Reads the keys; makes them at the first run.
    ///
    /// # Errors
    /// When a file can't be read or made, holds no key, or is not there and was before.
    pub fn open_or_create(data: &Path, jurisdiction: &Jurisdiction) -> Result<Self, AuditKeyError> {
        lost::refuse(data, None)?;
        let open = |name: &str, kind, called: &str| {
            let file = key_file(data, name);
            if !file.exists() {
                create_key(&file, &format!("tandem/{jurisdiction}/{called}"), kind)?;
            }
            read_key(&file)
        };
        let origin = open(LOG, KeyKind::Log, LOG)?;
        let signer = open(WITNESS, KeyKind::Witness, "witness")?;
        let state = memory(data);
        let remembered = if state.exists() {
            read_witness_state(&state)?
        } else {
            WitnessState {
                origin_key: origin.public().to_string(),
                last: None,
            }
        };
        let witness = Witness::new(signer, &remembered)?;
        for (name, key) in [(LOG, origin.public()), (WITNESS, witness.public())] {
            let file = public_file(data, name);
            if !file.exists() {
                fs::write(&file, format!("{key}\n")).map_err(in_file(&file))?;
            }
        }
        Ok(Self {
            origin,
            witness,
            state,
        })
    }

    /// The public parts.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            origin: self.origin.public().clone(),
            witness: self.witness.public().clone(),
        }
    }

    /// Makes what the witness remembers durable: before what it signed leaves.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn remember(&self) -> Result<(), AuditKeyError> {
        write_witness_state(&self.state, &self.witness.state())
    }

    /// Lets the gateway's own witness of a data folder remember another checkpoint than it did, because the store was
    /// set back by whoever runs it. What it remembered stays beside it, in the file whose name is given.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn set_back(
        data: &Path,
        origin: &VerifierKey,
        last: Option<String>,
        aside: &str,
    ) -> Result<(), AuditKeyError> {
        let file = memory(data);
        if file.exists() {
            fs::copy(&file, data.join(format!("{WITNESS}.last.{aside}")))
                .map_err(in_file(&file))?;
        }
        let state = WitnessState {
            origin_key: origin.to_string(),
            last,
        };
        write_witness_state(&file, &state)
    }

    /// What the gateway's own witness remembers in a data folder, if it has signed anything.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn remembered(data: &Path) -> Result<Option<WitnessState>, AuditKeyError> {
        let file = memory(data);
        if file.exists() {
            read_witness_state(&file).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// Makes a key in a new file that only its owner can read.
///
/// # Errors
/// When there is no randomness, the name can't be used, or the file is there already or can't be written.
pub fn create_key(file: &Path, name: &str, kind: KeyKind) -> Result<Signer, AuditKeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    fill_random(seed.as_mut())?;
    let signer = Signer::new(name, kind, &seed).map_err(no_key(file))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).map_err(in_file(file))?;
    out.write_all(signer.to_text().as_bytes())
        .and_then(|()| out.sync_all())
        .map_err(in_file(file))?;
    Ok(signer)
}

/// Reads a private key.
///
/// # Errors
/// When the file can't be read or holds none.
pub fn read_key(file: &Path) -> Result<Signer, AuditKeyError> {
    let text = Zeroizing::new(fs::read_to_string(file).map_err(in_file(file))?);
    Signer::parse(&text).map_err(no_key(file))
}

/// Reads what a witness remembers.
///
/// # Errors
/// When the file can't be read or holds something else.
pub fn read_witness_state(file: &Path) -> Result<WitnessState, AuditKeyError> {
    let text = fs::read_to_string(file).map_err(in_file(file))?;
    serde_json::from_str(&text).map_err(|_| AuditKeyError::State {
        file: file.to_owned(),
    })
}

/// Writes what a witness remembers, whole or not at all.
///
/// # Errors
/// When the file can't be written.
pub fn write_witness_state(file: &Path, state: &WitnessState) -> Result<(), AuditKeyError> {
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    let text = serde_json::to_string(state).map_err(|_| AuditKeyError::State {
        file: file.to_owned(),
    })?;
    let write = || -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(in_file(file))
}
