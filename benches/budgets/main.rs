//! What drctl costs: AWS calls, time and memory, beside the budgets that it has to keep.
//!
//! ```sh
//! cargo bench             # all of it
//! cargo bench -- growth   # a part: start, production, far, growth, bucket
//! ```
//!
//! Everything runs on a sandbox of its own, which is Python: wall times are mostly the sandbox's. Calls are AWS's.

mod bucket;
mod life;
mod row;
mod start;
mod system;
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
#[path = "../../tests/it/e2e/world.rs"]
mod world;

use row::Table;

type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 5] = [
    ("start", start::measure),
    ("production", life::production),
    ("far", life::far_away),
    ("growth", life::growth),
    ("bucket", bucket::measure),
];

fn main() {
    // Cargo itself adds `--bench`.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut table = Table::new();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            measure(&mut table);
        }
    }
    table.end();
}
