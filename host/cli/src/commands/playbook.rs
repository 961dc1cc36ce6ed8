//! `cordon playbook`: what playbooks there are, what they take, whether they are right, and the
//! functions of their language.

mod check;
mod functions;

use cordon_playbook::{Header, Playbook};

use super::run::{compile, load};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::{Look, Tone, markdown, neutral, value};
use crate::problem::Problem;

/// Look at and check playbooks
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the playbooks
    List,
    Show(Show),
    Check(check::Arguments),
    Functions(functions::Arguments),
}

/// Show what a playbook does, takes and uses
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The name of a playbook (see `cordon playbook list`), or a file
    name: String,
}

/// Does what the command says.
pub async fn run(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::List => list(context),
        Command::Show(arguments) => show(&arguments, context),
        Command::Check(arguments) => check::run(&arguments, context).await,
        Command::Functions(arguments) => functions::run(&arguments, context),
    }
}

fn list(context: &Context) -> Result<Exit, Problem> {
    let directory = context.directory()?;
    let names = directory.playbook_names()?;
    if names.is_empty() {
        context
            .screen
            .note("there are no playbooks; put .rhai files into `playbooks/`");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["playbook", "title", "inputs", "uses"]);
    for name in names {
        let path = directory.playbook_path(&name)?;
        match compile(&directory, &path) {
            Ok(playbook) => table.row(row(&name, playbook.header())),
            Err(_) => {
                let state = format!("wrong: see `cordon playbook check {name}`");
                table.row([name.as_str(), &state, "", ""]);
            }
        }
    }
    context.screen.print(&table.render(context.screen.stdout()));
    Ok(Exit::Done)
}

fn row(name: &str, header: &Header) -> [String; 4] {
    let inputs = header
        .inputs
        .iter()
        .map(|input| format!("{}{}", input.name, if input.required { "" } else { "?" }));
    let uses = header
        .uses
        .iter()
        .map(|used| format!("{}: {}", used.alias, wants(used)));
    let join = |parts: &mut dyn Iterator<Item = String>| parts.collect::<Vec<_>>().join(", ");
    [
        name.to_owned(),
        header.title.clone(),
        join(&mut inputs.into_iter()),
        join(&mut uses.into_iter()),
    ]
}

fn wants(used: &cordon_playbook::header::Use) -> String {
    if used.many {
        format!("all with {}", used.wants())
    } else {
        used.wants()
    }
}

fn show(arguments: &Show, context: &Context) -> Result<Exit, Problem> {
    let directory = context.directory()?;
    let (name, playbook) = load(&directory, &arguments.name)?;
    context
        .screen
        .print(&page(&name, &playbook, context.screen.stdout()));
    Ok(Exit::Done)
}

fn page(name: &str, playbook: &Playbook, look: Look) -> String {
    let header = playbook.header();
    let mut parts = vec![look.paint(
        Tone::Strong,
        &neutral::line(&format!("{name}: {}", header.title)),
    )];
    if !header.description.is_empty() {
        parts.push(markdown::render(&header.description, look));
    }
    let mut inputs = Table::new(["input", "takes", "default", "what it is"]);
    for input in &header.inputs {
        let default = match (&input.default, input.required) {
            (_, true) => "required".to_owned(),
            (Some(default), _) => value::short(default),
            (None, _) => String::new(),
        };
        inputs.row([
            &input.name,
            &input.r#type.to_string(),
            &default,
            &input.help,
        ]);
    }
    let mut uses = Table::new(["alias", "needs"]);
    for used in &header.uses {
        uses.row([used.alias.as_str(), &wants(used)]);
    }
    for (title, table) in [("Inputs", inputs), ("Connections", uses)] {
        if !table.is_empty() {
            parts.push(format!(
                "{}\n{}",
                look.paint(Tone::Strong, title),
                table.render(look)
            ));
        }
    }
    let required = header.inputs.iter().filter(|input| input.required);
    let needed: String = required
        .map(|input| format!(" --input {}=…", input.name))
        .collect();
    parts.push(format!(
        "{}\n  cordon run {}{needed}",
        look.paint(Tone::Strong, "Run it"),
        neutral::line(name)
    ));
    parts.join("\n\n")
}
