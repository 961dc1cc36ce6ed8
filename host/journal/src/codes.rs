//! The pages of this crate's messages, and which error has which.

use cordon_contract::codes::Code;

use crate::store::StoreError;

macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        /// What `cordon explain` prints for this crate's codes.
        pub const CODES: &[Code] = &[$(Code {
            code: $code,
            page: include_str!(concat!("../codes/", $code, ".md")),
        }),*];
    };
}

pages![
    "store.busy",
    "store.damaged",
    "store.damaged-run",
    "store.disk",
    "store.failed",
    "store.full",
    "store.held",
    "store.newer",
    "store.none",
    "store.read-only",
];

impl StoreError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "store.newer",
            Self::NoStore { .. } => "store.none",
            Self::Full { .. } => "store.full",
            Self::ReadOnly { .. } => "store.read-only",
            Self::Disk { .. } => "store.disk",
            Self::Damaged { .. } => "store.damaged",
            Self::DamagedRun { .. } => "store.damaged-run",
            Self::Busy { .. } => "store.busy",
            Self::Failed { .. } => "store.failed",
        }
    }

    /// What to do about it, in a line.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Newer { .. } => "use the Cordon that wrote it, or a newer one",
            Self::NoStore { .. } => {
                "the store of an automation directory is `data/cordon.db`; `-C DIR` picks another directory"
            }
            Self::Full { .. } => {
                "make room on the disk and start again; `cordon store compact` forgets old runs"
            }
            Self::ReadOnly { .. } => {
                "the user who runs Cordon must own the folder and the files in it"
            }
            Self::Disk { .. } => {
                "look whether the disk is there and healthy; then `cordon store check`"
            }
            Self::Damaged { .. } => {
                "`cordon store check` lists what is damaged; a backup is the way back"
            }
            Self::DamagedRun { run, .. } => {
                return Some(format!(
                    "`cordon store check` lists what is damaged; `cordon runs show {run}` shows what can be read"
                ));
            }
            Self::Busy { .. } => "try again; another command may be at work on a large store",
            Self::Failed { .. } => {
                "remove the cause and start again: everything that was acknowledged is there"
            }
        };
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunId;

    #[test]
    fn every_error_has_a_page_that_fits_a_screen() {
        let path = String::new;
        let errors = [
            StoreError::Newer {
                path: path(),
                found: 2,
                known: 1,
            },
            StoreError::NoStore {
                path: path(),
                problem: path(),
            },
            StoreError::Full { path: path() },
            StoreError::ReadOnly {
                path: path(),
                problem: path(),
            },
            StoreError::Disk {
                path: path(),
                problem: path(),
            },
            StoreError::Damaged {
                path: path(),
                problem: path(),
            },
            StoreError::DamagedRun {
                run: RunId::default(),
                step: None,
                problem: path(),
            },
            StoreError::Busy { path: path() },
            StoreError::Failed { cause: path() },
        ];
        let codes = errors.iter().map(StoreError::code).chain(["store.held"]);
        for code in codes {
            let page = CODES.iter().find(|page| page.code == code);
            let lines = page.expect(code).page.lines().count();
            assert!((5..=10).contains(&lines), "{code}: {lines} lines");
        }
        assert!(errors.iter().all(|error| error.help().is_some()));
    }
}
