//! Writing the index to every bucket that is locked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

use super::objects::{Only, Trouble};
use super::{Bucket, Read, Remarks};
use crate::state::{Index, Reach, StateError};

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
    /// The copies that were read. Of one that could not be read nobody knows what lies there: it is left as it is.
    pub(super) fn new(key: String, read: Vec<Read>, remarks: Remarks) -> Self {
        let known = read.into_iter().filter(Read::is_known);
        let place = |read: Read| {
            let only = read.tag.map_or(Only::IfAbsent, Only::IfStill);
            Place { bucket: read.bucket, last: Mutex::new(Last { only, sent: Vec::new() }) }
        };
        Self { key, places: known.map(place).collect(), remarks }
    }

    /// Writes the index everywhere. It is kept once one bucket has it; one that S3 cannot serve gets it from the next
    /// run. Whatever else fails is an error, although another bucket may have it.
    pub(in crate::state) async fn write(&self, index: &Index) -> Result<(), StateError> {
        let text = index.to_text();
        let written = join_all(self.places.iter().map(|place| place.write(&self.key, &text))).await;
        let (mut kept, mut missed) = (false, Vec::new());
        for (place, outcome) in self.places.iter().zip(written) {
            match outcome.map_err(|trouble| place.bucket.error(trouble)) {
                Ok(()) => kept = true,
                Err(error) if error.is_tolerated(Reach::Any) => missed.push(error),
                Err(error) => return Err(error),
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

    /// Removes the index everywhere, if it is still the one that this run knows of.
    pub(in crate::state) async fn remove(&self) -> Result<(), StateError> {
        for place in &self.places {
            match place.remove(&self.key).await {
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

    /// Removes one copy, if what lies there is what this run knows of.
    async fn remove(&self, key: &str) -> Result<(), Trouble> {
        let Last { only, sent } = self.last().clone();
        let mut tag = match only {
            Only::IfStill(tag) => Some(tag),
            Only::IfAbsent | Only::Always => None,
        };
        for _ in 0..2 {
            if let Some(tag) = &tag {
                match self.bucket.objects.remove(key, Some(tag)).await {
                    Err(Trouble::Changed) => {}
                    outcome => return outcome,
                }
            }
            match self.bucket.objects.read(key).await?.object {
                None => return Ok(()),
                Some(object) if sent.contains(&object.text) => tag = Some(object.tag),
                Some(_) => break,
            }
        }
        Err(Trouble::Changed)
    }

    fn settled(&self, tag: String) -> Result<(), Trouble> {
        *self.last() = Last { only: Only::IfStill(tag), sent: Vec::new() };
        Ok(())
    }
}
