//! Work shared out to all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use cedar_policy::{PolicySet, Schema};

use crate::question::{Asker, Undecided};
use crate::scene::Blank;
use crate::solver::Cvc5;

/// Formulas nest as deep as rules are long, and the compiler recurses into them.
const STACK: usize = 256 << 20;

/// Does every task, each by an asker of its thread, and returns the results in the order of the tasks.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    tasks: &[T],
    solver: &Cvc5,
    schema: &Schema,
    work: impl Fn(&mut Result<Asker<'_>, Undecided>, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads.min(tasks.len()) {
            let worker = || {
                let mut asker = asker(solver.clone(), schema);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    let result = work(&mut asker, task);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, result));
                }
            };
            let started = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, worker);
            // What no thread can be started for is done here: a task that nobody did would look like a proof.
            if started.is_err() {
                worker();
            }
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// An asker that knows what a recipient and an item look like at least.
fn asker(solver: Cvc5, schema: &Schema) -> Result<Asker<'_>, Undecided> {
    let mut asker = Asker::new(solver, schema)?;
    let Some(env) = asker.environments().into_iter().next() else {
        return Err(Undecided::new("the schema knows no request"));
    };
    let probe = "permit (principal, action, resource) when { principal.id == resource.category };";
    let probe: PolicySet = probe
        .parse()
        .map_err(|_| Undecided::new("the probe does not parse"))?;
    let scene = asker.permitted(&probe, &env)?;
    asker.blank = scene.as_ref().map(Blank::of);
    Ok(asker)
}
