//! `cordon connection new`: a commented file from the connector's manifest, and a certificate where the
//! product takes a self-made one.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use cordon_connection::ConnectionFile;
use cordon_connection::certificate::{MakeError, make_client_certificate};
use cordon_connection::file::{NewConnection, write};
use cordon_contract::Manifest;
use cordon_contract::manifest::CredentialKind;

use crate::commands::connector;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Tone, certificate};
use crate::problem::Problem;

/// Write the file of a new connection, with everything that its connector takes as comments
///
/// Where the product wants a client certificate that its caller makes, key and certificate are made
/// too. Nothing is sent anywhere.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon connection new kata --connector kata
  cordon connection new kata-berlin --connector kata --url https://kata.berlin.example \\
      --set external_system_id=15301050-0490-4A41-81EA-B0391CF21EF3")]
pub struct Arguments {
    /// What the connection is called: lower-case letters, digits, - and _
    name: String,

    /// The connector of the product: see `cordon connector list`
    #[arg(long, value_name = "CONNECTOR")]
    connector: String,

    /// The product's base URL
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// A setting of the connector: see `cordon connector show`
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Writes the file and says what to do next.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let connector = connector::find(&inventory, &arguments.connector)?;
    let manifest = &connector.model().manifest;
    let path = inventory.directory().connection_path(&arguments.name);
    let text = text(arguments, manifest)?;
    ConnectionFile::parse(&path, &text).map_err(|error| {
        // The file is not there yet; what is wrong with it was given on the command line.
        Problem::usage(error.problem.to_string()).code("cli.argument")
    })?;
    let root = inventory.directory().root();
    create(&path, &text)?;
    context.screen.print(&format!("wrote {}", path.display()));
    if manifest
        .credentials
        .iter()
        .any(|own| own.kind == CredentialKind::ClientCertificate && own.self_made)
    {
        let shown = self_made(root, arguments, context)?;
        context.screen.print(&shown);
    }
    context.screen.print(&next(arguments, context, &path));
    Ok(Exit::Done)
}

fn text(arguments: &Arguments, manifest: &Manifest) -> Result<String, Problem> {
    let known = || {
        manifest
            .settings
            .iter()
            .map(|setting| setting.name.as_str())
    };
    for (name, _) in &arguments.settings {
        if !known().any(|own| own == name) {
            return Err(Problem::usage(format!(
                "the connector `{}` has no setting `{name}`",
                manifest.name
            ))
            .nearest(name, known())
            .hint(format!(
                "`cordon connector show {}` lists them",
                manifest.name
            ))
            .code("cli.argument"));
        }
    }
    let settings: Vec<(&str, &str)> = arguments
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Ok(write(
        manifest,
        &NewConnection {
            name: &arguments.name,
            url: arguments.url.as_deref(),
            settings: &settings,
        },
    ))
}

fn create(path: &Path, text: &str) -> Result<(), Problem> {
    let unwritable = |error: std::io::Error| {
        Problem::new(
            Exit::Failed,
            format!("cannot write `{}`: {error}", path.display()),
        )
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
    {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(unwritable),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Problem::usage(
            format!("`{}` is there already and is left as it is", path.display()),
        )
        .hint("choose another name, or remove the file")
        .code("cli.argument")),
        Err(error) => Err(unwritable(error)),
    }
}

/// Makes key and certificate, unless they are there, and shows what the product has to be told.
fn self_made(root: &Path, arguments: &Arguments, context: &Context) -> Result<String, Problem> {
    let folder = root.join("credentials");
    crate::commands::init::private_folder(&folder)?;
    let common_name = format!("cordon {}", arguments.name);
    match make_client_certificate(&folder, &arguments.name, &common_name) {
        Ok(made) => {
            let look = context.screen.stdout();
            let block = certificate::block(&made.info, certificate::now(), look);
            let (key, pem) = (made.key.display(), made.certificate.display());
            Ok(format!(
                "made {key} (keep it private)\nmade {pem}, the certificate that the product has to accept:\n{block}"
            ))
        }
        Err(error @ MakeError::Exists { .. }) => Ok(format!("kept: {error}")),
        Err(error) => Err(Problem::new(Exit::Failed, error.to_string())),
    }
}

fn next(arguments: &Arguments, context: &Context, path: &Path) -> String {
    let look = context.screen.stdout();
    let name = &arguments.name;
    let in_directory = match context.path.to_str() {
        Some(".") | None => "cordon".to_owned(),
        Some(directory) => format!("cordon -C {directory}"),
    };
    let command = |text: &str| {
        look.paint(
            Tone::Name,
            &format!("`{in_directory} connection {text} {name}`"),
        )
    };
    format!(
        "\n{}\n  1. Fill in {}.\n  2. {} shows the server's certificate, to compare and to pin.\n  3. {} makes one cheap request.",
        look.paint(Tone::Strong, "Next"),
        path.display(),
        command("trust"),
        command("test"),
    )
}
