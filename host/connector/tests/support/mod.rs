//! Connectors made on the spot: WIT as text, bodies as WebAssembly text, and constants laid out in
//! memory as the canonical ABI wants them. For the shapes and misbehaviours that no SDK lets one build.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod calls;
mod image;
pub mod product;

use cordon_contract::Value;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{
    Function, ManglingAndAbi, Resolve, SizeAlign, Type, TypeDefKind, WorldId, WorldItem,
};

use image::Image;

/// What an exported function does.
#[derive(Clone)]
pub enum Body {
    /// Returns this value, in its exact form.
    Returns(Value),
    /// Returns `ok` of its first parameter. The function must have so many parameters that they are
    /// passed in memory: give it a last one of type `tuple<u64, …>` with 17 parts.
    Echoes,
    /// Sends these requests, in the exact form of `cordon:connector/http.request`, and goes on whatever
    /// comes of them.
    Sends(Vec<Value>, Box<Body>),
    /// Runs this text, with the parameters `$p0`, `$p1`, … and the function `$alloc (align) (size)`.
    Runs(String),
}

/// A connector to be built.
pub struct Guest {
    wit: String,
    bodies: Vec<(String, Body)>,
    imports: String,
}

/// The first parts of a file with the interface `test:guest/actions`; its functions are the actions.
pub fn guest(functions: &str) -> Guest {
    Guest::of_wit(&format!(
        "package test:guest@0.1.0;

         interface actions {{
             use cordon:connector/types@0.1.0.{{duration, size, timestamp, json, secret, blob}};
             use cordon:connector/errors@0.1.0.{{error}};
             {functions}
         }}

         world guest {{
             include cordon:connector/connector@0.1.0;
             export actions;
         }}"
    ))
    .with("describe", Body::Returns(manifest("test", Vec::new())))
    .with(
        "test-connection",
        Body::Returns(ok(Value::map([("summary", Value::text("Test 1.0"))]))),
    )
}

/// The manifest of a connector of this name that says this about its actions.
pub fn manifest(name: &str, actions: Vec<Value>) -> Value {
    Value::map([
        ("name", Value::text(name)),
        ("title", Value::text("Test")),
        ("vendor", Value::text("Nobody")),
        ("version", Value::text("1.0.0")),
        ("description", Value::text("For tests.")),
        ("settings", Value::List(Vec::new())),
        ("credentials", Value::List(Vec::new())),
        ("rate-per-second", Value::Null),
        ("concurrency", Value::Null),
        ("actions", Value::List(actions)),
    ])
}

/// The manifest with another value in one place.
pub fn with(mut manifest: Value, field: &str, value: Value) -> Value {
    if let Value::Map(fields) = &mut manifest {
        fields.insert(field.to_owned(), value);
    }
    manifest
}

/// What a manifest says about a read.
pub fn read(name: &str) -> Value {
    Value::map([
        ("name", Value::text(name)),
        ("effect", Value::text("read")),
        ("overrides", Value::List(Vec::new())),
        ("targets", Value::List(Vec::new())),
        ("inverse", Value::Null),
        ("repeat", Value::text("natural")),
        ("reconcile", Value::Null),
        ("timeout", Value::Null),
    ])
}

/// The component with these bytes in the section for docs.
pub fn with_section(component: &[u8], content: &[u8]) -> Vec<u8> {
    let mut component = component.to_vec();
    let section = wasm_encoder::CustomSection {
        name: "cordon:wit".into(),
        data: content.into(),
    };
    wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
    component
}

/// The contract's error.
pub fn err(kind: &str, message: &str) -> Value {
    let error = Value::map([
        ("kind", Value::text(kind)),
        ("message", Value::text(message)),
        ("status", Value::Null),
        ("retry-after", Value::Null),
        ("details", Value::Null),
    ]);
    Value::map([("err", error)])
}

/// A request without headers and body.
pub fn request(method: &str, path: &str) -> Value {
    Value::map([
        ("method", Value::text(method)),
        ("path", Value::text(path)),
        ("query", Value::List(Vec::new())),
        ("headers", Value::List(Vec::new())),
        ("body", Value::Null),
        ("timeout", Value::Null),
        ("answer-limit", Value::Null),
        ("seals", Value::List(Vec::new())),
    ])
}

