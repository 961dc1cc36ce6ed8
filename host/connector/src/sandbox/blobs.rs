//! `cordon:connector/blobs`: bytes that are too many for a value.
//!
//! A draft lives as long as its call; a download writes into it from outside of the guest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cordon_connection::{BlobError, Blobs, Connection, Draft, Scrubber, Secrets};
use cordon_contract::BlobReference;

use super::Purpose;
use super::meter::Meter;
use crate::bindings::cordon::connector::blobs::{Failure, Host};
use crate::bindings::cordon::connector::types::Blob;

/// Drafts that one call may have at a time.
const DRAFTS_MAX: usize = 16;

/// The largest piece that goes in or out at once, in bytes.
const PIECE_BYTES_MAX: u64 = 1 << 20;

type SharedDraft = Arc<tokio::sync::Mutex<Draft>>;

/// The drafts of one call, by their numbers.
#[derive(Clone, Default)]
pub(super) struct Drafts(Arc<Mutex<Numbered>>);

#[derive(Default)]
struct Numbered {
    last: u32,
    drafts: BTreeMap<u32, SharedDraft>,
}

impl Drafts {
    /// The draft of this number.
    pub fn get(&self, number: u32) -> Option<SharedDraft> {
        self.numbered(|numbered| numbered.drafts.get(&number).cloned())
    }

    fn numbered<T>(&self, act: impl FnOnce(&mut Numbered) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The blobs of an automation directory, for one call.
pub(super) struct BlobStore {
    connection: Option<Arc<Connection>>,
    secrets: Secrets,
    drafts: Drafts,
    meter: Arc<Meter>,
}

impl BlobStore {
    pub fn new(purpose: &Purpose, drafts: Drafts, meter: Arc<Meter>) -> Self {
        Self {
            connection: purpose.connection.clone(),
            secrets: purpose.secrets.clone(),
            drafts,
            meter,
        }
    }

    fn blobs(&self) -> Result<&Blobs, Failure> {
        self.connection
            .as_ref()
            .and_then(|connection| connection.blobs())
            .ok_or_else(|| Failure::Unavailable("there is no place for blobs here".to_owned()))
    }

    fn scrubber(&self) -> Result<Scrubber, Failure> {
        let connection = self.connection.as_ref();
        connection
            .map(|connection| connection.scrubber_with(&self.secrets))
            .ok_or_else(|| Failure::Unavailable("there is no connection here".to_owned()))
    }

    fn draft(&self, number: u32) -> Result<SharedDraft, Failure> {
        self.drafts
            .get(number)
            .ok_or_else(|| Failure::Unknown(format!("this call has no draft {number}")))
    }

    fn start(&self) -> Result<u32, Failure> {
        if self.drafts.numbered(|numbered| numbered.drafts.len()) >= DRAFTS_MAX {
            return Err(Failure::Refused(format!(
                "a call has at most {DRAFTS_MAX} drafts"
            )));
        }
        let draft = self.blobs()?.draft().map_err(failure)?;
        Ok(self.drafts.numbered(|numbered| {
            numbered.last += 1;
            let draft = Arc::new(tokio::sync::Mutex::new(draft));
            numbered.drafts.insert(numbered.last, draft);
            numbered.last
        }))
    }

    async fn add(&self, number: u32, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.len() as u64 > PIECE_BYTES_MAX {
            return Err(Failure::Refused(format!(
                "a piece has at most {PIECE_BYTES_MAX} bytes"
            )));
        }
        let scrubber = self.scrubber()?;
        let draft = self.draft(number)?;
        self.meter
            .kept(bytes.len() as u64)
            .map_err(|reached| Failure::Refused(reached.to_string()))?;
        let mut draft = draft.lock().await;
        draft.append(bytes, &scrubber).map_err(failure)
    }

    async fn end(&self, number: u32) -> Result<Blob, Failure> {
        let scrubber = self.scrubber()?;
        let draft = self
            .drafts
            .numbered(|numbered| numbered.drafts.remove(&number));
        let draft = draft.and_then(Arc::into_inner);
        let draft = draft
            .ok_or_else(|| Failure::Unknown(format!("this call has no draft {number}")))?
            .into_inner();
        let finished = tokio::task::spawn_blocking(move || draft.finish(&scrubber)).await;
        let blob = finished
            .map_err(|error| Failure::Unavailable(error.to_string()))?
            .map_err(failure)?;
        Ok(Blob {
            reference: blob.reference,
            length: blob.length,
        })
    }
}

impl Host for BlobStore {
    fn begin(&mut self) -> wasmtime::Result<Result<u32, Failure>> {
        self.meter.host_call()?;
        Ok(self.start())
    }

    async fn append(
        &mut self,
        draft: u32,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Failure>> {
        self.meter.host_call()?;
        Ok(self.add(draft, &bytes).await)
    }

    async fn received(&mut self, draft: u32) -> wasmtime::Result<Result<u64, Failure>> {
        self.meter.host_call()?;
        Ok(match self.draft(draft) {
            Ok(draft) => Ok(draft.lock().await.received()),
            Err(failure) => Err(failure),
        })
    }

    async fn finish(&mut self, draft: u32) -> wasmtime::Result<Result<Blob, Failure>> {
        self.meter.host_call()?;
        Ok(self.end(draft).await)
    }

    fn read(
        &mut self,
        blob: Blob,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        self.meter.host_call()?;
        let blob = BlobReference {
            reference: blob.reference,
            length: blob.length,
        };
        let bytes = self.blobs().and_then(|blobs| {
            blobs
                .read(&blob, offset, length.min(PIECE_BYTES_MAX))
                .map_err(failure)
        });
        Ok(bytes)
    }
}

fn failure(error: BlobError) -> Failure {
    match error {
        BlobError::Unknown { .. } => Failure::Unknown(error.to_string()),
        BlobError::File { .. } | BlobError::Damaged { .. } => {
            Failure::Unavailable(error.to_string())
        }
    }
}
