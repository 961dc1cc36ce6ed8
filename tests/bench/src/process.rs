//! Figures that need a process of their own, and what the disk itself takes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failed;
use crate::figure::median;

/// This program, to be run once more.
///
/// # Errors
/// Where it cannot be found.
pub fn itself() -> Result<Command, Failed> {
    Ok(Command::new(std::env::current_exe()?))
}

/// Runs this program for a figure that needs a process of its own, and gives the numbers it prints.
///
/// # Errors
/// Where it fails, or prints anything else.
pub fn apart(arguments: &[&str]) -> Result<Vec<f64>, Failed> {
    let output = itself()?
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{arguments:?} failed").into());
    }
    let text = String::from_utf8(output.stdout)?;
    text.split_whitespace()
        .map(|number| number.parse().map_err(Into::into))
        .collect()
}

/// The median time in which the disk of this folder has 4 KiB that were appended to a file.
///
/// # Errors
/// Where the file cannot be written.
pub fn fdatasync(folder: &Path) -> Result<Duration, Failed> {
    let mut file = std::fs::File::create(folder.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed());
    }
    Ok(median(times))
}