/// `ok(value)`
pub fn ok(value: Value) -> Value {
    Value::map([("ok", value)])
}

impl Guest {
    /// A component of the world `guest` of this WIT, which may use the contract and the capabilities.
    pub fn of_wit(wit: &str) -> Self {
        Self {
            wit: wit.to_owned(),
            bodies: Vec::new(),
            imports: String::new(),
        }
    }

    /// Gives the exported function of this name a body. Without one it traps.
    pub fn with(mut self, function: &str, body: Body) -> Self {
        self.bodies.retain(|(known, _)| known != function);
        self.bodies.push((function.to_owned(), body));
        self
    }

    /// Adds an import of a core function, as text.
    pub fn import(mut self, text: &str) -> Self {
        self.imports.push_str(text);
        self
    }

    /// The bytes of the component.
    pub fn build(&self) -> Vec<u8> {
        let (resolve, world) = self.resolve();
        let mut module =
            wat::parse_str(self.module(&resolve, world)).expect("the module is well-formed");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the metadata fits");
        ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(|mut encoder| encoder.encode())
            .unwrap_or_else(|error| panic!("no component: {error:?}\n{}", self.wit))
    }

    /// The bytes of the component with the encoded WIT package of another WIT in its custom section.
    pub fn build_with_docs_of(&self, other: &Guest) -> Vec<u8> {
        let (resolve, world) = other.resolve();
        let package = resolve.worlds[world]
            .package
            .expect("a world has a package");
        let wit = wit_component::encode(&resolve, package).expect("the package can be encoded");
        with_section(&self.build(), &wit)
    }

    fn resolve(&self) -> (Resolve, WorldId) {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let mut resolve = Resolve::default();
        for package in ["connector", "capability"] {
            resolve
                .push_dir(format!("{root}/{package}"))
                .expect("the contract reads");
        }
        let package = resolve
            .push_source("guest.wit", &self.wit)
            .unwrap_or_else(|error| panic!("{error:?}\n{}", self.wit));
        let world = resolve
            .select_world(&[package], Some("guest"))
            .expect("there is a world `guest`");
        (resolve, world)
    }

    fn module(&self, resolve: &Resolve, world: WorldId) -> String {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        let mut image = Image::new(resolve, &sizes);
        let sends = self
            .bodies
            .iter()
            .any(|(_, body)| matches!(body, Body::Sends(..)));
        let send = if sends { SEND } else { "" };
        let mut functions = String::new();
        for (key, item) in &resolve.worlds[world].exports {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            for function in resolve.interfaces[*id].functions.values() {
                let export = resolve.wasm_export_name(
                    ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync),
                    wit_parser::WasmExport::Func {
                        interface: Some(key),
                        func: function,
                        kind: wit_parser::WasmExportKind::Normal,
                    },
                );
                let body = self
                    .bodies
                    .iter()
                    .find(|(name, _)| *name == function.name)
                    .map(|(_, body)| body);
                functions.push_str(&function_text(
                    resolve, &sizes, &mut image, function, &export, body,
                ));
            }
        }
        let data: String = image
            .bytes()
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let heap = image.end().next_multiple_of(16);
        format!(
            r#"(module
                {imports}{send}
                (memory (export "memory") {pages})
                (data (i32.const {start}) "{data}")
                (global $next (mut i32) (i32.const {heap}))
                (func $alloc (param $align i32) (param $size i32) (result i32) (local $at i32) (local $pages i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                                            (i32.sub (i32.const 0) (local.get $align))))
                    (global.set $next (i32.add (local.get $at) (local.get $size)))
                    (local.set $pages (i32.add (i32.shr_u (global.get $next) (i32.const 16)) (i32.const 1)))
                    (if (i32.gt_u (local.get $pages) (memory.size))
                        (then (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1))
                                  (then unreachable))))
                    (local.get $at))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (call $alloc (local.get 2) (local.get 3)))
                {functions})"#,
            imports = self.imports,
            start = Image::START,
            pages = image.end() / 65_536 + 1,
        )
    }
}

fn function_text(
    resolve: &Resolve,
    sizes: &SizeAlign,
    image: &mut Image,
    function: &Function,
    export: &str,
    body: Option<&Body>,
) -> String {
    let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
    let params: String = signature
        .params
        .iter()
        .enumerate()
        .map(|(index, param)| format!("(param $p{index} {}) ", core(*param)))
        .collect();
    let results: String = signature
        .results
        .iter()
        .map(|result| format!("(result {}) ", core(*result)))
        .collect();
    let body = body_text(resolve, sizes, image, function, body);
    format!("(func (export \"{export}\") {params}{results}\n{body})\n")
}

