//! `cordon init`: makes an automation directory, and adds what is missing to one that is there. It
//! never overwrites a file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cordon_playbook::{Library, Playbook};
use cordon_run::directory::SETTINGS_FILE;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::Tone;
use crate::problem::Problem;
use crate::shipped::{self, stem};

/// Make an automation directory: cordon.toml and the folders for connections, connectors, playbooks
/// and credentials
///
/// What is already there stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon init soc --with kata
  cordon init . --with ../build/my_product.wasm")]
pub struct Arguments {
    /// The directory; it is made when it is not there
    // Not `directory`: that is the name of the global `-C`, whose value it would take.
    #[arg(value_name = "DIR")]
    new_directory: PathBuf,

    /// Put a connector into it: the name of one that came with Cordon, or a .wasm file. Playbooks that
    /// came with Cordon and name it come along
    #[arg(long, value_name = "CONNECTOR", num_args = 1..)]
    with: Vec<String>,
}

/// The folders, and whether only their owner may look into them.
const FOLDERS: [(&str, bool); 4] = [
    ("connections", false),
    ("connectors", false),
    ("playbooks", false),
    ("credentials", true),
];

const SETTINGS: &str = include_str!("../../templates/cordon.toml");
const IGNORED: &str = include_str!("../../templates/gitignore");

/// Makes what is missing and says what it made.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let connectors: Vec<PathBuf> = arguments
        .with
        .iter()
        .map(|wanted| shipped::connector(wanted))
        .collect::<Result<_, _>>()?;
    // Relative to `-C`, like every path of an automation directory.
    let root = context.path.join(&arguments.new_directory);
    let mut made = Vec::new();
    for (name, private) in FOLDERS {
        let folder = root.join(name);
        if !folder.is_dir() {
            if private {
                private_folder(&folder)?
            } else {
                fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?
            }
            made.push(format!("{name}/"));
        }
    }
    for (name, text) in [(SETTINGS_FILE, SETTINGS), (".gitignore", IGNORED)] {
        if write_new(&root.join(name), text.as_bytes())? {
            made.push(name.to_owned());
        }
    }
    for connector in &connectors {
        made.extend(
            copy(connector, &root.join("connectors"))?.map(|name| format!("connectors/{name}")),
        );
    }
    let names: Vec<String> = connectors.iter().map(|path| stem(path)).collect();
    for playbook in shipped::playbooks()
        .iter()
        .filter(|path| uses(path, &names))
    {
        made.extend(
            copy(playbook, &root.join("playbooks"))?.map(|name| format!("playbooks/{name}")),
        );
    }
    let look = context.screen.stdout();
    let root = root.display();
    if made.is_empty() {
        context.screen.print(&format!(
            "{root} is an automation directory already; nothing was missing"
        ));
        return Ok(Exit::Done);
    }
    let connector = names.first().map_or("CONNECTOR", String::as_str);
    context.screen.print(&format!(
        "made in {root}: {}\n\n{}\n  cd {root}\n  cordon connection new NAME --connector {connector}",
        made.join(", "),
        look.paint(Tone::Strong, "Next"),
    ));
    Ok(Exit::Done)
}

/// A folder that only its owner may look into; one that is there stays as it is.
pub fn private_folder(folder: &Path) -> Result<(), Problem> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| unwritable(folder, &error))
}

/// Whether a playbook names one of these connectors.
fn uses(playbook: &Path, connectors: &[String]) -> bool {
    let library = playbook
        .parent()
        .map_or_else(Library::none, Library::folder);
    Playbook::load(playbook, &library).is_ok_and(|playbook| {
        playbook
            .header()
            .uses
            .iter()
            .any(|used| used.parts.iter().any(|part| connectors.contains(part)))
    })
}

/// Copies a file into a folder; its name where it was not there.
fn copy(from: &Path, folder: &Path) -> Result<Option<String>, Problem> {
    let name = from.file_name().unwrap_or_default();
    let content = fs::read(from)
        .map_err(|error| Problem::usage(format!("cannot read `{}`: {error}", from.display())))?;
    let written = write_new(&folder.join(name), &content)?;
    Ok(written.then(|| name.to_string_lossy().into_owned()))
}

/// Whether the file was not there and has been written.
fn write_new(path: &Path, content: &[u8]) -> Result<bool, Problem> {
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
    {
        Ok(mut file) => file
            .write_all(content)
            .map(|()| true)
            .map_err(|error| unwritable(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        Exit::Failed,
        format!("cannot write `{}`: {error}", path.display()),
    )
}
