//! What is wrong with an automation directory, its connections and its connectors, shown at its place
//! in the file.

use cordon_connection::{FileError, OpenError};
use cordon_connector::LoadError;
use cordon_contract::name;
use cordon_run::bind::BindError;
use cordon_run::directory::DirectoryError;
use cordon_run::inventory::{Inventory, InventoryError, LinkError};
use cordon_run::settings::SettingsError;

use super::Problem;
use crate::exit::Exit;
use crate::shipped::stem;

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        match &error {
            DirectoryError::Settings(settings) => wrong_settings(settings),
            other => Self::usage(other.to_string()).hint_if(other.help()),
        }
        .code(error.code())
    }
}

fn wrong_settings(error: &SettingsError) -> Problem {
    let path = error.path.display().to_string();
    Problem::usage(error.problem.clone()).at(
        &path,
        &error.text,
        error.span.start,
        error.span.len(),
        "",
    )
}

impl From<InventoryError> for Problem {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::Engine(error) => {
                Self::new(Exit::Failed, error.to_string()).code(error.code())
            }
            InventoryError::Connectors(error) => refused(&error),
        }
    }
}

/// A file that is no connector.
pub fn refused(error: &LoadError) -> Problem {
    Problem::usage(error.to_string()).code(error.code())
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let (code, help) = (error.code(), error.help());
        match error {
            LinkError::Directory(error) => error.into(),
            LinkError::File(error) => wrong_file(&error),
            LinkError::Open(error) => match &*error {
                OpenError::File(error) => wrong_file(error),
                other => Self::new(Exit::Connection, other.to_string()).code(code),
            },
            other => Self::new(Exit::Connection, other.to_string())
                .hint_if(help)
                .code(code),
        }
    }
}

/// Why a connection is not usable; where its connector is missing because its file was refused, with
/// the reason of that.
pub fn unusable(error: LinkError, inventory: &Inventory) -> Problem {
    let wanted = match &error {
        LinkError::NoConnector { connector, .. } => Some(connector.clone()),
        _ => None,
    };
    let why = inventory.refused().iter().filter(|file| {
        // The file of a connector is commonly called like the connector, in either spelling.
        wanted
            .as_ref()
            .is_some_and(|wanted| name::same(wanted, &stem(&file.path)))
    });
    Problem::from(error).with(why.map(|file| refused(&file.error)))
}

/// Why the aliases of a playbook cannot be bound; see [`unusable`].
pub fn unbound(error: BindError, inventory: &Inventory) -> Problem {
    match error {
        BindError::Link(error) => unusable(error, inventory),
        other => other.into(),
    }
}

impl From<BindError> for Problem {
    fn from(error: BindError) -> Self {
        let (code, help) = (error.code(), error.help());
        let exit = match &error {
            BindError::Several { .. } => Exit::Usage,
            BindError::None { .. } | BindError::Link(_) => Exit::Connection,
        };
        match error {
            BindError::Link(error) => error.into(),
            other => Self::new(exit, other.to_string()).hint_if(help).code(code),
        }
    }
}

/// A mistake in a connection's file, at its place.
pub fn wrong_file(error: &FileError) -> Problem {
    let path = error.path.display().to_string();
    let problem = Problem::new(Exit::Connection, error.problem.to_string()).code(error.code());
    if error.text.is_empty() || error.span.is_empty() {
        return Problem::new(Exit::Connection, format!("{path}: {}", error.problem))
            .code(error.code());
    }
    problem.at(&path, &error.text, error.span.start, error.span.len(), "")
}
