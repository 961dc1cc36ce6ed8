//! What the crates below say about themselves, on standard error: warnings, and more with `-v`.

use std::io;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::output::{Screen, neutral};

/// Begins to write the log. `CORDON_LOG` overrides what `-v` says, in the syntax of `RUST_LOG`.
pub fn start(screen: Arc<Screen>, verbose: u8) {
    let own = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // Every crate of Cordon begins so.
    let filter = EnvFilter::try_from_env("CORDON_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,cordon={own}")));
    let written = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines(screen))
        .with_ansi(false)
        .without_time()
        .try_init();
    debug_assert!(written.is_ok(), "the log is started once");
}

/// Hands each event to the screen as a whole, so that it never lands in the changing line.
struct Lines(Arc<Screen>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            screen: Arc::clone(&self.0),
            bytes: Vec::new(),
        }
    }
}

struct Line {
    screen: Arc<Screen>,
    bytes: Vec<u8>,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.bytes);
        self.screen.note(&neutral::lines(text.trim_end()));
    }
}
