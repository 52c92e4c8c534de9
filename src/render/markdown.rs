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
use crate::graph::printable;
use crate::plan::guard::Refusal;
use crate::plan::{Action, Change, FieldDiff, Plan};

/// The most characters of a comment. GitHub takes 65,536; the rest is for what a pipeline writes above the plan.
const LIMIT: usize = 65_000;

/// The most characters of each block before the changes with its fence, so that there is room for these.
const BLOCK_LIMIT: usize = 8_000;

/// What the last line may have.
const ROOM_FOR_THE_REST: usize = 300;

/// The plan as Markdown, with what `apply` will refuse of it. The first line does not show, and names the system: a
/// comment that begins with it is the one to update. What deletes comes first. A change whose details have no room is
/// named without them, and room for the names is kept, so that the details of one change hide no other.
pub fn plan_markdown(plan: &Plan, refusals: &[Refusal]) -> String {
    let mut out = head(plan, refusals);
    let mut changes: Vec<_> = shown(plan).collect();
    changes.sort_by_key(|change| match change.action {
        Action::Delete | Action::Replace => 0,
        Action::Update => 1,
        Action::Create | Action::Adopt => 2,
        Action::Forget | Action::NoOp => 3,
    });
    let length = |text: &str| text.chars().count();
    let mut room = LIMIT.saturating_sub(ROOM_FOR_THE_REST + length(&out));
    let mut names: usize = changes.iter().map(|change| length(&named(change))).sum();
    let (mut only_named, mut left_out) = (Count::default(), Count::default());
    for change in changes {
        let (whole, name) = (details(change), named(change));
        names -= length(&name);
        let text = if length(&whole) + names <= room {
            whole
        } else if length(&name) <= room {
            only_named.add(change);
            name
        } else {
            left_out.add(change);
            continue;
        };
        room -= length(&text);
        out += &text;
    }
    let cut = [(only_named, "only named"), (left_out, "left out")];
    let cut: Vec<_> = cut.iter().filter_map(|(count, how)| Some(format!("{} {how}", count.text()?))).collect();
    if !cut.is_empty() {
        let cut = cut.join(", ");
        let _ = writeln!(out, "\n**{cut}, because a comment takes no more: `drctl plan` shows all.**");
    }
    out
}

/// How many changes are not shown as others are; of those that delete or replace, apart.
#[derive(Default)]
struct Count {
    removals: usize,
    others: usize,
}

impl Count {
    fn add(&mut self, change: &Change) {
        if change.action.removes() { self.removals += 1 } else { self.others += 1 }
    }

    fn text(&self) -> Option<String> {
        let removals = amount(self.removals, "removal");
        match (self.removals, self.others) {
            (0, 0) => None,
            (0, others) => Some(amount(others, "change")),
            (_, 0) => Some(removals),
            (_, others) => Some(format!("{removals} and {}", amount(others, "other change"))),
        }
    }
}

fn head(plan: &Plan, refusals: &[Refusal]) -> String {
    let (system, suffix) = (&plan.owner.system, &plan.owner.suffix);
    let account: String = plan.account.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut out = format!("<!-- drctl plan: {account}/{system}/{suffix} -->\n");
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
        let _ = write!(out, "\n{title}:\n\n{}", block(text));
    }
    out
}

/// One change: a line, and what it is about for whoever unfolds it.
fn details(change: &Change) -> String {
    let lines: String = lines(change).into_iter().map(|line| line + "\n").collect();
    format!("\n<details><summary>{}</summary>\n\n{}\n</details>\n", line(change), fenced("diff", &lines))
}

/// The line of a change alone, in an element inside of which nothing is Markdown.
fn named(change: &Change) -> String {
    format!("\n<p>{}</p>\n", line(change))
}

fn line(change: &Change) -> String {
    let what = html(&format!("{} {}", sign(change.action), change.address));
    format!("<code>{what}</code> {}", reason(change.reason))
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
        lines.extend(set.flat_map(|(field, is)| signed(sign, &format!("{}: {}", printable(field), value(is)))));
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
        return [format!("  {}:", printable(&field.path))].into_iter().chain(document_lines(field)).collect();
    }
    let sides = [('-', &field.before), ('+', &field.after)];
    let sides = sides.into_iter().filter_map(|(sign, side)| Some((sign, side.as_ref()?)));
    sides.flat_map(|(sign, side)| signed(sign, &format!("{}: {}", printable(&field.path), value(side)))).collect()
}

/// The lines of a text, each behind the sign.
fn signed(sign: char, text: &str) -> Vec<String> {
    text.lines().map(|line| format!("{sign} {line}")).collect()
}

/// A text before the changes in its fence, or as much of its beginning as has room with the fence.
fn block(text: &str) -> String {
    let mut keep = BLOCK_LIMIT;
    loop {
        let block = fenced("text", &shortened(text, keep));
        match block.chars().count().saturating_sub(BLOCK_LIMIT) {
            over if over > 0 && keep > 0 => keep = keep.saturating_sub(over),
            _ => return block,
        }
    }
}

/// A block of code, in a fence longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let mut longest = 0;
    text.chars().fold(0, |run, c| {
        let run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
        run
    });
    let fence = "`".repeat((longest + 1).max(3));
    let lines: Vec<_> = text.trim_end().split('\n').map(printable).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// The beginning of a text that is too long.
fn shortened(text: &str, keep: usize) -> String {
    match text.char_indices().nth(keep) {
        Some((end, _)) => format!("{}… (`drctl plan` shows all)", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text as it is written inside of an element.
fn html(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
