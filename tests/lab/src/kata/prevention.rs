//! Prevention rules: files that may not run, on one host or on all (§2.6, §2.7).

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::frame::{BodyError, Fields, Reply, Request};

use super::entity::{Origin, PreventedFile, PreventionObject, Scope, capability};
use super::isolation::ignore;
use super::operation::Query;
use super::refusal::Refusal;
use super::state::State;
use super::switches::{ResponseShape, Switches};
use super::vendor::Warnings;

/// Hash kinds and their lengths in hex digits.
const SHA256: (&str, usize) = ("sha256", 64);
const MD5: (&str, usize) = ("md5", 32);

type Rules = BTreeMap<Scope, Vec<PreventionObject>>;

pub(super) fn read(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let scope = query.scope()?;
    able(state, scope)?;
    let objects = state.prevention.get(&scope).ok_or(Refusal::NotFound)?;
    Ok(show(objects, &state.switches))
}

/// Replaces all rules of the scope, those of the web interface included \[seed\].
pub(super) fn set(
    state: &mut State,
    query: &Query,
    request: &Request,
    warnings: &mut Warnings,
) -> Result<Reply, Refusal> {
    let scope = query.scope()?;
    let files = parse(&request.body, warnings)?;
    able(state, scope)?;
    if files.is_empty() {
        return remove(state, scope);
    }
    refuse_conflicts(state, scope, &files)?;
    let objects: Vec<_> = files
        .into_iter()
        .map(|file| PreventionObject {
            file,
            origin: Origin::Api,
        })
        .collect();
    let reply = show(&objects, &state.switches).applied();
    state.prevention.insert(scope, objects);
    Ok(reply)
}

/// Deletes the rules of this scope and of no other \[inferred\].
pub(super) fn delete(state: &mut State, query: &Query) -> Result<Reply, Refusal> {
    let scope = query.scope()?;
    able(state, scope)?;
    remove(state, scope)
}

fn remove(state: &mut State, scope: Scope) -> Result<Reply, Refusal> {
    state.prevention.remove(&scope).ok_or(Refusal::NotFound)?;
    Ok(super::deleted(state.switches.delete_body).applied())
}

/// One host must be able to have rules; of all hosts, those that cannot are skipped \[inferred\].
fn able(state: &State, scope: Scope) -> Result<(), Refusal> {
    match scope {
        Scope::All => Ok(()),
        Scope::Host(id) => state.able_host(id, capability::PREVENTION).map(drop),
    }
}

/// Refuses a file that has a rule in another scope where the two would meet \[seed\]; only the
/// first such file is named \[seed\].
pub(super) fn refuse_conflicts(
    state: &State,
    scope: Scope,
    files: &[PreventedFile],
) -> Result<(), Refusal> {
    for file in files {
        let sensors = holders(state, scope, file);
        if !sensors.is_empty() {
            return Err(Refusal::Prevention {
                status: state.switches.prevention_conflict_status,
                file: file.clone(),
                sensors,
            });
        }
    }
    Ok(())
}

/// The hosts on which another scope has a rule for the file. A rule for all is on every host that
/// can have rules \[inferred\].
fn holders(state: &State, scope: Scope, file: &PreventedFile) -> Vec<String> {
    let has = |rules: &Rules, scope: Scope| {
        let objects = rules.get(&scope);
        objects.is_some_and(|objects| objects.iter().any(|object| &object.file == file))
    };
    let on_all = scope != Scope::All && has(&state.prevention, Scope::All);
    state
        .hosts
        .iter()
        .filter(|(id, host)| match scope {
            Scope::All => has(&state.prevention, Scope::Host(**id)),
            Scope::Host(_) => on_all && host.can(capability::PREVENTION),
        })
        .map(|(_, host)| host.sensor_id.clone())
        .collect()
}

#[derive(Serialize)]
struct Shown<'a> {
    file: &'a PreventedFile,
}

fn show(objects: &[PreventionObject], switches: &Switches) -> Reply {
    let shown: Vec<_> = objects
        .iter()
        .map(|object| Shown { file: &object.file })
        .collect();
    match switches.response_shape {
        ResponseShape::Array => Reply::json(StatusCode::OK, &shown),
        ResponseShape::Wrapped => {
            Reply::json(StatusCode::OK, &json!({ "settings": { "objects": shown } }))
        }
    }
}

/// The files of a request, each once \[inferred\].
fn parse(body: &[u8], warnings: &mut Warnings) -> Result<Vec<PreventedFile>, BodyError> {
    let body = Fields::parse(body)?;
    let settings = body.object("settings")?;
    ignore(&body, &["settings"], warnings);
    ignore(&settings, &["objects"], warnings);
    let mut files = Vec::new();
    for object in settings.objects("objects")? {
        let others = object.unknown(&["file"]);
        if let Some(other) = others.first() {
            return Err(BodyError(format!("{other} is not a kind of object")));
        }
        let fields = object.object("file")?;
        ignore(&fields, &[SHA256.0, MD5.0], warnings);
        let found = file(&fields)?;
        if !files.contains(&found) {
            files.push(found);
        }
    }
    Ok(files)
}

fn file(fields: &Fields) -> Result<PreventedFile, BodyError> {
    match (fields.has(SHA256.0), fields.has(MD5.0)) {
        (true, true) => Err(fields.refuse(MD5.0, "must not stand beside sha256")),
        (false, true) => hash(fields, MD5).map(PreventedFile::Md5),
        _ => hash(fields, SHA256).map(PreventedFile::Sha256),
    }
}

/// Hashes are kept in lower case, in whatever case they come \[inferred\].
fn hash(fields: &Fields, (name, digits): (&str, usize)) -> Result<String, BodyError> {
    let text = fields.string(name)?;
    normal_hash(&text, digits)
        .ok_or_else(|| fields.refuse(name, &format!("must be {digits} hex digits")))
}

fn normal_hash(text: &str, digits: usize) -> Option<String> {
    let is_hash = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}

impl PreventedFile {
    /// The file of a hash, whose kind shows in its length.
    pub fn from_hash(text: &str) -> Option<Self> {
        normal_hash(text, SHA256.1)
            .map(Self::Sha256)
            .or_else(|| normal_hash(text, MD5.1).map(Self::Md5))
    }
}
