//! `cordon connector`: what is in `connectors/`, and what its actions take, give and do.

use std::sync::Arc;

use cordon_connector::Connector;
use cordon_contract::manifest::{Credential, CredentialKind, Manifest, SettingType};
use cordon_contract::{Action, ConnectorModel};
use cordon_run::inventory::Inventory;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::{Look, Tone, markdown, neutral, signature};
use crate::problem::{Problem, directory::refused};
use crate::shipped::stem;

/// Look at connectors and their actions
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the connectors, and the files that are none with the reason
    List,
    Show(Show),
}

/// Show what a connector takes and can do, or one of its actions
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon connector show kata
  cordon connector show kata isolate")]
pub struct Show {
    /// The name of a connector: see `cordon connector list`
    name: String,

    /// An action of it
    action: Option<String>,
}

/// Does what the command says.
pub async fn run(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::List => list(context).await,
        Command::Show(arguments) => show(&arguments, context).await,
    }
}

/// A connector by its name; a file that was refused is answered with the reason.
pub fn find<'a>(inventory: &'a Inventory, name: &str) -> Result<&'a Arc<Connector>, Problem> {
    if let Some(connector) = inventory.connectors().get(name) {
        return Ok(connector);
    }
    if let Some(file) = inventory
        .refused()
        .iter()
        .find(|file| stem(&file.path) == name)
    {
        return Err(refused(&file.error));
    }
    Err(Problem::usage(format!("there is no connector `{name}`"))
        .nearest(name, inventory.connectors().keys().map(String::as_str))
        .hint("`cordon connector list` shows those in `connectors/`; `cordon init . --with FILE.wasm` adds one")
        .code("connection.connector"))
}

async fn list(context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    if inventory.connectors().is_empty() && inventory.refused().is_empty() {
        context
            .screen
            .note("there are no connectors; put .wasm files into `connectors/`");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["connector", "version", "product", "actions", "capabilities"]);
    for connector in inventory.connectors().values() {
        let model = connector.model();
        let manifest = &model.manifest;
        let actions = model.actions.len().to_string();
        table.row([
            &manifest.name,
            &manifest.version,
            &manifest.title,
            &actions,
            &model.capabilities.join(", "),
        ]);
    }
    if !table.is_empty() {
        context.screen.print(&table.render(context.screen.stdout()));
    }
    for file in inventory.refused() {
        context.screen.note(&format!(
            "\n{}",
            refused(&file.error).render(context.screen.stderr())
        ));
    }
    Ok(if inventory.refused().is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    })
}

async fn show(arguments: &Show, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let model = find(&inventory, &arguments.name)?.model();
    let look = context.screen.stdout();
    let text = match &arguments.action {
        Some(wanted) => action(model, wanted, look)?,
        None => page(model, look),
    };
    context.screen.print(&text);
    Ok(Exit::Done)
}

fn action(model: &ConnectorModel, wanted: &str, look: Look) -> Result<String, Problem> {
    let action = find_action(model, wanted)?;
    let call = action
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.r#type, cordon_contract::Type::Option(_)))
        .map(|parameter| format!(" {}=…", cordon_contract::name::snake(&parameter.name)));
    let call: String = call.collect();
    let example = format!("cordon call CONNECTION {}{call}", action.script_name());
    Ok(format!(
        "{}\n\n{}\n  {example}",
        signature::page(action, look),
        look.paint(Tone::Strong, "Call it")
    ))
}

/// An action by its name in either spelling.
pub fn find_action<'a>(model: &'a ConnectorModel, wanted: &str) -> Result<&'a Action, Problem> {
    model.action(wanted).ok_or_else(|| {
        let connector = &model.manifest.name;
        let known: Vec<String> = model.actions.iter().map(Action::script_name).collect();
        Problem::usage(format!(
            "the connector `{connector}` has no action `{wanted}`"
        ))
        .nearest(wanted, known.iter().map(String::as_str))
        .hint(format!(
            "`cordon connector show {connector}` lists its actions"
        ))
        .code("action.unknown")
    })
}

fn page(model: &ConnectorModel, look: Look) -> String {
    let manifest = &model.manifest;
    let name = neutral::line(&manifest.name);
    let title = format!(
        "{name} {}: {}, by {}",
        manifest.version, manifest.title, manifest.vendor
    );
    let mut parts = vec![look.paint(Tone::Strong, &neutral::line(&title))];
    if !manifest.description.trim().is_empty() {
        parts.push(markdown::render(&manifest.description, look));
    }
    parts.extend(section("Settings", settings(manifest), look));
    parts.extend(section("Credentials", credentials(manifest), look));
    if !model.capabilities.is_empty() {
        let list = neutral::line(&model.capabilities.join(", "));
        parts.push(format!(
            "{}\n{list}",
            look.paint(Tone::Strong, "Capabilities")
        ));
    }
    let actions: Vec<String> = model
        .actions
        .iter()
        .map(|action| summary(action, look))
        .collect();
    parts.push(format!(
        "{}\n{}",
        look.paint(Tone::Strong, "Actions"),
        actions.join("\n")
    ));
    parts.push(format!(
        "`cordon connector show {name} ACTION` says more about one."
    ));
    parts.join("\n\n")
}

fn section(title: &str, table: Table, look: Look) -> Option<String> {
    (!table.is_empty()).then(|| {
        format!(
            "{}\n{}",
            look.paint(Tone::Strong, title),
            table.render(look)
        )
    })
}

fn summary(action: &Action, look: Look) -> String {
    let effect = signature::effect(action.manifest.effect, look);
    let sentence = markdown::first_sentence(action.docs.as_deref().unwrap_or_default());
    format!(
        "  {}  [{effect}]\n      {}",
        look.paint(Tone::Name, &signature::line(action)),
        neutral::line(&sentence)
    )
    .trim_end()
    .to_owned()
}

fn settings(manifest: &Manifest) -> Table {
    let mut table = Table::new(["name", "takes", "default", "what it is"]);
    for setting in &manifest.settings {
        let takes = match &setting.r#type {
            SettingType::Text => "text".to_owned(),
            SettingType::Integer => "whole number".to_owned(),
            SettingType::Number => "number".to_owned(),
            SettingType::Boolean => "true or false".to_owned(),
            SettingType::Texts => "list of texts".to_owned(),
            SettingType::Duration => "duration".to_owned(),
            SettingType::Size => "size".to_owned(),
            SettingType::Choice(words) => words.join(" | "),
        };
        let default = match (&setting.default, setting.required) {
            (Some(default), _) => default.as_str(),
            (None, true) => "required",
            (None, false) => "",
        };
        table.row([&setting.name, &takes, default, &setting.help]);
    }
    table
}

fn credentials(manifest: &Manifest) -> Table {
    let mut table = Table::new(["name", "kind", "needed", "what it is"]);
    for Credential {
        name,
        kind,
        required,
        self_made,
        help,
    } in &manifest.credentials
    {
        let kind = match kind {
            CredentialKind::Secret => "secret",
            CredentialKind::ClientCertificate if *self_made => "client certificate, self-made",
            CredentialKind::ClientCertificate => "client certificate",
        };
        table.row([
            name.as_str(),
            kind,
            if *required { "required" } else { "optional" },
            help,
        ]);
    }
    table
}
