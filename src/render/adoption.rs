//! What an adoption marks and what it leaves to change, and what stands in its way.

use std::fmt::Write;

use super::human::{amount, write_field};
use super::style::Style;
use crate::graph::{Address, printable};
use crate::plan::{Adoption, Change, Hindrance};

/// The adoption as text, ending with a newline.
pub fn adoption_text(adoption: &Adoption, style: Style) -> String {
    let changes = &adoption.plan.changes;
    let width = changes.iter().map(|change| change.address.to_string().len()).max().unwrap_or_default();
    let mut out = String::new();
    for change in changes {
        let line = format!("@ {:width$}", change.address.to_string());
        let _ = writeln!(out, "{}  {}", style.action(change.action, &line), style.dim(&origin(change)));
        for field in &change.fields {
            write_field(&mut out, field, style);
        }
    }
    out += if out.is_empty() { "" } else { "\n" };
    if changes.is_empty() {
        let _ = writeln!(out, "nothing to adopt");
        return out;
    }
    let differ = match changes.iter().filter(|change| !change.fields.is_empty()).count() {
        0 => "all of it live as the spec says".to_owned(),
        differ => format!("{differ} of them not as the spec says, which is left for the next apply to change"),
    };
    let _ = writeln!(out, "{} to adopt, {differ}", changes.len());
    out
}

/// What AWS knows it by, and who made it.
fn origin(change: &Change) -> String {
    let id = printable(change.id.as_deref().unwrap_or_default());
    let stack = change.before.as_ref().and_then(|live| live.stack());
    stack.map_or_else(|| id.to_string(), |stack| format!("{id}, made by the stack {}", printable(stack)))
}

/// Why something is not adopted.
pub fn hindrance_text(address: &Address, hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Anothers { system } => format!("{address} belongs to another system ({})", printable(system)),
        Hindrance::Stack { name } => {
            let name = printable(name);
            format!("{address} was made by the CloudFormation stack {name}, which would take it along when it goes")
        }
        Hindrance::Unfit { fields, .. } => {
            format!("{address} cannot become what the spec says without being replaced ({})", fields.join(", "))
        }
        Hindrance::PartOf { whole } => format!("{address} is part of {whole}"),
        Hindrance::Several { ids } => {
            format!("{address} could be any of {} ({})", amount(ids.len(), "live one"), printable(&ids.join(", ")))
        }
    }
}

/// What to do about it.
pub fn hindrance_next(address: &Address, hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Anothers { .. } => "leave it to that system, or choose another `suffix` in `[system]`".into(),
        Hindrance::Stack { name } => format!(
            "give everything in the stack {} `DeletionPolicy: Retain`, update the stack, and add `--stack-retained`",
            printable(name)
        ),
        Hindrance::Unfit { without, .. } if without.is_empty() => {
            format!("change the spec to what `drctl observe {address}` shows, or remove it yourself if nobody needs it")
        }
        Hindrance::Unfit { without, .. } => {
            let without: Vec<_> = without.iter().map(ToString::to_string).collect();
            format!("name {} as well, so that they are adopted together", without.join(" and "))
        }
        Hindrance::PartOf { whole } => format!("run `drctl adopt {whole}`, which takes its parts along"),
        Hindrance::Several { .. } => "remove all but one of them, or leave them: `drctl apply` makes its own".into(),
    }
}
