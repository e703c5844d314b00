//! The criteria of one provision.

use std::collections::BTreeSet;

use serde_json::Value;

use super::codes::{self, ACT_CODE_SYSTEM, ACTION_SYSTEM, CATEGORY_SYSTEM, ROLE_SYSTEMS};
use super::reader::{Reader, text};
use super::scope::Scope;
use crate::model::category::Category;
use crate::model::directive::{DataPeriod, Effect, Parties, is_known_label};

/// The fields of a provision that are understood; `provision` besides in the root.
pub(super) const PROVISION_FIELDS: [&str; 11] = [
    "id",
    "type",
    "period",
    "actor",
    "action",
    "purpose",
    "securityLabel",
    "class",
    "dataPeriod",
    "data",
    "provision",
];

impl Reader {
    /// What a provision says that it does.
    pub(super) fn effect(&mut self, place: &str, provision: &Value) -> Option<Effect> {
        match provision.get("type").map(Value::as_str) {
            Some(Some("permit")) => Some(Effect::Permit),
            Some(Some("deny")) => Some(Effect::Deny),
            _ => self.refuse(format!("{place}.type is neither permit nor deny")),
        }
    }

    /// What a provision is about, read for what it does: a permission opens what its words name, a refusal closes
    /// whatever its words may mean.
    pub(super) fn scope(&mut self, place: &str, provision: &Value, effect: Effect) -> Scope {
        let mut scope = Scope::default();
        for (place, actor) in self.elements(place, provision, "actor") {
            self.actor(&place, actor, &mut scope);
        }
        self.actions(place, provision, effect);
        self.data_labels(place, provision, effect, &mut scope);
        self.classes(place, provision, &mut scope);
        for (place, purpose) in self.elements(place, provision, "purpose") {
            let Some(purpose) = codes::purpose(self, &place, purpose) else {
                continue;
            };
            let purposes = scope.purposes.get_or_insert_default();
            match effect {
                Effect::Permit => purposes.extend([purpose]),
                Effect::Deny => purposes.extend(purpose.kinds()),
            }
        }
        for (place, data) in self.elements(place, provision, "data") {
            self.data(&place, data, &mut scope);
        }
        self.periods(place, provision, &mut scope);
        scope
    }

    fn actor(&mut self, place: &str, actor: &Value, scope: &mut Scope) {
        self.object(place, actor, &["id", "role", "reference"]);
        let role = actor.get("role").unwrap_or(&Value::Null);
        let role = self.one_code(&format!("{place}.role"), role, &ROLE_SYSTEMS);
        let who = self.reference(&format!("{place}.reference"), actor.get("reference"));
        let side = match role {
            // The primary recipient is a kind of recipient, and a request names one recipient only.
            Some("IRCP" | "PRCP") => &mut scope.recipients,
            Some("CST") => &mut scope.disclosers,
            Some(_) => {
                self.reasons.push(format!(
                    "{place}.role is neither recipient (IRCP) nor custodian (CST)"
                ));
                return;
            }
            None => return,
        };
        let Some(who) = who else { return };
        let parties = side.get_or_insert_with(Parties::default);
        match who.kind.as_deref() {
            Some("CareTeam") => {
                parties.team.insert(who.id);
            }
            Some("Group") => self.reasons.push(format!(
                "{place}.reference is a group, of which nobody here knows the members"
            )),
            _ => {
                parties.named.insert(who.id);
            }
        }
    }

    /// What recipients may do, or may not.
    fn actions(&mut self, place: &str, provision: &Value, effect: Effect) {
        let actions = self.elements(place, provision, "action");
        let stated = !actions.is_empty();
        let each = actions.into_iter();
        let codes: BTreeSet<&str> = each
            .filter_map(|(place, action)| self.one_code(&place, action, &[ACTION_SYSTEM]))
            .collect();
        if stated && !codes::is_telling(effect, &codes) {
            let what = match effect {
                Effect::Permit => "does not permit to disclose",
                Effect::Deny => "is not about telling",
            };
            self.reasons.push(format!("{place}.action {what}"));
        }
    }

