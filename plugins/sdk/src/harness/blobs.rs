//! The blobs of the scripted world.

use std::collections::BTreeMap;

use crate::bindings::cordon::connector::blobs::Failure;
use crate::bindings::cordon::connector::http::{self, Delivery, FailureKind, Response};
use crate::bindings::cordon::connector::types::Blob;

/// Blobs live as long as their harness, drafts as long as their call.
#[derive(Default)]
pub(super) struct Blobs {
    kept: Vec<Vec<u8>>,
    drafts: BTreeMap<u32, Vec<u8>>,
    last: u32,
}

impl Blobs {
    pub fn end_call(&mut self) {
        self.drafts.clear();
    }

    pub fn begin(&mut self) -> u32 {
        self.last += 1;
        self.drafts.insert(self.last, Vec::new());
        self.last
    }

    pub fn append(&mut self, draft: u32, bytes: &[u8]) -> Result<(), Failure> {
        let draft = self.drafts.get_mut(&draft).ok_or_else(no_draft)?;
        draft.extend_from_slice(bytes);
        Ok(())
    }

    pub fn received(&self, draft: u32) -> Result<u64, Failure> {
        let draft = self.drafts.get(&draft).ok_or_else(no_draft)?;
        Ok(draft.len() as u64)
    }

    pub fn finish(&mut self, draft: u32) -> Result<Blob, Failure> {
        let bytes = self.drafts.remove(&draft).ok_or_else(no_draft)?;
        Ok(self.keep(bytes))
    }

    pub fn keep(&mut self, bytes: Vec<u8>) -> Blob {
        let length = bytes.len() as u64;
        self.kept.push(bytes);
        Blob {
            reference: format!("scripted:{}", self.kept.len()),
            length,
        }
    }

    pub fn whole(&self, blob: &Blob) -> Option<Vec<u8>> {
        let number: usize = blob.reference.strip_prefix("scripted:")?.parse().ok()?;
        self.kept.get(number.checked_sub(1)?).cloned()
    }

    pub fn read(&self, blob: &Blob, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
        /// The contract's largest piece.
        const PIECE_BYTES_MAX: u64 = 1 << 20;

        let whole = self.whole(blob);
        let whole = whole.ok_or_else(|| Failure::Unknown(blob.reference.clone()))?;
        let at = |place: u64| usize::try_from(place).map_or(whole.len(), |at| at.min(whole.len()));
        let end = offset.saturating_add(length.min(PIECE_BYTES_MAX));
        Ok(whole[at(offset)..at(end)].to_vec())
    }

    /// Does with a scripted answer what Cordon does with that to a download.
    pub fn take(&mut self, draft: u32, mut response: Response) -> Result<Response, http::Failure> {
        let refused = |message: &str| http::Failure {
            kind: FailureKind::Broken,
            delivery: Delivery::Unknown,
            message: message.to_owned(),
        };
        let Some(bytes) = self.drafts.get_mut(&draft) else {
            return Err(refused("this call has no such draft"));
        };
        match response.status {
            200 => bytes.clear(),
            206 if first_byte(&response) == Some(bytes.len()) => {}
            206 => return Err(refused("another part came than the one that was asked for")),
            _ => return Ok(response),
        }
        bytes.append(&mut response.body);
        Ok(response)
    }
}

fn first_byte(response: &Response) -> Option<usize> {
    let (_, range) = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-range"))?;
    let range = range.strip_prefix("bytes")?.trim_start_matches([' ', '=']);
    range.split('-').next()?.parse().ok()
}

fn no_draft() -> Failure {
    Failure::Unknown("this call has no such draft".to_owned())
}
