//! What is outside.

pub(crate) fn idempotency_key() -> String {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::cordon::connector::call::idempotency_key();
    #[cfg(not(target_arch = "wasm32"))]
    String::new()
}
