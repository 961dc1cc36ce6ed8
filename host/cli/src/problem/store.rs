//! What is wrong with what is kept of runs, and with a run that was named.

use cordon_journal::StoreError;
use cordon_journal::lock::LockError;
use cordon_run::client::{FindError, LeaveError, short};

use super::Problem;
use crate::exit::Exit;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Failed, error.to_string())
            .hint_if(error.help())
            .code(error.code())
    }
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Self {
        let exit = match &error {
            LockError::Held(_) => Exit::Usage,
            LockError::System { .. } => Exit::Failed,
        };
        Self::new(exit, error.to_string())
            .hint_if(error.help())
            .code(error.code())
    }
}

impl From<LeaveError> for Problem {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::Store(error) => error.into(),
            LeaveError::Lock(error) => error.into(),
        }
    }
}

impl From<FindError> for Problem {
    fn from(error: FindError) -> Self {
        let code = error.code();
        let problem = Self::usage(error.to_string()).code(code);
        match error {
            FindError::Store(error) => error.into(),
            FindError::Unknown { nearest, .. } => problem
                .hint_if(nearest.map(|near| format!("did you mean `{near}`?")))
                .hint("`cordon runs list` shows them"),
            FindError::Ambiguous { typed, runs } => {
                let told = runs.iter().map(|run| {
                    // As many characters as tell them apart.
                    let id: String = match typed.len() >= 8 {
                        true => run.id.to_string(),
                        false => short(run.id),
                    };
                    format!(
                        "{id}: {} of {}",
                        run.order.playbook,
                        crate::output::time::moment(run.order.created)
                    )
                });
                problem.hint(told.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

/// There is a directory, and no run was ever started in it.
pub fn none_yet() -> Problem {
    Problem::usage("no run was started here yet")
        .hint("`cordon run PLAYBOOK` starts one; `-C DIR` picks another automation directory")
        .code("run.unknown")
}
