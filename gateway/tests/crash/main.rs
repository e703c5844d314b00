//! The crash test: gateways are killed at random points under load, with their database and its connections where it is PostgreSQL,
//! while the partner answers slowly, cuts, lies and repeats. After each round every accepted message must have reached its
//! recipient once in effect and in the order of its case, what was revoked must be taken back, and nothing may be stuck.
//!
//! `TANDEM_CRASH_ROUNDS` sets the number of rounds of each engine, `TANDEM_CRASH_MINUTES` lets it go on for so long instead, and
//! `TANDEM_CRASH_SEED` repeats a run's choices (not its timing):
//!
//! `TANDEM_CRASH_ROUNDS=200 cargo test --release -p tandem --test crash -- --nocapture sqlite`
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails where it unwraps, and says how far it has come"
)]

mod checks;
mod county;
mod family;
mod process;
mod round;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use county::{County, Engine};

/// Rounds when nothing else is asked for.
const ROUNDS: u32 = 4;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}

async fn survives(engine: Engine) {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let seed = number("TANDEM_CRASH_SEED").unwrap_or_else(|| rand::rng().random());
    let minutes = number("TANDEM_CRASH_MINUTES");
    let rounds = number("TANDEM_CRASH_ROUNDS").unwrap_or_else(|| ROUNDS.into());
    println!("{engine:?}: TANDEM_CRASH_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut county = County::open(engine, seed).await;
    let (start, mut done) = (Instant::now(), 0_u64);
    loop {
        let goes_on = match minutes {
            Some(minutes) => start.elapsed() < Duration::from_secs(60 * minutes),
            None => done < rounds,
        };
        if !goes_on {
            break;
        }
        done += 1;
        let round = AssertUnwindSafe(round::run(&mut county, &mut chance)).catch_unwind();
        match round.await {
            Ok(counted) => println!("{engine:?} round {done}: {counted}"),
            Err(failed) => {
                println!("{}", county.post_mortem());
                std::panic::resume_unwind(failed);
            }
        }
    }
    println!("{engine:?}: {done} rounds, {}", county.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_killed_at_any_point_loses_nothing_and_does_nothing_twice_on_sqlite() {
    survives(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_killed_at_any_point_loses_nothing_and_does_nothing_twice_on_postgres() {
    survives(Engine::Postgres).await;
}
