//! The contract as wit-bindgen writes it. Reachable because the code of
//! `connector!` needs it; authors see what the other modules choose.

#![allow(
    warnings,
    clippy::all,
    unsafe_code,
    reason = "generated; the component ABI takes and gives raw pointers"
)]

pub use wit_bindgen::rt;

wit_bindgen::generate!({
    path: "../../wit/connector",
    world: "cordon:connector/connector",
    generate_unused_types: true,
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_lifecycle",
    default_bindings_module: "cordon_sdk::bindings",
});
