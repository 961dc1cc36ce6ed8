//! Doc comments. They do not survive into a component; the SDK puts the encoded WIT package, which
//! has them, into a custom section. Docs and only docs come from there: what the component's own
//! types do not have is dropped with a warning, so that help can never show a function or field
//! that is not there.

use std::collections::BTreeMap;

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageId, Resolve, TypeDef, TypeDefKind, TypeOwner};

/// The docs of one connector.
#[derive(Default, Clone)]
pub(crate) struct Docs {
    functions: BTreeMap<(String, String), Function>,
    types: BTreeMap<(String, String), TypeDocs>,
}

#[derive(Clone)]
struct Function {
    parameters: Vec<String>,
    docs: Option<String>,
}

/// The docs of one named type and of its fields, cases or words.
#[derive(Default, Clone)]
pub(crate) struct TypeDocs {
    own: Option<String>,
    items: BTreeMap<String, Option<String>>,
}

impl TypeDocs {
    /// The docs of the type itself.
    pub fn own(&self) -> Option<String> {
        self.own.clone()
    }

    /// The docs of a field, case or word.
    pub fn item(&self, name: &str) -> Option<String> {
        self.items.get(name).cloned().flatten()
    }
}

impl Docs {
    /// Adds the docs of these encoded WIT packages; one that cannot be read is skipped with a warning.
    pub fn read<'a>(&mut self, connector: &str, packages: impl IntoIterator<Item = &'a [u8]>) {
        for package in packages {
            match decode(package) {
                // Of the packages that it uses, an encoded package has the types but not the docs.
                Ok(DecodedWasm::WitPackage(resolve, package)) => self.add(&resolve, package),
                Ok(DecodedWasm::Component(..)) => {
                    tracing::warn!(
                        connector,
                        "its section `cordon:wit` holds a component, not a WIT package; no docs"
                    );
                }
                Err(error) => {
                    tracing::warn!(connector, %error, "its section `cordon:wit` cannot be read; no docs")
                }
            }
        }
    }

    /// Adds the docs of every interface of a package.
    pub fn add(&mut self, resolve: &Resolve, package: PackageId) {
        for id in resolve.packages[package].interfaces.values() {
            let interface = &resolve.interfaces[*id];
            let Some(interface_name) = resolve.id_of(*id) else {
                continue;
            };
            for (name, function) in &interface.functions {
                let parameters = function
                    .params
                    .iter()
                    .map(|parameter| parameter.name.clone())
                    .collect();
                let function = Function {
                    parameters,
                    docs: text(&function.docs),
                };
                self.functions
                    .insert((interface_name.clone(), name.clone()), function);
            }
            for (name, id) in &interface.types {
                self.types.insert(
                    (interface_name.clone(), name.clone()),
                    of_definition(&resolve.types[*id]),
                );
            }
        }
    }

    /// The docs of a function with these parameters.
    pub fn of_function<'p>(
        &self,
        interface: &str,
        name: &str,
        parameters: impl Iterator<Item = &'p str>,
    ) -> Option<String> {
        let function = self
            .functions
            .get(&(interface.to_owned(), name.to_owned()))?;
        if function
            .parameters
            .iter()
            .map(String::as_str)
            .eq(parameters)
        {
            function.docs.clone()
        } else {
            tracing::warn!(
                interface,
                function = name,
                "the docs describe other parameters than the component has; dropped"
            );
            None
        }
    }

    /// The docs of a type as the component defines it.
    pub fn of_type(&self, resolve: &Resolve, def: &TypeDef) -> TypeDocs {
        let found = (|| {
            let TypeOwner::Interface(owner) = def.owner else {
                return None;
            };
            let (interface, name) = (resolve.id_of(owner)?, def.name.clone()?);
            let docs = self.types.get(&(interface.clone(), name.clone()))?;
            let items = of_definition(def).items;
            if docs.items.keys().eq(items.keys()) {
                return Some(docs.clone());
            }
            tracing::warn!(
                interface,
                r#type = name,
                "the docs describe another type than the component has; dropped"
            );
            None
        })();
        found.unwrap_or_default()
    }
}

fn of_definition(def: &TypeDef) -> TypeDocs {
    let items = match &def.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (field.name.clone(), text(&field.docs)))
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|case| (case.name.clone(), text(&case.docs)))
            .collect(),
        TypeDefKind::Enum(words) => words
            .cases
            .iter()
            .map(|word| (word.name.clone(), text(&word.docs)))
            .collect(),
        TypeDefKind::Flags(words) => words
            .flags
            .iter()
            .map(|word| (word.name.clone(), text(&word.docs)))
            .collect(),
        _ => BTreeMap::new(),
    };
    TypeDocs {
        own: text(&def.docs),
        items,
    }
}

fn text(docs: &wit_parser::Docs) -> Option<String> {
    docs.contents
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
