//! The `cordon` binary: arguments in, output and an exit code out. What the commands do lives in the
//! crates below; what is shared by several commands here stands in `context`, `output` and `problem`.

mod arguments;
mod commands;
mod context;
mod defect;
mod exit;
mod interrupt;
mod log;
mod output;
mod problem;
mod shipped;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(defect::guarded(commands::main).code())
}
