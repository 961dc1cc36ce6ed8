//! Answers that go into blobs as they come, and go on where they broke.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cordon_connection::{
    Blobs, Delivery, Draft, ExchangeOptions, FailureKind, HttpFailure, Method, Request, Response,
    Secrets,
};
use tokio::sync::Mutex;

use crate::fixture::{Reply, Server, Setup, answer};

/// A file of which a secret lies across what is the end of a part.
fn file() -> Vec<u8> {
    let mut file: Vec<u8> = (0..50_000_u32)
        .flat_map(|n| format!("{n};").into_bytes())
        .collect();
    let middle = file.len() / 2;
    file.splice(middle - 4..middle + 4, *b"canary-secret");
    file
}

/// Serves the file, but hangs up in the middle of the first answer; knows ranges or does not.
async fn breaking_once(knows_ranges: bool) -> Server {
    let broken = AtomicUsize::new(0);
    Server::plain(move |received| {
        let file = file();
        let first = broken.fetch_add(1, Ordering::Relaxed) == 0;
        if first {
            let head = format!("HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n", file.len());
            let half = &file[..file.len() / 2];
            return Reply::Then([head.as_bytes(), half].concat());
        }
        let range = received.headers.get("range").filter(|_| knows_ranges);
        let begins = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        match begins.and_then(|begins| begins.parse::<usize>().ok()) {
            Some(begins) => {
                let range = format!("bytes {begins}-{}/{}", file.len() - 1, file.len());
                answer(206, &[("content-range", &range)], &file[begins..])
            }
            None => answer(200, &[], file),
        }
    })
    .await
}

struct Download {
    _folder: tempfile::TempDir,
    blobs: Blobs,
    draft: Mutex<Draft>,
    setup: Setup,
}

impl Download {
    fn from(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::at(&folder.path().join("blobs"));
        let draft = Mutex::new(blobs.draft().unwrap());
        let setup = Setup::to_server(server).with_secret("token", "canary-secret");
        Self {
            _folder: folder,
            blobs,
            draft,
            setup,
        }
    }

    async fn go(&self, options: &ExchangeOptions) -> Result<Response, HttpFailure> {
        let request = Request::new(Method::Get, "/report");
        let connection = self.setup.open();
        connection
            .download(&request, options, &self.draft, true)
            .await
    }

    fn finished(self) -> Vec<u8> {
        let blob = self
            .draft
            .into_inner()
            .finish(&self.setup.open().scrubber_with(&Secrets::none()))
            .unwrap();
        self.blobs.check(&blob).unwrap();
        let bytes = self.blobs.read(&blob, 0, u64::MAX).unwrap();
        assert_eq!(bytes.len() as u64, blob.length);
        bytes
    }
}

fn expected() -> String {
    String::from_utf8(file())
        .unwrap()
        .replace("canary-secret", "[secret token]")
}

#[tokio::test]
async fn a_download_that_broke_goes_on_where_it_ended_and_a_secret_across_the_break_is_replaced() {
    for knows_ranges in [true, false] {
        let server = breaking_once(knows_ranges).await;
        let download = Download::from(&server);
        let options = ExchangeOptions::default();

        let broken = download.go(&options).await.unwrap_err();
        assert_eq!(
            (broken.kind, broken.delivery),
            (FailureKind::Broken, Delivery::Unknown)
        );
        let response = download.go(&options).await.unwrap();

        assert_eq!(response.status, if knows_ranges { 206 } else { 200 });
        assert_eq!(response.body, b"");
        let asked = server.received()[1].headers.get("range").cloned();
        assert_eq!(asked, Some(format!("bytes={}-", file().len() / 2)));
        assert_eq!(String::from_utf8(download.finished()).unwrap(), expected());
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_file_is_an_answer_like_any_other_and_leaves_the_draft_alone() {
    let server = Server::plain(|_| answer(404, &[], "no canary-secret here")).await;
    let download = Download::from(&server);
    let response = download.go(&ExchangeOptions::default()).await.unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (404, &b"no [secret token] here"[..])
    );
    assert_eq!(download.draft.lock().await.received(), 0);
}

#[tokio::test]
async fn another_part_than_the_one_that_was_asked_for_is_not_taken() {
    let server = Server::plain(|_| answer(206, &[("content-range", "bytes 7-9/10")], "789")).await;
    let download = Download::from(&server);
    let failure = download.go(&ExchangeOptions::default()).await.unwrap_err();
    assert!(
        failure
            .message
            .ends_with("asked for from byte 0, and it came from byte 7"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_flood_ends_at_the_limit_and_silence_ends_at_the_time_limit() {
    let flood = Server::plain(|_| Reply::Flood(b"HTTP/1.1 200 x\r\n\r\n".to_vec())).await;
    let download = Download::from(&flood);
    let options = ExchangeOptions {
        answer_limit: Some(1 << 20),
        ..ExchangeOptions::default()
    };
    let failure = download.go(&options).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge);

    let head = b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nbegin".to_vec();
    let silent = Server::plain(move |_| Reply::Bytes(head.clone())).await;
    let mut download = Download::from(&silent);
    download.setup = Setup::to_server(&silent).with("[limits]\ntimeout = \"200ms\"");
    let options = ExchangeOptions {
        timeout: Some(Duration::from_secs(60)),
        ..ExchangeOptions::default()
    };
    let failure = download.go(&options).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Broken);
    assert_eq!(download.draft.lock().await.received(), 5);
}

#[tokio::test]
async fn a_draft_that_is_dropped_leaves_nothing_and_blobs_that_nobody_needs_go() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::at(folder.path());
    let drafts = || {
        std::fs::read_dir(folder.path().join("drafts"))
            .unwrap()
            .count()
    };
    let draft = blobs.draft().unwrap();
    assert_eq!(drafts(), 1);
    drop(draft);
    assert_eq!(drafts(), 0);

    let scrubber = Setup::to("http://127.0.0.1:1")
        .open()
        .scrubber_with(&Secrets::none());
    let keep = |text: &str| {
        let mut draft = blobs.draft().unwrap();
        draft.append(text.as_bytes(), &scrubber).unwrap();
        draft.finish(&scrubber).unwrap()
    };
    let (needed, not_needed, again) = (keep("one"), keep("other"), keep("one"));
    assert_eq!(needed, again);
    let swept = blobs.sweep(Duration::ZERO, |reference| reference == needed.reference);
    assert_eq!(swept.unwrap(), (1, 5));
    assert_eq!(blobs.read(&needed, 1, 1).unwrap(), b"n");
    assert!(blobs.read(&not_needed, 0, 1).is_err());
    for foreign in ["", "sha256:", "sha256:../../etc/passwd", "file:/etc/passwd"] {
        let blob = cordon_contract::BlobReference {
            reference: foreign.to_owned(),
            length: 1,
        };
        assert!(blobs.read(&blob, 0, 1).is_err(), "{foreign}");
    }
}
