use serde_json::json;

use super::*;

fn consent() -> Value {
    json!({
        "resourceType": "Consent", "id": "c-1", "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "patient": {"reference": "Patient/p-1"}, "performer": [{"reference": "Patient/p-1"}],
        "dateTime": "2026-02-02", "organization": [{"reference": "Organization/org-bh"}],
        "sourceReference": {"reference": "DocumentReference/d-1"},
        "policy": [{"uri": "https://county.example/release"}],
        "provision": {
            "type": "permit", "period": {"start": "2026-02-02", "end": "2026-06-29"},
            "actor": [{"role": {"coding": [{"code": "IRCP"}]},
                       "reference": {"reference": "Organization/org-cws"}}],
            "purpose": [{"code": "COC"}],
            "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "MH"}]
        }
    })
}

#[test]
fn a_consent_without_exceptions_is_read_whole() {
    let directive = Directive::from_fhir(&consent()).unwrap();
    assert_eq!(directive.standing(), DirectiveState::Active);
    assert_eq!(
        directive.categories,
        BTreeSet::from([Category::MentalHealth])
    );
    assert_eq!(directive.recipients, Parties::named(["org-cws"]));
    assert_eq!(directive.disclosers, Parties::named(["org-bh"]));
    assert_eq!(
        directive.purposes,
        BTreeSet::from([Purpose::CoordinationOfCare])
    );
    assert_eq!(directive.method, Some(Method::PaperScan));
}

#[test]
fn codes_with_the_systems_that_their_elements_are_bound_to_are_read() {
    let mut coded = consent();
    coded["scope"]["coding"][0]["system"] =
        json!("http://terminology.hl7.org/CodeSystem/consentscope");
    let provision = &mut coded["provision"];
    provision["actor"][0]["role"]["coding"][0]["system"] =
        json!("http://terminology.hl7.org/CodeSystem/v3-ParticipationType");
    provision["purpose"] = json!([
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "COC"},
        {"system": OWN_PURPOSE_SYSTEM, "code": "X_HOUSING"}
    ]);
    let directive = Directive::from_fhir(&coded).unwrap();
    assert_eq!(directive.purposes.len(), 2);
}

#[test]
fn whatever_might_narrow_and_is_not_understood_refuses_the_whole() {
    for (pointer, field, value) in [
        ("/provision", "provision", json!([{"type": "deny"}])),
        (
            "/provision",
            "action",
            json!([{"coding": [{"code": "access"}]}]),
        ),
        ("/provision", "class", json!([{"code": "Task"}])),
        ("/provision", "purpose", json!([{"code": "HMARKT"}])),
        (
            "/provision",
            "securityLabel",
            json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "BH"}]),
        ),
        ("/provision", "securityLabel", json!([])),
        ("/provision", "actor", json!({"role": "everybody"})),
        (
            "/provision/actor/0",
            "modifierExtension",
            json!([{"url": "https://county.example/not"}]),
        ),
        ("/provision/actor/0", "extension", json!([{"url": "u"}])),
        (
            "/provision/actor/0/reference",
            "extension",
            json!([{"url": "https://county.example/this-office-only"}]),
        ),
        (
            "/provision/actor/0/role",
            "coding",
            json!([{"code": "IRCP"}, {"code": "CST"}]),
        ),
        (
            "/provision/actor/0/role",
            "coding",
            json!([{"system": "https://county.example/roles", "code": "IRCP"}]),
        ),
        (
            "/provision/period",
            "modifierExtension",
            json!([{"url": "https://county.example/only-on-sundays"}]),
        ),
        ("/provision/period", "extension", json!([{"url": "u"}])),
        ("/provision/period", "end", json!(20_260_629)),
        (
            "/provision",
            "purpose",
            json!([{"system": "https://county.example/purposes", "code": "COC"}]),
        ),
        (
            "/provision",
            "purpose",
            json!([{"code": "COC", "extension": [{"url": "u"}]}]),
        ),
        ("/provision", "purpose", json!({"code": "COC"})),
        (
            "",
            "policy",
            json!([{"uri": "https://county.example/a"}, {"uri": "https://county.example/b"}]),
        ),
        (
            "",
            "scope",
            json!({"coding": [{"system": "https://county.example/scopes", "code": "patient-privacy"}]}),
        ),
        (
            "",
            "modifierExtension",
            json!([{"url": "https://county.example/only-on-sundays"}]),
        ),
        ("", "performer", json!([{"reference": "RelatedPerson/r-1"}])),
        (
            "",
            "organization",
            json!([{"reference": "Organization/org-bh"}, {"display": "A clinic"}]),
        ),
    ] {
        let mut narrowed = consent();
        narrowed.pointer_mut(pointer).unwrap()[field] = value;
        let error = Directive::from_fhir(&narrowed).unwrap_err();
        assert!(!error.reasons.is_empty(), "{field}");
    }
}
