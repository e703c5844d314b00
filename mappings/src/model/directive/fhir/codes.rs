//! The code systems of a consent, and what their codes mean here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reader::Reader;
use crate::model::category::Category;
use crate::model::directive::Effect;
use crate::model::purpose::Purpose;

/// Code system of Tandem's data categories in security labels and classes.
pub const CATEGORY_SYSTEM: &str = "urn:tandem:data-category";
/// Code system of Tandem's own purposes, those that begin with `X_`.
pub(in crate::model::directive) const OWN_PURPOSE_SYSTEM: &str = "urn:tandem:purpose";
/// HL7 Terminology: what a consent is about.
pub(super) const SCOPE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// HL7 Terminology: purposes of use.
pub(super) const PURPOSE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// HL7 Terminology: sensitivities, and what a policy does by default.
pub(super) const ACT_CODE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// HL7 Terminology: regulations and forms by name.
pub(super) const POLICY_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/consentpolicycodes";
/// HL7 Terminology: what an actor does.
pub(super) const ROLE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// HL7 Terminology: what recipients may do with what they are told.
pub(super) const ACTION_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
/// Code systems in which actors' roles stand.
pub(super) const ROLE_SYSTEMS: [&str; 2] = [
    ROLE_SYSTEM,
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
];

/// What a policy does where no provision speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// Only what provisions permit is permitted.
    OptIn,
    /// Everything is refused except what provisions permit.
    OptOut,
}

/// What the code of a policy rule says by default: something, nothing, or `None` for a code that is not understood.
pub(super) fn base(system: Option<&str>, code: &str) -> Option<Option<Base>> {
    match (system, code) {
        (None | Some(ACT_CODE_SYSTEM), "OPTIN" | "OPTINR") => Some(Some(Base::OptIn)),
        (None | Some(ACT_CODE_SYSTEM), "OPTOUT" | "OPTOUTE") => Some(Some(Base::OptOut)),
        (Some(POLICY_SYSTEM), "hipaa-auth") => Some(Some(Base::OptIn)),
        // The name of a law or form: it says under what the consent was given, and nothing by default.
        (Some(POLICY_SYSTEM), _) | (Some(ACT_CODE_SYSTEM), "42CFRPart2") => Some(None),
        _ => None,
    }
}

/// The purpose that a coding means: HL7's own, or one of ours that HL7 has no code for.
pub(super) fn purpose(reader: &mut Reader, place: &str, coding: &Value) -> Option<Purpose> {
    let (system, code) = reader.coding(place, coding)?;
    let is_own = code.starts_with("X_");
    let fits = match system {
        None => true,
        Some(OWN_PURPOSE_SYSTEM) => is_own,
        Some(system) => system == PURPOSE_SYSTEM && !is_own,
    };
    match code.parse() {
        Ok(purpose) if fits => Some(purpose),
        _ => reader.refuse(format!(
            "{place} is not a purpose for which anything can be asked"
        )),
    }
}

/// What a consent of a category is about alone, if its category narrows it: HL7 v3-ActCode ActConsentType and
/// `consentcategorycodes` (HL7 Terminology).
pub(super) fn narrowed_to(category: &str) -> Option<&'static str> {
    Some(match category {
        "EMRGONLY" | "emrgonly" => "emergencies",
        "INFAO" => "looking at information without keeping it",
        "INFASO" => "looking at information and keeping it",
        "RESEARCH" | "research" | "RSDID" | "rsdid" | "RSREID" | "rsreid" => "research",
        "acd" | "dnr" | "hcd" | "polst" => "decisions about care",
        _ => return None,
    })
}

/// Whether a provision that states HL7 `consentaction` codes (HL7 FHIR R4 4.0.1, Consent.provision.action) is about
/// telling at all. What is told is kept and used, so that who may look only is not told; nor is who may not do one of
/// these.
pub(super) fn is_telling(effect: Effect, actions: &BTreeSet<&str>) -> bool {
    let has = |action| actions.contains(action);
    match effect {
        Effect::Permit => has("disclose") || (has("collect") && has("use")),
        Effect::Deny => ["access", "collect", "use", "disclose"]
            .into_iter()
            .any(has),
    }
}

/// The categories that a sensitivity opens when a person permits it: none for one that is broader or narrower than our
/// categories, since a permission means what it says.
pub(super) fn opened_by(code: &str) -> &'static [Category] {
    match code {
        "MH" => &[Category::MentalHealth],
        "HIV" => &[Category::Hiv],
        "PSYTHPN" => &[Category::PsychotherapyNotes],
        "42CFRPart2" => &[Category::SudPart2],
        "SUD" | "ETH" => &[Category::SudPart2, Category::SudNonpart2],
        "SDV" => &[Category::DvInfo],
        _ => &[],
    }
}
