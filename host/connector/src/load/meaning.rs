//! What belongs to the contract, told by the interface that owns it and its name, never by its shape:
//! a plain `u64` is no duration, and an alias of a duration is one.

use cordon_contract::types::{Type, Width};
use wit_parser::{InterfaceId, Resolve, TypeDef, TypeDefKind, TypeId, TypeOwner};

/// The interface whose types have a meaning beyond their shape.
pub(super) const TYPES: &str = "cordon:connector/types";

/// The contract's type that this one is, directly or through aliases: its name and itself.
pub(super) fn contract_type(resolve: &Resolve, id: TypeId) -> Option<(&str, TypeId)> {
    find_in_chain(resolve, id, |id, def| {
        let name = def.name.as_deref()?;
        let known = matches!(
            name,
            "duration" | "size" | "timestamp" | "json" | "secret" | "blob"
        );
        (known && is_of_contract(resolve, def, "types")).then_some((name, id))
    })
}

/// Whether a type is `cordon:connector/errors.{error}`, directly or through aliases.
pub(super) fn is_contract_error(resolve: &Resolve, r#type: &wit_parser::Type) -> bool {
    let wit_parser::Type::Id(id) = r#type else {
        return false;
    };
    find_in_chain(resolve, *id, |_, def| {
        (def.name.as_deref() == Some("error") && is_of_contract(resolve, def, "errors"))
            .then_some(())
    })
    .is_some()
}

fn find_in_chain<'r, T>(
    resolve: &'r Resolve,
    mut id: TypeId,
    found: impl Fn(TypeId, &'r TypeDef) -> Option<T>,
) -> Option<T> {
    loop {
        let def = &resolve.types[id];
        if let Some(found) = found(id, def) {
            return Some(found);
        }
        match def.kind {
            TypeDefKind::Type(wit_parser::Type::Id(next)) => id = next,
            _ => return None,
        }
    }
}

fn is_of_contract(resolve: &Resolve, def: &TypeDef, interface: &str) -> bool {
    matches!(def.owner, TypeOwner::Interface(owner) if is_contract(resolve, owner, interface))
}

/// Whether an interface is the contract's of this name, in a version that this Cordon serves.
pub(super) fn is_contract(resolve: &Resolve, interface: InterfaceId, name: &str) -> bool {
    let interface = &resolve.interfaces[interface];
    let Some(package) = interface
        .package
        .map(|package| &resolve.packages[package].name)
    else {
        return false;
    };
    interface.name.as_deref() == Some(name)
        && package.namespace == "cordon"
        && package.name == "connector"
        && package
            .version
            .as_ref()
            .is_some_and(|version| (version.major, version.minor) == (0, 1))
}

/// The contract's type of this name, if the component has it in the contract's shape.
pub(super) fn meaning(name: &str, shape: &Type) -> Option<Type> {
    let fields = |expected: &[(&str, Type)]| {
        matches!(shape, Type::Record(record)
            if record.fields.iter().map(|field| (field.name.as_str(), &field.r#type)).eq(expected.iter().map(|(name, inner)| (*name, inner))))
    };
    let (meaning, holds) = match name {
        "duration" => (Type::Duration, *shape == Type::Integer(Width::U64)),
        "size" => (Type::Size, *shape == Type::Integer(Width::U64)),
        "timestamp" => (Type::Timestamp, *shape == Type::Integer(Width::S64)),
        "json" => (Type::Json, *shape == Type::Text),
        "secret" => (Type::Secret, fields(&[("reference", Type::Text)])),
        "blob" => (
            Type::Blob,
            fields(&[("reference", Type::Text), ("length", Type::Size)]),
        ),
        _ => return None,
    };
    holds.then_some(meaning)
}
