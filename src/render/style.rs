//! Colour, where there is a terminal to show it.

use console::Style as Paint;

use crate::plan::Action;

/// How text is marked. Colour is never the only carrier of meaning.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// No colour: for files, pipes and tests.
    pub const PLAIN: Self = Self { colour: false };

    /// Colour if standard output is a terminal and `NO_COLOR` is not set.
    pub fn for_stdout() -> Self {
        Self { colour: console::colors_enabled() }
    }

    /// Colour if standard error is a terminal and `NO_COLOR` is not set.
    pub fn for_stderr() -> Self {
        Self { colour: console::colors_enabled_stderr() }
    }

    fn paint(self, paint: Paint, text: &str) -> String {
        if self.colour { paint.force_styling(true).apply_to(text).to_string() } else { text.to_owned() }
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.paint(Paint::new().dim(), text)
    }

    /// What matters most.
    pub fn strong(self, text: &str) -> String {
        self.paint(Paint::new().bold(), text)
    }

    /// Text about something added or done.
    pub fn good(self, text: &str) -> String {
        self.paint(Paint::new().green(), text)
    }

    /// Text about something removed or failed.
    pub fn bad(self, text: &str) -> String {
        self.paint(Paint::new().red(), text)
    }

    /// Text in the colour of an action.
    pub fn action(self, action: Action, text: &str) -> String {
        let paint = match action {
            Action::Create => Paint::new().green(),
            Action::Update => Paint::new().yellow(),
            Action::Adopt => Paint::new().cyan(),
            Action::Replace => Paint::new().magenta(),
            Action::Delete => Paint::new().red(),
            Action::Forget | Action::NoOp => Paint::new().dim(),
        };
        self.paint(paint, text)
    }
}
