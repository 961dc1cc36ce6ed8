//! The manifest from the contract's types into our own.

use cordon_contract::Value;
use cordon_contract::manifest::{
    ActionManifest, Condition, Credential, CredentialKind, Effect, EffectOverride, Manifest,
    Repeat, Setting, SettingType, Target, TargetKind,
};

use crate::bindings::exports::cordon::connector::lifecycle as wit;

/// The manifest in our own types. What does not parse is added to `problems`.
pub(in crate::load) fn convert(manifest: wit::Manifest, problems: &mut Vec<String>) -> Manifest {
    Manifest {
        name: manifest.name,
        title: manifest.title,
        vendor: manifest.vendor,
        version: manifest.version,
        description: manifest.description,
        settings: manifest.settings.into_iter().map(setting).collect(),
        credentials: manifest.credentials.into_iter().map(credential).collect(),
        rate_per_second: manifest.rate_per_second,
        concurrency: manifest.concurrency,
        actions: manifest
            .actions
            .into_iter()
            .map(|action| convert_action(action, problems))
            .collect(),
    }
}

fn setting(setting: wit::Setting) -> Setting {
    Setting {
        name: setting.name,
        r#type: match setting.type_ {
            wit::SettingType::Text => SettingType::Text,
            wit::SettingType::Integer => SettingType::Integer,
            wit::SettingType::Number => SettingType::Number,
            wit::SettingType::Boolean => SettingType::Boolean,
            wit::SettingType::Texts => SettingType::Texts,
            wit::SettingType::Duration => SettingType::Duration,
            wit::SettingType::Size => SettingType::Size,
            wit::SettingType::Choice(words) => SettingType::Choice(words),
        },
        default: setting.default,
        required: setting.required,
        help: setting.help,
    }
}

fn credential(credential: wit::Credential) -> Credential {
    Credential {
        name: credential.name,
        kind: match credential.kind {
            wit::CredentialKind::Secret => CredentialKind::Secret,
            wit::CredentialKind::ClientCertificate => CredentialKind::ClientCertificate,
        },
        required: credential.required,
        self_made: credential.self_made,
        help: credential.help,
    }
}

fn convert_action(action: wit::Action, problems: &mut Vec<String>) -> ActionManifest {
    let overrides = action
        .overrides
        .into_iter()
        .map(|other| EffectOverride {
            when: match other.when {
                wit::Condition::Present => Condition::Present,
                wit::Condition::Absent => Condition::Absent,
                wit::Condition::Empty => Condition::Empty,
                wit::Condition::Equals(json) => Condition::Equals(Value::from_json(&json).unwrap_or_else(|error| {
                    problems.push(format!("action `{}`: the override of `{}` equals `{json}`, which is no JSON: {error}", action.name, other.argument));
                    Value::Null
                })),
            },
            argument: other.argument,
            effect: effect(other.effect),
        })
        .collect();
    let targets = action
        .targets
        .into_iter()
        .map(|target| Target {
            argument: target.argument,
            kind: match target.kind {
                wit::TargetKind::Host => TargetKind::Host,
                wit::TargetKind::File => TargetKind::File,
                wit::TargetKind::Indicator => TargetKind::Indicator,
                wit::TargetKind::Tenant => TargetKind::Tenant,
                wit::TargetKind::Task => TargetKind::Task,
                wit::TargetKind::Group => TargetKind::Group,
                wit::TargetKind::Account => TargetKind::Account,
                wit::TargetKind::Other => TargetKind::Other,
            },
            all: target.all,
            resolve: target.resolve,
        })
        .collect();
    ActionManifest {
        name: action.name,
        effect: effect(action.effect),
        overrides,
        targets,
        inverse: action.inverse,
        repeat: match action.repeat {
            wit::Repeat::Natural => Repeat::Natural,
            wit::Repeat::Keyed => Repeat::Keyed,
            wit::Repeat::None => Repeat::None,
        },
        reconcile: action.reconcile,
        timeout_ms: action.timeout,
    }
}

fn effect(effect: wit::Effect) -> Effect {
    match effect {
        wit::Effect::Read => Effect::Read,
        wit::Effect::Reversible => Effect::Reversible,
        wit::Effect::Irreversible => Effect::Irreversible,
        wit::Effect::Destructive => Effect::Destructive,
    }
}
