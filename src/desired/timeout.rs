//! `[timeout]`: how long drctl waits.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::kinds;
use crate::spec::{Problem, Seconds, TableReader};

/// `[timeout]`
#[derive(Debug)]
pub struct TimeoutSection {
    /// A place that answers nothing for this long is dark.
    pub observe: Duration,
    /// How long making, changing or deleting one resource may take, by its kind. Kinds that are not named
    /// have bounds of their own, of minutes, for each of the states that they wait for.
    pub kinds: BTreeMap<&'static str, Duration>,
}

/// Long enough for a slow network and the SDK's first retries, and short enough to wait for.
const OBSERVE: Duration = Duration::from_secs(20);

/// In seconds. More than that is no answer any more.
const OBSERVE_RANGE: RangeInclusive<u64> = 1..=600;

/// In seconds: up to a day.
const STEP_RANGE: RangeInclusive<u64> = 1..=86_400;

impl Default for TimeoutSection {
    fn default() -> Self {
        Self { observe: OBSERVE, kinds: BTreeMap::new() }
    }
}

impl TimeoutSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let observe = duration(&mut reader, "observe", OBSERVE_RANGE, "\"1s\" to \"10m\"");
        let mut steps = BTreeMap::new();
        for kind in kinds::REGISTRY.iter().map(|kind| kind.meta.kind) {
            if let Some(limit) = duration(&mut reader, kind, STEP_RANGE, "\"1s\" to \"1d\"") {
                steps.insert(kind, limit);
            }
        }
        reader.finish();
        Self { observe: observe.unwrap_or(OBSERVE), kinds: steps }
    }
}

fn duration(
    reader: &mut TableReader<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
    allowed: &str,
) -> Option<Duration> {
    let seconds = reader.optional::<Seconds>(key)?;
    if !range.contains(&seconds.0) {
        let problem =
            Problem::new("range", seconds.at, format!("`{key}` is {} s, outside of what makes sense", seconds.0));
        reader.problems().push(problem.help(format!("write {allowed}")));
        return None;
    }
    Some(Duration::from_secs(seconds.0))
}