    /// Security labels: our categories, or HL7 sensitivities.
    fn data_labels(&mut self, place: &str, provision: &Value, effect: Effect, scope: &mut Scope) {
        let (mut categories, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for (place, label) in self.elements(place, provision, "securityLabel") {
            let Some((system, code)) = self.coding(&place, label) else {
                continue;
            };
            match (system, effect) {
                (Some(CATEGORY_SYSTEM), _) if code.parse::<Category>().is_ok() => {
                    categories.extend(code.parse::<Category>());
                }
                (Some(ACT_CODE_SYSTEM), Effect::Permit) if !codes::opened_by(code).is_empty() => {
                    categories.extend(codes::opened_by(code));
                }
                (Some(ACT_CODE_SYSTEM), Effect::Deny) if is_known_label(code) => {
                    labels.insert(code.to_owned());
                }
                _ => self.reasons.push(format!(
                    "{place} is a label by which data cannot be told apart exactly"
                )),
            }
        }
        if !categories.is_empty() && !labels.is_empty() {
            self.reasons.push(format!(
                "{place}.securityLabel mixes data categories with sensitivities"
            ));
        }
        scope.categories = (!categories.is_empty()).then_some(categories);
        scope.labels = (!labels.is_empty()).then_some(labels);
    }

    /// Classes: our categories alone; a type of resource or document is none.
    fn classes(&mut self, place: &str, provision: &Value, scope: &mut Scope) {
        let mut categories: BTreeSet<Category> = BTreeSet::new();
        let classes = self.elements(place, provision, "class");
        for (place, class) in &classes {
            let known: Option<Category> = match self.coding(place, class) {
                Some((Some(CATEGORY_SYSTEM), code)) => code.parse().ok(),
                _ => None,
            };
            match known {
                Some(category) => categories.extend([category]),
                None => self.reasons.push(format!(
                    "{place} is a class by which data cannot be told apart exactly"
                )),
            }
        }
        if classes.is_empty() {
            return;
        }
        // Both criteria must fit.
        let common = match &scope.categories {
            Some(labelled) => labelled.intersection(&categories).copied().collect(),
            None => categories,
        };
        if common.is_empty() {
            self.reasons.push(format!(
                "{place}.securityLabel and {place}.class have no data in common"
            ));
        }
        scope.categories = Some(common);
    }

    /// Particular data: who wrote them can be told, which they are cannot, since decisions are about groups of data.
    fn data(&mut self, place: &str, data: &Value, scope: &mut Scope) {
        self.object(place, data, &["id", "meaning", "reference"]);
        match text(data, "meaning") {
            Some("authoredby") => {
                let who = self.reference(&format!("{place}.reference"), data.get("reference"));
                let is_organization = |kind: &Option<String>| {
                    kind.as_deref().is_none_or(|kind| kind == "Organization")
                };
                match who {
                    Some(who) if is_organization(&who.kind) => {
                        let authors = scope.authors.get_or_insert_with(Parties::default);
                        authors.named.insert(who.id);
                    }
                    Some(_) => self.reasons.push(format!(
                        "{place}.reference is an author who is no organization: data do not say which person wrote them"
                    )),
                    None => {}
                }
            }
            Some(meaning @ ("instance" | "related" | "dependents")) => self.reasons.push(format!(
                "{place}.meaning is {meaning}: single records cannot be told apart when a decision is made"
            )),
            _ => self
                .reasons
                .push(format!("{place}.meaning is not a known meaning")),
        }
    }

    /// From when to when a provision counts, and from when to when the data come. What is there and cannot be read is
    /// refused, never left open.
    fn periods(&mut self, place: &str, provision: &Value, scope: &mut Scope) {
        if let Some(period) = provision.get("period") {
            let place = format!("{place}.period");
            self.object(&place, period, &["id", "start", "end"]);
            scope.start = self.moment(&format!("{place}.start"), period.get("start"));
            scope.end = self.moment(&format!("{place}.end"), period.get("end"));
        }
        if let Some(period) = provision.get("dataPeriod") {
            let place = format!("{place}.dataPeriod");
            self.object(&place, period, &["id", "start", "end"]);
            match serde_json::from_value::<DataPeriod>(period.clone()) {
                Ok(period) => scope.data_period = Some(period),
                Err(_) => self
                    .reasons
                    .push(format!("{place} is not a period of days")),
            }
        }
    }
}
