//! A product that answers every request with the same few hosts, at once or after a pause. As
//! little work as a server can do, so that what is measured is the caller.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The answer to a listing of hosts, in the shape of KATA's.
pub const ANSWER: &str = r#"{"server":{"version":"7.0.0.532"},"sensors":[{"sensorId":"DF64838B-B518-414B-B769-2B8BE341A2F0","hostIp":"10.16.40.243","lastAccessTimestamp":"2025-03-14T09:21:37Z","version":"12.4.0.467","selfDefenseState":true,"licenseStatus":"ok","osFamily":"Windows","osName":"Windows 10 22H2 Enterprise x64","capabilities":["network_isolation","prevention","run_process"]}]}"#;

/// Serves on a free port of loopback until the process ends, on a thread and runtime of its own;
/// returns the address.
///
/// # Errors
/// Where no port can be had.
pub fn serve(pause: Duration) -> std::io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let service = service_fn(move |_: Request<hyper::body::Incoming>| async move {
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                        let answer = Response::builder()
                            .header("content-type", "application/json")
                            .body(Full::new(Bytes::from_static(ANSWER.as_bytes())));
                        Ok::<_, Infallible>(answer.unwrap_or_default())
                    });
                    // A caller that hangs up ends its connection; nothing is to be done about it.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .pipeline_flush(true)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
    });
    Ok(address)
}
