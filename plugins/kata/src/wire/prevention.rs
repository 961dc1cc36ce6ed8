//! `…/settings?settings_type=prevention`
//!
//! Documented as an array of objects; a server in use answers `{"settings":{"objects":[…]}}`. Both
//! are read, and what lies between.

use serde_json::{Value, json};

/// The body of a POST that leaves exactly these hashes.
pub fn order(hashes: &[String]) -> Value {
    let object = |hash: &String| {
        let algorithm = if hash.len() == 64 { "sha256" } else { "md5" };
        json!({ "file": { algorithm: hash } })
    };
    json!({ "settings": { "objects": hashes.iter().map(object).collect::<Vec<_>>() } })
}

/// The hashes in an answer of any known shape, in lower case. None if a part of it is not
/// understood: a list that is known in part must not be written back.
pub fn hashes(answer: &Value) -> Option<Vec<String>> {
    match answer {
        Value::Array(values) => {
            let lists: Option<Vec<Vec<String>>> = values.iter().map(hashes).collect();
            Some(lists?.concat())
        }
        Value::Object(fields) => {
            if let Some(inner) = fields.get("settings").or_else(|| fields.get("objects")) {
                return hashes(inner);
            }
            let file = fields.get("file")?;
            let hash = ["sha256", "md5"]
                .iter()
                .find_map(|algorithm| file.get(algorithm)?.as_str())?;
            Some(vec![hash.to_ascii_lowercase()])
        }
        _ => None,
    }
}

/// The hosts that a refused order names. Inferred: the documents say only that they are listed.
pub fn hosts_in_the_way(answer: &Value) -> Vec<String> {
    let list = ["sensors", "hosts"]
        .iter()
        .find_map(|name| answer.get(name)?.as_array());
    let name = |host: &Value| match host {
        Value::String(id) => Some(id.clone()),
        Value::Object(host) => host
            .get("sensorId")
            .or_else(|| host.get("hostName"))?
            .as_str()
            .map(str::to_owned),
        _ => None,
    };
    list.into_iter().flatten().filter_map(name).collect()
}

/// The file that a refused order names: the first of those that are in the way.
pub fn file_in_the_way(answer: &Value) -> Option<String> {
    hashes(&json!({ "file": answer.get("file")? }))?
        .into_iter()
        .next()
}
