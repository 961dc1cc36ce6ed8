use std::path::Path;

use cordon_contract::Manifest;
use cordon_contract::manifest::{Credential, CredentialKind, Setting, SettingType};
use proptest::prelude::*;

use super::*;

const WHOLE: &str = r#"
connector = "kata"
enabled = false
description = "Central node"
urls = ["https://a.example", "https://b.example:8443/kata/"]
tags = ["edr", "prod"]
realm = "emea"
[settings]
external_system_id = "15301050"
states = ["new", "done"]
retries = 3
[credentials]
api_token = "env:KATA_TOKEN"
client_certificate = { certificate = "file:credentials/kata.pem", key = "file:credentials/kata.key" }
[tls]
ca = "file:credentials/kata-ca.pem"
pin_sha256 = "AB:cd000000000000000000000000000000000000000000000000000000000001"
[limits]
timeout = "30s"
connect_timeout = "500ms"
answer_size = "64MiB"
rate_per_second = 10
concurrency = 8
[network]
proxy = "http://proxy:3128"
allow_addresses = ["10.0.0.0/8", "127.0.0.1", "::1"]
"#;

fn parse(text: &str) -> Result<ConnectionFile, FileError> {
    ConnectionFile::parse(Path::new("connections/kata.toml"), text)
}

/// The first line of a file that is otherwise right, and the message for it.
fn check(lines: &str, expected: &str) {
    let text = format!("connector = \"kata\"\nurl = \"https://kata.example\"\n{lines}");
    assert_eq!(
        parse(&text).map(|_| ()).unwrap_err().to_string(),
        format!("connections/kata.toml:{expected}")
    );
}

#[test]
fn everything_that_a_file_can_say_is_read() {
    let file = parse(WHOLE).unwrap();
    assert_eq!(
        (
            file.name.as_str(),
            file.connector.value.as_str(),
            file.enabled
        ),
        ("kata", "kata", false)
    );
    let urls: Vec<_> = file.urls.iter().map(Url::as_str).collect();
    assert_eq!(urls, ["https://a.example/", "https://b.example:8443/kata/"]);
    assert_eq!((file.tags.len(), file.realm.as_str()), (2, "emea"));
    assert_eq!(file.settings["retries"].value, RawSetting::Integer(3));
    assert_eq!(
        file.settings["states"].value,
        RawSetting::Texts(vec!["new".to_owned(), "done".to_owned()])
    );
    let token = CredentialReference::Single(Reference::Environment("KATA_TOKEN".to_owned()));
    assert_eq!(file.credentials["api_token"].value, token);
    assert_eq!(
        file.tls.pin_sha256.map(|pin| (pin[0], pin[31])),
        Some((0xab, 1))
    );
    assert_eq!(file.limits.connect_timeout_ms, Some(500));
    assert_eq!(file.limits.rate_per_second, Some(10.0));
    assert_eq!(
        file.network
            .proxy
            .map(|proxy| proxy.uri.to_string())
            .as_deref(),
        Some("http://proxy:3128/")
    );
    assert_eq!(file.network.allow_addresses.len(), 3);
}

#[test]
fn connector_and_url_are_enough() {
    let file = parse("connector = \"kata\"\nurl = \"https://kata.example\"").unwrap();
    assert!(file.enabled);
    assert_eq!((file.realm.as_str(), file.urls.len()), ("default", 1));
}

