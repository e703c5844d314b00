//! Room for bodies: how much of the memory the bodies of all requests under way may take together. A body takes its part as
//! its bytes arrive, so that one that is only promised takes nothing from others.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::ApiError;
use crate::config::Limits;

/// The room of all bodies, in bytes.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// What the body of one request takes of it. It is given back when the last copy of this is dropped.
#[derive(Debug, Clone)]
pub(super) struct Part(Arc<Held>);

#[derive(Debug)]
struct Held {
    room: Arc<Semaphore>,
    taken: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Room {
    /// Room of the configured size, in which one body at least has its place.
    pub(super) fn new(limits: &Limits) -> Self {
        let bytes = usize::try_from(limits.body_memory.get()).unwrap_or(usize::MAX);
        let bytes = bytes.max(limits.body_bytes).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// The part of one request: nothing yet.
    pub(super) fn part(&self) -> Part {
        Part(Arc::new(Held {
            room: Arc::clone(&self.0),
            taken: Mutex::default(),
        }))
    }
}

impl Part {
    /// Takes room for more bytes.
    ///
    /// # Errors
    /// 503 when other bodies leave too little.
    pub(super) fn take(&self, bytes: usize) -> Result<(), ApiError> {
        let bytes = u32::try_from(bytes).map_err(|_| ApiError::TooLarge)?;
        let more = Arc::clone(&self.0.room)
            .try_acquire_many_owned(bytes)
            .map_err(|_| ApiError::Unavailable)?;
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.as_mut() {
            Some(taken) => taken.merge(more),
            None => *taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ByteSize;

    fn room(body_memory: u64, body_bytes: usize) -> Room {
        Room::new(&Limits {
            body_memory: ByteSize::bytes(body_memory),
            body_bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn all_bodies_share_the_room_and_give_it_back() {
        let room = room(10, 10);
        let (first, second) = (room.part(), room.part());
        first.take(4).unwrap();
        first.take(4).unwrap();
        second.take(2).unwrap();
        assert!(matches!(second.take(1), Err(ApiError::Unavailable)));
        let copy = first.clone();
        drop(first);
        assert!(second.take(1).is_err(), "a copy still holds it");
        drop(copy);
        second.take(8).unwrap();
    }

    #[test]
    fn there_is_always_room_for_one_body() {
        room(1, 10).part().take(10).unwrap();
    }
}
