//! The nine steps.

pub(super) mod closing;
mod connecting;
pub(super) mod coordination;
mod matching;
mod mutual;
pub(super) mod participation;
pub(super) mod plan;
mod public;
mod reasons;
pub(super) mod referrals;
pub(super) mod revocation;

use std::future::Future;
use std::pin::Pin;

use super::voice;
use super::world::World;

type Played<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;
type Step = (&'static str, for<'a> fn(&'a mut World) -> Played<'a>);

const STEPS: [Step; 9] = [
    (
        "Two systems, one family: a mother and two children are found",
        |world| Box::pin(matching::play(world)),
    ),
    (
        "Without consent nothing is told; with consent both workers get a notice",
        |world| Box::pin(mutual::play(world)),
    ),
    ("Co-management starts with a joint assessment", |world| {
        Box::pin(coordination::play(world))
    }),
    ("Two plans are lined up, and a clash is flagged", |world| {
        Box::pin(plan::play(world))
    }),
    (
        "Three referrals: shelter, counselling, child care",
        |world| Box::pin(referrals::play(world)),
    ),
    (
        "A sanction is told to the social worker, and its cure",
        |world| Box::pin(participation::play(world)),
    ),
    ("The mother takes back one consent", |world| {
        Box::pin(revocation::play(world))
    }),
    ("The loops close, and the family moves on", |world| {
        Box::pin(closing::play(world))
    }),
    ("The public table protects the few", |world| {
        Box::pin(public::play(world))
    }),
];

/// Plays all steps. A step that does not come true ends the story: the next ones stand on it.
pub(in crate::demo) async fn play(world: &mut World) -> bool {
    voice::opening("one family's journey through four systems");
    let mut done = 0;
    for (place, (title, play)) in STEPS.iter().enumerate() {
        voice::step(place + 1, title);
        if let Err(error) = play(world).await {
            voice::failed(place + 1, &error);
            break;
        }
        done += 1;
    }
    voice::closing(done, STEPS.len());
    done == STEPS.len()
}
