//! HTTP/2, where the server offers it.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::fixture::{Certified, Kind, Setup, Tls, post};

#[tokio::test]
async fn http2_is_used_where_the_server_offers_it() {
    let certificate = Certified::self_signed(&Kind::server());
    let acceptor = Tls::with(certificate.clone()).acceptor_offering(&[b"h2"]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = acceptor.accept(stream).await.unwrap();
            let answer = service_fn(
                |request: hyper::Request<hyper::body::Incoming>| async move {
                    let version = format!("{:?}", request.version());
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from(format!(
                        "{version} {body:?}"
                    )))))
                },
            );
            tokio::spawn(async move {
                hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer)
                    .await
                    .unwrap();
            });
        }
    });
    let connection = Setup::to(format!("https://127.0.0.1:{port}"))
        .with_ca(&certificate.pem)
        .open();
    let (first, second) = tokio::join!(post(&connection, "/"), post(&connection, "/"));
    for response in [first, second] {
        assert_eq!(
            String::from_utf8(response.unwrap().body).unwrap(),
            "HTTP/2.0 b\"{}\""
        );
    }
}
