//! `cordon runs cancel`: a run ends, and what it registered to be taken back is taken back.

use cordon_journal::WishKind;
use cordon_journal::sqlite::Access;
use cordon_run::client;

use super::super::wish;
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::problem::store::none_yet;

/// End runs: nothing more of them is begun, and what they registered to be taken back is taken back
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon runs cancel 1a2b3c4d --why 'a false alarm'")]
pub struct Arguments {
    /// Runs, or the beginnings of their identities
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,

    /// Why, for those who read about it later
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

/// Leaves the wish for each; those that are wrong are told after the others were left.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let store = context.kept(Access::Beside)?.ok_or_else(none_yet)?;
    let mut problems = Vec::new();
    for typed in &arguments.runs {
        let left = client::find(&store, typed)
            .map_err(Problem::from)
            .and_then(|run| {
                wish::open(&run)?;
                let why = arguments.why.clone();
                let done = "is cancelled; `cordon runs watch` shows how it ends";
                wish::leave(&store, &run, WishKind::Cancel { why }, done, context)
            });
        problems.extend(left.err());
    }
    match Problem::several(problems) {
        Some(problem) => Err(problem),
        None => Ok(Exit::Done),
    }
}
