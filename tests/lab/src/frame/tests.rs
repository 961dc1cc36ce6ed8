//! What the frame does for a product that asks for it, over real sockets.

use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;

use flate2::read::GzDecoder;
use reqwest::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::toy::Toy;
use super::{Clock, Fault, FaultRule, Simulator, Transport, serve};

struct Served {
    simulator: Arc<Simulator<Toy>>,
    server: JoinHandle<()>,
}

impl Served {
    async fn start(toy: Toy) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let simulator = Arc::new(Simulator::new(toy, url, None, Clock::real()));
        let server = serve(listener, Transport::Plain, Arc::clone(&simulator));
        Self {
            simulator,
            server: tokio::spawn(server),
        }
    }

    async fn ask(&self, http: &reqwest::Client, path: &str, takes: Option<&str>) -> Response {
        let request = http.post(format!("{}{path}", self.simulator.url));
        let request = match takes {
            Some(takes) => request.header("accept-encoding", takes),
            None => request,
        };
        request.body("12345").send().await.unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn compressing() -> Toy {
    Toy {
        compresses: true,
        request_bytes_max: 100,
        ..Toy::default()
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(
            rustls::ClientConfig::builder_with_provider(Arc::new(
                rustls::crypto::ring::default_provider(),
            ))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
        )
        .no_proxy()
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_answer_is_gzip_for_a_caller_that_takes_it_and_a_product_that_sends_it() {
    let served = Served::start(compressing()).await;
    let response = served.ask(&http(), "/", Some("br, gzip")).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["vary"], "accept-encoding");
    let sent = response.bytes().await.unwrap();
    assert!(sent.len() < 1000, "{}", sent.len());
    let mut text = String::new();
    GzDecoder::new(&sent[..]).read_to_string(&mut text).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["length"], 5);
}

#[tokio::test]
async fn an_answer_stays_as_it_is_when_caller_or_product_or_body_speak_against_gzip() {
    let served = Served::start(compressing()).await;
    let plain = Served::start(Toy {
        compresses: false,
        ..compressing()
    })
    .await;
    for (served, path, takes) in [
        (&served, "/", None),
        (&served, "/", Some("gzip;q=0")),
        (&served, "/nothing", Some("gzip")),
        (&plain, "/", Some("gzip")),
    ] {
        let response = served.ask(&http(), path, takes).await;
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("content-encoding"));
    }
}

#[tokio::test]
async fn the_page_of_a_fault_is_not_compressed_but_half_a_body_is_half_of_what_is_sent() {
    let served = Served::start(compressing()).await;
    let fault: Fault =
        serde_json::from_value(serde_json::json!({ "kind": "status", "status": 503 })).unwrap();
    let add = |fault| {
        let rule = FaultRule::next("all", fault);
        served.simulator.faults.add(rule).unwrap();
    };
    add(fault);
    let response = served.ask(&http(), "/", Some("gzip")).await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key("content-encoding"));
    add(Fault::HalfBody);
    let response = served.ask(&http(), "/", Some("gzip")).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_body_is_read_up_to_the_products_own_limit() {
    let small = Served::start(Toy {
        request_bytes_max: 4,
        ..Toy::default()
    })
    .await;
    assert_eq!(small.ask(&http(), "/", None).await.status(), 413);
    let enough = Served::start(Toy {
        request_bytes_max: 5,
        ..Toy::default()
    })
    .await;
    assert_eq!(enough.ask(&http(), "/", None).await.status(), 200);
}

#[tokio::test]
async fn requests_of_one_connection_share_its_number_and_no_other_has_it() {
    let (served, other) = (
        Served::start(compressing()).await,
        Served::start(compressing()).await,
    );
    let number = async |served: &Served, http: &reqwest::Client| {
        let text = served.ask(http, "/", None).await.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["connection"].as_u64().unwrap()
    };
    // A client keeps its connection for the next request once the answer was read.
    let kept = http();
    let first = number(&served, &kept).await;
    assert_eq!(number(&served, &kept).await, first);
    assert_ne!(number(&served, &http()).await, first);
    assert_ne!(number(&other, &http()).await, first);
}
