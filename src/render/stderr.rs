//! Standard error, whose reader may leave while a run goes on.

use std::io::Write;

/// Writes a line to standard error. If nobody reads it any more, what drctl is doing goes on all the same.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}"); // there is nobody to tell
}
