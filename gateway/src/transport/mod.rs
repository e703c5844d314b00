//! Transports carry bytes: watched folders, HTTPS push, and the requests of FHIR conversations. SFTP will stand beside
//! them.

pub mod certificate;
pub mod folder;
pub mod http;
pub mod package;
