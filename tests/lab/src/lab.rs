//! All simulators together: started, reached, stopped.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::frame::{
    CertificateError, Clock, ControlSurface, Product, ServerCertificate, ServerForm, Simulator,
    Transport, serve,
};
use crate::kata::{self, Kata};

/// How a lab begins.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time that all products live by.
    pub clock: Clock,
    /// What the servers present; none for plain HTTP, which is for debugging with curl: callers
    /// then claim a certificate in the header
    /// [`FINGERPRINT_HEADER`](crate::frame::FINGERPRINT_HEADER).
    pub certificate: Option<ServerCertificate>,
    /// The KATA Central Node.
    pub kata: kata::Options,
}

impl Options {
    /// The defaults, with new certificates.
    ///
    /// # Errors
    /// When a certificate cannot be made.
    pub fn new() -> Result<Self, CertificateError> {
        Self::with_certificate(ServerForm::Plain)
    }

    /// The defaults, with a server certificate of this shape.
    ///
    /// # Errors
    /// When a certificate cannot be made.
    pub fn with_certificate(form: ServerForm) -> Result<Self, CertificateError> {
        Ok(Self {
            clock: Clock::real(),
            certificate: Some(ServerCertificate::make(form)?),
            kata: kata::Options::new()?,
        })
    }
}

/// Why a lab did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The loopback address refuses to be listened on.
    #[error("cannot listen on a free port of 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// The certificate cannot be served.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The threads for a lab of its own could not be had.
    #[error("cannot start the lab's threads: {0}")]
    Threads(#[source] io::Error),
}

/// A running lab; it stops when it is dropped.
#[derive(Debug)]
pub struct Lab {
    /// The time that all products live by.
    pub clock: Clock,
    /// The KATA Central Node.
    pub kata: Arc<Simulator<Kata>>,
    control_url: String,
    servers: Vec<JoinHandle<()>>,
    /// There when the lab does not run on its caller's runtime.
    runtime: Option<Runtime>,
}

impl Lab {
    /// Starts on free loopback ports, on the runtime of the caller.
    ///
    /// # Errors
    /// When a port or the certificate cannot be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            clock,
            certificate,
            kata,
        } = options;
        let mut servers = Vec::new();
        let kata = Kata::new(kata, clock.clone());
        let kata = simulate(kata, certificate, &clock, &mut servers).await?;
        let (listener, address) = listen().await?;
        let surface = Arc::new(ControlSurface(vec![
            Arc::clone(&kata) as Arc<Simulator<dyn Product>>
        ]));
        servers.push(tokio::spawn(serve(listener, Transport::Plain, surface)));
        Ok(Self {
            clock,
            kata,
            control_url: format!("http://{address}"),
            servers,
            runtime: None,
        })
    }

    /// Starts on threads of its own, for callers without a runtime.
    ///
    /// # Panics
    /// On a thread of a runtime, like everything that blocks there.
    ///
    /// # Errors
    /// When a thread, a port or the certificate cannot be had.
    pub fn start_blocking(options: Options) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("cordon-lab")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let mut lab = runtime.block_on(Self::start(options))?;
        lab.runtime = Some(runtime);
        Ok(lab)
    }

    /// The overview of all products, for people; each product's part is below it.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The control surface of one product.
    pub fn control_url_of(&self, product: &dyn Product) -> String {
        format!("{}/{}", self.control_url, product.name())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        // A runtime may not be dropped where others run; this way it ends in the background.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn simulate<P: Product>(
    product: P,
    certificate: Option<ServerCertificate>,
    clock: &Clock,
    servers: &mut Vec<JoinHandle<()>>,
) -> Result<Arc<Simulator<P>>, StartError> {
    let (listener, address) = listen().await?;
    let (scheme, transport) = match &certificate {
        Some(certificate) => ("https", Transport::tls(certificate)?),
        None => ("http", Transport::Plain),
    };
    let url = format!("{scheme}://{address}");
    let simulator = Arc::new(Simulator::new(product, url, certificate, clock.clone()));
    servers.push(tokio::spawn(serve(
        listener,
        transport,
        Arc::clone(&simulator),
    )));
    Ok(simulator)
}

async fn listen() -> Result<(TcpListener, std::net::SocketAddr), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(StartError::Listen)?;
    let address = listener.local_addr().map_err(StartError::Listen)?;
    Ok((listener, address))
}
