use std::os::unix::fs::PermissionsExt as _;

use super::*;

const PIN: &str = "ab00000000000000000000000000000000000000000000000000000000000001";

fn pinned(text: &str) -> Result<String, TrustError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kata.toml");
    std::fs::write(&path, text).unwrap();
    write_pin(&path, PIN)?;
    Ok(std::fs::read_to_string(&path).unwrap())
}

const HEAD: &str = "# mine\nconnector = \"kata\"   # the EDR\nurl = \"https://kata.example\"\n";

#[test]
fn a_pin_is_added_and_nothing_else_is_touched() {
    assert_eq!(
        pinned(HEAD).unwrap(),
        format!("{HEAD}\n[tls]\npin_sha256 = \"{PIN}\"\n")
    );
    let with_section =
        format!("{HEAD}\n[tls]  # trust\n# ca = \"file:ca.pem\"\n\n[limits]\ntimeout = \"5s\"\n");
    let text = pinned(&with_section).unwrap();
    assert!(
        text.starts_with(&format!("{HEAD}\n[tls]  # trust\n")),
        "{text}"
    );
    assert!(
        text.contains("# ca = \"file:ca.pem\"") && text.contains("[limits]\ntimeout = \"5s\"\n"),
        "{text}"
    );
    let file = ConnectionFile::parse(Path::new("kata.toml"), &text).unwrap();
    assert_eq!(file.tls.pin_sha256.map(hex::encode).as_deref(), Some(PIN));
}

#[test]
fn an_older_pin_is_replaced_where_it_stands() {
    let old = PIN.replace('1', "2");
    let before = format!("{HEAD}[tls]\npin_sha256 = \"{old}\"  # approved by Ann\n[limits]\n");
    assert_eq!(pinned(&before).unwrap(), before.replace(&old, PIN));
}

#[test]
fn a_pin_beside_insecure_is_refused_and_the_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kata.toml");
    let text = format!("{HEAD}[tls]\ninsecure = true\n");
    std::fs::write(&path, &text).unwrap();
    assert!(write_pin(&path, PIN).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_file_that_is_no_connection_is_left_alone() {
    assert!(matches!(
        pinned("connector = 3\n"),
        Err(TrustError::File(_))
    ));
    assert!(matches!(pinned("not toml"), Err(TrustError::File(_))));
}

#[test]
fn the_file_keeps_its_permissions_and_leaves_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kata.toml");
    std::fs::write(&path, HEAD).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    write_pin(&path, PIN).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
