//! A panic is a defect of Cordon: it is said so, with what a report needs, and the process ends with
//! [`Exit::Defect`].

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::output::neutral;
use crate::problem::Problem;

/// Whether any thread has panicked.
static DEFECT: AtomicBool = AtomicBool::new(false);

/// Runs `body`; whatever panics in it, on whichever thread, is reported once and decides the exit.
pub fn guarded(body: impl FnOnce() -> Exit) -> Exit {
    panic::set_hook(Box::new(|info| {
        if !DEFECT.swap(true, Ordering::AcqRel) {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr().lock(), "\n{}", report(info));
        }
    }));
    match panic::catch_unwind(AssertUnwindSafe(body)) {
        Ok(exit) if !DEFECT.load(Ordering::Acquire) => exit,
        // A lost write matters more to who reads the exit code than the defect that came with it.
        Ok(Exit::LostWrite) => Exit::LostWrite,
        _ => Exit::Defect,
    }
}

/// What is said when a thread ended in a panic, which has been reported by then.
pub fn problem(error: &str) -> Problem {
    Problem::new(Exit::Defect, format!("the command broke down: {error}")).code("cli.defect")
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let place = info
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    text(&place, info.payload_as_str().unwrap_or("no message"))
}

fn text(place: &str, message: &str) -> String {
    format!(
        "error: this is a bug of Cordon, not a mistake of yours.\n  \
         Version {}, at {}:\n  {}\n  \
         help: please report these lines together with the command that was run.\n        \
         What was sent to products before this happened has happened; look there before you try again.\n        \
         `cordon explain cli.defect` says more",
        env!("CARGO_PKG_VERSION"),
        neutral::line(place),
        neutral::line(message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_report_and_the_exit_code_of_a_defect() {
        assert_eq!(guarded(|| panic!("index out of bounds")), Exit::Defect);
        let _ = panic::take_hook();
        let report = text("host/run/src/live.rs:7:1", "index out of bounds\x1b");
        assert!(
            report.contains("bug of Cordon") && report.contains("live.rs:7:1"),
            "{report}"
        );
        assert!(report.contains("index out of bounds␛"), "{report}");
    }
}