#[test]
fn a_misspelt_key_is_named_with_its_place_and_the_right_one() {
    check(
        "conector = \"kata\"",
        "3:1: unknown key `conector`; did you mean `connector`?",
    );
    check(
        "[limits]\n  timeut = \"3s\"",
        "4:3: unknown key `timeut`; did you mean `timeout`?",
    );
    check(
        "[tls]\npin = \"00\"",
        "4:1: unknown key `pin`; did you mean `pin_sha256`?",
    );
    check("colour = 1\n[zebra]", "3:1: unknown key `colour`");
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_it_must_be() {
    check(
        "enabled = \"yes\"",
        "3:11: `enabled` must be true or false, not text",
    );
    check(
        "tags = [1]",
        "3:8: `tags` must be a list of texts in quotes, not a list",
    );
    check("tls = 3", "3:7: `tls` must be a table, not a number");
    check(
        "[limits]\ntimeout = \"30 seconds\"",
        "4:11: `timeout`: `30 seconds` is not a duration; write one like \"90s\", \"2h\" or \"1h30m\"",
    );
    check(
        "[limits]\ntimeout = \"0s\"",
        "4:11: `timeout`: it must be more than nothing",
    );
    check(
        "[limits]\ntimeout = \"25h\"",
        "4:11: `timeout`: it must be at most 24h",
    );
    check(
        "[limits]\nconcurrency = 0",
        "4:15: `concurrency`: it must be in 1..=10000",
    );
    check(
        "[limits]\nrate_per_second = -1",
        "4:19: `rate_per_second`: it must be more than 0",
    );
    check(
        "[tls]\npin_sha256 = \"abcd\"",
        "4:14: `pin_sha256`: a pin is the SHA-256 of the server's certificate: 64 hex digits",
    );
    check(
        "[network]\nallow_addresses = [\"localhost\"]",
        "4:19: `allow_addresses`: `localhost` is no address; write one like \"127.0.0.1\" or \"10.0.0.0/8\"",
    );
    check(
        "[network]\nproxy = \"https://p\"",
        "4:9: `proxy`: `https` is no proxy that Cordon knows; use http:// or socks5h://",
    );
    check(
        "urls = []",
        "3:1: `url` and `urls` exclude each other; write one, or a list of all as `urls`",
    );
    check(
        "[tls]\nca = \"file:ca.pem\"\ninsecure = true",
        "5:1: `insecure` and `ca` exclude each other; with `insecure` any server would be trusted",
    );
}

#[test]
fn a_base_url_is_a_place_and_nothing_more() {
    for (url, reason) in [
        ("kata.example", "is no URL"),
        ("ftp://kata.example", "must begin with https://"),
        ("https://kata.example/?x=1", "without `?` and `#`"),
        ("https://user:hunter2@kata.example", "user name or password"),
    ] {
        let error = parse(&format!("connector = \"kata\"\nurl = \"{url}\"")).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn what_is_missing_is_said_to_be_missing() {
    let error = parse("url = \"https://kata.example\"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "connections/kata.toml: `connector` is missing; write the connector's name, as in connector = \"kata\""
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_blotted_out_of_the_text_that_is_shown() {
    for value in [
        "\"hunter2\"",
        "{ certificate = \"hunter2\", key = \"file:k\" }",
        "\"\"\"\nhunter2\n\"\"\"",
    ] {
        let error = parse(&format!(
            "connector = \"kata\"\nurl = \"https://k\"\n[credentials]\ntoken = {value}"
        ))
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("secrets never stand in this file"),
            "{error}"
        );
        assert!(!format!("{error:?} {}", error.text).contains("hunter2"));
        assert_eq!(error.code(), "connection.credential");
    }
}

#[test]
fn the_name_of_the_file_is_the_name_of_the_connection() {
    for name in ["Kata", "my kata", ".kata", "käta", ""] {
        let path = format!("connections/{name}.toml");
        let error =
            ConnectionFile::parse(Path::new(&path), "connector = \"k\"\nurl = \"https://k\"")
                .unwrap_err();
        assert!(
            error.to_string().contains("is no name for a connection"),
            "{name}: {error}"
        );
    }
}

fn setting(name: &str, r#type: SettingType, default: Option<&str>, required: bool) -> Setting {
    Setting {
        name: name.to_owned(),
        r#type,
        default: default.map(ToOwned::to_owned),
        required,
        help: format!("What {name} is.\nSecond line."),
    }
}

fn manifest() -> Manifest {
    let credential = |name: &str, kind| Credential {
        name: name.to_owned(),
        kind,
        required: true,
        self_made: kind == CredentialKind::ClientCertificate,
        help: "Ask the administrator.".to_owned(),
    };
    Manifest {
        name: "kata".to_owned(),
        title: "KATA".to_owned(),
        vendor: "Kaspersky".to_owned(),
        version: "1.0.0".to_owned(),
        description: "Endpoint response.\nOf the Central Node.".to_owned(),
        settings: vec![
            setting("external_system_id", SettingType::Text, None, true),
            setting("motto", SettingType::Text, Some("say \"hi\" \\o/"), false),
            setting(
                "shape",
                SettingType::Choice(vec!["flat".to_owned(), "deep".to_owned()]),
                Some("flat"),
                false,
            ),
            setting("retries", SettingType::Integer, Some("3"), false),
            setting("states", SettingType::Texts, Some("[\"new\"]"), false),
            setting("pause", SettingType::Duration, None, false),
        ],
        credentials: vec![
            credential("api_token", CredentialKind::Secret),
            credential("client_certificate", CredentialKind::ClientCertificate),
        ],
        rate_per_second: Some(5.0),
        concurrency: Some(2),
        actions: Vec::new(),
    }
}

#[test]
fn a_new_file_is_read_as_it_was_written() {
    let new = NewConnection {
        name: "kata-emea",
        url: Some("https://kata.example"),
        settings: &[("external_system_id", "1530\"1050"), ("retries", "7")],
    };
    let text = write(&manifest(), &new);
    let file = ConnectionFile::parse(Path::new("kata-emea.toml"), &text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(
        file.settings["external_system_id"].value,
        RawSetting::Text("1530\"1050".to_owned())
    );
    assert_eq!(file.settings["retries"].value, RawSetting::Integer(7));
    let token =
        CredentialReference::Single(Reference::Environment("KATA_EMEA_API_TOKEN".to_owned()));
    assert_eq!(file.credentials["api_token"].value, token);
    let certificate = CredentialReference::Certificate {
        certificate: Reference::File("credentials/kata-emea.pem".into()),
        key: Reference::File("credentials/kata-emea.key".into()),
    };
    assert_eq!(file.credentials["client_certificate"].value, certificate);
}

#[test]
fn every_commented_line_of_a_new_file_is_right_once_its_mark_is_removed() {
    let new = NewConnection {
        name: "kata",
        ..NewConnection::default()
    };
    let text = write(&manifest(), &new);
    assert!(parse(&text).is_ok(), "{text}");
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            // An assignment, not a sentence. An empty pin is a place to fill in.
            Some(rest)
                if rest
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' '))
                    && !rest.starts_with("pin") =>
            {
                rest
            }
            _ => line,
        })
        .fold(String::new(), |whole, line| whole + line + "\n");
    let file = parse(&uncommented).unwrap_or_else(|error| panic!("{error}\n{uncommented}"));
    assert_eq!(file.settings.len(), manifest().settings.len());
    assert_eq!(
        file.limits.over(&manifest()),
        LimitOverrides::default().over(&manifest())
    );
    assert_eq!(
        file.settings["motto"].value,
        RawSetting::Text("say \"hi\" \\o/".to_owned())
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_stumble(text in "[a-z_ =\\[\\]\"'{},.:#\\n0-9é-]{0,200}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some() || error.span.end > text.len());
            prop_assert!(error.place().0 <= text.lines().count() + 1);
        }
    }

    #[test]
    fn a_manifest_with_any_words_still_writes_a_file_that_is_read(help in "\\PC{0,40}\\n?\\PC{0,40}", default in ".{0,40}") {
        let mut manifest = manifest();
        manifest.description = help.clone();
        manifest.settings = vec![Setting { help, ..setting("motto", SettingType::Text, Some(&default), false) }];
        let new = NewConnection { name: "kata", url: None, settings: &[("motto", &default)] };
        let text = write(&manifest, &new);
        let file = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(&file.settings["motto"].value, &RawSetting::Text(default));
    }
}
