//! Imports reach the playbooks' folder and nothing else, and are part of the playbook.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::fs;
use std::path::Path;

use cordon_contract::Value;
use cordon_playbook::{Bundle, Library, Limits, Playbook, PlaybookError, RunError};
use support::World;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn load(folder: &Path, code: &str) -> Result<Playbook, PlaybookError> {
    write(
        folder,
        "main.rhai",
        &format!("const PLAYBOOK = #{{ uses: #{{ edr: \"kata\" }} }};\n{code}"),
    );
    Playbook::load(&folder.join("main.rhai"), &Library::folder(folder))
}

fn run(playbook: &Playbook) -> Result<Value, RunError> {
    let mut offers = support::offers();
    offers.remove("edrs");
    let bindings = std::sync::Arc::new(
        playbook
            .bind(&offers)
            .unwrap_or_else(|error| panic!("{error}")),
    );
    let world = std::sync::Arc::new(World::silent());
    playbook.run(&Default::default(), &bindings, world, &Limits::default())
}

#[test]
fn a_library_shares_functions_constants_closures_and_actions() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "lib/hosts.rhai",
        "import \"lib/names\" as names;\nexport const PORT = 443;\nconst BASE = 10;\nfn twice(x) { names::same(x) * 2 + global::BASE }\nfn all(list) { parallel(list, |x| twice(x)).map(|e| e.value) }\nfn reach() { connection(\"edr\").ping() }",
    );
    write(folder.path(), "lib/names.rhai", "fn same(x) { x }");
    let playbook = load(folder.path(), "import \"lib/hosts\" as hosts;\nfn run(input) { hosts::reach(); [hosts::twice(2), hosts::all([1, 2]), hosts::PORT] }").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run(&playbook).unwrap().to_json(), "[14,[12,14],443]");
}

#[test]
fn an_error_in_a_library_has_its_place_there() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "lib/hosts.rhai",
        "// hosts\nfn broken(x) {\n    x.nothing\n}",
    );
    let playbook = load(
        folder.path(),
        "import \"lib/hosts\" as hosts;\nfn run(input) { hosts::broken(#{}) }",
    )
    .unwrap();
    assert_eq!(
        run(&playbook).unwrap_err().place().unwrap().to_string(),
        "lib/hosts.rhai:3:7"
    );
    write(
        folder.path(),
        "lib/hosts.rhai",
        "fn broken(x) {\n    x +\n}",
    );
    let error = load(
        folder.path(),
        "import \"lib/hosts\" as hosts;\nfn run(input) { 1 }",
    )
    .unwrap_err();
    assert_eq!(
        error.problems[0].place.as_ref().unwrap().to_string(),
        "lib/hosts.rhai:3:1"
    );
}

#[test]
fn nothing_outside_of_the_folder_can_be_imported() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret.rhai", "fn f() { 1 }");
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("secret.rhai"),
        folder.path().join("link.rhai"),
    )
    .unwrap();
    let absolute = outside.path().join("secret").display().to_string();
    for path in [
        "../secret",
        "lib/../../secret",
        "./lib",
        "",
        "link",
        "..\\\\secret",
        absolute.as_str(),
    ] {
        let error = load(
            folder.path(),
            &format!("import \"{path}\" as x;\nfn run(input) {{ 1 }}"),
        )
        .unwrap_err();
        assert_eq!(error.code(), "playbook.import", "{path}");
        assert!(
            error.to_string().contains("leaves the playbooks' folder"),
            "{path}: {error}"
        );
        assert_eq!(error.problems[0].place.as_ref().unwrap().line, 2);
    }
}

