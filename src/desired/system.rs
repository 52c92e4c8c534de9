//! `[system]`: what the system is called.

use crate::graph::{Owner, Tags};
use crate::spec::{FromNode, Name, Problem, Spanned, TableReader};

/// `[system]`
#[derive(Debug)]
pub struct SystemSection {
    /// The system's name.
    pub name: Name,
    /// `production`, `staging`, …; becomes a tag.
    pub environment: Name,
    /// The end of every name in AWS.
    pub suffix: Name,
    /// The only account the spec may be applied to.
    pub account: Option<String>,
    /// Tags for everything that takes tags.
    pub tags: Tags,
}

impl SystemSection {
    /// What cannot be read is a problem and has a stand-in, with which no other table has one.
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let name = reader.required::<Name>("name", "\"payment-dr\"");
        let environment = reader.required::<Name>("environment", "\"production\"");
        let suffix = reader.required::<Name>("suffix", "\"prod-001\"");
        let account = reader.optional::<String>("account");
        if let Some(account) =
            account.as_ref().filter(|account| account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let problem = Problem::new("account", account.at, format!("`{}` is no AWS account", **account));
            reader.problems().push(problem.help("write the twelve digits in quotes, such as \"123456789012\""));
        }
        let tags = tags(&mut reader);
        reader.finish();
        let or_stand_in = |name: Option<Spanned<Name>>| name.map_or_else(Name::stand_in, |name| name.value);
        Self {
            name: or_stand_in(name),
            environment: or_stand_in(environment),
            suffix: or_stand_in(suffix),
            account: account.map(|account| account.value),
            tags,
        }
    }

    /// In place of a table that is not there.
    pub(super) fn stand_in() -> Self {
        let name = Name::stand_in;
        Self { name: name(), environment: name(), suffix: name(), account: None, tags: Tags::new() }
    }
}

/// Limits of AWS's tags: 50 a resource, of which drctl's marks need four.
fn tags(reader: &mut TableReader<'_>) -> Tags {
    let mut tags = Tags::new();
    reader.each("tags", |key, node, problems, _| {
        let reserved = key.starts_with("aws:") || key.starts_with("drctl:");
        match String::from_node(node) {
            _ if reserved => problems.push(
                Problem::new("tag", key.at, format!("the tag key `{}` is reserved", **key))
                    .help("use a key that begins with neither `aws:` nor `drctl:`"),
            ),
            _ if key.is_empty() || key.len() > 128 => problems
                .push(Problem::new("tag", key.at, "a tag key has 1 to 128 characters").help("write a shorter key")),
            Ok(value) if value.len() > 256 => problems.push(
                Problem::new("tag", node.at, "a tag value has at most 256 characters").help("write a shorter value"),
            ),
            Ok(value) => {
                tags.insert(key.value.clone(), value);
            }
            Err(mismatch) => problems.push(Problem::new("tag", node.at, mismatch.message).help(mismatch.help)),
        }
    });
    let most = 50
        - Owner { system: String::new(), environment: String::new(), suffix: String::new() }
            .marks(&crate::graph::Address::global("", ""))
            .len();
    if tags.len() > most {
        let at = reader.at();
        reader.problems().push(
            Problem::new("tag", at, format!("{} tags are more than AWS takes beside drctl's own", tags.len()))
                .help(format!("keep at most {most}")),
        );
    }
    tags
}
