//! One change to the text of a rule, in Cedar's JSON form.

use serde_json::{Map, Value, json};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::purpose::Purpose;

use super::{Step, at_mut};
use crate::request::Action;

type Changed = Vec<(String, Value)>;

/// Every change: conditions, what joins them, negations, comparisons, numbers, lists and actions.
pub(super) fn changes(text: &Value) -> Changed {
    let mut all = Vec::new();
    actions(text, &mut all);
    let conditions = text.get("conditions").and_then(Value::as_array);
    for (index, condition) in conditions.into_iter().flatten().enumerate() {
        let start = vec![Step::Field("conditions".to_owned()), Step::Place(index)];
        removed(text, index, &mut all);
        let turned = match condition.get("kind").and_then(Value::as_str) {
            Some("when") => "unless",
            _ => "when",
        };
        let mut kind = start.clone();
        kind.push(Step::Field("kind".to_owned()));
        replace(
            text,
            &kind,
            json!(turned),
            format!("a condition is turned to {turned}"),
            &mut all,
        );
        let mut body = start;
        body.push(Step::Field("body".to_owned()));
        if let Some(expression) = condition.get("body") {
            walk(text, expression, &body, &mut all);
        }
    }
    all
}

fn replace(text: &Value, path: &[Step], value: Value, change: String, all: &mut Changed) {
    let mut changed = text.clone();
    if let Some(place) = at_mut(&mut changed, path) {
        *place = value;
        all.push((change, changed));
    }
}

fn removed(text: &Value, index: usize, all: &mut Changed) {
    let mut changed = text.clone();
    if let Some(Value::Array(conditions)) = changed.get_mut("conditions") {
        conditions.remove(index);
        all.push((format!("condition {} is taken out", index + 1), changed));
    }
}

/// Every change at an expression and below it.
fn walk(text: &Value, expression: &Value, path: &[Step], all: &mut Changed) {
    let Some((operator, inner)) = expression.as_object().and_then(only) else {
        return;
    };
    let below = |name: &String| -> Vec<Step> {
        let own = [operator, name].map(|step| Step::Field(step.clone()));
        path.iter().cloned().chain(own).collect()
    };
    match operator.as_str() {
        "&&" | "||" => joined(text, operator, inner, path, all),
        "!" => {
            let argument = inner.get("arg").cloned().unwrap_or_default();
            let what = brief(&argument);
            replace(
                text,
                path,
                argument,
                format!("`!` dropped before {what}"),
                all,
            );
        }
        "Set" => elements(text, inner, path, all),
        "Value" => number(text, inner, path, all),
        _ => {}
    }
    if let Some(other) = other_comparison(operator).filter(|_| !is_of_one(inner)) {
        let what = brief(expression);
        let turned = json!({ other: inner });
        replace(
            text,
            path,
            turned,
            format!("`{operator}` to `{other}` in {what}"),
            all,
        );
    }
    for (name, value) in inner.as_object().into_iter().flatten() {
        walk(text, value, &below(name), all);
    }
}

fn only(fields: &Map<String, Value>) -> Option<(&String, &Value)> {
    fields.iter().next().filter(|_| fields.len() == 1)
}

/// One side of `&&` or `||` dropped, and the one turned into the other.
fn joined(text: &Value, operator: &str, inner: &Value, path: &[Step], all: &mut Changed) {
    for (kept, dropped) in [("left", "right"), ("right", "left")] {
        let (Some(keep), Some(drop)) = (inner.get(kept), inner.get(dropped)) else {
            continue;
        };
        let what = brief(drop);
        replace(text, path, keep.clone(), format!("dropped: {what}"), all);
    }
    let other = if operator == "&&" { "||" } else { "&&" };
    let what = inner.get("right").map(brief).unwrap_or_default();
    let turned = json!({ other: inner });
    replace(
        text,
        path,
        turned,
        format!("`{operator}` to `{other}` before {what}"),
        all,
    );
}

/// Whether a list of one is compared with: any of it and all of it are then the same.
fn is_of_one(inner: &Value) -> bool {
    let sides = ["left", "right"]
        .into_iter()
        .filter_map(|side| inner.get(side));
    let mut lists = sides.filter_map(|side| side.get("Set").and_then(Value::as_array));
    lists.any(|list| list.len() == 1)
}

fn other_comparison(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "<" => "<=",
        "<=" => "<",
        ">" => ">=",
        ">=" => ">",
        "==" => "!=",
        "!=" => "==",
        "containsAny" => "containsAll",
        "containsAll" => "containsAny",
        _ => return None,
    })
}

/// A list with one element less, or one more of its sort.
fn elements(text: &Value, inner: &Value, path: &[Step], all: &mut Changed) {
    let Some(elements) = inner.as_array() else {
        return;
    };
    let words: Vec<&str> = elements
        .iter()
        .filter_map(|element| element.get("Value").and_then(Value::as_str))
        .collect();
    if words.len() != elements.len() {
        return;
    }
    for (index, word) in words.iter().enumerate() {
        let mut fewer = elements.clone();
        fewer.remove(index);
        replace(
            text,
            path,
            json!({ "Set": fewer }),
            format!("{word} taken out of a list"),
            all,
        );
    }
    for word in others(&words) {
        let mut more = elements.clone();
        more.push(json!({ "Value": word }));
        replace(
            text,
            path,
            json!({ "Set": more }),
            format!("{word} added to a list"),
            all,
        );
    }
}

