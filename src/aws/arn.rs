//! Amazon Resource Names, taken apart and put together.

/// The parts of `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `lambda`
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// Twelve digits, empty for some services.
    pub account: &'a str,
    /// The rest; its form is the service's own.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` if it is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let _partition = parts.next()?;
        Some(Self { service: parts.next()?, region: parts.next()?, account: parts.next()?, resource: parts.next()? })
    }
}
