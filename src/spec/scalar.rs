//! The scalar types of the spec: names, durations and sizes.

use std::fmt;

use super::node::{Node, Value};
use super::reader::{FromNode, Mismatch};

/// A name the user chose, fit to become part of an AWS name: lower-case letters, digits and single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Checks a name.
    pub fn new(text: &str) -> Result<Self, Mismatch> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let framed = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        if !text.is_empty() && text.bytes().all(legal) && !framed {
            return Ok(Self(text.to_owned()));
        }
        let better: String = text
            .to_ascii_lowercase()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        let help = if better.is_empty() { "such as `payments`".to_owned() } else { format!("write `{better}`") };
        Err(Mismatch::new(
            format!("`{text}` is no name: names have lower-case letters, digits and single hyphens"),
            help,
        ))
    }

    /// The shortest name that there is: in place of one that is missing or wrong, so that the rest can be checked.
    pub fn stand_in() -> Self {
        Self("x".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromNode for Name {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        Self::new(&String::from_node(node)?)
    }
}

/// A duration in whole seconds: `"10s"`, `"5m"`, `"2h"`, `"30d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl FromNode for Seconds {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let Value::Text(text) = &node.value else {
            return Err(Mismatch::expected_text(
                "a duration",
                &node.value,
                "it with its unit, in quotes: \"10s\", \"5m\", \"2h\" or \"30d\"",
            ));
        };
        parse_seconds(text).map(Self).ok_or_else(|| {
            Mismatch::new(
                format!("`{text}` is no duration"),
                "write a whole number and s, m, h or d: \"10s\", \"5m\", \"2h\", \"30d\"",
            )
        })
    }
}

/// A duration in whole days: `"30d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

impl FromNode for Days {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let seconds = Seconds::from_node(node)?.0;
        match u32::try_from(seconds / DAY) {
            Ok(days) if seconds.is_multiple_of(DAY) => Ok(Self(days)),
            _ => Err(Mismatch::new("this is not a whole number of days", "write whole days, such as \"30d\"")),
        }
    }
}

const DAY: u64 = 86_400;

fn parse_seconds(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let number = &text[..text.len() - unit.len_utf8()];
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => DAY,
        _ => return None,
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size in bytes: `"128KB"`, `"1MB"`, `"0B"`. A kilobyte has 1,024 bytes, as S3 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromNode for Size {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        const EXAMPLES: &str = "\"128KB\", \"1MB\" or \"0B\"";
        let Value::Text(text) = &node.value else {
            let example = format!("it with its unit, in quotes: {EXAMPLES}");
            return Err(Mismatch::expected_text("a size", &node.value, &example));
        };
        let help = format!("write a whole number and B, KB, MB or GB: {EXAMPLES}");
        parse_size(text).map(Self).ok_or_else(|| Mismatch::new(format!("`{text}` is no size"), help))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GB"), (20, "MB"), (10, "KB")];
        match units.into_iter().find(|(bits, _)| self.0 > 0 && self.0.is_multiple_of(1 << bits)) {
            Some((bits, unit)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}B", self.0),
        }
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor: u64 = match unit {
        "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The candidate that was most likely meant, if one is close enough to be worth naming.
pub fn nearest<'a>(text: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let scored = candidates.iter().map(|candidate| (strsim::jaro_winkler(text, candidate), *candidate));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

/// The question whether the likeliest candidate was meant, if there is one.
pub fn did_you_mean(text: &str, candidates: &[&str]) -> Option<String> {
    nearest(text, candidates).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(parse_seconds("10s"), Some(10));
        assert_eq!(parse_seconds("5m"), Some(300));
        assert_eq!(parse_seconds("2h"), Some(7_200));
        assert_eq!(parse_seconds("30d"), Some(2_592_000));
        for text in ["", "s", "10", "1.5s", "-1s", "10 s", "10w", "99999999999999999999s", "9999999999999999d", "10é"]
        {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        assert_eq!(parse_size("0B"), Some(0));
        assert_eq!(parse_size("128KB"), Some(131_072));
        assert_eq!(parse_size("1MB"), Some(1_048_576));
        assert_eq!(parse_size("5GB"), Some(5_368_709_120));
        for text in ["", "B", "128", "128kb", "1.5MB", "-1B", "1 MB", "1TB", "99999999999999999999B", "99999999999GB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_as_it_is_written() {
        for text in ["0B", "100B", "1025B", "128KB", "1MB", "5120GB"] {
            assert_eq!(parse_size(text).map(|bytes| Size(bytes).to_string()).as_deref(), Some(text));
        }
        assert_eq!(Size(1 << 20).to_string(), "1MB");
    }

    #[test]
    fn a_wrong_name_comes_with_a_right_one() {
        assert!(Name::new("payment-processor").is_ok());
        for (wrong, right) in
            [("Payment_Processor", "`payment-processor`"), ("-a", "`a`"), ("a--b", "`a-b`"), ("", "`payments`")]
        {
            assert!(Name::new(wrong).unwrap_err().help.contains(right), "{wrong}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::fuzz::cases(256))]

        #[test]
        fn numbers_with_units_are_read_whole_or_not_at_all(text in "\\PC{0,12}|[0-9]{0,22}[smhdBKMG]{0,3}", number: u64) {
            let (_, _) = (parse_seconds(&text), parse_size(&text));
            for (unit, factor) in [("s", 1), ("m", 60), ("h", 3_600), ("d", DAY)] {
                proptest::prop_assert_eq!(parse_seconds(&format!("{number}{unit}")), number.checked_mul(factor));
            }
            for (unit, factor) in [("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)] {
                proptest::prop_assert_eq!(parse_size(&format!("{number}{unit}")), number.checked_mul(factor));
            }
            proptest::prop_assert_eq!(parse_size(&Size(number).to_string()), Some(number));
        }

        #[test]
        fn what_is_offered_for_a_wrong_name_is_a_name(text in "\\PC{0,12}|[a-zA-Z_ -]{0,12}") {
            if let Err(mismatch) = Name::new(&text) {
                let better = mismatch.help.split('`').nth(1).unwrap();
                proptest::prop_assert!(Name::new(better).is_ok(), "{}", mismatch.help);
            }
        }
    }
}
