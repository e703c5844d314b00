//! Private keys in files: the one that agencies share for encodings, and those with which people sign.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use tandem_matching::{KEY_BYTES, PprlKey};
use zeroize::Zeroizing;

use crate::seal::fill_random;

use super::exit::Failure;
use super::output::tell;

/// Reads a key; tells when others than its owner can read it as well.
pub(super) fn read(file: &Path) -> Result<PprlKey, Failure> {
    let reading = || format!("reading {}", file.display());
    let text = Zeroizing::new(fs::read_to_string(file).with_context(reading)?);
    if is_open_to_others(file).with_context(reading)? {
        let file = file.display();
        tell(&format!(
            "warning: others than its owner can read {file}: expected mode 0600"
        ));
    }
    PprlKey::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// Makes a key of random bytes in a new file that only its owner can read.
pub(super) fn create(file: &Path) -> Result<PprlKey, Failure> {
    let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
    fill_random(bytes.as_mut()).context("making a key")?;
    let key = PprlKey::new(bytes).context("making a key")?;
    write_new(file, key.to_text().as_bytes())?;
    Ok(key)
}

/// Writes a private key to a new file that only its owner can read.
pub(super) fn write_new(file: &Path, key: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut output = match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = file.display();
            return Err(Failure::Usage(format!(
                "{file} is there already: a key is never overwritten"
            )));
        }
        other => other.with_context(|| format!("writing {}", file.display()))?,
    };
    output
        .write_all(key)
        .and_then(|()| output.sync_all())
        .with_context(|| format!("writing {}", file.display()))?;
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(file)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_file: &Path) -> io::Result<bool> {
    Ok(false)
}
