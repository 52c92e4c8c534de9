//! Points in time, as they are stored and shown.

use std::fmt;

use jiff::Timestamp;

/// A time in UTC. Its text always has milliseconds, so all have the same width and sort as they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcTime(Timestamp);

impl UtcTime {
    /// The time now.
    pub fn now() -> Self {
        Self(Timestamp::now())
    }

    /// The time this many milliseconds after 1970; outside the years of the calendar it is the nearest one inside.
    pub fn from_millis(millis: i64) -> Self {
        let bounded = millis.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
        Self(Timestamp::from_millisecond(bounded).unwrap_or_default())
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_the_same_width() {
        let text = |millis| UtcTime::from_millis(millis).to_string();
        assert_eq!(text(1_795_536_000_000), "2026-11-24T16:00:00.000Z");
        assert_eq!(text(1_795_536_000_007), "2026-11-24T16:00:00.007Z");
    }
}
