//! The connector's WIT package, resolved together with the contract.

use std::path::{Path, PathBuf};

use wit_parser::{
    Function, InterfaceId, PackageId, Resolve, SourceMap, WorldId, WorldItem, WorldKey,
};

use crate::arguments::Source;

/// The files of a package of the contract, with their names. The contract is part of this program:
/// connectors outside of this repository need no copy, and a compiled macro reads no folder of the
/// place where it was compiled.
type Files = &'static [(&'static str, &'static str)];

/// The contract's packages, in the order of their dependence.
const CONTRACT: [Files; 2] = [CONNECTOR_FILES, CAPABILITY_FILES];

const CONNECTOR_FILES: Files = &[
    (
        "blobs.wit",
        include_str!("../../../../wit/connector/blobs.wit"),
    ),
    (
        "call.wit",
        include_str!("../../../../wit/connector/call.wit"),
    ),
    (
        "errors.wit",
        include_str!("../../../../wit/connector/errors.wit"),
    ),
    (
        "http.wit",
        include_str!("../../../../wit/connector/http.wit"),
    ),
    (
        "lifecycle.wit",
        include_str!("../../../../wit/connector/lifecycle.wit"),
    ),
    ("log.wit", include_str!("../../../../wit/connector/log.wit")),
    (
        "settings.wit",
        include_str!("../../../../wit/connector/settings.wit"),
    ),
    (
        "state.wit",
        include_str!("../../../../wit/connector/state.wit"),
    ),
    (
        "types.wit",
        include_str!("../../../../wit/connector/types.wit"),
    ),
    (
        "world.wit",
        include_str!("../../../../wit/connector/world.wit"),
    ),
];

const CAPABILITY_FILES: Files = &[
    (
        "hosts.wit",
        include_str!("../../../../wit/capability/hosts.wit"),
    ),
    (
        "isolation.wit",
        include_str!("../../../../wit/capability/isolation.wit"),
    ),
    (
        "programs.wit",
        include_str!("../../../../wit/capability/programs.wit"),
    ),
];

/// The namespace and the name of the package whose interfaces Cordon offers to connectors.
const CONNECTOR: (&str, &str) = ("cordon", "connector");

/// The same of the package of the capabilities.
const CAPABILITY: (&str, &str) = ("cordon", "capability");

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
    /// Whether it is one of the capabilities.
    pub capability: bool,
}

impl Package {
    /// Reads and resolves the package, and finds its world.
    pub fn read(source: &Source, world: Option<&str>) -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let mut files = Vec::new();
        for contract in CONTRACT {
            push_files(&mut resolve, contract)?;
        }
        let id = match source {
            Source::Inline(text) => resolve
                .push_str("inline.wit", text)
                .map_err(|error| resolve.render_error(&error))?,
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
                    let own = self.resolve.interfaces[*id].package == Some(self.id);
                    Ok(Export { id: *id, own, capability: self.is_of(*id, CAPABILITY) })
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
                self.is_of(*id, CONNECTOR)
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

    fn is_of(&self, id: InterfaceId, package: (&str, &str)) -> bool {
        let owner = self.resolve.interfaces[id].package;
        let owner = owner.map(|owner| &self.resolve.packages[owner].name);
        owner.is_some_and(|owner| (owner.namespace.as_str(), owner.name.as_str()) == package)
    }

    fn is_lifecycle(&self, id: InterfaceId) -> bool {
        self.is_of(id, CONNECTOR) && self.interface_name(id) == "lifecycle"
    }
}

fn push(resolve: &mut Resolve, path: &Path, files: &mut Vec<PathBuf>) -> Result<PackageId, String> {
    let path = std::fs::canonicalize(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let (id, sources) = resolve
        .push_path(path)
        .map_err(|error| resolve.render_error(&error))?;
    files.extend(sources.paths().map(Path::to_owned));
    Ok(id)
}

fn push_files(resolve: &mut Resolve, files: Files) -> Result<PackageId, String> {
    let mut sources = SourceMap::default();
    for (name, text) in files {
        sources.push_str(name, *text);
    }
    let group = sources
        .parse()
        .map_err(|(sources, error)| error.render(&sources))?;
    resolve
        .push_group(group)
        .map_err(|error| format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_contract_is_part_of_it() {
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
        for (folder, files) in [
            ("connector", CONNECTOR_FILES),
            ("capability", CAPABILITY_FILES),
        ] {
            let mut there: Vec<_> = std::fs::read_dir(contract.join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            there.sort();
            let known: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            assert_eq!(known, there, "{folder}");
        }
    }

    fn read(text: &str) -> Result<Package, String> {
        Package::read(&Source::Inline(text.to_owned()), None)
    }

    const ECHO: &str = "
        package me:echo@0.1.0;
        interface echoes { echo: func(text: string) -> string; }
    ";

    #[test]
    fn a_connector_exports_its_lifecycle_and_its_interfaces_and_nothing_by_itself() {
        let world = "world echo { include cordon:connector/connector@0.1.0; export echoes; export cordon:capability/hosts@0.1.0; }";
        let mut package = read(&format!("{ECHO} {world}")).unwrap();
        package.take_lifecycle().unwrap();
        let exports = package.exports().unwrap();
        let kinds: Vec<_> = exports
            .iter()
            .map(|export| {
                (
                    package.interface_name(export.id),
                    export.own,
                    export.capability,
                )
            })
            .collect();
        assert_eq!(kinds, [("echoes", true, false), ("hosts", false, true)]);

        let world = "world echo { include cordon:connector/connector@0.1.0; export echo: func(); }";
        let mut package = read(&format!("{ECHO} {world}")).unwrap();
        package.take_lifecycle().unwrap();
        assert!(
            package
                .exports()
                .is_err_and(|message| message.contains("`echo` by itself"))
        );
    }

    #[test]
    fn a_world_that_is_no_connectors_is_told_the_line_that_makes_it_one() {
        let mut package = read(&format!("{ECHO} world echo {{ export echoes; }}")).unwrap();
        let message = package.take_lifecycle().unwrap_err();
        assert_eq!(
            message,
            "the world `echo` is no connector's; it needs the line `include cordon:connector/connector@0.1.0;`"
        );
    }

    #[test]
    fn wit_that_cannot_be_read_is_told_with_its_place() {
        let message = read("package me:echo@0.1.0; interface echoes { echo: func() -> nothing; }")
            .err()
            .unwrap();
        assert!(
            message.contains("nothing") && message.contains("inline.wit"),
            "{message}"
        );
        let message = Package::read(&Source::Path("no/such/folder".to_owned()), None)
            .err()
            .unwrap();
        assert!(
            message.contains("no/such/folder") && message.contains("wit: "),
            "{message}"
        );
    }
}
