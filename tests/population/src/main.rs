//! Writes a synthetic population as tables for `tandem link`, with the truth beside them.

use std::path::PathBuf;

use clap::Parser;
use tandem_population::{Parameters, write_tables};

/// Writes synthetic people in four systems, with the truth about who is who.
#[derive(Debug, Parser)]
struct Arguments {
    /// At least so many people.
    #[arg(long, default_value_t = 10_000)]
    people: u64,
    /// Another seed, other people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 1 is the ordinary difficulty, 0 a world without errors.
    #[arg(long, default_value_t = 1.0)]
    difficulty: f64,
    /// Folder for the tables.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let parameters = Parameters {
        people: arguments.people,
        seed: arguments.seed,
        difficulty: arguments.difficulty,
    };
    let written = write_tables(parameters, &arguments.out)?;
    println!("records     {}", written.records);
    println!("people      {}", written.people);
    println!("true pairs  {}", written.true_pairs);
    Ok(())
}