fn body_text(
    resolve: &Resolve,
    sizes: &SizeAlign,
    image: &mut Image,
    function: &Function,
    body: Option<&Body>,
) -> String {
    let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
    match body {
        None => "unreachable".to_owned(),
        Some(Body::Sends(requests, then)) => {
            let send = http_send(resolve);
            let (request, response) = (
                send.params[0].ty,
                send.result.expect("a request has an outcome"),
            );
            let calls: String = requests
                .iter()
                .map(|value| {
                    let at = image.place(&request, value);
                    let outcome = image.room(&response);
                    send_text(resolve, sizes, &request, at, outcome)
                })
                .collect();
            format!(
                "{calls}\n{}",
                body_text(resolve, sizes, image, function, Some(then))
            )
        }
        Some(Body::Runs(text)) => text.clone(),
        Some(Body::Returns(value)) => {
            let result = function
                .result
                .expect("only a function with a result can return something");
            assert!(signature.retptr, "only results in memory are laid out");
            format!("(i32.const {})", image.place(&result, value))
        }
        Some(Body::Echoes) => {
            assert!(
                signature.indirect_params,
                "the parameters of `{}` are not passed in memory",
                function.name
            );
            let value = function.params[0].ty;
            let result = function.result.expect("an echo returns");
            let Type::Id(id) = result else {
                panic!("an echo returns a result")
            };
            let TypeDefKind::Result(sides) = &resolve.types[id].kind else {
                panic!("an echo returns a result")
            };
            let offset = sizes
                .payload_offset(wit_parser::Int::U8, [sides.ok.as_ref(), sides.err.as_ref()])
                .size_wasm32();
            format!(
                "(local $r i32)
                 (local.set $r (call $alloc (i32.const {align}) (i32.const {size})))
                 (memory.copy (i32.add (local.get $r) (i32.const {offset})) (local.get $p0) (i32.const {length}))
                 (local.get $r)",
                align = sizes.align(&result).align_wasm32(),
                size = sizes.size(&result).size_wasm32(),
                length = sizes.size(&value).size_wasm32(),
            )
        }
    }
}

/// The core import of `http.send`: a request of sixteen flat values, and where its outcome goes.
const SEND: &str = r#"(import "cordon:connector/http@0.1.0" "send" (func $send
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i64 i32 i32 i32)))"#;

fn http_send(resolve: &Resolve) -> &Function {
    let http = resolve
        .interfaces
        .iter()
        .find(|(_, interface)| interface.name.as_deref() == Some("http"));
    &http.expect("the contract has `http`").1.functions["send"]
}

/// A call of `http.send` with the request that stands at this place.
fn send_text(
    resolve: &Resolve,
    sizes: &SizeAlign,
    request: &Type,
    at: usize,
    outcome: usize,
) -> String {
    let Type::Id(id) = request else {
        panic!("a request is a record")
    };
    let TypeDefKind::Record(record) = &resolve.types[*id].kind else {
        panic!("a request is a record")
    };
    let offsets = sizes.field_offsets(record.fields.iter().map(|field| &field.ty));
    let mut places = offsets.iter().map(|(offset, _)| at + offset.size_wasm32());
    let mut next = || places.next().expect("a request has eight fields");
    let byte = |at: usize| format!("(i32.load8_u (i32.const {at}))");
    let pair = |at: usize| {
        format!(
            "(i32.load (i32.const {at})) (i32.load (i32.const {}))",
            at + 4
        )
    };
    let long = |at: usize| format!("{} (i64.load (i32.const {}))", byte(at), at + 8);
    let (method, path, query, headers) = (byte(next()), pair(next()), pair(next()), pair(next()));
    let body = next();
    let (timeout, answer_limit, seals) = (long(next()), long(next()), pair(next()));
    format!(
        "(call $send {method} {path} {query} {headers} {} {} {timeout} {answer_limit} {seals} (i32.const {outcome}))",
        byte(body),
        pair(body + 4)
    )
}

fn core(r#type: WasmType) -> &'static str {
    match r#type {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
