//! What a guard stopped, why, and what lets it through.

use super::amount;
use crate::graph::{Address, printable};
use crate::plan::Action;
use crate::plan::guard::{Quiet, Refusal};

/// What the plan would do.
pub fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Loss { address, action, because, protected } => {
            let (doing, because) = match action {
                Action::Replace => ("replacing", format!(" ({} cannot be changed in place)", because.join(", "))),
                _ => ("deleting", String::new()),
            };
            let protection = match protected.as_slice() {
                [] => String::new(),
                parts => {
                    let parts: Vec<_> = parts.iter().map(ToString::to_string).collect();
                    format!(", and lifts the deletion protection of {}", parts.join(", "))
                }
            };
            format!("{doing} {address} loses its data{because}{protection}")
        }
        Refusal::InUse { address, users, .. } => {
            let users: Vec<_> = users.iter().map(ToString::to_string).collect();
            format!("this takes {address} from what still uses it: {}", users.join(", "))
        }
        Refusal::ManyDeletes { deleted, kept } => {
            format!("this deletes {} and keeps {kept}: it may not be the right spec", amount(*deleted, "resource"))
        }
        Refusal::Silence { sites, .. } => {
            let sites: Vec<_> = sites.iter().map(|(site, why)| quiet(site, why)).collect();
            format!("no region would take payments: {}", sites.join(", "))
        }
    }
}

/// What lets it through.
pub fn refusal_next(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Loss { address, .. } => {
            format!("change the spec back, or add `--allow {}` if its data may be lost", address.current())
        }
        Refusal::InUse { first, .. } => (*first).to_owned(),
        Refusal::ManyDeletes { .. } => "name the right spec with `-f`, or add `--allow-many-deletes`".into(),
        Refusal::Silence { last, .. } => format!(
            "see that another region is well and apply one region at a time with `--target REGION`, \
             or add `--allow {last}` if payments may stop"
        ),
    }
}

fn quiet(site: &Address, why: &Quiet) -> String {
    match why {
        Quiet::Absent(missing) => format!("{missing} is not there"),
        Quiet::Unknown(part) => format!("{part} cannot be read"),
        Quiet::Stopped => format!("{site} is stopped"),
        Quiet::Red(why) => format!("{site} has a red health check ({})", printable(why)),
        Quiet::Goes(part, Action::Replace) => format!("{part} is replaced"),
        Quiet::Goes(part, _) => format!("{part} is deleted"),
        Quiet::Stops => format!("{site} is stopped by this"),
    }
}
