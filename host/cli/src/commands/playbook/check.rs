//! `cordon playbook check`: everything that can be known to be wrong before a run.

use std::path::{Path, PathBuf};

use cordon_run::check::{self, Checked};
use cordon_run::inventory::Inventory;

use crate::commands::run::{compile, unfit};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Tone, neutral};
use crate::problem::Problem;

/// Check playbooks without running them: grammar, header, and every action and argument against the
/// connectors that are there
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon playbook check                      all of them
  cordon playbook check contain_host drafts/new.rhai")]
pub struct Arguments {
    /// Names of playbooks, or files; without one, all playbooks are checked
    #[arg(value_name = "FILE")]
    playbooks: Vec<String>,
}

/// Checks them all, and says of each what is wrong with it.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let directory = inventory.directory();
    let wanted = if arguments.playbooks.is_empty() {
        directory.playbook_names()?
    } else {
        arguments.playbooks.clone()
    };
    if wanted.is_empty() {
        context
            .screen
            .note("there are no playbooks; put .rhai files into `playbooks/`");
    }
    let paths: Vec<PathBuf> = wanted
        .iter()
        .map(|name| directory.playbook_path(name))
        .collect::<Result<_, _>>()?;
    let mut exit = Exit::Done;
    for path in paths {
        match check_one(&inventory, &path) {
            Ok(checked) => context.screen.print(&said(&path, &checked, context)),
            Err(problem) => {
                context
                    .screen
                    .note(&problem.render(context.screen.stderr()));
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

fn check_one(inventory: &Inventory, path: &Path) -> Result<Checked, Problem> {
    let playbook = compile(inventory.directory(), path)?;
    check::against(&playbook, inventory.connectors()).map_err(|error| unfit(&error))
}

fn said(path: &Path, checked: &Checked, context: &Context) -> String {
    let look = context.screen.stdout();
    let path = neutral::line(&path.display().to_string());
    let ok = look.paint(Tone::Good, "ok");
    match checked.unknown.as_slice() {
        [] => format!("{ok}  {path}"),
        unknown => {
            let aliases: Vec<String> = unknown
                .iter()
                .map(|used| format!("`{}` ({})", used.alias, used.wants()))
                .collect();
            format!(
                "{ok}  {path}  (no connector here fits {}: its actions were not checked)",
                aliases.join(", ")
            )
        }
    }
}
