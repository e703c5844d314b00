use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::category::Category;
use crate::model::directive::fhir::{Dialect, OWN_PURPOSE_SYSTEM};
use crate::model::directive::{
    Directive, DirectiveState, Effect, Expiry, General, Method, Parties,
};
use crate::model::purpose::Purpose;

fn one(consent: &Value) -> Directive {
    let mut directives = Directive::from_fhir(consent).unwrap();
    assert_eq!(directives.len(), 1);
    directives.remove(0)
}

fn reasons(consent: &Value) -> Vec<String> {
    Directive::from_fhir(consent).unwrap_err().reasons
}

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
    let directive = one(&consent());
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
    assert_eq!(one(&coded).purposes.len(), 2);
}

#[test]
fn whatever_might_narrow_and_is_not_understood_refuses_the_whole() {
    for (pointer, field, value) in [
        ("/provision", "provision", json!([{"type": "deny"}])),
        (
            "/provision",
            "provision",
            json!([{"type": "deny", "purpose": [{"code": "TREAT"}]}]),
        ),
        (
            "/provision",
            "provision",
            json!([{"type": "deny", "purpose": [{"code": "COC"}],
                    "provision": [{"type": "permit", "purpose": [{"code": "COC"}]}]}]),
        ),
        ("", "provision", json!([])),
        ("", "implicitRules", json!("https://county.example/rules")),
        ("", "policyRule", json!({"coding": [{"code": "EMRGONLY"}]})),
        (
            "",
            "extension",
            json!([{"url": "https://county.example/only-on-sundays"}]),
        ),
        (
            "/provision",
            "data",
            json!([{"meaning": "instance", "reference": {"reference": "Observation/o-1"}}]),
        ),
        (
            "/provision",
            "data",
            json!([{"meaning": "authoredby", "reference": {"reference": "Practitioner/w-1"}}]),
        ),
        ("/provision", "dataPeriod", json!({"start": "2026-01"})),
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

/// A consent to which one may make exceptions.
fn open_to_exceptions() -> Value {
    let mut consent = consent();
    consent["provision"]["purpose"] = json!([{"code": "TREAT"}, {"code": "COC"}]);
    consent["provision"]["securityLabel"]
        .as_array_mut()
        .unwrap()
        .push(json!({"system": "urn:tandem:data-category", "code": "HEALTH_GENERAL"}));
    consent
}

#[test]
fn an_exception_becomes_a_directive_of_its_own_with_the_whole_scope_in_which_it_counts() {
    let mut consent = open_to_exceptions();
    consent["provision"]["provision"] = json!([{
        "type": "deny", "purpose": [{"code": "TREAT"}],
        "period": {"start": "2026-03-01"}, "dataPeriod": {"end": "2020-12-31"},
        "data": [{"meaning": "authoredby", "reference": {"reference": "Organization/org-bh"}}]
    }]);
    let directives = Directive::from_fhir(&consent).unwrap();
    let [base, exception] = directives.as_slice() else {
        panic!("{directives:?}");
    };
    assert_eq!(
        (base.effect, exception.effect),
        (Effect::Permit, Effect::Deny)
    );
    assert_eq!((base.id.as_str(), exception.id.as_str()), ("c-1", "c-1~1"));
    assert_eq!(exception.categories, base.categories);
    assert_eq!(exception.recipients, base.recipients);
    // Of the kinds of treatment the base names one, so the refusal covers that one as well.
    assert_eq!(
        exception.purposes,
        BTreeSet::from([Purpose::Treat, Purpose::CoordinationOfCare])
    );
    assert_eq!(exception.valid_from, "2026-03-01".parse().ok());
    assert_eq!(exception.expiry, base.expiry);
    assert_eq!(exception.authors, Parties::named(["org-bh"]));
    assert_eq!(exception.data_period.unwrap().start, None);
}

/// Thirteen months are too long for some law, and eleven are not.
#[test]
fn an_exception_for_a_time_before_the_consent_is_no_shorter_when_it_is_written_again() {
    let mut given = consent();
    given["dateTime"] = json!("2025-07-01");
    let mut permit = given["provision"].take();
    permit["period"] = json!({"start": "2025-06-01", "end": "2026-06-29"});
    given["provision"] = json!({"type": "deny", "provision": [permit]});
    let read = Directive::from_fhir(&given).unwrap();
    let (base, exceptions) = read.split_first().unwrap();
    for dialect in Dialect::ALL {
        let Ok(written) = base.to_fhir(exceptions, *dialect) else {
            continue;
        };
        let again = Directive::from_fhir(&written).unwrap();
        let begins = |all: &[Directive]| all.iter().map(|one| one.valid_from).collect::<Vec<_>>();
        assert_eq!(begins(&again), begins(&read), "{written}");
    }
    assert!(base.to_fhir(exceptions, Dialect::BaseR4).is_ok());
}

/// Whatever reads it would shorten such an exception, and a refusal that is shorter than it was opens.
#[test]
fn an_exception_that_lasts_longer_than_its_consent_can_not_be_said() {
    let mut given = open_to_exceptions();
    given["dateTime"] = json!("2026-01-15");
    given["provision"]["provision"] = json!([{
        "type": "deny", "purpose": [{"code": "COC"}], "period": {"start": "2026-03-01"}
    }]);
    let read = Directive::from_fhir(&given).unwrap();
    let (base, exceptions) = read.split_first().unwrap();
    let written = |exception: &Directive| {
        let exceptions = std::slice::from_ref(exception);
        base.to_fhir(exceptions, Dialect::BaseR4)
            .map_err(|error| error.reasons)
    };
    assert!(written(&exceptions[0]).is_ok());
    let unsaid =
        "exception c-1~1: valid_from or expiry: an exception lasts no longer than its consent";
    let date = |text: &str| text.parse().ok();
    for (valid_from, expiry) in [
        (date("2026-02-01"), exceptions[0].expiry.clone()),
        (None, exceptions[0].expiry.clone()),
        (
            exceptions[0].valid_from,
            date("2026-06-30").map(Expiry::Date),
        ),
        (exceptions[0].valid_from, None),
    ] {
        let longer = Directive {
            valid_from,
            expiry,
            ..exceptions[0].clone()
        };
        assert_eq!(written(&longer), Err(vec![unsaid.to_owned()]));
    }
}

#[test]
fn the_policy_rule_says_what_holds_where_the_root_does_not() {
    let mut ruled = consent();
    ruled["provision"].as_object_mut().unwrap().remove("type");
    assert!(reasons(&ruled)[0].starts_with("Consent.provision.type is absent"));
    let system = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    ruled["policyRule"] = json!({"coding": [{"system": system, "code": "OPTIN"}]});
    assert_eq!(one(&ruled).effect, Effect::Permit);
    ruled["policyRule"]["coding"][0]["code"] = json!("OPTOUT");
    assert_eq!(one(&ruled).effect, Effect::Deny);
    // Only what provisions permit is permitted: the root is then no permission of its own.
    ruled["policyRule"]["coding"][0]["code"] = json!("OPTIN");
    ruled["provision"]["provision"] = json!([{"type": "permit", "purpose": [{"code": "COC"}]}]);
    assert_eq!(one(&ruled).id.as_str(), "c-1~1");
    ruled.as_object_mut().unwrap().remove("provision");
    ruled["policyRule"]["coding"][0]["code"] = json!("OPTOUT");
    let everything = one(&ruled);
    assert!(everything.recipients.is_empty() && everything.categories.is_empty());
    assert_eq!(everything.effect, Effect::Deny);
}

#[test]
fn words_that_leave_nothing_out_are_marked_as_such_and_tick_no_box() {
    let mut general = consent();
    for field in ["purpose", "securityLabel"] {
        general["provision"].as_object_mut().unwrap().remove(field);
    }
    general.as_object_mut().unwrap().remove("organization");
    let directive = one(&general);
    assert_eq!(directive.general_words.len(), General::ALL.len());
    assert_eq!(directive.categories.len(), Category::ALL.len());
    assert_eq!(directive.sensitive_opt_ins, Some(BTreeSet::new()));
    let day = directive.disclosers.all_participants_at_date.unwrap();
    assert_eq!(day.to_string(), "2026-02-02");
}

#[test]
fn references_across_systems_are_read_by_their_identifiers_and_the_controller_discloses() {
    let mut fast = consent();
    fast["patient"] = json!({"identifier": {"system": "urn:oid:1.2.3", "value": "p-1"}});
    fast["performer"] = json!([fast["patient"]]);
    fast.as_object_mut().unwrap().remove("organization");
    fast.as_object_mut().unwrap().remove("id");
    fast["identifier"] = json!([{"system": "urn:oid:1.2.4", "value": "c-77"}]);
    fast["extension"] = json!([
        {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.manager",
         "valueReference": {"reference": "Organization/org-hub"}},
        {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.controller",
         "valueReference": {"identifier": {"value": "org-bh"}}}
    ]);
    let directive = one(&fast);
    assert_eq!(directive.id.as_str(), "c-77");
    assert_eq!(directive.disclosers, Parties::named(["org-bh"]));
}

#[test]
fn every_reason_is_listed_with_the_path_of_its_element() {
    let mut bad = open_to_exceptions();
    bad["provision"]["provision"] = json!([
        {"type": "deny", "purpose": [{"code": "HRESCH"}]},
        {"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}],
         "code": [{"text": "glucose"}]}
    ]);
    let reasons = reasons(&bad);
    for part in [
        "Consent.provision.provision[0]: its purpose",
        "Consent.provision.provision[1].class[0]",
        "Consent.provision.provision[1].code",
    ] {
        let found = reasons.iter().any(|reason| reason.starts_with(part));
        assert!(found, "{part} in {reasons:?}");
    }
}

#[test]
fn a_permission_within_a_refusal_of_its_level_never_counts() {
    let mut mixed = open_to_exceptions();
    let inner = |effect: &str, codes: &[&str]| {
        let purposes: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
        json!({"type": effect, "purpose": purposes,
               "securityLabel": [{"system": "urn:tandem:data-category", "code": "HEALTH_GENERAL"}]})
    };
    mixed["provision"]["provision"] = json!([inner("permit", &["COC"]), inner("deny", &["TREAT"])]);
    let directives = Directive::from_fhir(&mixed).unwrap();
    let effects: Vec<_> = directives.iter().map(|one| one.effect).collect();
    assert_eq!(effects, [Effect::Permit, Effect::Deny]);
    mixed["provision"]["provision"][1]["period"] = json!({"end": "2026-03-01"});
    assert!(reasons(&mixed)[0].contains("for a longer time"));
}

#[test]
fn a_refusal_within_a_permission_closes_the_kinds_of_its_purposes_too() {
    let mut consent = consent();
    consent["provision"]["purpose"] = json!([{"code": "TREAT"}]);
    let purposes_of = |consent: &Value, exception: &[&str]| {
        let codes: Vec<Value> = exception.iter().map(|code| json!({"code": code})).collect();
        let mut consent = consent.clone();
        consent["provision"]["provision"] =
            json!([{"type": "deny", "purpose": codes, "dataPeriod": {"end": "2025-12-31"}}]);
        let directives = Directive::from_fhir(&consent).unwrap();
        [
            directives[0].purposes.clone(),
            directives[1].purposes.clone(),
        ]
    };
    // Treatment is permitted and no more; coordination of care is a kind of it, which the refusal of either closes.
    let [permitted, refused] = purposes_of(&consent, &["TREAT"]);
    assert_eq!(permitted, BTreeSet::from([Purpose::Treat]));
    assert!(refused.contains(&Purpose::CoordinationOfCare) && refused.contains(&Purpose::Treat));
    let [_, refused] = purposes_of(&consent, &["COC"]);
    assert_eq!(refused, BTreeSet::from([Purpose::CoordinationOfCare]));

    // One that closes all that was permitted is no exception.
    consent["provision"]["provision"] = json!([{"type": "deny", "purpose": [{"code": "TREAT"}]}]);
    assert!(reasons(&consent)[0].contains("as wide as the rule"));
}

#[test]
fn a_consent_without_a_performer_is_the_patients_own() {
    let mut consent = consent();
    let with_performer = one(&consent);
    consent.as_object_mut().unwrap().remove("performer");
    assert_eq!(one(&consent), with_performer);
}

#[test]
fn a_refusal_of_any_use_closes_and_a_permission_to_look_opens_nothing() {
    let acting = |effect: &str, actions: &[&str]| {
        let mut consent = consent();
        let each = actions.iter();
        let actions: Vec<Value> = each
            .map(|code| json!({"coding": [{"code": code}]}))
            .collect();
        consent["provision"]["type"] = json!(effect);
        consent["provision"]["action"] = json!(actions);
        Directive::from_fhir(&consent)
    };
    for actions in [&["access"][..], &["access", "correct"], &["use"]] {
        assert_eq!(acting("deny", actions).unwrap()[0].effect, Effect::Deny);
        assert!(acting("permit", actions).is_err(), "{actions:?}");
    }
    assert!(acting("deny", &["correct"]).is_err());
    assert!(acting("permit", &["access", "disclose"]).is_ok());
    assert!(acting("permit", &["collect", "use"]).is_ok());
}

#[test]
fn a_category_that_says_it_is_about_less_is_refused() {
    let mut consent = consent();
    consent["category"] = json!([{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}]);
    assert!(Directive::from_fhir(&consent).is_ok());
    let narrow = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMRGONLY"}]});
    consent["category"].as_array_mut().unwrap().push(narrow);
    assert!(reasons(&consent)[0].contains("emergencies alone"));
}

#[test]
fn a_consent_of_a_great_many_exceptions_is_refused_at_once() {
    let mut long = open_to_exceptions();
    let exception = json!({"type": "deny", "purpose": [{"code": "COC"}]});
    long["provision"]["provision"] = Value::Array(vec![exception; 50_000]);
    assert!(reasons(&long)[0].contains("more than 100 exceptions"));
}
