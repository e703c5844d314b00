//! Speaks FHIR R4 referrals with health systems.
