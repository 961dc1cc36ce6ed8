//! What a server presents, before anybody trusts it.

use std::time::Duration;

use cordon_connection::file::Network;
use cordon_connection::trust::{TrustError, presented};
use url::Url;

use crate::fixture::{Certified, Kind, Server, TLS_VERSIONS, Tls, answer};

async fn look(
    server: &Server,
) -> Result<cordon_connection::trust::PresentedCertificate, TrustError> {
    let url = Url::parse(&format!("https://127.0.0.1:{}", server.port)).unwrap();
    presented(&url, &Network::default(), Duration::from_secs(5)).await
}

#[tokio::test]
async fn the_certificate_is_shown_and_nothing_is_sent() {
    let certificate = Certified::self_signed(&Kind {
        is_ca: true,
        ..Kind::server()
    });
    let server = Server::start(Some(Tls::with(certificate.clone())), |_| {
        answer(200, &[], "")
    })
    .await;
    let shown = look(&server).await.unwrap();
    assert_eq!(shown.info.sha256, certificate.sha256());
    assert_eq!(shown.info.subject, "CN=kata.test");
    assert_eq!(shown.info.names, ["127.0.0.1", "localhost"]);
    assert!(shown.info.self_signed && shown.info.is_ca);
    assert_eq!(
        shown.pem.replace(['\r', '\n'], ""),
        certificate.pem.replace(['\r', '\n'], "")
    );
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_shows_its_own_all_the_same() {
    let client = Certified::self_signed(&Kind {
        common_name: "edr",
        ..Kind::server()
    });
    for versions in TLS_VERSIONS {
        let certificate = Certified::self_signed(&Kind::server());
        let tls = Tls {
            versions,
            ..Tls::with(certificate.clone()).only_for(&[&client])
        };
        let server = Server::start(Some(tls), |_| answer(200, &[], "")).await;
        assert_eq!(
            look(&server).await.unwrap().info.sha256,
            certificate.sha256()
        );
    }
}

#[tokio::test]
async fn a_certificate_whose_key_the_server_does_not_hold_is_not_shown() {
    let stolen = Certified::self_signed(&Kind::server())
        .presenting(&Certified::self_signed(&Kind::server()));
    let server = Server::start(Some(Tls::with(stolen)), |_| answer(200, &[], "")).await;
    assert!(matches!(
        look(&server).await,
        Err(TrustError::NoAnswer {
            code: "connection.tls",
            ..
        })
    ));
}

#[tokio::test]
async fn where_there_is_no_tls_there_is_nothing_to_trust() {
    let url = Url::parse("http://127.0.0.1:1").unwrap();
    let error = presented(&url, &Network::default(), Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(matches!(error, TrustError::NotTls { .. }));
    let url = Url::parse("https://localhost:1").unwrap();
    let error = presented(&url, &Network::default(), Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("allow_addresses"), "{error}");
}
