//! What no schema finds, or what must be told about a message as a whole: dangling references,
//! codes outside closed lists, unknown elements, and content that is refused.

use std::collections::HashMap;

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;

use super::tree::Element;
use super::value::is_date;
use crate::namespace::Namespace;
use crate::tables::Tables;

/// Elements that hold a code of a closed list, and the list.
const CODED: [(&str, &str); 16] = [
    ("hs:ServiceCategoryCode", "hs:ServiceCategoryCodeType"),
    (
        "hs:AFCARSPermanencyGoalCode",
        "hs:AFCARSPermanencyGoalCodeType",
    ),
    ("hs:PlacementCategoryCode", "hs:PlacementLocationCodeType"),
    (
        "hs:PlacementChangeReasonCode",
        "hs:ReasonForPlacementChangeCodeType",
    ),
    (
        "hs:ParentChildKinshipCategoryCode",
        "hs:ParentChildKinshipCategoryCodeType",
    ),
    (
        "hs:CaseWorkerInvolvementCategoryCode",
        "hs:CaseworkerInvolvementCategoryCodeType",
    ),
    (
        "hs:ServicesEligibilityIndicatorCode",
        "hs:ServicesEligibilityIndicatorCodeType",
    ),
    ("j:PersonSexCode", "j:PersonSexCodeType"),
    ("j:PersonRaceCode", "j:PersonRaceCodeType"),
    ("nc:PersonNameCategoryCode", "nc:PersonNameCategoryCodeType"),
    (
        "hs:SSNVerificationIndicatorCode",
        "hs:SSNVerificationIndicatorCodeType",
    ),
    (
        "hs:CurrentLivingSituationCategoryCode",
        "hs:LivingSituationCategoryCodeType",
    ),
    (
        "hs:HousingPermanencyCategoryCode",
        "hs:HousingPermanencyCategoryCodeType",
    ),
    (
        "hs:PersonOtherKinAssociationCategoryCode",
        "hs:PersonOtherKinAssociationCodeType",
    ),
    ("hs:CaseWorkerCategoryCode", "hs:CaseWorkerCategoryCodeType"),
    (
        "hs:UnprovidedServiceReasonCategoryCode",
        "hs:UnprovidedServiceReasonCategoryCodeType",
    ),
];

/// Elements that hold a date, in its several representations.
const DATES: [&str; 4] = ["nc:Date", "nc:DateTime", "nc:YearMonthDate", "nc:YearDate"];

/// Every element that has an id.
pub(crate) type Ids<'a> = HashMap<&'a str, &'a Element>;

/// Collects ids and tells what is wrong anywhere in a message.
pub(crate) fn check<'a>(
    root: &'a Element,
    file: &str,
    tables: &Tables,
    sink: &mut dyn Sink,
) -> Ids<'a> {
    let mut ids = Ids::new();
    visit(root, tables, &mut |element| {
        if let Some(id) = element.id.as_deref()
            && ids.insert(id, element).is_some()
        {
            let place = place(file, element);
            sink.deviation(Deviation::value_error(
                "id-twice",
                place,
                "each structures:id once",
            ));
        }
    });
    visit(root, tables, &mut |element| {
        if element
            .reference
            .as_deref()
            .is_some_and(|id| !ids.contains_key(id))
        {
            let expected = "a structures:ref to a structures:id of the message";
            sink.deviation(Deviation::value_error(
                "reference-dangling",
                place(file, element),
                expected,
            ));
        }
        one(element, file, tables, sink);
    });
    ids
}

fn one(element: &Element, file: &str, tables: &Tables, sink: &mut dyn Sink) {
    let name = element.name();
    if tables.is_refused_element(&name) {
        sink.refused(Place::line(file, element.line), element.last_line);
        let expected = "no abuse report, allegation or reporter";
        let place = Place::line(file, element.line);
        sink.deviation(Deviation::info("report-content-refused", place, expected));
    } else if !tables.is_element(&name) {
        let expected = "an element of the two messages; kept with the original";
        let place = Place::line(file, element.line);
        sink.deviation(Deviation::info("element-unknown", place, expected));
    }
    if DATES.contains(&name.as_str()) && !is_date(element) {
        let expected = "a date, such as 2026-03-02";
        let place = place(file, element);
        sink.deviation(Deviation::value_error("value-not-allowed", place, expected));
    }
    let list = CODED.iter().find(|(coded, _)| *coded == name);
    if let Some((_, list)) = list
        && !tables.has_code(list, &element.text)
    {
        let expected = format!("a code of {list}");
        sink.deviation(Deviation::value_error(
            "code-unknown",
            place(file, element),
            expected,
        ));
    }
}

/// Visits every element save those inside refused content.
fn visit<'a>(element: &'a Element, tables: &Tables, act: &mut dyn FnMut(&'a Element)) {
    act(element);
    if !tables.is_refused_element(&element.name()) {
        for child in &element.children {
            visit(child, tables, act);
        }
    }
}

/// The first element of a NIEM release whose names mean something else here, or nothing.
pub(crate) fn of_other_release(element: &Element) -> Option<&Element> {
    if element.namespace == Namespace::OtherRelease {
        return Some(element);
    }
    element.children.iter().find_map(of_other_release)
}

/// Where an element stands, by its name.
pub(crate) fn place(file: &str, element: &Element) -> Place {
    Place::line(file, element.line).field(element.name())
}
