//! The files that any product's description of its connection becomes.

use std::path::Path;

use crate::frame::toy::Toy;
use crate::frame::{Clock, ServerCertificate, ServerForm, Simulator};

use super::{LabDirectory, connection, summary};

fn toy() -> Toy {
    Toy {
        settings: "region = \"north\"\n",
        password: "swordfish",
        ..Toy::default()
    }
}

fn simulator(toy: Toy, url: &str) -> Simulator<Toy> {
    let certificate = ServerCertificate::make(ServerForm::Plain).unwrap();
    Simulator::new(toy, url.to_owned(), Some(certificate), Clock::real())
}

fn write(folder: &Path, toy: Toy) {
    connection::write(folder, &simulator(toy, "https://127.0.0.1:7")).unwrap();
}

fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap()
}

#[test]
fn a_connection_file_has_the_sections_that_the_product_describes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), toy());
    assert_eq!(
        read(folder.path(), "connections/toy.toml"),
        "# The lab's Toy. `url` is renewed each time the lab starts.\n\
         connector = \"toy\"\n\
         description = \"Simulated Toy\"\n\
         url = \"https://127.0.0.1:7\"\n\
         \n\
         [settings]\n\
         region = \"north\"\n\
         \n\
         [credentials]\n\
         password = \"file:credentials/toy.password\"\n\
         \n\
         [tls]\n\
         # The server's own certificate: exactly this one is trusted.\n\
         ca = \"file:credentials/toy-ca.pem\"\n"
    );
    assert!(!folder.path().join("credentials/toy.pem").exists());
}

#[test]
fn a_client_certificate_stands_beside_the_other_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Some("player");
    write(
        folder.path(),
        Toy {
            certificate,
            settings: "",
            ..toy()
        },
    );
    let text = read(folder.path(), "connections/toy.toml");
    let table: toml::Table = text.parse().unwrap();
    assert!(!table.contains_key("settings"));
    let credentials = table["credentials"].as_table().unwrap();
    assert_eq!(
        credentials["password"].as_str(),
        Some("file:credentials/toy.password")
    );
    for (part, file) in [("certificate", "toy.pem"), ("key", "toy.key")] {
        let reference = credentials["client_certificate"][part].as_str().unwrap();
        assert_eq!(reference, format!("file:credentials/{file}"));
        assert!(read(folder.path(), &format!("credentials/{file}")).contains("-----BEGIN"));
    }
}

#[cfg(unix)]
#[test]
fn a_secret_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), toy());
    let path = folder.path().join("credentials/toy.password");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "swordfish");
}

#[test]
fn a_secret_that_is_there_is_kept_only_where_the_product_accepts_it() {
    for (password_kept, expected) in [(true, "changed"), (false, "swordfish")] {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join("credentials");
        std::fs::create_dir(&credentials).unwrap();
        std::fs::write(credentials.join("toy.password"), "changed").unwrap();
        write(
            folder.path(),
            Toy {
                password_kept,
                ..toy()
            },
        );
        assert_eq!(
            read(folder.path(), "credentials/toy.password"),
            expected,
            "{password_kept}"
        );
    }
}

#[test]
fn only_the_url_is_renewed_in_a_connection_file_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), toy());
    let path = folder.path().join("connections/toy.toml");
    let before = std::fs::read_to_string(&path)
        .unwrap()
        .replace("north", "south");
    std::fs::write(&path, &before).unwrap();
    let moved = simulator(toy(), "https://127.0.0.1:8");
    connection::write(folder.path(), &moved).unwrap();
    let after = std::fs::read_to_string(&path).unwrap();
    assert_eq!(after, before.replace("127.0.0.1:7", "127.0.0.1:8"));
}

#[test]
fn a_product_without_client_certificates_says_nothing_of_them_to_programs() {
    let summary = |certificate| {
        let toy = Toy {
            certificate,
            ..toy()
        };
        let simulator = simulator(toy, "https://127.0.0.1:7");
        summary::product(&simulator, Path::new("automation"), String::new())
    };
    let without = summary(None);
    assert_eq!(without.client_certificate, None);
    assert_eq!(without.client_certificate_sha256, None);
    assert_eq!(without.client_key, None);
    assert_eq!(without.credentials["user"], "player");
    let with = summary(Some("player"));
    let key = with.client_key.unwrap();
    assert_eq!(key, Path::new("automation/credentials/toy.key"));
    let text = serde_json::to_value(&without).unwrap();
    assert!(text.get("client_key").is_none(), "{text}");
}

#[test]
fn a_restart_finds_the_secret_of_the_last_time() {
    let folder = tempfile::tempdir().unwrap();
    let directory = LabDirectory::open(folder.path()).unwrap();
    let secret = |text: &str| {
        directory
            .secret("toy.password", || text.to_owned())
            .unwrap()
    };
    assert_eq!(secret("first"), "first");
    assert_eq!(secret("second"), "first");
}
