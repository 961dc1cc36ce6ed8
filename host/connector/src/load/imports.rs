//! A component's imports: whether everything that it wants is given, in the shape that it wants.

use wit_parser::{InterfaceId, TypeDefKind, WorldItem, WorldKey};

use super::LoadError;
use super::contract::Signature;
use super::exports::Component;
use super::meaning::is_contract;
use super::types::Types;

/// The parts of WASI 0.2 that are there, empty: no files, no sockets, no environment.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

impl Component<'_> {
    /// Checks that everything that is imported is given, in the shape that it is given in.
    pub fn check_imports(&self) -> Result<(), LoadError> {
        let mut types = Types::new(self.resolve, self.docs);
        let mut refused = Vec::new();
        for (key, item) in &self.world.imports {
            match item {
                WorldItem::Interface { id, .. } => {
                    self.check_import(&mut types, key, *id, &mut refused)
                }
                WorldItem::Function(function) => {
                    refused.push(format!("the function `{}`", function.name))
                }
                WorldItem::Type { .. } => {}
            }
        }
        if refused.is_empty() {
            Ok(())
        } else {
            Err(LoadError::Imports {
                name: self.name.to_owned(),
                imports: refused,
            })
        }
    }

    fn check_import(
        &self,
        types: &mut Types,
        key: &WorldKey,
        id: InterfaceId,
        refused: &mut Vec<String>,
    ) {
        let full_name = self.resolve.name_world_key(key);
        let interface = &self.resolve.interfaces[id];
        let has_resources = interface
            .types
            .values()
            .any(|id| matches!(self.resolve.types[*id].kind, TypeDefKind::Resource));
        if interface.functions.is_empty() && !has_resources {
            return;
        }
        if is_wasi(&full_name) {
            return;
        }
        let given = interface
            .name
            .as_deref()
            .filter(|name| is_contract(self.resolve, id, name))
            .and_then(|name| {
                self.contract
                    .interfaces
                    .get(name)
                    .filter(|_| name != "lifecycle")
            });
        let Some(given) = given else {
            refused.push(format!("`{full_name}`"));
            return;
        };
        for (name, function) in &interface.functions {
            let problem = match (given.get(name), Signature::of(types, function)) {
                (None, _) => Some("no such function".to_owned()),
                (Some(given), Ok(wanted)) => given.difference(&wanted),
                (Some(_), Err(problem)) => Some(format!("uses {problem}")),
            };
            if let Some(problem) = problem {
                refused.push(format!("`{full_name}#{name}` ({problem})"));
            }
        }
    }
}

fn is_wasi(full_name: &str) -> bool {
    full_name
        .split_once('@')
        .is_some_and(|(name, version)| version.starts_with("0.2.") && WASI.contains(&name))
}
