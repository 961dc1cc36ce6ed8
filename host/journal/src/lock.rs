//! One process executes at a time.
//!
//! What holds is a lock of the operating system on `executor.lock`, which ends with the process however
//! that ends. What the file says is only for people: who holds it, or who did at last.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// The name of the lock's file.
pub const LOCK_FILE: &str = "executor.lock";

/// Somebody who only asks who executes holds a lock too, for an instant.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(20);

/// The right to execute, as long as it is kept.
#[derive(Debug)]
pub struct ExecutorLock {
    file: File,
}

/// Who executes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process; 0 where it has not said so yet.
    pub pid: u32,
    /// Since when, by the wall clock.
    pub since: Moment,
    /// On which machine, where it is known.
    pub host: String,
    /// As what: the command.
    pub what: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("a process that has just begun");
        }
        write!(f, "`{}`, process {}", self.what, self.pid)?;
        if !self.host.is_empty() {
            write!(f, " on {}", self.host)?;
        }
        write!(f, ", since {}", self.since)
    }
}

/// Why a process may not execute.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LockError {
    /// Another does.
    #[error("another process executes: {0}")]
    Held(Holder),
    /// The lock cannot be taken or asked for.
    #[error("`{path}` cannot be locked: {problem}")]
    System {
        /// The file.
        path: String,
        /// What the system said.
        problem: String,
    },
}

impl LockError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Held(_) => "store.held",
            Self::System { .. } => "store.disk",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Held(_) => Some(
                "its runs go on there; other commands work beside it, and it takes up what they leave"
                    .to_owned(),
            ),
            Self::System { .. } => None,
        }
    }
}

impl ExecutorLock {
    /// Takes the right to execute what is in this folder, as `what`. It ends when this is dropped, or the
    /// process ends.
    ///
    /// # Errors
    /// Where another process has it, or the file cannot be locked.
    pub fn take(folder: &Path, what: &str) -> Result<Self, LockError> {
        let path = folder.join(LOCK_FILE);
        let mut tries = TRIES;
        loop {
            let mut file = open(&path).map_err(|error| wrong(&path, &error))?;
            match file.try_lock() {
                // A file that was removed in between is locked for nothing.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => {
                    say(&mut file, what).map_err(|error| wrong(&path, &error))?;
                    return Ok(Self { file });
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = read(&mut file);
                    if tries == 0 {
                        return Err(LockError::Held(holder.unwrap_or_else(unknown)));
                    }
                }
                Err(TryLockError::Error(error)) => return Err(wrong(&path, &error)),
            }
            tries = tries.saturating_sub(1);
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for ExecutorLock {
    fn drop(&mut self) {
        // The file stays: were it removed, another process might hold the lock of a file that has no name
        // any more. Its content is for people, so that it may fail.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Who executes what is in this folder; none where nobody does.
///
/// # Errors
/// Where the file is there and cannot be asked.
pub fn holder(folder: &Path) -> Result<Option<Holder>, LockError> {
    let path = folder.join(LOCK_FILE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(&path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Ok(Some(read(&mut file).unwrap_or_else(unknown))),
        Err(TryLockError::Error(error)) => Err(wrong(&path, &error)),
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.metadata()) {
        (Ok(locked), Ok(named)) => (locked.dev(), locked.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

fn say(file: &mut File, what: &str) -> std::io::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    let holder = Holder {
        pid: std::process::id(),
        since: Moment(since),
        host: host(),
        what: what.to_owned(),
    };
    let text = serde_json::to_vec(&holder)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)
}

/// What the holder says of itself; none where it has not said it yet.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn unknown() -> Holder {
    Holder {
        pid: 0,
        since: Moment::default(),
        host: String::new(),
        what: String::new(),
    }
}

fn host() -> String {
    let name = std::fs::read_to_string(PathBuf::from("/proc/sys/kernel/hostname"))
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default();
    name.trim().to_owned()
}

fn wrong(path: &Path, error: &std::io::Error) -> LockError {
    LockError::System {
        path: path.display().to_string(),
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn one_executes_at_a_time_and_says_who_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None);
        let lock = ExecutorLock::take(folder.path(), "cordon serve").unwrap();
        let held = ExecutorLock::take(folder.path(), "cordon run").unwrap_err();
        assert_eq!(held.code(), "store.held");
        let LockError::Held(who) = held else {
            panic!("{held}")
        };
        assert_eq!((who.pid, &*who.what), (std::process::id(), "cordon serve"));
        assert_eq!(holder(folder.path()).unwrap(), Some(who));
        drop(lock);
        assert_eq!(holder(folder.path()).unwrap(), None);
        ExecutorLock::take(folder.path(), "cordon run").unwrap();
    }

    #[test]
    fn who_only_asks_keeps_nobody_from_executing() {
        let folder = tempfile::tempdir().unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        holder(folder.path()).unwrap();
                        std::thread::sleep(Duration::from_millis(1));
                    }
                });
            }
            for _ in 0..30 {
                drop(ExecutorLock::take(folder.path(), "cordon run").unwrap());
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn what_a_file_says_counts_for_nothing_without_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"pid":1,"since":5,"host":"a","what":"cordon serve"}"#;
        std::fs::write(folder.path().join(LOCK_FILE), text).unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None);
        ExecutorLock::take(folder.path(), "cordon run").unwrap();
    }

    /// Takes the lock in a process of its own, and keeps it.
    #[test]
    fn process_that_executes() {
        let Some(folder) = std::env::var_os("CORDON_TEST_FOLDER") else {
            return;
        };
        let _lock = ExecutorLock::take(Path::new(&folder), "cordon serve").unwrap();
        println!("taken");
        std::thread::sleep(Duration::from_secs(60));
    }

    #[test]
    fn the_lock_of_a_killed_process_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "lock::tests::process_that_executes",
                "--nocapture",
            ])
            .env("CORDON_TEST_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("taken")));
        let who = holder(folder.path()).unwrap().unwrap();
        assert_eq!(who.pid, child.id());
        assert!(ExecutorLock::take(folder.path(), "cordon run").is_err());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(holder(folder.path()).unwrap(), None);
        ExecutorLock::take(folder.path(), "cordon run").unwrap();
    }
}
