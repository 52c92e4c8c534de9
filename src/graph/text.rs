//! Texts of others, as they can be shown.

use std::borrow::Cow;

/// The text on one line. What would act on a terminal or a log instead of being shown is spelled out: control
/// characters, and those that break a line or turn its direction. Whoever may write a description in AWS could
/// otherwise hide or forge a line of a plan.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a character does something instead of being seen.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_spelled_out_and_all_else_stays() {
        for (text, shown) in [
            ("", ""),
            ("Zahlungen für 🏦, „ok“ \\n", "Zahlungen für 🏦, „ok“ \\n"),
            ("a\u{1b}[1A\u{1b}[2K- gone", r"a\u{1b}[1A\u{1b}[2K- gone"),
            ("one\n::add-mask::x\r\ttwo", r"one\n::add-mask::x\r\ttwo"),
            ("\u{9b}2J\u{7f}\0", r"\u{9b}2J\u{7f}\u{0}"),
            ("\u{202e}eteled\u{2069}\u{2028}", r"\u{202e}eteled\u{2069}\u{2028}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
