//! What the profile of the two messages asks for: elements that must be there, elements that stand once.
//!
//! Facts: column `cardinality` of `niem_paths.csv`. NIEM itself allows any number of everything. What
//! is missing leaves the rest usable and is a warning; a second element of which only the first is
//! read is a lost value.

use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::read::Sink;

use super::check::place;
use super::tree::Element;
use crate::tables::{MessagePath, Tables};

/// The kinds of message that the profile describes; a message of another system names none.
const KINDS: [&str; 2] = ["referral", "plan"];

/// Paths whose absence the reader tells itself, since it costs more than a doubt.
const TOLD_ELSEWHERE: [&str; 11] = [
    "nc:DocumentIdentification",
    "nc:DocumentCreationDate",
    "lk:DisclosureBasis",
    "hs:ParentChildAssociation/hs:Child",
    "hs:ParentChildAssociation/hs:Parent",
    "nc:Referral/nc:ActivityIdentification/nc:IdentificationID",
    "nc:Referral/nc:ActivityStatus/nc:StatusText",
    "nc:Referral/nc:ReferralPerson",
    "hs:ChildWelfareCase/j:CaseAugmentation/j:CasePlan/nc:PlanIdentification/nc:IdentificationID",
    "hs:ChildWelfareCase/j:CaseAugmentation/j:CasePlan/nc:PlanTask/nc:TaskID",
    "hs:ChildWelfareCase/j:CaseAugmentation/j:CasePlan/nc:PlanTask/nc:TaskStatus/nc:StatusText",
];

/// Paths that the profile wants once and of which the reader uses every one.
const ALL_READ: [&str; 4] = [
    "nc:DocumentSensitivityText",
    "hs:Child/nc:PersonResidenceAddress",
    "hs:Parent/nc:PersonResidenceAddress",
    "hs:ChildWelfareCase/j:CaseAugmentation/j:CasePlan",
];

/// The representations of a date, each of which may stand for another.
const DATES: [&str; 5] = [
    "nc:Date",
    "nc:DateTime",
    "nc:YearMonthDate",
    "nc:YearDate",
    "nc:DateRange",
];

/// Tells what is missing and what stands twice.
pub(super) fn check(root: &Element, file: &str, tables: &Tables, sink: &mut dyn Sink) {
    let kind = root.text_at("nc:DocumentCategoryText");
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        return;
    }
    let own = match root.is("lk:CasePlanUpdateMessage") {
        true => "case_plan_update",
        false => "referral",
    };
    let paths = tables.paths();
    for one in paths
        .iter()
        .filter(|one| one.message == own || one.message == "both")
        // The roots have rows of their own.
        .filter(|one| !one.path.ends_with("Message"))
    {
        if one.is_required && !TOLD_ELSEWHERE.iter().any(|told| one.path.starts_with(told)) {
            missing(root, one, paths, file, sink);
        }
        if one.is_single && !ALL_READ.contains(&one.path.as_str()) {
            repeated(root, one, file, sink);
        }
    }
}

/// An element is missing where the nearest element above it that the profile names is present.
fn missing(
    root: &Element,
    one: &MessagePath,
    paths: &[MessagePath],
    file: &str,
    sink: &mut dyn Sink,
) {
    let (anchor, rest) = split(&one.path, paths);
    for above in all_at(root, anchor) {
        if above.reference.is_none() && !has(above, rest) {
            let place = match anchor {
                "" => Place::line(file, above.line).field(rest),
                _ => place(file, above),
            };
            sink.deviation(Deviation::warning(
                "required-element-missing",
                place,
                &one.path,
            ));
        }
    }
}

fn repeated(root: &Element, one: &MessagePath, file: &str, sink: &mut dyn Sink) {
    let (above, name) = one.path.rsplit_once('/').unwrap_or(("", &one.path));
    for parent in all_at(root, above) {
        for second in parent.all(name).skip(1) {
            let expected = format!("{} once; the first is read", one.path);
            sink.deviation(Deviation::value_error(
                "element-twice",
                place(file, second),
                expected,
            ));
        }
    }
}

/// The longest beginning of a path that is a path of the profile itself, and what follows it.
fn split<'p>(path: &'p str, paths: &[MessagePath]) -> (&'p str, &'p str) {
    let mut anchor = path;
    while let Some((above, _)) = anchor.rsplit_once('/') {
        if paths.iter().any(|one| one.path == above) {
            return (above, path.get(above.len() + 1..).unwrap_or_default());
        }
        anchor = above;
    }
    ("", path)
}

fn has(above: &Element, rest: &str) -> bool {
    if above.at(rest).is_some() {
        return true;
    }
    let (parent, name) = rest.rsplit_once('/').unwrap_or(("", rest));
    let is_date = DATES.contains(&name);
    is_date
        && all_at(above, parent)
            .iter()
            .any(|one| DATES.iter().any(|date| one.at(date).is_some()))
}

/// Every element at a path; the element itself for an empty path.
fn all_at<'e>(element: &'e Element, path: &str) -> Vec<&'e Element> {
    let mut found = vec![element];
    for name in path.split('/').filter(|name| !name.is_empty()) {
        found = found.into_iter().flat_map(|one| one.all(name)).collect();
    }
    found
}
