//! The values that `[alarm.NAME]` takes.

use std::fmt;

use super::catalog::KINDS;
use crate::spec::{FromNode, Mismatch, Node, Seconds, Value, nearest};

/// What a period without data means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// All is well.
    Ok,
    /// As bad as a value beyond the limit.
    Breaching,
    /// Nothing: the state stays.
    Ignore,
    /// That nobody knows.
    Unknown,
}

impl Missing {
    pub(super) const WORDS: [(&'static str, Self); 4] =
        [("ok", Self::Ok), ("breaching", Self::Breaching), ("ignore", Self::Ignore), ("missing", Self::Unknown)];

    /// The word for it in AWS.
    pub(super) fn in_aws(self) -> &'static str {
        match self {
            Self::Ok => "notBreaching",
            Self::Breaching => "breaching",
            Self::Ignore => "ignore",
            Self::Unknown => "missing",
        }
    }

    /// Whether the state of an alarm changes when data is missing.
    pub(super) fn changes_the_state(self) -> bool {
        matches!(self, Self::Breaching | Self::Unknown)
    }
}

/// What makes an alarm fire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    Above(f64),
    Below(f64),
}

impl Limit {
    /// The word for the comparison in AWS.
    pub(super) fn comparison(self) -> &'static str {
        match self {
            Self::Above(_) => "GreaterThanThreshold",
            Self::Below(_) => "LessThanThreshold",
        }
    }

    /// What values are compared with.
    pub(super) fn threshold(self) -> f64 {
        match self {
            Self::Above(limit) | Self::Below(limit) => limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(limit) => write!(f, "above {limit}"),
            Self::Below(limit) => write!(f, "below {limit}"),
        }
    }
}

/// What is watched: `function.payment-processor`.
#[derive(Debug)]
pub(super) struct On {
    pub(super) kind: &'static str,
    pub(super) name: String,
}

impl FromNode for On {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let text = String::from_node(node)?;
        let example = || format!("write KIND.NAME, where KIND is one of: {}", KINDS.join(", "));
        let Some((kind, name)) = text.split_once('.') else {
            return Err(Mismatch::new(format!("`{text}` does not say what is watched"), example()));
        };
        match KINDS.iter().find(|known| **known == kind) {
            Some(kind) => Ok(Self { kind, name: name.to_owned() }),
            None => {
                let help = nearest(kind, &KINDS).map_or_else(example, |near| format!("did you mean `{near}.{name}`?"));
                Err(Mismatch::new(format!("drctl has no alarms on a `{kind}`"), help))
            }
        }
    }
}

/// A number with or without a fraction.
pub(super) struct Number(pub(super) f64);

impl FromNode for Number {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        match &node.value {
            // CloudWatch computes with such numbers itself.
            Value::Integer(number) => Ok(Self(*number as f64)),
            Value::Float(number) if number.is_finite() => Ok(Self(*number)),
            other => Err(Mismatch::expected("a number", other, "one without quotes, such as 10")),
        }
    }
}

/// The length of one period, in seconds.
pub(super) struct Period(pub(super) i32);

impl FromNode for Period {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let seconds = Seconds::from_node(node)?.0;
        let exists =
            [10, 20, 30].contains(&seconds) || (seconds.is_multiple_of(60) && (60..=86_400).contains(&seconds));
        match i32::try_from(seconds) {
            Ok(period) if exists => Ok(Self(period)),
            _ => Err(Mismatch::new(
                format!("CloudWatch has no periods of {seconds} s"),
                "write whole minutes up to a day, such as \"5m\"; or \"10s\", \"20s\", \"30s\"",
            )),
        }
    }
}

/// A duration as the spec writes it.
pub(super) fn duration(seconds: i32) -> String {
    match seconds {
        _ if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        _ if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// `Sum`, `p99`, …
pub(super) struct Statistic(pub(super) String);

impl FromNode for Statistic {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        const WORDS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
        let text = String::from_node(node)?;
        let percentile = text.strip_prefix('p').and_then(|number| number.parse::<f64>().ok());
        if WORDS.contains(&text.as_str()) || percentile.is_some_and(|number| (0.0..=100.0).contains(&number)) {
            return Ok(Self(text));
        }
        let help = nearest(&text, &WORDS).map_or_else(
            || format!("write one of: {}; or a percentile such as \"p99\"", WORDS.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        Err(Mismatch::new(format!("`{text}` is no statistic"), help))
    }
}
