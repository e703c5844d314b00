//! Reads CWS/CMS extracts and NIEM messages; writes NIEM messages.
