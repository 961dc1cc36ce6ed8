//! The contract's imports as Rust traits and `lifecycle` as typed calls, generated from `wit/connector`.
//!
//! Actions are not bound here: every connector has its own, and they are called by reflection.

#![allow(
    missing_docs,
    reason = "documented in the WIT files that this is generated from"
)]
#![allow(clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../wit/connector",
    world: "cordon:connector/connector",
    imports: {
        "cordon:connector/http.send": async | trappable,
        "cordon:connector/http.download": async | trappable,
        "cordon:connector/blobs.append": async | trappable,
        "cordon:connector/blobs.finish": async | trappable,
        "cordon:connector/blobs.received": async | trappable,
        "cordon:connector/call.wait": async | trappable,
        "cordon:connector/state.acquire": async | trappable,
        "cordon:connector/state.compare-and-set": async | trappable,
        "cordon:connector/state.forget": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
