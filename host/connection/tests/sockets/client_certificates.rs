//! The certificate that a connection presents: missing, wrong, right.

use cordon_connection::{Delivery, FailureKind};

use crate::fixture::{Certified, Kind, Server, Setup, TLS_VERSIONS, Tls, answer, get, post};

fn client(common_name: &'static str) -> Certified {
    Certified::self_signed(&Kind {
        common_name,
        names: vec![],
        is_ca: false,
        valid: 2020..2120,
    })
}

async fn server_for(
    clients: &[&Certified],
    versions: &'static [&'static rustls::SupportedProtocolVersion],
) -> (Server, Certified) {
    let certificate = Certified::self_signed(&Kind::server());
    let tls = Tls {
        versions,
        ..Tls::with(certificate.clone()).only_for(clients)
    };
    (
        Server::start(Some(tls), |_| answer(200, &[], "ok")).await,
        certificate,
    )
}

#[tokio::test]
async fn the_right_client_certificate_is_presented_and_known_to_the_connection() {
    let known = client("edr");
    for versions in TLS_VERSIONS {
        let (server, certificate) = server_for(&[&known], versions).await;
        let connection = Setup::to_server(&server)
            .with_ca(&certificate.pem)
            .with_client_certificate(&known)
            .open();
        assert_eq!(get(&connection, "/").await.unwrap().status, 200);
        let info = connection.client_certificate().unwrap();
        assert_eq!(
            (info.sha256.as_str(), info.subject.as_str()),
            (known.sha256().as_str(), "CN=edr")
        );
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_said_to_be_missing() {
    for versions in TLS_VERSIONS {
        let (server, certificate) = server_for(&[&client("edr")], versions).await;
        let connection = Setup::to_server(&server).with_ca(&certificate.pem).open();
        let failure = post(&connection, "/").await.unwrap_err();
        assert!(
            failure
                .message
                .contains("client certificate, and this connection has none"),
            "{failure}"
        );
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn a_client_certificate_that_the_server_does_not_know_is_said_to_be_refused() {
    for versions in TLS_VERSIONS {
        let (server, certificate) = server_for(&[&client("edr")], versions).await;
        let connection = Setup::to_server(&server)
            .with_ca(&certificate.pem)
            .with_client_certificate(&client("other"))
            .open();
        let failure = post(&connection, "/").await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.delivery),
            (FailureKind::Tls, Delivery::NotSent),
            "{failure}"
        );
        assert_eq!(failure.code, "connection.client-certificate");
        assert!(
            failure
                .message
                .contains("refuses this connection's client certificate"),
            "{failure}"
        );
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn a_key_that_belongs_to_another_certificate_is_found_when_the_connection_is_opened() {
    let setup = Setup::to("https://kata.test").with_client_certificate(&client("edr"));
    setup.write("client.key", client("other").key_pem.as_bytes());
    let error = setup.try_open().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("file:client.key: the key belongs to another certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_certificate_or_no_key_is_said_to_be_so() {
    let known = client("edr");
    for (file, content, reason) in [
        ("client.pem", "", "is empty"),
        ("client.pem", "hello", "holds no certificate"),
        ("client.pem", &known.key_pem, "holds no certificate"),
        ("client.key", &known.pem, "holds no private key"),
        (
            "client.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "passphrase",
        ),
    ] {
        let setup = Setup::to("https://kata.test").with_client_certificate(&known);
        setup.write(file, content.as_bytes());
        let error = setup.try_open().unwrap_err();
        assert!(
            error.to_string().contains(reason),
            "{file} with {content:?}: {error}"
        );
        assert!(!error.to_string().contains("PRIVATE KEY-----\nAAAA"));
    }
}

#[tokio::test]
async fn one_file_may_hold_certificate_and_key() {
    let known = client("edr");
    let (server, certificate) = server_for(&[&known], rustls::ALL_VERSIONS).await;
    let setup = Setup::to_server(&server)
        .with_ca(&certificate.pem)
        .with_client_certificate(&known);
    let both = format!("{}{}", known.key_pem, known.pem);
    setup.write("client.pem", both.as_bytes());
    setup.write("client.key", both.as_bytes());
    assert_eq!(get(&setup.open(), "/").await.unwrap().status, 200);
}
