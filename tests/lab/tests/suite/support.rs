//! A lab with a clock that stands still, and a caller of its Central Node.

use std::sync::Arc;
use std::time::Duration;

use cordon_lab::frame::{ClientCertificate, Clock, ServerCertificate};
use cordon_lab::kata::{EXTERNAL_SYSTEM_ID, Kata};
use cordon_lab::{Lab, Options};
use jiff::Timestamp;
use reqwest::Method;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde_json::Value;

/// When the tests' time begins.
pub const BEGIN: &str = "2025-03-14T09:00:00Z";

pub fn begin() -> Timestamp {
    BEGIN.parse().unwrap()
}

/// A lab whose clock moves only by `advance`.
pub async fn lab() -> Lab {
    lab_with(|_| {}).await
}

pub async fn lab_with(change: impl FnOnce(&mut Options)) -> Lab {
    let mut options = Options::new().unwrap();
    options.clock = Clock::held(begin());
    change(&mut options);
    Lab::start(options).await.unwrap()
}

/// A lab and its accepted caller.
pub async fn accepted() -> (Lab, Caller) {
    let lab = lab().await;
    let caller = Caller::accepted(&lab);
    (lab, caller)
}

pub fn node(lab: &Lab) -> &Kata {
    &lab.kata.product
}

pub fn seconds(lab: &Lab, number: u64) {
    lab.clock.advance(Duration::from_secs(number));
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The status, and whatever else helps to see why it is not the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A caller of the vendor's API.
#[derive(Clone)]
pub struct Caller {
    pub http: reqwest::Client,
    pub origin: String,
    pub id: String,
}

impl Caller {
    /// The one that the lab has made and accepted.
    pub fn accepted(lab: &Lab) -> Self {
        Self::with(lab, Some(&node(lab).credentials().certificate))
    }

    /// One with another certificate, or none.
    pub fn with(lab: &Lab, certificate: Option<&ClientCertificate>) -> Self {
        let server = lab.kata.certificate.as_ref().unwrap();
        Self {
            http: http_client(exactly(server), certificate),
            origin: lab.kata.url.clone(),
            id: EXTERNAL_SYSTEM_ID.to_owned(),
        }
    }

    pub fn named(mut self, id: &str) -> Self {
        self.id = id.to_owned();
        self
    }

    /// The URL of something below the external system.
    pub fn url(&self, rest: &str) -> String {
        format!("{}/kata/response_api/v1/{}/{rest}", self.origin, self.id)
    }

    pub async fn try_send(
        &self,
        method: Method,
        url: String,
        body: Option<String>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        Ok(Answer {
            status,
            content_type,
            text: response.text().await?,
        })
    }

    pub async fn get(&self, rest: &str) -> Answer {
        self.try_send(Method::GET, self.url(rest), None)
            .await
            .unwrap()
    }

    pub async fn delete(&self, rest: &str) -> Answer {
        self.try_send(Method::DELETE, self.url(rest), None)
            .await
            .unwrap()
    }

    pub async fn post(&self, rest: &str, body: &Value) -> Answer {
        self.post_text(rest, &body.to_string()).await
    }

    pub async fn post_text(&self, rest: &str, body: &str) -> Answer {
        let body = Some(body.to_owned());
        self.try_send(Method::POST, self.url(rest), body)
            .await
            .unwrap()
    }
}

pub fn isolation(sensor: &str) -> String {
    format!("settings?sensor_id={sensor}&settings_type=network_isolation")
}

pub fn prevention(scope: &str) -> String {
    format!("settings?sensor_id={scope}&settings_type=prevention")
}

pub fn new_task(id: &str, sensor: &str) -> String {
    format!("tasks/{id}?sensor_id={sensor}&task_type=run_process")
}

/// A client that trusts as `config` says and is `certificate`.
pub fn http_client(
    verifier: Arc<dyn ServerCertVerifier>,
    certificate: Option<&ClientCertificate>,
) -> reqwest::Client {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match certificate {
        None => config.with_no_client_auth(),
        Some(own) => config
            .with_client_auth_cert(vec![der(own.pem())], key(own.key_pem()))
            .unwrap(),
    };
    client_of(config)
}

pub fn client_of(config: ClientConfig) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

pub fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

pub fn key(pem: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// The rules of the web: names, dates, and leaves that are no authorities.
pub fn by_the_book(server: &ServerCertificate) -> Arc<dyn ServerCertVerifier> {
    let mut roots = RootCertStore::empty();
    roots.add(der(server.pem())).unwrap();
    rustls::client::WebPkiServerVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::new(ring::default_provider()),
    )
    .build()
    .unwrap()
}

/// Exactly this certificate, whatever it says.
pub fn exactly(server: &ServerCertificate) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Exactly(der(server.pem()), ring::default_provider()))
}

#[derive(Debug)]
struct Exactly(CertificateDer<'static>, CryptoProvider);

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if presented == &self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.1.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.1.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}
