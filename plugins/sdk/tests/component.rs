//! What a connector built with the SDK carries: its exports, its named types, and its docs.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails the test"
)]

use std::path::PathBuf;
use std::process::Command;

use wasmparser::{Parser, Payload};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, Type, TypeDefKind, WorldId, WorldKey};

/// The smallest connector, as a component.
fn smallest() -> Vec<u8> {
    let target = "wasm32-wasip2";
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "cordon-sdk",
            "--example",
            "smallest",
            "--target",
            target,
        ])
        .args([
            "--profile",
            "connector",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8(output.stdout).expect("cargo speaks UTF-8");
    let wasm = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == "smallest"
        })
        .find_map(|message| Some(PathBuf::from(message["filenames"][0].as_str()?)))
        .expect("cargo names the component");
    std::fs::read(wasm).expect("the component can be read")
}

fn decode(component: &[u8]) -> (Resolve, WorldId) {
    match wit_component::decode(component).expect("it is a component") {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("a WIT package is no component"),
    }
}

fn names<'a>(resolve: &Resolve, keys: impl Iterator<Item = &'a WorldKey>) -> Vec<String> {
    keys.map(|key| resolve.name_world_key(key)).collect()
}

#[test]
fn the_smallest_connector_exports_its_lifecycle_and_its_actions_with_their_named_types_and_docs() {
    let component = smallest();
    let (resolve, world) = decode(&component);
    let world = &resolve.worlds[world];

    let exports = names(&resolve, world.exports.keys());
    assert_eq!(
        exports,
        [
            "example:smallest/greetings@0.1.0",
            "cordon:connector/lifecycle@0.1.0"
        ]
    );

    for import in names(&resolve, world.imports.keys()) {
        assert!(
            import.starts_with("cordon:connector/") || import.starts_with("wasi:"),
            "{import} is imported"
        );
    }

    let greetings = resolve
        .interfaces
        .iter()
        .find(|(_, interface)| interface.name.as_deref() == Some("greetings"));
    let greet = &greetings.expect("the interface is there").1.functions["greet"];
    assert_eq!(
        error_type(&resolve, greet.result.as_ref()),
        ("errors".to_owned(), "error".to_owned())
    );

    let docs = docs(&component);
    let greetings = docs
        .interfaces
        .iter()
        .find(|(_, interface)| interface.name.as_deref() == Some("greetings"));
    let greetings = greetings.expect("the docs have the interface").1;
    assert_eq!(
        greetings.docs.contents.as_deref(),
        Some("A place to begin.")
    );
    assert_eq!(
        greetings.functions["greet"].docs.contents.as_deref(),
        Some("Greets somebody, without asking any product.")
    );
}

/// The owner and the name of the error in a `result<_, error>`.
fn error_type(resolve: &Resolve, result: Option<&Type>) -> (String, String) {
    let Some(Type::Id(result)) = result else {
        panic!("not a named type")
    };
    let TypeDefKind::Result(result) = &resolve.types[*result].kind else {
        panic!("not a result")
    };
    let Some(Type::Id(mut error)) = result.err else {
        panic!("no named error")
    };
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[error].kind {
        error = next;
    }
    let error = &resolve.types[error];
    let wit_parser::TypeOwner::Interface(owner) = error.owner else {
        panic!("the error has no owner")
    };
    (
        resolve.interfaces[owner].name.clone().expect("a name"),
        error.name.clone().expect("a name"),
    )
}

/// The WIT package in the section `cordon:wit`.
fn docs(component: &[u8]) -> Resolve {
    let section = Parser::new(0)
        .parse_all(component)
        .find_map(|payload| match payload.expect("a well-formed component") {
            Payload::CustomSection(section) if section.name() == "cordon:wit" => {
                Some(section.data().to_vec())
            }
            _ => None,
        })
        .expect("the section is there");
    match wit_component::decode(&section).expect("the section is a WIT package") {
        DecodedWasm::WitPackage(resolve, _) => resolve,
        DecodedWasm::Component(..) => panic!("not a WIT package"),
    }
}
