//! Rules turned into other rules, by their syntax tree in Cedar's JSON form.

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};
use serde_json::{Value, json};

use crate::question::Undecided;

/// The rule as if the request never held an optional field of the context, such as `directive`.
pub(crate) fn without(policy: &Policy, field: &str) -> Result<Policy, Undecided> {
    let mut tree = tree(policy)?;
    erase(&mut tree, field);
    build(policy.id().as_ref(), tree)
}

/// Every rule of a set as if the request never held an optional field of the context.
pub(crate) fn all_without(set: &PolicySet, field: &str) -> Result<PolicySet, Undecided> {
    let mut erased = PolicySet::new();
    for policy in set.policies() {
        add(&mut erased, without(policy, field)?)?;
    }
    Ok(erased)
}

/// A set that permits what the given one permits thanks to an optional field of the context alone: what any of its
/// permits would permit without the field is taken out.
pub(crate) fn only_by(set: &PolicySet, field: &str) -> Result<PolicySet, Undecided> {
    let mut only = set.clone();
    for policy in set.policies().filter(|one| one.effect() == Effect::Permit) {
        let mut tree = tree(&without(policy, field)?)?;
        set_field(&mut tree, "effect", json!("forbid"));
        add(
            &mut only,
            build(&format!("{} without {field}", policy.id()), tree)?,
        )?;
    }
    Ok(only)
}

/// The rule, asked only where a condition holds that comes before its own.
pub(crate) fn guarded(policy: &Policy, guard: &Policy) -> Result<Policy, Undecided> {
    let mut tree = tree(policy)?;
    let mut conditions = conditions(&self::tree(guard)?);
    conditions.extend(self::conditions(&tree));
    set_field(&mut tree, "conditions", Value::Array(conditions));
    build(policy.id().as_ref(), tree)
}

/// The rule with each of its conditions left out in turn, and the text of what was left out.
pub(crate) fn without_each_condition(policy: &Policy) -> Result<Vec<(String, Policy)>, Undecided> {
    let tree = tree(policy)?;
    let parts = conjuncts(&tree);
    let mut thinned = Vec::new();
    for (at, left_out) in parts.iter().enumerate() {
        let kept = parts.iter().enumerate().filter(|(other, _)| *other != at);
        let kept = kept.map(|(_, part)| json!({ "kind": "when", "body": part }));
        let mut one = tree.clone();
        set_field(&mut one, "conditions", Value::Array(kept.collect()));
        let text = condition_text(left_out)?;
        thinned.push((text, build(policy.id().as_ref(), one)?));
    }
    Ok(thinned)
}

/// A set of the same rules with chains of conditions nested to the right, `a && (b && c)` for `(a && b) && c`: `&&` and
/// `||` are associative in Cedar, errors included. The compiler repeats the left side of each, so that a chain nested to
/// the left grows exponentially where this one stays as long as it is written.
pub(crate) fn all_nested(set: &PolicySet) -> Result<PolicySet, Undecided> {
    let mut nested = PolicySet::new();
    for policy in set.policies() {
        add(&mut nested, self::nested(policy)?)?;
    }
    Ok(nested)
}

/// A rule with its chains of conditions nested to the right.
pub(crate) fn nested(policy: &Policy) -> Result<Policy, Undecided> {
    let mut tree = tree(policy)?;
    let parts = conjuncts(&tree);
    let conditions = match chain(parts.into_iter().map(|part| nest(&part)), "&&") {
        Some(body) => json!([{ "kind": "when", "body": body }]),
        None => json!([]),
    };
    set_field(&mut tree, "conditions", conditions);
    build(policy.id().as_ref(), tree)
}

/// An expression with its chains nested to the right.
fn nest(tree: &Value) -> Value {
    for operator in ["&&", "||"] {
        if tree.get(operator).is_some() {
            let mut parts = Vec::new();
            flatten(tree, operator, &mut parts);
            let parts = parts.into_iter().map(|part| nest(&part));
            return chain(parts, operator).unwrap_or_default();
        }
    }
    match tree {
        Value::Array(parts) => parts.iter().map(nest).collect(),
        Value::Object(parts) => {
            let parts = parts.iter().map(|(name, part)| (name.clone(), nest(part)));
            Value::Object(parts.collect())
        }
        other => other.clone(),
    }
}

/// Parts joined by an operator, from the right; `None` when there is none.
fn chain(parts: impl DoubleEndedIterator<Item = Value>, operator: &str) -> Option<Value> {
    let join = |right: Value, left: Value| json!({ operator: { "left": left, "right": right } });
    parts.rev().reduce(join)
}

/// The conditions of a rule that must all hold, in their order.
fn conjuncts(tree: &Value) -> Vec<Value> {
    let mut parts = Vec::new();
    for condition in conditions(tree) {
        match (condition.get("body"), condition.get("kind")) {
            (Some(body), Some(kind)) if kind == "unless" => {
                parts.push(json!({ "!": { "arg": body } }));
            }
            (Some(body), _) => flatten(body, "&&", &mut parts),
            (None, _) => {}
        }
    }
    parts
}

/// Adds a rule to a set.
pub(crate) fn add(set: &mut PolicySet, policy: Policy) -> Result<(), Undecided> {
    set.add(policy)
        .map_err(|error| Undecided::new(error.to_string()))
}

/// The parts of a chain of `&&` or `||`, from left to right.
fn flatten(tree: &Value, operator: &str, parts: &mut Vec<Value>) {
    match tree.get(operator) {
        Some(both) => {
            for side in ["left", "right"] {
                if let Some(part) = both.get(side) {
                    flatten(part, operator, parts);
                }
            }
        }
        None => parts.push(tree.clone()),
    }
}

fn condition_text(body: &Value) -> Result<String, Undecided> {
    let any = json!({ "op": "All" });
    let tree = json!({ "effect": "permit", "principal": any, "action": any, "resource": any,
        "conditions": [{ "kind": "when", "body": body }] });
    let text = build("text", tree)?.to_string();
    let condition = text.split_once('{').map_or("", |(_, rest)| rest);
    Ok(condition
        .trim()
        .trim_end_matches(';')
        .trim_end_matches('}')
        .trim()
        .to_owned())
}

fn tree(policy: &Policy) -> Result<Value, Undecided> {
    policy
        .to_json()
        .map_err(|error| Undecided::new(error.to_string()))
}

fn build(id: &str, tree: Value) -> Result<Policy, Undecided> {
    Policy::from_json(Some(PolicyId::new(id)), tree)
        .map_err(|error| Undecided::new(error.to_string()))
}

fn conditions(tree: &Value) -> Vec<Value> {
    let listed = tree.get("conditions").and_then(Value::as_array);
    listed.cloned().unwrap_or_default()
}

fn set_field(tree: &mut Value, name: &str, value: Value) {
    if let Some(fields) = tree.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// Replaces every test whether the context has a field by `false`. Cedar's strict validation made sure that nothing
/// reads the field without that test before it.
fn erase(tree: &mut Value, field: &str) {
    let test = json!({ "has": { "left": { "Var": "context" }, "attr": field } });
    if *tree == test {
        *tree = json!({ "Value": false });
        return;
    }
    match tree {
        Value::Array(parts) => parts.iter_mut().for_each(|part| erase(part, field)),
        Value::Object(parts) => parts.values_mut().for_each(|part| erase(part, field)),
        _ => {}
    }
}
