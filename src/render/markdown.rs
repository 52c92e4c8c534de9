//! A plan for a comment on a pull request.
//!
//! What comes from AWS or from a spec stands in fences that nothing in it can close, or in an element with its
//! signs spelled out, so that it is text and nothing else, whoever wrote it.

use std::fmt::Write;

use super::human::{
    amount, conflict_text, dark_text, document_lines, held_text, kept_text, reason, shown, sign, summary, value,
    waiting_text,
};
use super::refusal::{refusal_next, refusal_text};
use super::style::Style;
use crate::plan::guard::Refusal;
use crate::plan::{Action, Change, FieldDiff, Plan};

/// The most characters that GitHub takes for a comment.
const LIMIT: usize = 65_536;

/// The most characters of each block before the changes, so that there is room for these.
const BLOCK_LIMIT: usize = 8_000;

/// What the last line may have.
const ROOM_FOR_THE_REST: usize = 200;

/// The plan as Markdown, with what `apply` will refuse of it. The first line does not show, and names the system: a
/// comment that begins with it is the one to update. What deletes comes first, so that no cut can hide it.
pub fn plan_markdown(plan: &Plan, refusals: &[Refusal]) -> String {
    let mut out = head(plan, refusals);
    let mut changes: Vec<_> = shown(plan).collect();
    changes.sort_by_key(|change| match change.action {
        Action::Delete | Action::Replace => 0,
        Action::Update => 1,
        Action::Create | Action::Adopt => 2,
        Action::Forget | Action::NoOp => 3,
    });
    let (mut length, mut left_out) = (out.chars().count(), 0);
    for change in changes {
        let text = details(change);
        let more = text.chars().count();
        if length + more + ROOM_FOR_THE_REST > LIMIT {
            left_out += 1;
            continue;
        }
        length += more;
        out += &text;
    }
    if left_out > 0 {
        let changes = amount(left_out, "change");
        let _ = writeln!(out, "\n**{changes} left out, because a comment takes no more: `drctl plan` shows all.**");
    }
    out
}

fn head(plan: &Plan, refusals: &[Refusal]) -> String {
    let (system, suffix) = (&plan.owner.system, &plan.owner.suffix);
    let mut out = format!("<!-- drctl plan: {system}-{suffix} -->\n");
    let account: String = plan.account.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let _ = writeln!(out, "### drctl plan: {system}, suffix {suffix}, account {account}\n");
    if let Some(summary) = summary(plan) {
        let _ = writeln!(out, "**{summary}**");
    }
    let lines = |texts: Vec<String>| texts.into_iter().map(|text| text + "\n").collect();
    let refusal = |refusal| format!("{}; {}", refusal_text(refusal), refusal_next(refusal));
    let waiting = plan.outstanding.iter().map(|(address, what)| waiting_text(address, what));
    let blocks: [(&str, String); 5] = [
        ("`apply` will refuse", lines(refusals.iter().map(refusal).collect())),
        ("In the way", plan.conflicts.iter().map(|conflict| conflict_text(conflict, Style::PLAIN)).collect()),
        (
            "Not to be seen",
            plan.dark.iter().map(|(site, failure)| dark_text(plan, site, failure, Style::PLAIN)).collect(),
        ),
        ("Warnings", lines(plan.notices())),
        ("Waiting", lines(waiting.collect())),
    ];
    for (title, text) in blocks.iter().filter(|(_, text)| !text.is_empty()) {
        let _ = write!(out, "\n{title}:\n\n{}", fenced("text", &shortened(text)));
    }
    out
}

/// One change: a line, and what it is about for whoever unfolds it.
fn details(change: &Change) -> String {
    let line = html(&format!("{} {}", sign(change.action), change.address));
    let lines = lines(change);
    format!(
        "\n<details><summary><code>{line}</code> {}</summary>\n\n{}\n</details>\n",
        reason(change.reason),
        fenced("diff", &lines.into_iter().map(|line| line + "\n").collect::<String>())
    )
}

fn lines(change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    if change.action == Action::Replace {
        lines.extend(signed(' ', &format!("cannot be changed in place: {}", change.forces_replacement.join(", "))));
    }
    let whole = match (change.action, &change.before, &change.after) {
        (Action::Create, _, Some(after)) => Some(('+', after)),
        (Action::Delete, Some(before), _) => Some(('-', &before.properties)),
        _ => None,
    };
    if let Some((sign, properties)) = whole {
        let set = properties.fields().filter(|(_, is)| !is.is_null());
        lines.extend(set.flat_map(|(field, is)| signed(sign, &format!("{field}: {}", value(is)))));
    }
    lines.extend(change.fields.iter().flat_map(field_lines));
    for hold in &change.held {
        lines.extend(signed(' ', &held_text(hold)));
        lines.extend(hold.properties.iter().flat_map(|property| signed(' ', &format!("  {}", kept_text(property)))));
    }
    lines
}

fn field_lines(field: &FieldDiff) -> Vec<String> {
    if field.document {
        return [format!("  {}:", field.path)].into_iter().chain(document_lines(field)).collect();
    }
    let sides = [('-', &field.before), ('+', &field.after)];
    let sides = sides.into_iter().filter_map(|(sign, side)| Some((sign, side.as_ref()?)));
    sides.flat_map(|(sign, side)| signed(sign, &format!("{}: {}", field.path, value(side)))).collect()
}

/// The lines of a text, each behind the sign.
fn signed(sign: char, text: &str) -> Vec<String> {
    text.lines().map(|line| format!("{sign} {line}")).collect()
}

/// A block of code, in a fence longer than any in the text. No control character gets through.
fn fenced(language: &str, text: &str) -> String {
    let mut longest = 0;
    text.chars().fold(0, |run, c| {
        let run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
        run
    });
    let fence = "`".repeat((longest + 1).max(3));
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// The beginning of a text that is too long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(BLOCK_LIMIT) {
        Some((end, _)) => format!("{}… (`drctl plan` shows all)", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text as it is written inside of an element.
fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
