//! The manifest, written so that it reads like a page of documentation.

use std::time::Duration;

pub(crate) use crate::bindings::exports::cordon::connector::lifecycle as contract;
use crate::connector::Identity;

pub use contract::{Condition, CredentialKind, Effect, Repeat, SettingType, TargetKind};

/// What a connector says about itself.
#[derive(Debug, Clone)]
pub struct Manifest(contract::Manifest);

impl Manifest {
    /// What the connector's package says: its name, version and description.
    #[must_use]
    pub fn of<C: Identity>() -> Self {
        Self(contract::Manifest {
            name: C::NAME.to_owned(),
            title: C::NAME.to_owned(),
            vendor: String::new(),
            version: C::VERSION.to_owned(),
            description: C::DESCRIPTION.to_owned(),
            settings: Vec::new(),
            credentials: Vec::new(),
            rate_per_second: None,
            concurrency: None,
            actions: Vec::new(),
        })
    }

    /// The product's name for people.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.0.title);
        self
    }

    /// Who makes the product.
    #[must_use]
    pub fn vendor(mut self, vendor: &str) -> Self {
        vendor.clone_into(&mut self.0.vendor);
        self
    }

    /// One paragraph for people.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.0.description);
        self
    }

    /// The requests a second that the product takes from one caller.
    #[must_use]
    pub fn rate_per_second(mut self, rate: f64) -> Self {
        self.0.rate_per_second = Some(rate);
        self
    }

    /// The requests in flight that the product takes from one caller.
    #[must_use]
    pub fn concurrency(mut self, requests: u32) -> Self {
        self.0.concurrency = Some(requests);
        self
    }

    /// A setting of the connection's file.
    #[must_use]
    pub fn setting(mut self, setting: Setting) -> Self {
        self.0.settings.push(setting.0);
        self
    }

    /// A credential that the connection's file refers to.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.0.credentials.push(credential.0);
        self
    }

    /// What an action does to the product.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.0.actions.push(action.0);
        self
    }

    /// As the contract has it.
    #[must_use]
    pub fn into_contract(self) -> contract::Manifest {
        self.0
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn contract(&self) -> &contract::Manifest {
        &self.0
    }
}

/// A setting of a connection.
#[derive(Debug, Clone)]
pub struct Setting(contract::Setting);

impl Setting {
    /// A setting of this type, under the name that the connection's file uses: `snake_case`.
    #[must_use]
    pub fn new(name: &str, r#type: SettingType) -> Self {
        Self(contract::Setting {
            name: name.to_owned(),
            type_: r#type,
            default: None,
            required: false,
            help: String::new(),
        })
    }

    /// A text.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self::new(name, SettingType::Text)
    }

    /// A list of texts.
    #[must_use]
    pub fn texts(name: &str) -> Self {
        Self::new(name, SettingType::Texts)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(name: &str) -> Self {
        Self::new(name, SettingType::Integer)
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(name: &str) -> Self {
        Self::new(name, SettingType::Boolean)
    }

    /// A length of time such as `"90s"`.
    #[must_use]
    pub fn duration(name: &str) -> Self {
        Self::new(name, SettingType::Duration)
    }

    /// One of these words.
    #[must_use]
    pub fn choice(name: &str, words: &[&str]) -> Self {
        Self::new(
            name,
            SettingType::Choice(words.iter().map(|word| (*word).to_owned()).collect()),
        )
    }

    /// The file must name it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.required = true;
        self
    }

    /// What holds when the file does not name it, written as in the file without quotes.
    #[must_use]
    pub fn default(mut self, value: impl Into<String>) -> Self {
        self.0.default = Some(value.into());
        self
    }

    /// One or two sentences for the person who fills in the file.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.0.help);
        self
    }
}

/// A credential of a connection.
#[derive(Debug, Clone)]
pub struct Credential(contract::Credential);

impl Credential {
    /// Text such as a password or a token, for slots of requests.
    #[must_use]
    pub fn secret(name: &str) -> Self {
        Self::new(name, CredentialKind::Secret)
    }

