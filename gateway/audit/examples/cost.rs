//! What a leaf costs, and what building the tree costs at a start, beside the bare hashes that they need, in one run:
//! `cargo run --release -p tandem-audit --example cost -- 1000000` (leaves).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use tandem_audit::{Blind, Code, Columns, Field, Leaf, Tree, Value, leaf_hash};

/// A row of about the size of a recorded decision.
fn columns(number: u64) -> Columns {
    let text = |text: &str| Value::Text(text.to_owned());
    Columns(BTreeMap::from([
        ("action".to_owned(), text("disclose")),
        ("bundle".to_owned(), text("sha256:0123456789abcdef")),
        (
            "decided_at".to_owned(),
            Value::Integer(1_772_443_500_000_000),
        ),
        (
            "id".to_owned(),
            Value::Bytes(number.to_be_bytes().repeat(2)),
        ),
        ("jurisdiction".to_owned(), text("demo-county")),
        ("outcome".to_owned(), text("deny")),
        ("recipient".to_owned(), text("org-calworks")),
        ("sealed".to_owned(), Value::Bytes(vec![7; 2_048])),
    ]))
}

fn line(number: u64, columns: &Columns) -> String {
    let blind = Blind::new([5; 32]);
    Leaf {
        position: number,
        at: 1_772_443_500_000_000,
        kind: Code::new("decision").unwrap(),
        action: Code::new("disclose").unwrap(),
        object: blind.commit(Field::Object, &number.to_be_bytes()),
        subject: Some(blind.commit(Field::Subject, b"person")),
        content: blind.commit(Field::Content, &columns.canonical()),
        record: Some(blind.commit(Field::Record, &[7; 2_048])),
    }
    .to_string()
}

fn measured(what: &str, count: u64, mut run: impl FnMut(u64)) {
    let start = Instant::now();
    for number in 0..count {
        run(number);
    }
    let taken = start.elapsed();
    let each = taken.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{what:<52} {each:>8.3} us each, {:>8.3} s in all",
        taken.as_secs_f64()
    );
}

fn main() {
    let count: u64 = std::env::args()
        .nth(1)
        .map_or(100_000, |text| text.parse().unwrap());
    let row = columns(1);
    let sample = line(1, &row);
    measured("floor: SHA-256 of a leaf's bytes", count, |_| {
        black_box(Sha256::digest(black_box(sample.as_bytes())));
    });
    measured("floor: SHA-256 of two nodes", count, |_| {
        black_box(Sha256::digest(black_box([0_u8; 65])));
    });
    let mut tree = Tree::default();
    measured(
        "append: hash a line and take it into the tree",
        count,
        |_| {
            tree.push(leaf_hash(black_box(&sample)));
        },
    );
    measured(
        "a leaf: commit to a row of 2 kB, write its line",
        count,
        |number| {
            black_box(line(number, black_box(&row)));
        },
    );
    measured("a leaf and its append, together", count, |number| {
        tree.push(leaf_hash(&line(number, black_box(&row))));
    });
    let hashes = vec![leaf_hash(&sample); usize::try_from(count).unwrap()];
    let start = Instant::now();
    let mut again = Tree::default();
    again.extend(hashes);
    println!(
        "rebuild of the tree from {count} stored hashes: {:.3} s",
        start.elapsed().as_secs_f64()
    );
    measured("the root of it", 1_000, |_| {
        black_box(again.root(black_box(count)));
    });
}
