//! The canonical URLs and code systems that the adapter reads and writes.
//!
//! Sources: HL7 FHIR R4 4.0.1; Gravity SDOH Clinical Care IG 3.0.0; US Core 7.0.0.

/// Media type of FHIR JSON (FHIR R4, section 3.1.0.1.9).
pub const FHIR_JSON: &str = "application/fhir+json";

pub(crate) const DATA_ABSENT_REASON: &str =
    "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
pub(crate) const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";
pub(crate) const TASK_PROFILE: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement";
pub(crate) const SERVICE_REQUEST_PROFILE: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ServiceRequest";
pub(crate) const SDOHCC_CODES: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
pub(crate) const US_CORE_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
pub(crate) const CARE_PLAN_PROFILE: &str =
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan";
pub(crate) const CARE_PLAN_CATEGORY: &str =
    "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";
pub(crate) const COMMUNICATION_CATEGORY: &str =
    "http://terminology.hl7.org/CodeSystem/communication-category";
pub(crate) const GOAL_ACHIEVEMENT: &str = "http://terminology.hl7.org/CodeSystem/goal-achievement";
pub(crate) const PARTICIPANT_TYPE: &str =
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
pub(crate) const US_CORE_PARTICIPANT_TYPE: &str =
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type";
pub(crate) const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
pub(crate) const US_SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
