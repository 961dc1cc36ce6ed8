//! What came with Cordon: connectors and playbooks in folders beside the program.

use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// A connector by the name of its file, or the file itself.
pub fn connector(wanted: &str) -> Result<PathBuf, Problem> {
    let path = Path::new(wanted);
    if path
        .extension()
        .is_some_and(|extension| extension == "wasm")
    {
        return if path.is_file() {
            Ok(path.to_owned())
        } else {
            Err(Problem::usage(format!("there is no file `{wanted}`")))
        };
    }
    let connectors = files("connectors", "wasm");
    let names: Vec<String> = connectors.iter().map(|path| stem(path)).collect();
    match names.iter().position(|name| name == wanted) {
        Some(index) => Ok(connectors[index].clone()),
        None => Err(
            Problem::usage(format!("no connector `{wanted}` came with this Cordon"))
                .nearest(wanted, names.iter().map(String::as_str))
                .hint(match names.as_slice() {
                    [] => "none did; name the .wasm file of the connector".to_owned(),
                    names => format!("there are `{}`; or name a .wasm file", names.join("`, `")),
                })
                .code("cli.argument"),
        ),
    }
}

/// The playbooks that came with Cordon.
pub fn playbooks() -> Vec<PathBuf> {
    files("playbooks", "rhai")
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let Some(program) = std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
    else {
        return Vec::new();
    };
    let Some(beside) = program.parent() else {
        return Vec::new();
    };
    // A packed Cordon has them beside the program; a built one where the build puts components.
    let places = [
        beside.join(folder),
        beside.join("../components").join(folder),
    ];
    let mut files: Vec<PathBuf> = places
        .iter()
        .filter_map(|place| std::fs::read_dir(place).ok())
        .flat_map(|entries| entries.filter_map(Result::ok))
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    files.sort_by_key(|path| stem(path));
    files.dedup_by_key(|path| stem(path));
    files
}

/// The name of a file without folder and extension.
#[must_use]
pub fn stem(path: &Path) -> String {
    path.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}
