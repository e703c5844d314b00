//! Makes an example as plain as it can be: what does not change the outcome goes, what must stay looks usual.

use serde_json::{Map, Value, json};

use crate::scene::Scene;

/// 2026-07-01T17:00:00Z in seconds: the moment at which examples play.
const NOW: i64 = 1_782_925_200;

/// 2026-07-01 in days.
const TODAY: i64 = 20_635;

const MONTH: i64 = 30;

const DAY_SECONDS: i64 = 86_400;

/// How often the facts are gone through at most; each time some may go that others needed before.
const ROUNDS: usize = 4;

/// What a moment is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds since 1970-01-01T00:00:00Z.
    Instant,
    /// Days since 1970-01-01.
    Day,
}

/// The fields that hold moments, with their unit and whether they usually lie before (-1) or after (1) the request.
const MOMENTS: [(&str, Unit, i64); 10] = [
    ("now", Unit::Instant, 0),
    ("valid_from", Unit::Instant, -1),
    ("expires", Unit::Instant, 1),
    ("today", Unit::Day, 0),
    ("from", Unit::Day, -1),
    ("to", Unit::Day, 1),
    ("data_from", Unit::Day, -1),
    ("data_to", Unit::Day, 1),
    ("authored_from", Unit::Day, 0),
    ("authored_to", Unit::Day, 0),
];

/// The unit of a field that holds a moment.
pub(crate) fn unit(pointer: &str) -> Option<Unit> {
    moment(pointer).map(|(unit, _)| unit)
}

fn moment(pointer: &str) -> Option<(Unit, i64)> {
    let name = pointer.rsplit('/').next()?;
    let known = MOMENTS.iter().find(|(known, ..)| *known == name);
    known.map(|(_, unit, side)| (*unit, *side))
}

/// The plainest scene that is reached from the given one by single changes after each of which `holds` is true.
pub(crate) fn minimise(scene: Scene, holds: &dyn Fn(&Scene) -> bool) -> Scene {
    let mut best = scene;
    for plainer in [named(&best), usual_times(&best)] {
        take(&mut best, &plainer, holds);
    }
    // Names come again: the usual times may have been refused together with them.
    let again = named(&best);
    take(&mut best, &again, holds);
    for _ in 0..ROUNDS {
        let before = best.clone();
        for pointer in pointers(&best.facts) {
            for facts in plainer(&best.facts, &pointer) {
                let candidate = best.with(facts);
                if take(&mut best, &candidate, holds) {
                    break;
                }
            }
        }
        if best == before {
            break;
        }
    }
    purpose(&mut best, holds);
    best
}

fn take(best: &mut Scene, candidate: &Scene, holds: &dyn Fn(&Scene) -> bool) -> bool {
    let is_taken = candidate != best && holds(candidate);
    if is_taken {
        *best = candidate.clone();
    }
    is_taken
}

/// The scene with names for recipient and source, wherever the source stands.
fn named(scene: &Scene) -> Scene {
    let mut facts = scene.facts.clone();
    let source = facts.pointer("/item/source").cloned();
    set(&mut facts, "/recipient/id", json!("org-a"));
    set(&mut facts, "/item/source", json!("org-b"));
    let disclosers = facts.pointer_mut("/context/directive/disclosers");
    if let Some(Value::Array(list)) = disclosers {
        for one in list
            .iter_mut()
            .filter(|one| Some(&**one) == source.as_ref())
        {
            *one = json!("org-b");
        }
    }
    scene.with(facts)
}

