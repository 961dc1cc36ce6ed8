//! Replaces secrets in bytes that come piece by piece: one may begin in a piece and end in another.

use crate::scrub::Scrubber;

/// Holds back as much of what came as the beginning of a secret could be.
#[derive(Default)]
pub(super) struct StreamScrubber {
    held: Vec<u8>,
}

impl StreamScrubber {
    /// What can be written after this piece came.
    pub(super) fn next(&mut self, piece: &[u8], scrubber: &Scrubber) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let (clean, taken) = scrubber.scrub_beginning(&self.held);
        self.held.drain(..taken);
        clean
    }

    /// What is left.
    pub(super) fn end(&mut self, scrubber: &Scrubber) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        scrubber.scrub_bytes(&held).into_owned()
    }
}

impl std::fmt::Debug for StreamScrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamScrubber({} bytes held)", self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::{Secret, Secrets};

    const SECRET: &str = "pa\"55<word>/ü";

    fn scrubber() -> Scrubber {
        let mut secrets = Secrets::none();
        secrets.insert("token", Secret::new(SECRET.as_bytes().to_vec()));
        Scrubber::new([&secrets])
    }

    fn spelled(way: usize) -> String {
        use base64::Engine as _;

        match way {
            0 => SECRET.to_owned(),
            1 => SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            2 => SECRET
                .chars()
                .map(|c| format!("\\u{:04x}", u32::from(c)))
                .collect(),
            3 => SECRET
                .chars()
                .map(|c| format!("&#{};", u32::from(c)))
                .collect(),
            _ => base64::engine::general_purpose::STANDARD.encode(SECRET),
        }
    }

    proptest! {
        #[test]
        fn wherever_the_pieces_end_the_whole_is_what_scrubbing_the_whole_gives(
            way in 0..5_usize,
            before in "[a-z ]{0,40}",
            after in "[a-z ]{0,40}",
            cuts in proptest::collection::vec(1..30_usize, 0..20),
        ) {
            let scrubber = scrubber();
            let text = format!("{before}|{}|{after}", spelled(way));
            let mut stream = StreamScrubber::default();
            let mut written = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (piece, later) = rest.split_at(cut.min(rest.len()));
                written.extend(stream.next(piece, &scrubber));
                rest = later;
            }
            written.extend(stream.next(rest, &scrubber));
            written.extend(stream.end(&scrubber));
            let whole = scrubber.scrub(&text).into_owned();
            prop_assert_eq!(String::from_utf8_lossy(&written), whole);
        }
    }
}
