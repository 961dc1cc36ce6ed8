//! Locks that end with the call that holds them, also when its process is killed.
//!
//! Calls of one process wait in a queue in memory; its first one tries for the file, which the
//! system frees when the process that holds it ends, however it ends.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ring::digest;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::database::create_folder;
use super::error::VaultError;

/// Between two tries for a file that another process holds.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(50);

type Queue = tokio::sync::Mutex<()>;

/// All locks of a folder.
pub(super) struct Locks {
    folder: PathBuf,
    queues: Mutex<HashMap<String, Weak<Queue>>>,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Held {
    // In the order in which they are let go: the file before the queue.
    _file: File,
    _queue: OwnedMutexGuard<()>,
}

impl Locks {
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            queues: Mutex::default(),
        }
    }

    /// Waits for the lock of this name; none when the time is over before.
    pub(super) async fn acquire(
        &self,
        connection: &str,
        name: &str,
        deadline: Instant,
    ) -> Result<Option<Held>, VaultError> {
        let key = file_name(connection, name);
        let queue = self.queue(&key);
        let Ok(queue) = tokio::time::timeout_at(deadline, queue.lock_owned()).await else {
            return Ok(None);
        };
        create_folder(&self.folder)?;
        let path = self.folder.join(key);
        let failed = |error: &std::io::Error| VaultError::File {
            path: path.clone(),
            reason: error.to_string(),
        };
        // The file stays: removing one that another process has open would make two locks of one.
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&error))?;
        let mut pause = PAUSE_MIN;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Some(Held {
                        _file: file,
                        _queue: queue,
                    }));
                }
                Err(TryLockError::WouldBlock) if Instant::now() + pause >= deadline => {
                    return Ok(None);
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(pause).await,
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    fn queue(&self, key: &str) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(key).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Queue::default());
        queues.insert(key.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

/// Names are a connector's: they become no path.
fn file_name(connection: &str, name: &str) -> String {
    let whole = format!("{}:{connection}:{name}", connection.len());
    hex::encode(digest::digest(&digest::SHA256, whole.as_bytes()))
}