/// The scene at the usual time, with every other moment on its side of it.
fn usual_times(scene: &Scene) -> Scene {
    let at = |pointer: &str| scene.fact(pointer).and_then(Value::as_i64).unwrap_or(0);
    let (now, today) = (at("/context/now"), at("/context/today"));
    let mut facts = scene.facts.clone();
    for pointer in pointers(&scene.facts) {
        let Some(value) = scene.fact(&pointer).and_then(Value::as_i64) else {
            continue;
        };
        let moved = match unit(&pointer) {
            Some(Unit::Instant) => usual(Unit::Instant, value.cmp(&now) as i64),
            Some(Unit::Day) => usual(Unit::Day, value.cmp(&today) as i64),
            None => continue,
        };
        set(&mut facts, &pointer, json!(moved));
    }
    scene.with(facts)
}

const fn usual(unit: Unit, side: i64) -> i64 {
    match unit {
        Unit::Instant => NOW + side * MONTH * DAY_SECONDS,
        Unit::Day => TODAY + side * MONTH,
    }
}

/// A purpose that does not matter is left out; one that must not exist gets a name that says so.
fn purpose(best: &mut Scene, holds: &dyn Fn(&Scene) -> bool) {
    let pointer = "/context/purpose";
    if best.fact(pointer) != Some(&json!("")) {
        return;
    }
    let with = |name: &str| {
        let mut facts = best.facts.clone();
        set(&mut facts, pointer, json!(name));
        best.with(facts)
    };
    let (unknown, known) = (with("NO_SUCH_PURPOSE"), with("TREAT"));
    if !holds(&known) {
        take(best, &unknown, holds);
    }
}

/// Every place in the facts, deepest last.
pub(crate) fn pointers(facts: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(facts, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        let pointer = format!("{at}/{name}");
        // The three parts themselves always stay.
        if !at.is_empty() {
            found.push(pointer.clone());
        }
        collect(field, &pointer, found);
    }
}

/// The facts with one place made plainer, the plainest first.
fn plainer(facts: &Value, pointer: &str) -> Vec<Value> {
    let Some(value) = facts.pointer(pointer) else {
        return Vec::new();
    };
    if ["/recipient/id", "/item/source"].contains(&pointer) {
        return Vec::new();
    }
    let mut values = Vec::new();
    match value {
        Value::Number(_) => match moment(pointer) {
            Some((unit, side)) => values.push(json!(usual(unit, side))),
            None => values.extend([30, 10, 15, 12].map(|age| json!(age))),
        },
        Value::Array(list) => {
            values.push(json!([]));
            let without = |left_out: usize| {
                let kept = list.iter().enumerate().filter(|(at, _)| *at != left_out);
                kept.map(|(_, one)| one.clone()).collect::<Vec<_>>()
            };
            values.extend((0..list.len()).map(|at| json!(without(at))));
        }
        Value::Bool(_) | Value::String(_) => values.extend(plain(value)),
        Value::Null | Value::Object(_) => {}
    }
    let mut all = vec![removed(facts, pointer)];
    all.extend(values.into_iter().map(|value| {
        let mut facts = facts.clone();
        set(&mut facts, pointer, value);
        facts
    }));
    all
}

/// The plainest value of a kind.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(json!(false)),
        Value::String(_) => Some(json!("")),
        Value::Array(_) => Some(json!([])),
        Value::Number(_) => Some(json!(0)),
        Value::Null | Value::Object(_) => None,
    }
}

/// The facts without one of them: left out where the schema allows it, else the plainest there is. For asking whether it
/// matters.
pub(crate) fn forgotten(facts: &Value, pointer: &str) -> [Value; 2] {
    let mut plainest = facts.clone();
    if let Some(value) = facts.pointer(pointer).and_then(plain) {
        set(&mut plainest, pointer, value);
    }
    [removed(facts, pointer), plainest]
}

fn removed(facts: &Value, pointer: &str) -> Value {
    let mut facts = facts.clone();
    if let Some((parent, name)) = pointer.rsplit_once('/') {
        let fields = facts.pointer_mut(parent).and_then(Value::as_object_mut);
        fields.and_then(|fields: &mut Map<_, _>| fields.remove(name));
    }
    facts
}

fn set(facts: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = facts.pointer_mut(pointer) {
        *place = value;
    }
}
