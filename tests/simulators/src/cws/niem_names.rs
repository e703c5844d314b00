//! Namespaces, the order of a message's parts, and the closed lists of NIEM 6.0.

use std::collections::BTreeMap;

use crate::table;

/// The extension that frames both messages.
pub(crate) const LK: &str = "https://example.org/ns/linkages/1.0/";
/// Human services domain.
pub(crate) const HS: &str =
    "https://docs.oasis-open.org/niemopen/ns/model/domains/humanServices/6.0/";
/// Justice domain.
pub(crate) const J: &str = "https://docs.oasis-open.org/niemopen/ns/model/domains/justice/6.0/";
/// NIEM core.
pub(crate) const NC: &str = "https://docs.oasis-open.org/niemopen/ns/model/niem-core/6.0/";
/// Ids and references.
pub(crate) const STRUCTURES: &str = "https://docs.oasis-open.org/niemopen/ns/model/structures/6.0/";

/// Parts of a message in schema order: those of `nc:DocumentType` that are in use, then those of
/// the extension.
pub(crate) const ORDER: [(&str, &str); 18] = [
    (NC, "DocumentCreationDate"),
    (NC, "DocumentIdentification"),
    (NC, "DocumentRecipient"),
    (NC, "DocumentRightsText"),
    (NC, "DocumentSensitivityText"),
    (NC, "DocumentSubmitter"),
    (LK, "DisclosureBasis"),
    (LK, "ConsentReference"),
    (LK, "DataPrivacy"),
    (HS, "Child"),
    (HS, "Parent"),
    (HS, "ParentChildAssociation"),
    (HS, "ChildWelfareCase"),
    (HS, "RelatedCase"),
    (NC, "Referral"),
    (HS, "RequestedService"),
    (HS, "ServicePlanGoal"),
    (HS, "Placement"),
];

/// Place in [`ORDER`] of the first part that the extension adds.
pub(crate) const FIRST_OWN_PART: usize = 6;

/// Schema order of the NIEM core parts in use inside these elements (niem-core.xsd 6.0).
pub(crate) const INNER_ORDER: [(&str, &[&str]); 4] = [
    (
        "CasePlan",
        &[
            "PlanApprovalDate",
            "PlanApprovalEntity",
            "PlanCreatedDate",
            "PlanDateRange",
            "PlanIdentification",
            "PlanTargetOutcomeText",
            "PlanTask",
            "PlanUpdatedDate",
        ],
    ),
    (
        "PlanTask",
        &[
            "TaskAssignedEntity",
            "TaskCompletedIndicator",
            "TaskDescriptionText",
            "TaskDueDate",
            "TaskEndDate",
            "TaskID",
            "TaskName",
            "TaskOutcomeDescriptionText",
            "TaskStartDate",
            "TaskStatus",
            "TaskAugmentation",
        ],
    ),
    (
        "Referral",
        &[
            "ActivityIdentification",
            "ActivityDate",
            "ActivityDescriptionText",
            "ActivityReasonText",
            "ActivityStatus",
            "ReferralActivity",
            "ReferralIssuer",
            "ReferralMandatoryIndicator",
            "ReferralEntity",
            "ReferralPerson",
            "ReferralAugmentation",
        ],
    ),
    (
        "RequestedService",
        &[
            "ActivityIdentification",
            "ActivityFrequencyText",
            "ActivityName",
            "ResponsibilityForServiceCostText",
            "ResponsibleEntityDescriptionText",
            "ServiceCostValue",
            "ServiceCategoryCode",
            "ReferredOutServiceReasonText",
        ],
    ),
];

/// Allowed values by the name of the element that carries them.
///
/// # Errors
/// When the embedded list is malformed.
pub(crate) fn code_lists() -> anyhow::Result<BTreeMap<&'static str, Vec<String>>> {
    let mut lists: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for row in table::rows(include_str!("../../tables/cws/niem_code_lists.csv"))? {
        let element = match table::field(&row, "type") {
            "hs:ServiceCategoryCodeType" => "ServiceCategoryCode",
            "j:PersonSexCodeType" => "PersonSexCode",
            "hs:AFCARSPermanencyGoalCodeType" => "AFCARSPermanencyGoalCode",
            "hs:PlacementLocationCodeType" => "PlacementCategoryCode",
            "hs:ServicesEligibilityIndicatorCodeType" => "ServicesEligibilityIndicatorCode",
            "nc:PersonNameCategoryCodeType" => "PersonNameCategoryCode",
            _ => continue,
        };
        lists
            .entry(element)
            .or_default()
            .push(table::field(&row, "value").to_owned());
    }
    Ok(lists)
}
