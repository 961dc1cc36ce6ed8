//! Runs a connector's actions natively, as ordinary functions, against a scripted product.
//!
//! ```
//! # use cordon_sdk::{Connector, Result, harness::{Harness, get}, http};
//! # struct Kata;
//! # cordon_sdk::connector!(Kata, inline: "
//! #     package cordon:doc@0.1.0;
//! #     interface sensors { use cordon:connector/errors@0.1.0.{error}; count: func() -> result<u32, error>; }
//! #     world doc { include cordon:connector/connector@0.1.0; export sensors; }
//! # ");
//! # impl Connector for Kata {}
//! # impl wit::sensors::Actions for Kata {
//! #     fn count() -> Result<u32> {
//! #         let all: Vec<String> = http::get(["sensors"]).query("state", "on").send()?.success()?.json()?;
//! #         Ok(all.len() as u32)
//! #     }
//! # }
//! use wit::sensors::Actions as _;
//!
//! # fn main() {
//! let harness = Harness::of::<Kata>();
//! let count = harness.run(
//!     [get("/sensors").query("state", "on").answers(200, serde_json::json!(["a", "b"]))],
//!     Kata::count,
//! );
//! assert_eq!(count, Ok(2));
//! # }
//! ```
//!
//! The script is exact: the requests come in its order, with these queries and bodies and no
//! others, and all of them come; anything else fails the test and says what came instead. Secrets
//! show as the name of their slot: `Bearer <api_token>`. Pauses take no time.

#![allow(clippy::panic, reason = "fails the test that it is used in")]

mod blobs;
mod check;
mod exchange;
mod render;
mod state;
pub(crate) mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::blob::Blob;
use crate::connector::Connector;
use crate::log::Level;
use crate::settings::{Certificate, Value};
use crate::state::SealedSecret;

pub use check::check_manifest;
pub use exchange::{Exchange, Expected, Recipe, delete, get, head, patch, post, put};
use world::World;

/// A connection of a connector to a scripted product.
pub struct Harness {
    world: Rc<RefCell<World>>,
}

impl Harness {
    /// A connection whose settings have the defaults of the connector's manifest.
    #[must_use]
    pub fn of<C: Connector>() -> Self {
        let settings = check::default_settings(C::manifest().contract());
        Self {
            world: Rc::new(RefCell::new(World::new(settings))),
        }
    }

    /// With this setting.
    #[must_use]
    pub fn setting(self, name: &str, value: impl IntoSetting) -> Self {
        self.world
            .borrow_mut()
            .settings
            .insert(name.to_owned(), value.into_setting());
        self
    }

    /// With a client certificate of this SHA-256 fingerprint.
    #[must_use]
    pub fn client_certificate(self, sha256: &str) -> Self {
        self.world.borrow_mut().certificate = Some(Certificate {
            sha256: sha256.to_owned(),
            subject: "CN=harness".to_owned(),
            not_after: 4_102_444_800_000,
        });
        self
    }

    /// With this idempotency key, as if a step were tried again.
    #[must_use]
    pub fn idempotency_key(self, key: &str) -> Self {
        key.clone_into(&mut self.world.borrow_mut().key);
        self
    }

    /// With this time of day: milliseconds since 1970.
    #[must_use]
    pub fn now(self, milliseconds: i64) -> Self {
        self.world.borrow_mut().now = milliseconds;
        self
    }

    /// With a secret that an earlier answer brought under this name, ending at this time if it
    /// says one: milliseconds since 1970.
    #[must_use]
    pub fn sealed(self, name: &str, expires: Option<i64>) -> Self {
        self.world.borrow_mut().state.seal(name, expires);
        self
    }

    /// With these bytes kept, and the reference to them.
    #[must_use]
    pub fn with_blob(self, bytes: impl Into<Vec<u8>>) -> (Self, Blob) {
        let blob = self.world.borrow_mut().blobs.keep(bytes.into());
        (self, blob)
    }

    /// The bytes that a call has kept.
    ///
    /// # Panics
    /// When there is no such blob.
    #[must_use]
    pub fn blob(&self, blob: &Blob) -> Vec<u8> {
        match self.world.borrow().blobs.whole(blob) {
            Some(bytes) => bytes,
            None => panic!("there is no blob `{}`", blob.reference),
        }
    }

    /// With this kept under this name.
    #[must_use]
    pub fn state(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let kept = self
            .world
            .borrow_mut()
            .state
            .compare_and_set(name, None, Some(value.as_ref()));
        assert!(kept.is_ok(), "`{name}` is kept already");
        self
    }

    /// What is kept under this name after a call.
    #[must_use]
    pub fn kept(&self, name: &str) -> Option<Vec<u8>> {
        self.world.borrow().state.get(name).map(|entry| entry.value)
    }

    /// What is known of the secret that is sealed under this name after a call.
    #[must_use]
    pub fn sealed_as(&self, name: &str) -> Option<SealedSecret> {
        self.world.borrow().state.sealed(name)
    }

    /// With this much time for each call.
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        self.world.borrow_mut().limit = limit;
        self
    }

    /// Runs `action` against these exchanges.
    ///
    /// # Panics
    /// When the action sends something else than the script says, or less.
    pub fn run<T>(
        &self,
        script: impl IntoIterator<Item = Exchange>,
        action: impl FnOnce() -> T,
    ) -> T {
        self.world.borrow_mut().begin(script.into_iter().collect());
        let result = world::with_world(&self.world, action);
        let left: Vec<String> = self
            .world
            .borrow()
            .script
            .iter()
            .map(|exchange| exchange.expected.to_string())
            .collect();
        assert!(
            left.is_empty(),
            "the action did not send:\n  {}",
            left.join("\n  ")
        );
        result
    }

    /// The pauses that the last call made.
    #[must_use]
    pub fn pauses(&self) -> Vec<Duration> {
        self.world.borrow().pauses.clone()
    }

    /// The lines that the last call wrote at this level.
    #[must_use]
    pub fn log(&self, level: Level) -> Vec<String> {
        let world = self.world.borrow();
        world
            .log
            .iter()
            .filter(|(written, _)| *written == level)
            .map(|(_, line)| line.clone())
            .collect()
    }
}

/// What can be the value of a setting.
pub trait IntoSetting {
    /// As the contract has it.
    fn into_setting(self) -> Value;
}

impl IntoSetting for &str {
    fn into_setting(self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl IntoSetting for bool {
    fn into_setting(self) -> Value {
        Value::Boolean(self)
    }
}

impl IntoSetting for i64 {
    fn into_setting(self) -> Value {
        Value::Integer(self)
    }
}

impl IntoSetting for Duration {
    fn into_setting(self) -> Value {
        Value::Duration(crate::call::milliseconds(self))
    }
}

impl<const N: usize> IntoSetting for [&str; N] {
    fn into_setting(self) -> Value {
        Value::Texts(self.map(str::to_owned).to_vec())
    }
}

type Settings = BTreeMap<String, Value>;
