//! The conversation: answers on standard output, everything else on standard error.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::render::{Style, say};

/// Speaks to the user.
pub(super) struct Ui {
    verbose: bool,
}

impl Ui {
    pub(super) fn new(verbose: bool) -> Self {
        Self { verbose }
    }

    /// The answer, on standard output.
    pub(super) fn answer(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// A remark, on standard error.
    pub(super) fn remark(&self, text: &str) {
        say(text);
    }

    /// The total of AWS calls, for those who asked.
    pub(super) fn calls(&self, count: usize) {
        if self.verbose {
            say(&Style::for_stderr().dim(&format!("{count} AWS calls")));
        }
    }

    /// A spinner for work that takes a while; it is gone when the value is dropped.
    pub(super) fn working(&self, text: &str) -> Working {
        if !console::user_attended_stderr() {
            return Working(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is a constant"));
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Working(Some(bar))
    }

    /// Asks, and gives the answer; `None` if there is no terminal to ask on.
    pub(super) fn ask(&self, question: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        let mut stderr = io::stderr();
        write!(stderr, "{question} ")?;
        stderr.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok(Some(line.trim().to_owned()))
    }
}

/// Something that takes a while.
pub(super) struct Working(Option<ProgressBar>);

impl Working {
    /// Says what it is about now.
    pub(super) fn now(&self, text: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(text.to_owned());
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
