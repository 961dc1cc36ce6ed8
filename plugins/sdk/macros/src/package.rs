//! The connector's WIT package, resolved together with the contract.

use std::path::{Path, PathBuf};

use wit_parser::{Function, InterfaceId, PackageId, Resolve, WorldId, WorldItem, WorldKey};

use crate::arguments::Source;

/// The contract's packages, in the order of their dependence. This crate knows their place, so that
/// connectors outside of this repository need no copy.
const CONTRACT: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../wit/connector"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../wit/capability"),
];

/// The package whose interfaces Cordon offers to connectors.
pub const CONNECTOR_PACKAGE: (&str, &str) = ("cordon", "connector");

/// A connector's package.
pub struct Package {
    pub resolve: Resolve,
    pub id: PackageId,
    pub world: WorldId,
    /// The files that were read, for the compiler to watch.
    pub files: Vec<PathBuf>,
}

/// An interface that the world exports.
pub struct Export {
    pub id: InterfaceId,
    /// Whether it belongs to the connector's own package.
    pub own: bool,
}

impl Package {
    /// Reads and resolves the package, and finds its world.
    pub fn read(source: &Source, world: Option<&str>) -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let mut files = Vec::new();
        for folder in CONTRACT {
            push(&mut resolve, Path::new(folder), &mut files)?;
        }
        let id = match source {
            Source::Inline(text) => resolve
                .push_str("inline.wit", text)
                .map_err(|error| format!("{error:#}"))?,
            Source::Path(path) => {
                let root = std::env::var_os("CARGO_MANIFEST_DIR")
                    .ok_or("CARGO_MANIFEST_DIR is not set; build with cargo")?;
                let path = Path::new(&root).join(path);
                if !path.exists() {
                    return Err(format!(
                        "there is no WIT at `{}`; write the connector's package there, or name another place with `wit: \"…\"`",
                        path.display()
                    ));
                }
                push(&mut resolve, &path, &mut files)?
            }
        };
        let world = resolve
            .select_world(&[id], world)
            .map_err(|error| format!("{error:#}"))?;
        Ok(Self {
            resolve,
            id,
            world,
            files,
        })
    }

    /// The package in its binary form, with its docs.
    pub fn encoded(&self) -> Result<Vec<u8>, String> {
        wit_component::encode(&self.resolve, self.id).map_err(|error| format!("{error:#}"))
    }

    /// Takes `lifecycle` out of the world's exports, since the SDK exports it.
    pub fn take_lifecycle(&mut self) -> Result<(), String> {
        let key = self.resolve.worlds[self.world]
            .exports
            .keys()
            .find(|key| matches!(key, WorldKey::Interface(id) if self.is_lifecycle(*id)))
            .cloned();
        let Some(key) = key else {
            return Err(format!(
                "the world `{}` is no connector's; it needs the line `include cordon:connector/connector@0.1.0;`",
                self.resolve.worlds[self.world].name
            ));
        };
        self.resolve.worlds[self.world].exports.shift_remove(&key);
        Ok(())
    }

    /// The interfaces of actions.
    pub fn exports(&self) -> Result<Vec<Export>, String> {
        self.resolve.worlds[self.world]
            .exports
            .iter()
            .map(|(key, item)| match (key, item) {
                (WorldKey::Interface(id), WorldItem::Interface { .. }) => {
                    Ok(Export { id: *id, own: self.resolve.interfaces[*id].package == Some(self.id) })
                }
                _ => Err(format!(
                    "the world exports `{}` by itself; actions stand in named interfaces of a package",
                    self.resolve.name_world_key(key)
                )),
            })
            .collect()
    }

    /// The interfaces of the contract that the world imports: their full names and their own.
    pub fn contract_imports(&self) -> impl Iterator<Item = (String, &str)> {
        self.resolve.worlds[self.world]
            .imports
            .keys()
            .filter_map(|key| {
                let WorldKey::Interface(id) = key else {
                    return None;
                };
                self.is_contract(*id)
                    .then(|| (self.resolve.name_world_key(key), self.interface_name(*id)))
            })
    }

    /// The name of an interface without its package.
    pub fn interface_name(&self, id: InterfaceId) -> &str {
        self.resolve.interfaces[id]
            .name
            .as_deref()
            .unwrap_or_default()
    }

    /// The functions of an interface.
    pub fn functions(&self, id: InterfaceId) -> impl Iterator<Item = &Function> {
        self.resolve.interfaces[id].functions.values()
    }

    fn is_contract(&self, id: InterfaceId) -> bool {
        let package = self.resolve.interfaces[id]
            .package
            .map(|package| &self.resolve.packages[package].name);
        package.is_some_and(|package| {
            (package.namespace.as_str(), package.name.as_str()) == CONNECTOR_PACKAGE
        })
    }

    fn is_lifecycle(&self, id: InterfaceId) -> bool {
        self.is_contract(id) && self.interface_name(id) == "lifecycle"
    }
}

fn push(resolve: &mut Resolve, path: &Path, files: &mut Vec<PathBuf>) -> Result<PackageId, String> {
    let path = std::fs::canonicalize(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let (id, sources) = resolve
        .push_path(path)
        .map_err(|error| format!("{error:#}"))?;
    files.extend(sources.paths().map(Path::to_owned));
    Ok(id)
}
