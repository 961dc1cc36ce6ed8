//! A product that answers the six requests of the containment job at once, in the shape of KATA's
//! answers, and counts what was done to it. As little work as a server can do, so that what is measured
//! is the caller.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::product::ANSWER;

const RULE: &str = r#"[{"autoTurnoffTimeoutInSec":7200}]"#;
const RUNNING: &str = r#"{"state":"running"}"#;
const COMPLETED: &str = r#"{"state":"completed"}"#;

/// What was done to the product.
#[derive(Debug, Default)]
pub struct Done {
    /// How often each task was ordered, by its id: the caller's idempotency key.
    pub tasks: HashMap<String, u32>,
    /// How often each task was looked at.
    looks: HashMap<String, u32>,
    /// How often a host was isolated.
    pub isolations: u32,
}

/// A running product; until the process ends.
#[derive(Clone)]
pub struct CentralNode {
    /// Where it listens.
    pub address: SocketAddr,
    done: Arc<Mutex<Done>>,
}

impl CentralNode {
    /// Serves on a free port of loopback, on a thread and runtime of its own.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn serve() -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let node = Self {
            address: listener.local_addr()?,
            done: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let for_thread = node.clone();
        std::thread::spawn(move || runtime.block_on(for_thread.listen(listener)));
        Ok(node)
    }

    /// What was done to it so far.
    pub fn done<T>(&self, look: impl FnOnce(&Done) -> T) -> T {
        look(&self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn listen(self, listener: std::net::TcpListener) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let node = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let node = node.clone();
                    async move { Ok::<_, Infallible>(node.answer(request).await) }
                });
                // A caller that hangs up ends its connection; nothing is to be done about it.
                let _ = hyper::server::conn::http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let _ = body.collect().await;
        let path = parts.uri.path();
        let task = path.rsplit_once("/tasks/").map(|(_, task)| task);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match (task, &parts.method) {
            (None, _) if path.ends_with("/sensors") => ANSWER,
            (None, &Method::POST) => {
                done.isolations += 1;
                RULE
            }
            (None, _) => RULE,
            (Some(task), &Method::POST) => {
                *done.tasks.entry(task.to_owned()).or_default() += 1;
                RUNNING
            }
            (Some(task), _) => {
                let looks = done.looks.entry(task.to_owned()).or_default();
                *looks += 1;
                if looks.is_multiple_of(2) {
                    COMPLETED
                } else {
                    RUNNING
                }
            }
        };
        Response::builder()
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from_static(answer.as_bytes())))
            .unwrap_or_default()
    }
}
