//! Connectors that misbehave, one behaviour each, as examples of this crate. Each has an action that
//! behaves beside the one that does not, so that a test shows the refusal and the success of the
//! same kind. `cargo xtask components` builds them into `target/components/guests`.
