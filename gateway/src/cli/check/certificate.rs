//! Whether the gateway's certificate and key can be read and belong together: else it does not start.

use std::path::Path;

use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::problem::{Findings, Level};
use crate::config::Config;

const CERTIFICATE: &str = "listen.certificate";
const KEY: &str = "listen.key";

/// Checks the certificate that the gateway shows.
pub(super) fn check(config: &Config, file: &Path, findings: &mut Findings) {
    let listen = &config.listen;
    // One without the other is found when the configuration is loaded.
    if let (Some(certificate), Some(key)) = (&listen.certificate, &listen.key)
        && let Err((entry, reason)) = fit(certificate, key)
    {
        findings.add(Level::Error, file, entry, reason);
    }
}

/// A key of the configuration that is wrong, and why.
type Problem = (&'static str, String);

fn fit(certificate: &Path, key: &Path) -> Result<(), Problem> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(CERTIFICATE, certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key);
    let secret = secret.map_err(|error| unreadable(KEY, key, &error))?;
    let provider = rustls::crypto::ring::default_provider();
    let Err(error) = CertifiedKey::from_der(chain, secret, &provider) else {
        return Ok(());
    };
    let (certificate, key) = (certificate.display(), key.display());
    if error == Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
        let reason =
            format!("{key} is not the key of {certificate}, expected the key of that certificate");
        return Err((KEY, reason));
    }
    let reason = format!("{certificate} with {key}: {error}, expected a certificate and its key");
    Err((CERTIFICATE, reason))
}

fn unreadable(entry: &'static str, path: &Path, error: &PemError) -> Problem {
    let reason = format!(
        "{}: {error}, expected a PEM file that holds it",
        path.display()
    );
    (entry, reason)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_is_sound_with_its_own_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let chain = written("chain.pem", &params.self_signed(&own).unwrap().pem());
        let key = written("key.pem", &own.serialize_pem());
        let strange = written("strange.pem", &other.serialize_pem());
        let empty = written("empty.pem", "");
        assert_eq!(fit(&chain, &key), Ok(()));
        let (entry, reason) = fit(&chain, &strange).unwrap_err();
        assert_eq!(entry, "listen.key");
        assert!(reason.contains("strange.pem is not the key of"), "{reason}");
        let gone = folder.path().join("gone.pem");
        assert_eq!(fit(&gone, &key).unwrap_err().0, "listen.certificate");
        assert_eq!(fit(&chain, &empty).unwrap_err().0, "listen.key");
        // A file without a certificate.
        let (_, reason) = fit(&key, &key).unwrap_err();
        assert!(
            reason.contains("expected a certificate and its key"),
            "{reason}"
        );
    }
}