    /// A client certificate with its key, used by the TLS of the connection.
    #[must_use]
    pub fn client_certificate(name: &str) -> Self {
        Self::new(name, CredentialKind::ClientCertificate)
    }

    fn new(name: &str, kind: CredentialKind) -> Self {
        Self(contract::Credential {
            name: name.to_owned(),
            kind,
            required: false,
            self_made: false,
            help: String::new(),
        })
    }

    /// No connection works without it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.required = true;
        self
    }

    /// The product accepts, after an approval, a certificate that the caller made himself.
    #[must_use]
    pub fn self_made(mut self) -> Self {
        self.0.self_made = true;
        self
    }

    /// One or two sentences for the person who fills in the file.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.0.help);
        self
    }
}

/// What an action does to the product. Names are those of WIT; a capability's function has the
/// capability's name before it.
#[derive(Debug, Clone)]
pub struct Action(contract::Action);

impl Action {
    /// Changes nothing, so that it may be repeated.
    #[must_use]
    pub fn read(name: &str) -> Self {
        Self::new(name, Effect::Read).repeat(Repeat::Natural)
    }

    /// Can be taken back by the action `inverse`.
    #[must_use]
    pub fn reversible(name: &str, inverse: &str) -> Self {
        let mut action = Self::new(name, Effect::Reversible);
        action.0.inverse = Some(inverse.to_owned());
        action
    }

    /// Cannot be taken back, but destroys nothing.
    #[must_use]
    pub fn irreversible(name: &str) -> Self {
        Self::new(name, Effect::Irreversible)
    }

    /// Destroys something.
    #[must_use]
    pub fn destructive(name: &str) -> Self {
        Self::new(name, Effect::Destructive)
    }

    fn new(name: &str, effect: Effect) -> Self {
        Self(contract::Action {
            name: name.to_owned(),
            effect,
            overrides: Vec::new(),
            targets: Vec::new(),
            inverse: None,
            repeat: Repeat::None,
            reconcile: None,
            timeout: None,
        })
    }

    /// Another effect for certain values of an argument; the first that matches holds.
    #[must_use]
    pub fn when(mut self, argument: &str, when: Condition, effect: Effect) -> Self {
        self.0.overrides.push(contract::EffectOverride {
            argument: argument.to_owned(),
            when,
            effect,
        });
        self
    }

    /// Acts on the host whose id is in `argument`; the read `resolve` turns the id into a name.
    #[must_use]
    pub fn on_host(self, argument: &str, resolve: &str) -> Self {
        self.target(contract::Target {
            argument: argument.to_owned(),
            kind: TargetKind::Host,
            all: None,
            resolve: Some(resolve.to_owned()),
        })
    }

    /// Acts on what `argument` names.
    #[must_use]
    pub fn on(self, kind: TargetKind, argument: &str) -> Self {
        self.target(contract::Target {
            argument: argument.to_owned(),
            kind,
            all: None,
            resolve: None,
        })
    }

    /// In the target named last, this value means every target there is.
    #[must_use]
    pub fn all(mut self, value: &str) -> Self {
        if let Some(target) = self.0.targets.last_mut() {
            target.all = Some(value.to_owned());
        }
        self
    }

    fn target(mut self, target: contract::Target) -> Self {
        self.0.targets.push(target);
        self
    }

    /// Doing it twice is the same as doing it once.
    #[must_use]
    pub fn natural(self) -> Self {
        self.repeat(Repeat::Natural)
    }

    /// Twice with the same idempotency key is the same as once.
    #[must_use]
    pub fn keyed(self) -> Self {
        self.repeat(Repeat::Keyed)
    }

    fn repeat(mut self, repeat: Repeat) -> Self {
        self.0.repeat = repeat;
        self
    }

    /// The function that asks the product whether it has happened.
    #[must_use]
    pub fn reconciled_by(mut self, companion: &str) -> Self {
        self.0.reconcile = Some(companion.to_owned());
        self
    }

    /// How long it may take, unless the caller says otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        self
    }
}
