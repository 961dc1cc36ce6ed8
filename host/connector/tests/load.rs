//! What loads as a connector, what it is then known as, and what everything else is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod support;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use cordon_connector::{Connector, Limits, LoadError, Runtime, RuntimeOptions, limits::Limit};
use cordon_contract::types::Type;
use cordon_contract::{Effect, Value};
use proptest::prelude::*;
use support::{Body, Guest, guest, manifest, read, with};

static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Runtime::new(RuntimeOptions {
            cache_dir: None,
            limits: Limits::default(),
        })
        .unwrap()
    });
    &RUNTIME
}

fn load(bytes: Vec<u8>) -> Result<Arc<Connector>, LoadError> {
    TOKIO.block_on(runtime().load_bytes("test.wasm", bytes))
}

fn loaded(guest: &Guest) -> Arc<Connector> {
    load(guest.build()).unwrap()
}

/// The message that refuses the bytes.
fn refusal(bytes: Vec<u8>) -> String {
    load(bytes).unwrap_err().to_string()
}

fn refusal_of_function(function: &str) -> String {
    refusal(guest(function).build())
}

const LIST: &str = "list-hosts: func(name: option<string>) -> result<list<string>, error>;";

#[test]
fn a_connector_is_known_by_its_manifest_and_its_wit() {
    let connector = loaded(
        &guest(
            "record host { id: string, seen: timestamp }
         /// Lists them.
         list-hosts: func(name: option<string>, within: duration) -> result<list<host>, error>;
         forget: func() -> result<_, error>;",
        )
        .with(
            "describe",
            Body::Returns(manifest("test", vec![read("list-hosts")])),
        ),
    );
    let model = connector.model();
    assert_eq!(
        (
            model.manifest.name.as_str(),
            model.manifest.version.as_str()
        ),
        ("test", "1.0.0")
    );
    let names: Vec<String> = model
        .actions
        .iter()
        .map(|action| action.script_name())
        .collect();
    assert_eq!(names, ["forget", "list_hosts"]);
    let list = model.action("list_hosts").unwrap();
    assert_eq!(list.interface, "test:guest/actions@0.1.0");
    assert_eq!(list.manifest.effect, Effect::Read);
    assert_eq!(list.parameters[1].r#type, Type::Duration);
    let Some(Type::List(host)) = &list.result else {
        panic!("{:?}", list.result)
    };
    assert_eq!(host.to_string(), "host");
    assert_eq!(host.record().unwrap().fields[1].r#type, Type::Timestamp);
    let forget = model.action("forget").unwrap();
    assert_eq!(
        (forget.result.clone(), forget.manifest.effect),
        (None, Effect::Destructive)
    );
}

#[test]
fn types_with_a_meaning_are_recognised_by_owner_and_name_and_through_aliases() {
    let connector = loaded(&guest(
        "type timeout = duration;
         type grace = timeout;
         type plain = u64;
         set: func(a: grace, b: plain, c: option<json>, d: secret, e: blob, f: list<u8>) -> result<size, error>;",
    ));
    let set = connector.model().action("set").unwrap();
    let types: Vec<String> = set
        .parameters
        .iter()
        .map(|parameter| parameter.r#type.to_string())
        .collect();
    assert_eq!(
        types,
        ["duration", "u64", "any JSON?", "secret", "blob", "bytes"]
    );
    assert_eq!(set.result, Some(Type::Size));
}

#[test]
fn a_file_that_is_no_component_is_told_what_it_is() {
    assert_eq!(
        refusal(Vec::new()),
        "`test.wasm` is no WebAssembly component: the file is empty"
    );
    assert_eq!(
        refusal(b"#!/bin/sh".to_vec()),
        "`test.wasm` is no WebAssembly component: it does not begin as WebAssembly does; is it another kind of file?"
    );
    assert_eq!(
        refusal(wat::parse_str("(module)").unwrap()),
        "`test.wasm` is no WebAssembly component: it is a core module; build it for the target wasm32-wasip2, or make a component of it"
    );
    assert_eq!(
        refusal(wat::parse_str("(component)").unwrap()),
        "`test.wasm` is no WebAssembly component: there is nothing in it; was it copied whole?"
    );
    let whole = guest(LIST).build();
    assert!(
        refusal(whole[..whole.len() / 2].to_vec()).contains("the file is damaged or not whole")
    );
}

#[test]
fn a_component_that_is_no_connector_is_told_what_is_missing() {
    let without = Guest::of_wit(
        "package test:guest@0.1.0; interface actions { run: func(); } world guest { export actions; }",
    );
    assert_eq!(
        refusal(without.build()),
        "`test.wasm` is a component but no connector: it does not export `cordon:connector/lifecycle@0.1.0`; a connector \
         includes the world `cordon:connector/connector`"
    );
    let lifecycle = |version: &str, functions: &str| {
        // The package of another version cannot stand beside ours in one WIT; a component has no such trouble.
        let other = Guest::of_wit(&format!(
            "package test:guest@0.1.0; interface lifecycle {{ {functions} }} world guest {{ export lifecycle; }}"
        ));
        let name = format!("cordon:connector/lifecycle@{version}");
        renamed(&other.build(), "test:guest/lifecycle@0.1.0", &name)
    };
    assert!(
        refusal(lifecycle("0.1.7", "test-connection: func() -> string;"))
            .ends_with("has no function `describe`")
    );
    let misshaped = refusal(lifecycle(
        "0.1.7",
        "describe: func() -> string; test-connection: func();",
    ));
    assert!(misshaped.contains("`cordon:connector/lifecycle@0.1.7#describe` is not the contract's: its result has text instead of manifest"), "{misshaped}");
    let newer = refusal(lifecycle("0.2.0", "describe: func() -> string;"));
    assert!(
        newer.contains(
            "it is built for `cordon:connector/lifecycle@0.2.0`, and this Cordon serves 0.1"
        ),
        "{newer}"
    );
}

/// The component with another name for its only exported interface.
fn renamed(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = wasmprinter::print_bytes(component).unwrap();
    wat::parse_str(text.replace(from, to)).unwrap()
}

#[test]
fn all_imports_that_nobody_gives_are_named() {
    let greedy = Guest::of_wit(
        "package test:guest@0.1.0;
         interface door { open: func(); }
         interface window { open: func(); }
         world guest {
             include cordon:connector/connector@0.1.0;
             import door; import window; import ring: func();
         }",
    )
    .import(r#"(import "test:guest/door@0.1.0" "open" (func)) (import "test:guest/window@0.1.0" "open" (func))
               (import "$root" "ring" (func))"#);
    let message = refusal(greedy.build());
    assert!(
        message.contains("`test:guest/door@0.1.0`, `test:guest/window@0.1.0`"),
        "{message}"
    );
    assert!(message.contains("the function `ring`"), "{message}");
}

#[test]
fn a_function_that_cannot_be_an_action_is_refused_with_the_reason() {
    let cases = [
        (
            "act: func() -> string;",
            "it returns no result; an action returns `result<T, error>`",
        ),
        ("act: func();", "it returns no result"),
        (
            "act: func() -> result<string, string>;",
            "it fails with a type of its own",
        ),
        (
            "act: func() -> result<string>;",
            "it fails with a type of its own",
        ),
        (
            "resource door { open: func(); } ",
            "it belongs to a resource or is async",
        ),
        (
            "resource door; act: func(door: borrow<door>) -> result<_, error>;",
            "its parameter `door` uses a resource",
        ),
        (
            "act: func() -> result<stream<u8>, error>;",
            "its result uses a stream; return a list",
        ),
        (
            "act: func() -> result<future<u8>, error>;",
            "its result uses a future; return the value itself",
        ),
        (
            "act: func(v: list<u8, 5000>) -> result<_, error>;",
            "uses a list of the fixed length 5000",
        ),
        (
            "is-shared: func() -> result<_, error>;",
            "playbooks could not call it",
        ),
        (
            "%import: func() -> result<_, error>;",
            "playbooks could not call it",
        ),
    ];
    for (function, reason) in cases {
        let message = refusal_of_function(function);
        assert!(
            message.contains("which cannot be an action") && message.contains(reason),
            "{function}: {message}"
        );
    }
}

#[test]
fn two_actions_of_one_name_are_refused() {
    let two = Guest::of_wit(
        "package test:guest@0.1.0;
         interface first { use cordon:connector/errors@0.1.0.{error}; act: func() -> result<_, error>; }
         interface second { use cordon:connector/errors@0.1.0.{error}; act: func() -> result<_, error>; }
         world guest { include cordon:connector/connector@0.1.0; export first; export second; }",
    );
    let message = refusal(two.build());
    assert!(
        message.contains("`test:guest/first@0.1.0#act` has the same name; rename one of the two"),
        "{message}"
    );
}

fn with_capability(export: &str) -> Guest {
    Guest::of_wit(&format!(
        "package test:guest@0.1.0; world guest {{ include cordon:connector/connector@0.1.0; export {export}; }}"
    ))
    .with("describe", Body::Returns(manifest("test", vec![read("isolation-state")])))
}

#[test]
fn a_capability_is_exported_whole_and_its_functions_bear_its_name() {
    let isolation = with_capability("cordon:capability/isolation@0.1.0");
    // The section that the SDK writes names the capability too, but without its docs.
    let connector = load(isolation.build_with_docs_of(&isolation)).unwrap();
    let model = connector.model();
    assert_eq!(model.capabilities, ["isolation"]);
    let names: Vec<&str> = model
        .actions
        .iter()
        .map(|action| action.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["isolation-isolate", "isolation-release", "isolation-state"]
    );
    let isolate = model.action("isolation_isolate").unwrap();
    assert!(
        isolate
            .docs
            .as_deref()
            .unwrap()
            .starts_with("Isolates the host for this long")
    );
    assert_eq!(isolate.parameters[1].r#type.to_string(), "duration?");
}

#[test]
fn a_capability_in_another_shape_is_refused() {
    let own = |function: &str| {
        let own = Guest::of_wit(&format!(
            "package test:guest@0.1.0;
             interface isolation {{ use cordon:connector/errors@0.1.0.{{error}}; {function} }}
             world guest {{ include cordon:connector/connector@0.1.0; export isolation; }}"
        ));
        refusal(renamed(
            &own.build(),
            "test:guest/isolation@0.1.0",
            "cordon:capability/isolation@0.1.0",
        ))
    };
    assert!(
        own("release: func(host: string) -> result<string, error>;")
            .contains("but its function `isolate` is missing")
    );
    let misshaped = own("isolate: func(computer: string) -> result<_, error>;");
    assert!(
        misshaped.contains("its function `isolate` is not the capability's: has the parameters `computer` instead of `host`, `duration`"),
        "{misshaped}"
    );
}

#[test]
fn everything_wrong_with_a_manifest_is_told_at_once() {
    let action = with(
        with(read("list-host"), "effect", Value::text("destructive")),
        "timeout",
        Value::Null,
    );
    let list = with(
        with(read("list-hosts"), "inverse", Value::text("unlist")),
        "targets",
        Value::List(vec![Value::map([
            ("argument", Value::text("nam")),
            ("kind", Value::text("host")),
            ("all", Value::Null),
            ("resolve", Value::Null),
        ])]),
    );
    let list = with(list, "reconcile", Value::text("count"));
    let setting = |name: &str, kind: Value, default: &str| {
        Value::map([
            ("name", Value::text(name)),
            ("type", kind),
            ("default", Value::text(default)),
            ("required", Value::Bool(false)),
            ("help", Value::text("")),
        ])
    };
    let settings = vec![
        setting("page-size", Value::text("integer"), "many"),
        setting(
            "state",
            Value::map([(
                "choice",
                Value::List(vec![Value::text("on"), Value::text("off")]),
            )]),
            "open",
        ),
    ];
    let wrong = with(
        manifest("Test Product", vec![action, list]),
        "version",
        Value::text("1"),
    );
    let wrong = with(wrong, "settings", Value::List(settings));
    let guest = guest(&format!("{LIST} count: func() -> result<u32, error>;"))
        .with("describe", Body::Returns(wrong));
    insta::assert_snapshot!(refusal(guest.build()));
}

#[test]
fn a_companion_is_no_action() {
    let act = with(
        with(read("act"), "effect", Value::text("irreversible")),
        "reconcile",
        Value::text("act-happened"),
    );
    let connector = loaded(
        &guest(
            "act: func(id: string) -> result<u32, error>;
             act-happened: func(id: string) -> result<option<u32>, error>;",
        )
        .with("describe", Body::Returns(manifest("test", vec![act]))),
    );
    let names = |actions: &[cordon_contract::Action]| {
        actions
            .iter()
            .map(|action| action.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&connector.model().actions), ["act"]);
    assert_eq!(names(&connector.model().companions), ["act-happened"]);
}

#[test]
fn docs_come_from_the_section_and_only_where_they_describe_what_is_there() {
    let bare = guest("record host { id: string } get: func(id: string) -> result<host, error>;");
    let documented = guest(
        "/// A computer.
         record host { /// Its name in the product.\n id: string }
         /// Gets one.
         get: func(id: string) -> result<host, error>;
         /// Is not there.
         gone: func() -> result<_, error>;",
    );
    let connector = load(bare.build_with_docs_of(&documented)).unwrap();
    let get = connector.model().action("get").unwrap();
    let host = get.result.as_ref().unwrap().record().unwrap();
    assert_eq!(get.docs.as_deref(), Some("Gets one."));
    assert_eq!(
        (host.docs.as_deref(), host.fields[0].docs.as_deref()),
        (Some("A computer."), Some("Its name in the product."))
    );
    assert_eq!(connector.model().actions.len(), 1);

    let strange = guest(
        "/// Gets one.\n get: func(name: string) -> result<_, error>; record host { /// Other.\n name: string }",
    );
    let connector = load(bare.build_with_docs_of(&strange)).unwrap();
    let get = connector.model().action("get").unwrap();
    assert_eq!(
        (
            &get.docs,
            &get.result.as_ref().unwrap().record().unwrap().docs
        ),
        (&None, &None)
    );
    assert_eq!(loaded(&bare).model().action("get").unwrap().docs, None);
}

#[test]
fn a_describe_that_breaks_down_or_never_ends_is_no_manifest() {
    let trapping = guest(LIST).with("describe", Body::Runs("unreachable".to_owned()));
    let message = refusal(trapping.build());
    assert!(message.contains("its `lifecycle.describe` failed: the connector broke down (wasm trap: wasm `unreachable`"), "{message}");
}

#[test]
fn a_folder_gives_each_file_its_connector_or_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let named = |name: &str| {
        guest(LIST)
            .with("describe", Body::Returns(manifest(name, Vec::new())))
            .build()
    };
    write("a.wasm", &named("twin"));
    write("b.wasm", &named("single"));
    write("c.wasm", &named("twin"));
    write("d.wasm", b"\0asm");
    write("notes.txt", b"no connector");
    let entries = TOKIO
        .block_on(runtime().load_folder(folder.path()))
        .unwrap();
    let shown: Vec<String> = entries
        .iter()
        .map(|entry| match &entry.result {
            Ok(connector) => connector.model().manifest.name.clone(),
            Err(error) => format!("{}: {error}", error.code()),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(
        TOKIO
            .block_on(runtime().load_folder(Path::new("/nowhere/at/all")))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_file_larger_than_the_limit_is_not_even_read_whole() {
    let mut limits = Limits::default();
    limits.set(Limit::ComponentSize, 1024).unwrap();
    let runtime = Runtime::new(RuntimeOptions {
        cache_dir: None,
        limits,
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.wasm");
    std::fs::write(&path, vec![0; 4096]).unwrap();
    let message = TOKIO.block_on(runtime.load(&path)).unwrap_err().to_string();
    assert_eq!(
        message,
        "`large.wasm` is larger than 1KiB, the limit `component_size`; if it is meant to be, raise it in `[limits]` of `cordon.toml`"
    );
}

#[test]
fn a_connector_cut_off_anywhere_is_refused() {
    let whole = guest(LIST).build();
    for length in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        assert!(
            load(whole[..length].to_vec()).is_err(),
            "{length} bytes of it load"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_after_the_magic_number_are_refused(rest: Vec<u8>, component: bool) {
        let magic: &[u8] = if component { b"\0asm\x0d\0\x01\0" } else { b"\0asm\x01\0\0\0" };
        prop_assert!(load([magic, &rest].concat()).is_err());
    }

    #[test]
    fn any_bytes_in_the_section_of_docs_do_no_harm(bytes: Vec<u8>, as_package: bool) {
        static BARE: LazyLock<Vec<u8>> = LazyLock::new(|| guest(LIST).build());
        let magic: &[u8] = if as_package { b"\0asm\x0d\0\x01\0" } else { b"" };
        let connector = load(support::with_section(&BARE, &[magic, &bytes].concat())).unwrap();
        prop_assert_eq!(&connector.model().action("list_hosts").unwrap().docs, &None);
    }

    #[test]
    fn a_connector_with_a_changed_byte_is_loaded_or_refused(place in any::<proptest::sample::Index>(), byte: u8) {
        static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| guest(LIST).build());
        let mut changed = WHOLE.clone();
        *place.get_mut(&mut changed) = byte;
        let _ = load(changed);
    }
}
