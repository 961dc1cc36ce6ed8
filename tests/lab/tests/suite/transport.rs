//! TLS (§4.6): what the server presents, and whom it believes.

use std::sync::Arc;

use cordon_lab::frame::{ClientCertificate, FINGERPRINT_HEADER, ServerForm};
use cordon_lab::kata::EXTERNAL_SYSTEM_ID;
use cordon_lab::{Lab, Options};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SignatureScheme};

use crate::support::{
    Caller, accepted, by_the_book, client_of, der, exactly, http_client, key, lab, lab_with, node,
};

#[tokio::test]
async fn clients_differ_about_every_form_of_certificate_but_the_plain_one() {
    for (form, taken) in [
        (ServerForm::Plain, true),
        (ServerForm::Authority, false),
        (ServerForm::NoNames, false),
        (ServerForm::Expired, false),
    ] {
        let lab = Lab::start(Options::with_certificate(form).unwrap())
            .await
            .unwrap();
        let server = lab.kata.certificate.as_ref().unwrap();
        let mut caller = Caller::accepted(&lab);
        caller.get("sensors").await.expect(200);
        let own = &node(&lab).credentials().certificate;
        caller.http = http_client(by_the_book(server), Some(own));
        let answer = caller.http.get(caller.url("sensors")).send().await;
        assert_eq!(answer.is_ok(), taken, "{form:?}: {answer:?}");
    }
}

#[tokio::test]
async fn the_server_is_known_by_both_of_its_names() {
    let (lab, mut caller) = accepted().await;
    let server = lab.kata.certificate.as_ref().unwrap();
    let own = &node(&lab).credentials().certificate;
    caller.http = http_client(by_the_book(server), Some(own));
    caller.get("sensors").await.expect(200);
    caller.origin = caller.origin.replace("127.0.0.1", "localhost");
    caller.get("sensors").await.expect(200);
}

/// Presents a certificate together with somebody else's key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesClientCert for Impostor {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_certificate_is_believed_only_with_its_key() {
    let lab = lab().await;
    let server = lab.kata.certificate.as_ref().unwrap();
    let own = &node(&lab).credentials().certificate;
    let other = ClientCertificate::make("impostor").unwrap();
    for (key_pem, believed) in [(own.key_pem(), true), (other.key_pem(), false)] {
        for version in [&TLS12, &TLS13] {
            let provider = Arc::new(ring::default_provider());
            let signer = provider
                .key_provider
                .load_private_key(key(key_pem))
                .unwrap();
            let certified = CertifiedKey::new(vec![der(own.pem())], signer);
            let config = ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(exactly(server))
                .with_client_cert_resolver(Arc::new(Impostor(Arc::new(certified))));
            let mut caller = Caller::accepted(&lab);
            caller.http = client_of(config);
            let answer = caller.http.get(caller.url("sensors")).send().await;
            let status = answer.map(|answer| answer.status().as_u16());
            match believed {
                true => assert_eq!(status.unwrap(), 200),
                false => assert!(status.is_err(), "{status:?}"),
            }
        }
    }
}

#[tokio::test]
async fn every_connection_of_a_caller_is_known_by_its_certificate() {
    let (lab, caller) = accepted().await;
    // The later ones resume the session of the first.
    for _ in 0..3 {
        let response = caller
            .http
            .get(caller.url("sensors"))
            .header("connection", "close")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 200);
    }
    let expected = node(&lab).credentials().certificate.sha256();
    for record in lab.kata.requests.all() {
        assert_eq!(record.certificate_sha256.as_ref(), Some(&expected));
    }
}

#[tokio::test]
async fn over_plain_http_the_caller_names_its_fingerprint_in_a_header() {
    let lab = lab_with(|options| options.certificate = None).await;
    assert!(lab.kata.url.starts_with("http://"));
    let path = format!("/kata/response_api/v1/{EXTERNAL_SYSTEM_ID}/sensors");
    let url = format!("{}{path}", lab.kata.url);
    let client = http_client(
        by_the_book(&cordon_lab::frame::ServerCertificate::make(ServerForm::Plain).unwrap()),
        None,
    );
    let bare = client.get(&url).send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401);
    let fingerprint = node(&lab).credentials().certificate.sha256().to_uppercase();
    let named = client.get(&url).header(FINGERPRINT_HEADER, fingerprint);
    assert_eq!(named.send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn with_tls_a_fingerprint_in_a_header_counts_for_nothing() {
    let lab = lab().await;
    let nobody = Caller::with(&lab, None);
    let fingerprint = node(&lab).credentials().certificate.sha256();
    let request = nobody.http.get(nobody.url("sensors"));
    let answer = request.header(FINGERPRINT_HEADER, fingerprint).send().await;
    assert_eq!(answer.unwrap().status().as_u16(), 401);
}

#[test]
fn a_lab_can_be_had_without_a_runtime_and_stops_when_it_is_dropped() {
    let lab = Lab::start_blocking(Options::new().unwrap()).unwrap();
    let address = lab.kata.url.trim_start_matches("https://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(lab);
    let gone = (0..3000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::net::TcpStream::connect(&address).is_err()
    });
    assert!(gone);
}