#[test]
fn imports_that_are_missing_computed_or_circular_are_refused_at_load() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.rhai", "import \"b\" as b;");
    write(folder.path(), "b.rhai", "import \"a\" as a;");
    for (import, message) in [
        (
            "import \"gone\" as x;",
            "the import of \"gone\": cannot read",
        ),
        (
            "import \"a\" + \"b\" as x;",
            "must name its file as plain text",
        ),
        ("import \"a\" as x;", "leads back to itself"),
    ] {
        let error = load(folder.path(), &format!("{import}\nfn run(input) {{ 1 }}")).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_digest_covers_what_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let code = "import \"lib\" as lib;\nfn run(input) { 1 }";
    write(folder.path(), "lib.rhai", "fn f() { 1 }");
    let first = load(folder.path(), code).unwrap().digest().to_owned();
    assert_eq!(load(folder.path(), code).unwrap().digest(), first);
    write(folder.path(), "lib.rhai", "fn f() { 2 }");
    assert_ne!(load(folder.path(), code).unwrap().digest(), first);
    assert_eq!(first.len(), 64);
}

#[test]
fn a_bundle_is_the_whole_playbook_also_when_its_files_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "lib/hosts.rhai",
        "import \"lib/names\" as names;\nfn broken() { names::broken() }",
    );
    write(
        folder.path(),
        "lib/names.rhai",
        "fn broken() {\n    [1].nothing\n}",
    );
    let code = "import \"lib/hosts\" as hosts;\nfn run(input) { hosts::broken() }";
    let playbook = load(folder.path(), code).unwrap();
    let written = serde_json::to_string(&playbook.bundle()).unwrap();
    let (digest, error) = (playbook.digest().to_owned(), run(&playbook).unwrap_err());
    drop(folder);
    let bundle: Bundle = serde_json::from_str(&written).unwrap();
    assert_eq!(
        bundle.imports.keys().collect::<Vec<_>>(),
        ["lib/hosts", "lib/names"]
    );
    let again = Playbook::from_bundle(&bundle).unwrap();
    assert_eq!(again.digest(), digest);
    assert_eq!(again.bundle(), bundle);
    let same = run(&again).unwrap_err();
    assert_eq!(same, error);
    assert_eq!(same.place().unwrap().to_string(), "lib/names.rhai:2:9");
}

#[test]
fn a_bundle_that_lacks_an_import_is_refused() {
    let bundle = Bundle {
        name: "main.rhai".to_owned(),
        text: "const PLAYBOOK = #{};\nimport \"lib\" as lib;\nfn run(input) { 1 }".to_owned(),
        imports: [].into(),
    };
    let error = Playbook::from_bundle(&bundle).unwrap_err().to_string();
    assert!(
        error.contains("of \"lib\": it is not in the bundle"),
        "{error}"
    );
}

#[test]
fn what_a_library_registered_is_taken_back_with_what_is_in_the_librarys_reach() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "lib.rhai",
        "import \"names\" as names;\nconst BASE = \"s\";\nfn id(n) { names::of(`${global::BASE}-${n}`) }\nfn isolate(edr, n) { edr.isolate(#{ sensor_id: id(n) }); undo(|| edr.release(#{ sensor_id: id(n) })); }",
    );
    write(folder.path(), "names.rhai", "fn of(n) { n }");
    let code = "import \"lib\" as lib;\nfn run(input) { lib::isolate(connection(\"edr\"), 7); fail(\"no\") }";
    let playbook = load(folder.path(), code).unwrap();
    let mut offers = support::offers();
    offers.remove("edrs");
    let bindings = std::sync::Arc::new(playbook.bind(&offers).unwrap());
    let world = std::sync::Arc::new(World::silent());
    let limits = Limits::default();
    let result = playbook.run(&Default::default(), &bindings, world.clone(), &limits);
    assert_eq!(result.unwrap_err().to_string(), "no");
    assert_eq!(world.called()[1], r#"release {"sensor_id":"s-7"}"#);
}

#[test]
fn a_file_that_is_no_script_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        Playbook::load(&folder.path().join(name), &Library::none())
            .unwrap_err()
            .to_string()
    };
    assert!(load("gone.rhai").contains("cannot read"));
    fs::write(folder.path().join("binary.rhai"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(load("binary.rhai").contains("it is not UTF-8 text"));
    fs::write(
        folder.path().join("large.rhai"),
        vec![b' '; 2 * 1024 * 1024],
    )
    .unwrap();
    assert!(load("large.rhai").contains("a script has at most 1048576"));
    assert!(load(".").contains("it is no file"));
}
