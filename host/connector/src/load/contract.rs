//! The contract and the capabilities as this Cordon serves them, read from the same WIT files that
//! connectors are built with, to compare a component's imports and exports with.

use std::collections::BTreeMap;

use cordon_contract::types::Type;
use wit_parser::{Function, InterfaceId, Resolve, SourceMap, UnresolvedPackageGroup};

use super::difference::difference;
use super::docs::Docs;
use super::types::Types;

/// The files of `wit/connector`.
const CONNECTOR: &[(&str, &str)] = &[
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

/// The files of `wit/capability`.
const CAPABILITY: &[(&str, &str)] = &[
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

/// What a connector may import and must export.
pub(crate) struct Contract {
    /// The interfaces of `cordon:connector`, by name: `http`, `lifecycle`, …
    pub interfaces: BTreeMap<String, Interface>,
    /// The interfaces of `cordon:capability`, by name: `hosts`, `isolation`, …
    pub capabilities: BTreeMap<String, Interface>,
    /// The docs of the capabilities.
    pub docs: Docs,
}

/// The functions of an interface, by name.
pub(crate) type Interface = BTreeMap<String, Signature>;

/// The shape of a function.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    parameters: Vec<(String, Type)>,
    result: Option<Type>,
}

impl Contract {
    /// Reads the embedded WIT.
    ///
    /// # Errors
    /// Never with the files of a released Cordon; a test reads them all.
    pub fn embedded() -> Result<Self, String> {
        let mut resolve = Resolve::new();
        let connector = push(&mut resolve, CONNECTOR)?;
        let capability = push(&mut resolve, CAPABILITY)?;
        let none = Docs::default();
        let mut types = Types::new(&resolve, &none);
        let mut interfaces = |package: wit_parser::PackageId| {
            resolve.packages[package]
                .interfaces
                .iter()
                .map(|(name, id)| Ok((name.clone(), interface(&mut types, &resolve, *id)?)))
                .collect::<Result<BTreeMap<_, _>, String>>()
        };
        let (interfaces, capabilities) = (interfaces(connector)?, interfaces(capability)?);
        let mut docs = Docs::default();
        docs.add(&resolve, capability);
        Ok(Self {
            interfaces,
            capabilities,
            docs,
        })
    }
}

fn push(resolve: &mut Resolve, files: &[(&str, &str)]) -> Result<wit_parser::PackageId, String> {
    let mut map = SourceMap::default();
    for (name, text) in files {
        map.push_str(name, *text);
    }
    let group: UnresolvedPackageGroup = map.parse().map_err(|(_, error)| format!("{error:?}"))?;
    resolve
        .push_group(group)
        .map_err(|error| format!("{error:#}"))
}

fn interface(types: &mut Types, resolve: &Resolve, id: InterfaceId) -> Result<Interface, String> {
    resolve.interfaces[id]
        .functions
        .iter()
        .map(|(name, function)| Ok((name.clone(), Signature::of(types, function)?)))
        .collect()
}

impl Signature {
    /// The shape of a function of a component.
    ///
    /// # Errors
    /// Where it uses a type that no value can stand for; reads well after "uses ".
    pub fn of(types: &mut Types, function: &Function) -> Result<Self, String> {
        let parameters = function
            .params
            .iter()
            .map(|parameter| Ok((parameter.name.clone(), types.reflect(&parameter.ty)?)))
            .collect::<Result<_, String>>()?;
        let result = function
            .result
            .as_ref()
            .map(|result| types.reflect(result))
            .transpose()?;
        Ok(Self { parameters, result })
    }

    /// The first place where `found` differs from this one; names of types aside.
    pub fn difference(&self, found: &Self) -> Option<String> {
        let names = |signature: &Self| {
            signature
                .parameters
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
                .join("`, `")
        };
        if names(self) != names(found) {
            return Some(format!(
                "has the parameters `{}` instead of `{}`",
                names(found),
                names(self)
            ));
        }
        let parameters = self.parameters.iter().zip(&found.parameters).find_map(
            |((name, expected), (_, found))| {
                difference(expected, found)
                    .map(|difference| format!("its parameter `{name}` has {difference}"))
            },
        );
        parameters.or_else(|| match (&self.result, &found.result) {
            (None, None) => None,
            (Some(expected), Some(found)) => {
                difference(expected, found).map(|difference| format!("its result has {difference}"))
            }
            (Some(expected), None) => Some(format!("it returns nothing instead of {expected}")),
            (None, Some(found)) => Some(format!("it returns {found} instead of nothing")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_contract_and_the_capabilities_is_embedded() {
        for (folder, embedded) in [("connector", CONNECTOR), ("capability", CAPABILITY)] {
            let path = format!("{}/../../wit/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.retain(|file| file.ends_with(".wit"));
            files.sort();
            assert_eq!(
                files,
                embedded
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn the_embedded_contract_reads_whole() {
        let contract = Contract::embedded().unwrap();
        assert!(contract.interfaces["lifecycle"].contains_key("describe"));
        assert!(contract.interfaces["http"].contains_key("send"));
        assert!(contract.capabilities["isolation"].contains_key("release"));
    }
}