/// Two words of the same sort that a list does not hold.
fn others(words: &[&str]) -> Vec<&'static str> {
    let purposes: Vec<&str> = Purpose::ALL.iter().map(|one| one.as_str()).collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|one| one.as_str()).collect();
    let sorts: [&[&'static str]; 8] = [
        &purposes,
        &categories,
        &[
            "MDT_CFT",
            "MDT_CHILDREN_SERVICES",
            "MDT_CHILD_ABUSE",
            "MDT_HOMELESS",
        ],
        &[
            "parent",
            "guardian",
            "court",
            "conservator",
            "agent",
            "self",
            "minor_by_own_right",
        ],
        &[
            "CONSENT",
            "TREATMENT",
            "LEGAL_MANDATE",
            "PROGRAM_ADMIN",
            "ACCESS_RIGHT",
        ],
        &["auditor", "privacy_officer", "operator", "administrator"],
        &[
            "foster_care",
            "homeless_12_months",
            "tribal_member",
            "safety",
            "reason_to_know_indian_child",
        ],
        &[
            "BANK",
            "CWS_AGENCY",
            "HEALTH_PROVIDER",
            "HMIS_AGENCY",
            "LAW_ENFORCEMENT",
            "PARENT",
            "SCHOOL",
            "TRIBE",
            "GUARDIAN",
            "COURT",
        ],
    ];
    let sort = sorts
        .into_iter()
        .find(|sort| words.iter().any(|word| sort.contains(word)));
    let free: Vec<_> = sort
        .unwrap_or(&[])
        .iter()
        .copied()
        .filter(|one| !words.contains(one))
        .collect();
    let ends = free.first().into_iter().chain(free.last());
    let mut ends: Vec<_> = ends.copied().collect();
    ends.dedup();
    ends
}

fn number(text: &Value, inner: &Value, path: &[Step], all: &mut Changed) {
    let Some(number) = inner.as_i64() else { return };
    for other in [number.saturating_add(1), number.saturating_sub(1)] {
        replace(
            text,
            path,
            json!({ "Value": other }),
            format!("{number} to {other}"),
            all,
        );
    }
}

/// One action less, one more, and all of them.
fn actions(text: &Value, all: &mut Changed) {
    let path = [Step::Field("action".to_owned())];
    let Some(scope) = text.get("action") else {
        return;
    };
    let entity = |action: &str| json!({ "type": "Action", "id": action });
    let named: Vec<String> = match (scope.get("entity"), scope.get("entities")) {
        (Some(one), _) => ids(std::slice::from_ref(one)),
        (_, Some(Value::Array(several))) => ids(several),
        _ => Vec::new(),
    };
    if named.is_empty() {
        let one = json!({ "op": "==", "entity": entity("disclose") });
        replace(text, &path, one, "for disclosures alone".to_owned(), all);
        return;
    }
    let listed = |names: &[String]| {
        let entities: Vec<Value> = names.iter().map(|name| entity(name)).collect();
        json!({ "op": "in", "entities": entities })
    };
    replace(
        text,
        &path,
        json!({ "op": "All" }),
        "for every action".to_owned(),
        all,
    );
    for name in named.iter().filter(|_| named.len() > 1) {
        let fewer: Vec<String> = named.iter().filter(|one| *one != name).cloned().collect();
        replace(text, &path, listed(&fewer), format!("not for {name}"), all);
    }
    let missing = Action::ALL.map(Action::as_str);
    for name in missing
        .iter()
        .filter(|one| !named.iter().any(|own| own == *one))
    {
        let more: Vec<String> = named.iter().cloned().chain([(*name).to_owned()]).collect();
        replace(text, &path, listed(&more), format!("for {name} too"), all);
    }
}

fn ids(entities: &[Value]) -> Vec<String> {
    let ids = entities.iter().filter_map(|one| one.get("id")?.as_str());
    ids.map(str::to_owned).collect()
}

/// An expression in a few words.
fn brief(expression: &Value) -> String {
    let Some((operator, inner)) = expression.as_object().and_then(only) else {
        return expression.to_string();
    };
    let side = |name: &str| inner.get(name).map(brief).unwrap_or_default();
    let attribute = || {
        inner
            .get("attr")
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match operator.as_str() {
        "Var" => inner.as_str().unwrap_or_default().to_owned(),
        "Value" => match inner.pointer("/__entity/id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => inner.to_string(),
        },
        "Set" => format!("[{} words]", inner.as_array().map_or(0, Vec::len)),
        "." => format!("{}.{}", side("left"), attribute()),
        "has" => format!("{} has {}", side("left"), attribute()),
        "!" => format!("!{}", side("arg")),
        "contains" | "containsAny" | "containsAll" => {
            format!("{}.{operator}({})", side("left"), side("right"))
        }
        "isEmpty" => format!("{}.isEmpty()", side("arg")),
        _ => format!("({} {operator} {})", side("left"), side("right")),
    }
}
