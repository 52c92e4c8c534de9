//! The one table that comes out.

use std::time::Duration;

/// Prints each row as soon as it is measured, and keeps in mind which budgets were missed.
pub(crate) struct Table {
    missed: Vec<String>,
}

/// What was measured, in the order of the columns.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) calls: Option<u64>,
    pub(crate) time: Option<Duration>,
    /// What else is worth knowing.
    pub(crate) note: String,
    /// The budget in words, and whether it was kept.
    pub(crate) budget: Option<(String, bool)>,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!("{:44} {:>6} {:>9}  {:28} note", "what", "calls", "time", "budget");
        Self { missed: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Row) {
        let calls = row.calls.map_or_else(String::new, |calls| calls.to_string());
        let time = row.time.map_or_else(String::new, time);
        let budget = match &row.budget {
            Some((budget, true)) => format!("{budget}: kept"),
            Some((budget, false)) => format!("{budget}: MISSED"),
            None => String::new(),
        };
        println!("{}", format!("{:44} {calls:>6} {time:>9}  {budget:28} {}", row.what, row.note).trim_end());
        if row.budget.is_some_and(|(_, kept)| !kept) {
            self.missed.push(row.what);
        }
    }

    /// Ends the table, and the process with 1 if a budget was missed.
    pub(crate) fn end(self) {
        if !self.missed.is_empty() {
            eprintln!("missed: {}", self.missed.join(", "));
            std::process::exit(1);
        }
    }
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}
