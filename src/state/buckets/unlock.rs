//! Removing the lock of a drctl that has died.
//!
//! Nobody can tell one that has died from one that is only slow. So while a lease is not over, a lock of our own takes
//! the place of the one that is to go, until a holder that is still at work has found it there.

use std::time::Duration;

use super::lease::{Holder, NOTICED_WITHIN, left};
use super::objects::{Only, Trouble};
use super::{Bucket, Remarks};
use crate::state::StateError;

/// The command that stands in a lock which takes the place of an unlocked one.
pub(super) const UNLOCK: &str = "state unlock";

/// Removes the lock of this id from every bucket where it is; where nothing answers it stays until its lease is over.
/// While it is not over, `pause` has to wait that long.
pub(super) async fn unlock(
    buckets: &[Bucket],
    key: &str,
    id: &str,
    remarks: &Remarks,
    pause: impl AsyncFnOnce(Duration),
) -> Result<(), StateError> {
    let (mut locked, mut others, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for bucket in buckets {
        let look = match bucket.objects.read(key).await {
            Ok(look) => look,
            Err(Trouble::NoBucket) => continue,
            Err(Trouble::Failed(failure)) if failure.class.is_outage() => {
                silent.push((bucket, failure));
                continue;
            }
            Err(trouble) => return Err(bucket.error(trouble)),
        };
        let Some(object) = look.object else { continue };
        match Holder::from_text(&object.text) {
            Some(holder) if holder.id == id => locked.push(bucket),
            Some(holder) => others.push(holder.to_string()),
            None => others.push(format!("{}, which nobody can read", bucket.object(key))),
        }
    }
    if locked.is_empty() {
        return Err(match silent.first() {
            // It may be there.
            Some((bucket, failure)) => StateError::aws(&bucket.name, failure),
            None => StateError::NotLocked { id: id.to_owned(), others },
        });
    }
    for (bucket, failure) in silent {
        remarks.tell(&format!("a lock in {} stays until its lease is over: {failure}", bucket.name));
    }
    // Also of a lease that is over: its holder may have slept, and renew it now.
    let mut lasts = Duration::ZERO;
    for bucket in &locked {
        lasts = lasts.max(replace(bucket, key, id).await.map_err(|trouble| bucket.error(trouble))?);
    }
    if !lasts.is_zero() {
        // Times in a bucket are whole seconds.
        pause(NOTICED_WITHIN.min(lasts + Duration::from_secs(1))).await;
    }
    for bucket in locked {
        remove(bucket, key, id).await.map_err(|trouble| bucket.error(trouble))?;
    }
    Ok(())
}

/// Puts a lock of our own in the place of this one, with its id: so an unlocking that is cut short can be repeated.
/// Says how long that one would have lasted.
async fn replace(bucket: &Bucket, key: &str, id: &str) -> Result<Duration, Trouble> {
    let ours = Holder::now(UNLOCK).in_place_of(id);
    let mut lasts = Duration::ZERO;
    loop {
        let Some(found) = find(bucket, key, id).await? else { return Ok(lasts) };
        // Written, and the answer lost.
        if found.holder == ours {
            return Ok(lasts);
        }
        lasts = found.lasts;
        match bucket.objects.write(key, &ours.to_text(), &Only::IfStill(found.tag)).await {
            // Renewed between the two calls.
            Err(Trouble::Changed) => {}
            done => return done.map(|_| lasts),
        }
    }
}

async fn remove(bucket: &Bucket, key: &str, id: &str) -> Result<(), Trouble> {
    loop {
        let Some(found) = find(bucket, key, id).await? else { return Ok(()) };
        match bucket.objects.remove(key, Some(&found.tag)).await {
            // Removed, and the answer lost.
            Err(Trouble::Changed) => {}
            done => return done,
        }
    }
}

/// A lock as it was found.
struct Found {
    holder: Holder,
    tag: String,
    /// How long it holds without being renewed.
    lasts: Duration,
}

/// The lock of this id, if it is still there.
async fn find(bucket: &Bucket, key: &str, id: &str) -> Result<Option<Found>, Trouble> {
    let look = bucket.objects.read(key).await?;
    let Some(object) = look.object else { return Ok(None) };
    let holder = Holder::from_text(&object.text).filter(|holder| holder.id == id);
    Ok(holder.map(|holder| Found { holder, lasts: left(&object, look.now), tag: object.tag }))
}
