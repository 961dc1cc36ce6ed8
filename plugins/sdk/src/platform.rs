//! The one place where the SDK leaves the connector: the contract's imports in a component, the
//! scripted world of [`crate::harness`] in a native build.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::harness::world::{
    blob_append, blob_begin, blob_finish, blob_read, blob_received, client_certificate,
    connection_name, download, idempotency_key, now, remaining, send, setting, state_acquire,
    state_compare_and_set, state_forget, state_get, state_get_sealed, state_release,
    state_sealing_since, wait, write,
};

#[cfg(target_arch = "wasm32")]
pub(crate) use self::imports::{
    blob_append, blob_begin, blob_finish, blob_read, blob_received, client_certificate,
    connection_name, download, idempotency_key, now, remaining, send, setting, state_acquire,
    state_compare_and_set, state_forget, state_get, state_get_sealed, state_release,
    state_sealing_since, wait, write,
};

#[cfg(target_arch = "wasm32")]
mod imports {
    use crate::bindings::cordon::connector::{blobs, settings, state};

    pub(crate) use crate::bindings::cordon::connector::call::{
        idempotency_key, now, remaining, wait,
    };
    pub(crate) use crate::bindings::cordon::connector::http::{download, send};
    pub(crate) use crate::bindings::cordon::connector::log::write;
    pub(crate) use blobs::{
        append as blob_append, begin as blob_begin, finish as blob_finish, read as blob_read,
        received as blob_received,
    };
    pub(crate) use settings::{client_certificate, connection_name, get as setting};
    pub(crate) use state::{
        acquire as state_acquire, compare_and_set as state_compare_and_set, forget as state_forget,
        get as state_get, get_sealed as state_get_sealed, release as state_release,
        sealing_since as state_sealing_since,
    };
}
