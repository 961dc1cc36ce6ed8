//! `cordon playbook functions`: the functions that the language adds to Rhai's own.

use cordon_playbook::functions;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::markdown;
use crate::output::table::Table;
use crate::problem::Problem;

/// List the functions of the playbook language, or explain one
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon playbook functions
  cordon playbook functions poll")]
pub struct Arguments {
    /// The name of a function
    name: Option<String>,
}

/// Lists or explains.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let look = context.screen.stdout();
    let Some(name) = &arguments.name else {
        let mut table = Table::new(["function", "what it does"]);
        for function in functions::all() {
            let sentence = markdown::first_sentence(function.docs);
            table.row([function.signature(), sentence]);
        }
        context.screen.print(&table.render(look));
        return Ok(Exit::Done);
    };
    let function = functions::find(name).ok_or_else(|| {
        Problem::usage(format!("the language has no function `{name}` of its own"))
            .nearest(name, functions::all().map(|function| function.name))
            .hint("`cordon playbook functions` lists them; Rhai's own functions are in its book")
    })?;
    context
        .screen
        .print(&markdown::render(&function.help(), look));
    Ok(Exit::Done)
}
