//! The TLS certificates of a configuration and when they end: the one that the gateway shows, and the authorities that it
//! trusts for partners.

use std::path::Path;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::Config;

/// What the gateway does with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Its own, shown to callers.
    Served,
    /// An authority that a partner's certificate may come from.
    Trusted,
}

impl Use {
    /// As text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Trusted => "trusted",
        }
    }
}

/// A file of certificates that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What for.
    pub used: Use,
    /// The system for which an authority is trusted; `gateway` for its own.
    pub name: String,
    /// When the first of the certificates in the file ends.
    pub ends: Timestamp,
}

/// Why a certificate can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file is not there, or not in PEM form.
    #[error("it cannot be read: {0}")]
    File(String),
    /// It holds none.
    #[error("it holds no certificate")]
    Empty,
    /// One of them is none.
    #[error("certificate {0} of it is no X.509 certificate")]
    Form(usize),
}

/// The files of certificates that a configuration names.
pub fn files(config: &Config) -> impl Iterator<Item = (Use, &str, &Path)> {
    let served = config.listen.certificate.as_deref();
    let served = served.map(|path| (Use::Served, "gateway", path));
    let trusted = config.systems.iter().flat_map(|(id, system)| {
        let push = system
            .push
            .as_ref()
            .and_then(|push| push.authority.as_deref());
        let fhir = system
            .fhir
            .as_ref()
            .and_then(|fhir| fhir.authority.as_deref());
        let paths = push.into_iter().chain(fhir);
        paths.map(|path| (Use::Trusted, id.as_str(), path))
    });
    served.into_iter().chain(trusted)
}

/// The certificates that a configuration names, one for each use and name: of several files the one that ends first. What
/// can't be read is left out, and said in the log.
#[must_use]
pub fn of(config: &Config) -> Vec<Certificate> {
    let read = |(used, name, path): (Use, &str, &Path)| match ends(path) {
        Ok(ends) => Some(Certificate {
            used,
            name: name.to_owned(),
            ends,
        }),
        Err(error) => {
            tracing::warn!(name, used = used.code(), %error, "when a certificate ends is not known");
            None
        }
    };
    let mut all: Vec<Certificate> = files(config).filter_map(read).collect();
    all.sort_by(|a, b| (a.used.code(), &a.name, a.ends).cmp(&(b.used.code(), &b.name, b.ends)));
    all.dedup_by(|later, kept| later.used == kept.used && later.name == kept.name);
    all
}

/// When the first of the certificates in a PEM file ends.
///
/// # Errors
/// When the file can't be read, or holds something else.
pub fn ends(path: &Path) -> Result<Timestamp, CertificateError> {
    let file = |error: rustls::pki_types::pem::Error| CertificateError::File(error.to_string());
    let chain = CertificateDer::pem_file_iter(path).map_err(file)?;
    let chain: Vec<CertificateDer<'_>> = chain.collect::<Result<_, _>>().map_err(file)?;
    first_end(&chain)
}

/// When the first certificate of a chain ends.
///
/// # Errors
/// When the chain is empty, or holds something else.
pub fn first_end(chain: &[CertificateDer<'_>]) -> Result<Timestamp, CertificateError> {
    let mut first = None;
    for (place, der) in chain.iter().enumerate() {
        let form = CertificateError::Form(place + 1);
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Err(form);
        };
        let seconds = certificate.validity().not_after.timestamp();
        let ends = Timestamp::from_second(seconds).map_err(|_| form)?;
        first = Some(first.map_or(ends, |first: Timestamp| first.min(ends)));
    }
    first.ok_or(CertificateError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate that ends on the first day of a year, in PEM form.
    fn pem(year: i32) -> String {
        let mut params = rcgen::CertificateParams::new(vec!["gateway.invalid".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn of_a_chain_the_first_to_end_counts() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{}{}", pem(2031), pem(2029))).unwrap();
        let end = "2029-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(ends(file.path()).unwrap(), end);
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(ends(file.path()), Err(CertificateError::Empty)));
        std::fs::write(
            file.path(),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(matches!(ends(file.path()), Err(CertificateError::Form(1))));
        let gone = Path::new("/nowhere/at-all.pem");
        assert!(matches!(ends(gone), Err(CertificateError::File(_))));
    }
}
