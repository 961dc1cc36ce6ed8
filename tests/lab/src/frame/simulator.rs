//! A product behind its listener: the path of one exchange from the fault that strikes it to the
//! request log.

use std::fmt;
use std::sync::Arc;

use http::{Response, StatusCode};

use super::compression;
use super::connection::Connection;
use super::content::{Closed, Content};
use super::control::{ControlCall, ControlError};
use super::exchange::{Reply, Request};
use super::faults::{ErrorBody, Fault, Faults, Suffered};
use super::overview::Section;
use super::requests::{Record, RequestLog};
use super::server::Handler;
use super::{Clock, ServerCertificate};

/// Where the caller's fingerprint is read from when there is no TLS to prove it. A debugging aid:
/// anybody can write this header.
pub const FINGERPRINT_HEADER: &str = "x-client-certificate-sha256";

/// The largest request body that a product reads unless it says otherwise.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A simulated product: its state and its manners, without any socket.
pub trait Product: Send + Sync + 'static {
    /// The short name, which is also its place on the control surface.
    fn name(&self) -> &'static str;

    /// Names of all that can be asked, for faults and the request log.
    fn routes(&self) -> &'static [&'static str];

    /// Which of the [`routes`](Self::routes) a request takes; decided without looking at any state.
    fn route(&self, request: &Request) -> &'static str;

    /// Answers one request and applies what it asks for.
    fn answer(&self, request: &Request) -> Reply;

    /// Answers one call to the product's part of the control surface.
    ///
    /// # Errors
    /// When the call makes no sense.
    fn control(&self, call: &ControlCall) -> Result<Reply, ControlError>;

    /// What people want to see of the state.
    fn overview(&self) -> Vec<Section>;

    /// What Cordon has to be told to reach it.
    fn connection(&self) -> Connection;

    /// The largest request body that is read; a longer one is answered with 413.
    fn request_bytes_max(&self) -> usize {
        REQUEST_BYTES_MAX
    }

    /// Whether answers are sent as gzip to callers that say they take it.
    fn compresses(&self) -> bool {
        false
    }

    /// Goes back to the first state. Product time stays where it is: no clock goes backwards.
    fn reset(&self);
}

impl fmt::Debug for dyn Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A running simulator of one product.
#[derive(Debug)]
pub struct Simulator<P: ?Sized> {
    /// Base URL, without a slash at the end.
    pub url: String,
    /// What the server presents; none without TLS.
    pub certificate: Option<ServerCertificate>,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// What was asked.
    pub requests: RequestLog,
    /// The time it lives by.
    pub clock: Clock,
    /// The product itself.
    pub product: P,
}

impl<P: Product> Simulator<P> {
    pub(crate) fn new(
        product: P,
        url: String,
        certificate: Option<ServerCertificate>,
        clock: Clock,
    ) -> Self {
        Self {
            url,
            certificate,
            faults: Faults::new(product.routes()),
            requests: RequestLog::default(),
            clock,
            product,
        }
    }
}

impl<P: Product + ?Sized> Simulator<P> {
    /// Goes back to the first state, without faults and with an empty request log.
    pub fn reset(&self) {
        self.faults.clear();
        self.product.reset();
        self.requests.clear();
    }

    fn exchange(
        &self,
        request: &Request,
        fault: Option<Fault>,
        record: &mut Record,
    ) -> Result<Response<Content>, Closed> {
        record.fault = fault.as_ref().map(describe);
        let mut apply = || {
            let reply = self.product.answer(request);
            record.applied = reply.applied;
            record.warnings.clone_from(&reply.warnings);
            if self.product.compresses() && compression::accepted(&request.headers) {
                compression::gzip(reply)
            } else {
                reply
            }
        };
        let response = match fault {
            None => Content::whole(apply()),
            Some(Fault::Status {
                status,
                body,
                retry_after_s,
                applied,
            }) => {
                if applied {
                    apply();
                }
                Content::whole(error_page(status, body, retry_after_s))
            }
            Some(Fault::Delay { .. }) => Content::whole(apply()),
            Some(Fault::HalfBody) => Content::half(apply()),
            Some(Fault::HugeBody { size_bytes }) => Content::flood(size_bytes),
            Some(Fault::Redirect { location }) => {
                Content::whole(Reply::empty(StatusCode::FOUND).with_header("location", location))
            }
            Some(Fault::DropBefore) => return Err(Closed),
            Some(Fault::DropAfter) => {
                apply();
                return Err(Closed);
            }
        };
        record.status = Some(response.status().as_u16());
        Ok(response)
    }
}

impl<P: Product> Handler for Simulator<P> {
    fn request_bytes_max(&self) -> usize {
        self.product.request_bytes_max()
    }

    async fn handle(self: Arc<Self>, mut request: Request) -> Result<Response<Content>, Closed> {
        if self.certificate.is_none() {
            let header = request.headers.get(FINGERPRINT_HEADER);
            request.caller.certificate_sha256 = header
                .and_then(|value| value.to_str().ok())
                .map(str::to_ascii_lowercase);
        }
        let route = self.product.route(&request);
        let mut record = self.requests.begin(&request, route, self.clock.now());
        let Suffered { delay, fault } = self.faults.strike(route);
        if delay.is_zero() {
            let outcome = self.exchange(&request, fault, &mut record);
            self.requests.end(record);
            return outcome;
        }
        // A task of its own: the change happens although the caller hangs up while it waits.
        let waited = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let outcome = self.exchange(&request, fault, &mut record);
            self.requests.end(record);
            outcome
        });
        waited.await.unwrap_or(Err(Closed))
    }
}

fn describe(fault: &Fault) -> String {
    match fault {
        Fault::Status {
            status,
            applied: true,
            ..
        } => format!("answer {status} after applying"),
        Fault::Status { status, .. } => format!("answer {status}"),
        Fault::Delay { delay_ms } => format!("delay of {delay_ms} ms"),
        Fault::HalfBody => "half a body".to_owned(),
        Fault::HugeBody { size_bytes } => format!("body of {size_bytes} bytes"),
        Fault::Redirect { location } => format!("redirect to {location}"),
        Fault::DropBefore => "dropped before applying".to_owned(),
        Fault::DropAfter => "dropped after applying".to_owned(),
    }
}

fn error_page(status: u16, body: ErrorBody, retry_after_s: Option<u32>) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or("Error");
    let reply = match body {
        ErrorBody::Json => Reply::error(status, reason),
        ErrorBody::Html => html_error(status),
    };
    match retry_after_s {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

/// The error page of a web server that stands in front of a product.
pub(crate) fn html_error(status: StatusCode) -> Reply {
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1>\
         </center>\r\n<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
    );
    Reply::text(status, "text/html", page)
}
