//! Writes a synthetic population as tables for `tandem link`, with the truth beside them.

use std::path::PathBuf;

use clap::Parser;
use tandem_population::{Parameters, Shape, write_linkages, write_with_lookalikes};

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
    /// Instead of four systems the children of cash aid and child welfare, in these numbers: california-hundredth,
    /// california, or A,B,BOTH,OPEN,OPEN_BOTH (known to A, to B, to both; with an open case in B, of them known to A).
    #[arg(long, value_name = "SHAPE", conflicts_with = "people")]
    linkages: Option<Shape>,
    /// So many families of two on top: twins, father and son of one name, sisters, mother and daughter of one name, in
    /// turn. Their households have numbers from 2000000000 on.
    #[arg(long, default_value_t = 0, conflicts_with = "linkages")]
    lookalikes: u64,
    /// Folder for the tables.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (seed, difficulty) = (arguments.seed, arguments.difficulty);
    let written = match arguments.linkages {
        Some(shape) => write_linkages(shape, seed, difficulty, &arguments.out)?,
        None => {
            let people = arguments.people;
            let parameters = Parameters {
                people,
                seed,
                difficulty,
            };
            write_with_lookalikes(parameters, arguments.lookalikes, &arguments.out)?
        }
    };
    println!("records     {}", written.records);
    println!("people      {}", written.people);
    println!("true pairs  {}", written.true_pairs);
    Ok(())
}
