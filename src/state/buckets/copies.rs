//! Writing the index to every bucket that is locked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

use super::objects::{Only, Trouble};
use super::{Bucket, Read, Remarks};
use crate::state::{Index, StateError};

/// The copies of one index, to be written together.
#[derive(Debug)]
pub(in crate::state) struct Copies {
    key: String,
    places: Vec<Place>,
    remarks: Remarks,
}

/// One copy, and what is known of what lies there now.
#[derive(Debug)]
struct Place {
    bucket: Bucket,
    last: Mutex<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    /// The condition of the next write.
    only: Only,
    /// What was sent since it was last clear what lies there.
    sent: Vec<String>,
}

impl Copies {
    pub(super) fn new(key: String, read: Vec<Read>, remarks: Remarks) -> Self {
        let place = |read: Read| {
            let only = read.tag.map_or(Only::IfAbsent, Only::IfStill);
            Place { bucket: read.bucket, last: Mutex::new(Last { only, sent: Vec::new() }) }
        };
        Self { key, places: read.into_iter().map(place).collect(), remarks }
    }

    /// Writes the index everywhere. It is kept once one bucket has it; one that does not answer any more gets it
    /// from the next run.
    pub(in crate::state) async fn write(&self, index: &Index) -> Result<(), StateError> {
        let text = index.to_text();
        let written = join_all(self.places.iter().map(|place| place.write(&self.key, &text))).await;
        let (mut kept, mut missed) = (false, Vec::new());
        for (place, outcome) in self.places.iter().zip(written) {
            match outcome {
                Ok(()) => kept = true,
                Err(Trouble::Failed(failure)) if !failure.class.is_unanswered() => {
                    return Err(StateError::aws(&place.bucket.name, &failure));
                }
                Err(Trouble::Changed) => return Err(place.bucket.error(Trouble::Changed)),
                Err(trouble) => missed.push(place.bucket.error(trouble)),
            }
        }
        match missed.pop() {
            Some(error) if !kept => Err(error),
            Some(error) => {
                self.remarks.tell(&format!("the state is kept in one bucket only, until the next apply: {error}"));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Removes the index everywhere.
    pub(in crate::state) async fn remove(&self) -> Result<(), StateError> {
        for place in &self.places {
            match place.bucket.objects.remove(&self.key, None).await {
                Ok(()) | Err(Trouble::NoBucket) => {}
                Err(trouble) => return Err(place.bucket.error(trouble)),
            }
        }
        Ok(())
    }
}

impl Place {
    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one copy, if what lies there is what this run knows of. A condition that fails may be that of an
    /// earlier write of this run whose answer was lost.
    async fn write(&self, key: &str, text: &str) -> Result<(), Trouble> {
        let mut only = self.last().only.clone();
        self.last().sent.push(text.to_owned());
        for _ in 0..2 {
            match self.bucket.objects.write(key, text, &only).await {
                Ok(tag) => return self.settled(tag),
                Err(Trouble::Changed) => {}
                Err(trouble) => return Err(trouble),
            }
            match self.bucket.objects.read(key).await?.object {
                Some(object) if object.text == text => return self.settled(object.tag),
                Some(object) if self.last().sent.contains(&object.text) => only = Only::IfStill(object.tag),
                _ => break,
            }
        }
        Err(Trouble::Changed)
    }

    fn settled(&self, tag: String) -> Result<(), Trouble> {
        *self.last() = Last { only: Only::IfStill(tag), sent: Vec::new() };
        Ok(())
    }
}
