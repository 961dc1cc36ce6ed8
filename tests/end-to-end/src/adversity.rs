//! What a machine can do to a program: fail to put data on the disk, have the wrong time, end it in the
//! middle. On Linux, by a small library that is loaded before the system's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

use crate::Program;

/// The library, built once for each process of tests by the C compiler that building Cordon needs anyway.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(PathBuf, tempfile::TempDir)> = OnceLock::new();
    let (library, _) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("adversity.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/adversity.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source)
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(built.success(), "the library of adversity was not built");
        (library, folder)
    });
    library
}

impl Program {
    /// While this file exists, nothing that the program writes is put on the disk: every attempt fails.
    #[must_use]
    pub fn failing_to_sync_while(self, file: &Path) -> Self {
        self.env("LD_PRELOAD", &library().to_string_lossy())
            .env("CORDON_TEST_SYNC_FAILS", &file.to_string_lossy())
    }

    /// What lies below this path is, for the program, on a file system that is read-only.
    #[must_use]
    pub fn with_read_only(self, path: &Path) -> Self {
        self.env("LD_PRELOAD", &library().to_string_lossy())
            .env("CORDON_TEST_READ_ONLY", &path.to_string_lossy())
    }

    /// The wall clock of the program is off by so many seconds.
    #[must_use]
    pub fn with_clock_off_by(self, seconds: i64) -> Self {
        self.env("LD_PRELOAD", &library().to_string_lossy())
            .env("CORDON_TEST_CLOCK", &seconds.to_string())
    }
}

/// Ends a process that this test has started, as kill -9 does, and waits for it to be gone.
pub fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

/// A source of chance that is the same for the same seed.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// For this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
