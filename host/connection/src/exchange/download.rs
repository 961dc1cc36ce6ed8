//! Answers that are too large for memory: their bytes go into a draft as they come, and a download
//! that broke goes on where it ended.

use std::time::Duration;

use http::header::{CONTENT_RANGE, HeaderMap};
use http::{StatusCode, response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::Mutex;

use super::answer::{Answer, Broken, receive};
use crate::blob::Draft;
use crate::scrub::Scrubber;

/// Where the body of an answer goes.
#[derive(Clone, Copy)]
pub(crate) struct Download<'a> {
    pub(crate) draft: &'a Mutex<Draft>,
    /// Go on after what the draft has.
    pub(crate) resume: bool,
    pub(crate) scrubber: &'a Scrubber,
    /// The longest silence.
    pub(crate) silence: Duration,
    /// The most bytes.
    pub(crate) bytes: u64,
    /// For the body of an answer that is not the download.
    pub(crate) answer_bytes: u64,
}

impl Download<'_> {
    /// The value of the header `Range`, where there is something to go on after.
    pub(crate) async fn range(&self) -> Option<String> {
        let received = self.draft.lock().await.received();
        (self.resume && received > 0).then(|| format!("bytes={received}-"))
    }

    /// Takes in the answer: the whole file or the part that was asked for goes into the draft, and
    /// the body stays empty; anything else is an answer like any other.
    pub(crate) async fn take(&self, response: http::Response<Incoming>) -> Result<Answer, Broken> {
        let mut draft = self.draft.lock().await;
        match response.status() {
            StatusCode::OK => draft.restart().map_err(Broken::Blob)?,
            StatusCode::PARTIAL_CONTENT => {
                let begins = first_byte(response.headers());
                if begins != Some(draft.received()) {
                    return Err(Broken::Range {
                        wanted: draft.received(),
                        begins,
                    });
                }
            }
            _ => {
                drop(draft);
                return receive(response, self.answer_bytes).await;
            }
        }
        let (head, mut incoming) = response.into_parts();
        let mut taken = 0_u64;
        loop {
            let Ok(frame) = tokio::time::timeout(self.silence, incoming.frame()).await else {
                return Err(Broken::Silent);
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(Broken::Transport)?.into_data() else {
                continue;
            };
            taken += data.len() as u64;
            if taken > self.bytes {
                return Err(Broken::TooLarge);
            }
            // Download the system's cache; what waits for the disk is `Draft::finish`.
            draft.append(&data, self.scrubber).map_err(Broken::Blob)?;
        }
        Ok(without_body(head))
    }
}

fn without_body(head: response::Parts) -> Answer {
    Answer {
        status: head.status,
        headers: head.headers,
        body: Vec::new(),
    }
}

/// Where a part begins: `bytes 100-199/1000`. A product's documents have `=` in place of the blank.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let range = value
        .trim()
        .strip_prefix("bytes")?
        .trim_start_matches([' ', '=']);
    range.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_part_is_read_in_the_form_of_the_standard_and_in_a_products() {
        let first = |value: &str| {
            first_byte(&HeaderMap::from_iter([(
                CONTENT_RANGE,
                value.parse().unwrap(),
            )]))
        };
        assert_eq!(first("bytes 100-199/1000"), Some(100));
        assert_eq!(first("bytes=100-199/1000"), Some(100));
        assert_eq!(first("bytes 0-0/*"), Some(0));
        for wrong in ["bytes */1000", "lines 1-2/3", "", "bytes -5/10"] {
            assert_eq!(first(wrong), None, "{wrong}");
        }
        assert_eq!(first_byte(&HeaderMap::new()), None);
    }
}
