//! What makes a saved plan stale.

use serde_json::Value;

use super::human::{done, held_text, value};
use crate::graph::printable;
use crate::plan::{Hold, Moved, Stale};

/// What is no longer as it was when the plan was made, on one line: which resource, what of it, was and is.
pub fn stale_text(stale: &Stale) -> String {
    let Stale { address, moved } = stale;
    let change = match moved {
        Moved::Appeared => "was not there, and is now, otherwise than planned".to_owned(),
        Moved::Gone => "was there, and is gone".to_owned(),
        Moved::Taken(conflict) => format!("`{}` exists now and {}", printable(&conflict.id), conflict.whose()),
        Moved::Another { was, is } => {
            format!("was `{}`, and is another one, `{}`", printable(was), printable(is))
        }
        Moved::Property { path, was, is } => {
            format!("{} was {}, and is {}", printable(path), shown(was), shown(is))
        }
        Moved::Wanted { path, was, is } => {
            format!("{} was to be {}, and would now be {}", printable(path), shown(was), shown(is))
        }
        Moved::Held { was, is } => format!("was {}, and is {}", kept(was), kept(is)),
        Moved::Action { was, is } => format!("was to be {}, and would now be {}", done(*was), done(*is)),
    };
    format!("{address}: {change}")
}

fn shown(what: &Option<Value>) -> String {
    what.as_ref().map_or_else(|| "not set".to_owned(), value)
}

fn kept(holds: &[Hold]) -> String {
    match holds {
        [] => "held by no override".to_owned(),
        holds => holds.iter().map(held_text).collect::<Vec<_>>().join(", and "),
    }
}
