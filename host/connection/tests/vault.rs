//! What connectors keep between calls: durable, shared by processes, and never taken for something
//! that it is not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a fixture cannot do ends the test"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cordon_connection::{Keep, Vault, VaultError};
use tokio::time::Instant;

/// Set for the copies of this program that play another process.
const ROLE: &str = "CORDON_TEST_VAULT";

fn keep(folder: &Path) -> Keep {
    Keep::new(Arc::new(Vault::at(folder)), "mdr")
}

#[test]
fn a_value_is_kept_only_if_nobody_else_has_kept_one_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (keep(folder.path()), keep(folder.path()));
    assert_eq!(here.get("cursor").unwrap(), None);
    let first = here
        .compare_and_set("cursor", None, Some(b"1"))
        .unwrap()
        .unwrap();
    assert!(first.is_some());
    assert_eq!(there.get("cursor").unwrap().unwrap().value, b"1");
    let refused = there.compare_and_set("cursor", None, Some(b"2")).unwrap();
    assert_eq!(refused, Err(first));
    let second = there
        .compare_and_set("cursor", first, Some(b"2"))
        .unwrap()
        .unwrap();
    assert_eq!(
        here.compare_and_set("cursor", first, None).unwrap(),
        Err(second)
    );
    assert_eq!(
        here.compare_and_set("cursor", second, None).unwrap(),
        Ok(None)
    );
    let again = here
        .compare_and_set("cursor", None, Some(b"1"))
        .unwrap()
        .unwrap();
    assert!(again > second, "a version is never used twice");
}

#[test]
fn connections_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::at(folder.path()));
    let (one, other) = (Keep::new(vault.clone(), "a"), Keep::new(vault, "ab"));
    one.compare_and_set("bc", None, Some(b"1"))
        .unwrap()
        .unwrap();
    assert_eq!(other.get("c").unwrap(), None);
    assert_eq!(other.get("bc").unwrap(), None);
}

#[test]
fn too_much_is_refused_with_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let keep = keep(folder.path());
    let refused = |name: &str, value: &[u8]| {
        let error = keep.compare_and_set(name, None, Some(value)).unwrap_err();
        assert!(matches!(error, VaultError::Refused { .. }), "{error}");
        error.to_string()
    };
    assert_eq!(
        refused("big", &[0; 65_537]),
        "`big` cannot be kept: a value has at most 65536 bytes"
    );
    assert_eq!(
        refused("", b"1"),
        "`` cannot be kept: a name has 1 to 200 bytes"
    );
    for number in 0..1_000 {
        keep.compare_and_set(&number.to_string(), None, Some(b"1"))
            .unwrap()
            .unwrap();
    }
    assert_eq!(
        refused("one-more", b"1"),
        "`one-more` cannot be kept: a connection keeps at most 1000 names"
    );
    let version = keep.get("7").unwrap().unwrap().version;
    keep.compare_and_set("7", Some(version), Some(b"2"))
        .unwrap()
        .unwrap();
}

#[test]
fn a_row_that_was_put_back_from_an_older_copy_is_told_from_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let keep = keep(folder.path());
    let first = keep
        .compare_and_set("token", None, Some(b"old"))
        .unwrap()
        .unwrap();
    let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    let old: Vec<u8> = database
        .query_row("SELECT value FROM entry", [], |row| row.get(0))
        .unwrap();
    keep.compare_and_set("token", first, Some(b"new"))
        .unwrap()
        .unwrap();
    database
        .execute("UPDATE entry SET value = ?1", [old])
        .unwrap();
    let error = keep.get("token").unwrap_err();
    assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
}

#[test]
fn a_lost_key_is_no_empty_vault() {
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path())
        .compare_and_set("token", None, Some(b"1"))
        .unwrap()
        .unwrap();
    std::fs::remove_file(folder.path().join("state.key")).unwrap();
    let error = keep(folder.path()).get("token").unwrap_err();
    assert!(matches!(error, VaultError::KeyLost { .. }), "{error}");
    assert!(!folder.path().join("state.key").exists());
}

#[tokio::test]
async fn a_lock_is_held_by_one_call_at_a_time_of_all_processes_and_freed_when_its_process_is_killed()
 {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_holds_the_lock", "--nocapture"])
        .env(ROLE, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let held = lines
        .map_while(Result::ok)
        .any(|line| line.contains("held"));
    assert!(held, "the other process has the lock");
    let keep = keep(folder.path());
    let within = |time| Instant::now() + Duration::from_millis(time);
    assert!(
        keep.acquire("refresh", within(100))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        keep.acquire("another", within(100))
            .await
            .unwrap()
            .is_some()
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(
        keep.acquire("refresh", within(5_000))
            .await
            .unwrap()
            .is_some()
    );
}

/// Not a test of its own: the other process of the one before.
#[tokio::test]
async fn another_process_holds_the_lock() {
    let Some(folder) = std::env::var_os(ROLE) else {
        return;
    };
    let keep = keep(Path::new(&folder));
    let deadline = Instant::now() + Duration::from_secs(5);
    let _held = keep.acquire("refresh", deadline).await.unwrap().unwrap();
    println!("held");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}

#[tokio::test]
async fn many_calls_of_one_process_get_the_lock_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let keep = keep(folder.path());
    let inside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let calls = (0..50).map(|_| {
        let (keep, inside) = (keep.clone(), Arc::clone(&inside));
        tokio::spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(20);
            let held = keep.acquire("refresh", deadline).await.unwrap().unwrap();
            assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            drop(held);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}
