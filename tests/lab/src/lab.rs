//! All simulators together: started, reached, stopped.
//!
//! A product has five lines here: its name in [`PRODUCTS`], a field of [`Options`] with its default,
//! a field of [`Lab`], and its start in [`Lab::start`].

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::Place;
use crate::estate::Estate;
use crate::frame::{
    CertificateError, Clock, ControlSurface, Product, ServerCertificate, ServerForm, Simulator,
    Transport, serve,
};
use crate::kata::{self, Kata};

/// The short names of all products, in the order in which they are shown.
pub const PRODUCTS: &[&str] = &[kata::NAME];

/// How a lab begins.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time that all products live by.
    pub clock: Clock,
    /// What the servers present; none for plain HTTP, which is for debugging with curl: callers
    /// then claim a certificate in the header
    /// [`FINGERPRINT_HEADER`](crate::frame::FINGERPRINT_HEADER).
    pub certificate: Option<ServerCertificate>,
    /// Short names of the products that are started; empty for all.
    pub only: Vec<String>,
    /// How many computers there are beside the six of every lab.
    pub scale: usize,
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
            only: Vec::new(),
            scale: 0,
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
    /// There is no product of this name.
    #[error("there is no product `{name}`; there are: {known}", known = PRODUCTS.join(", "))]
    UnknownProduct {
        /// The name.
        name: String,
    },
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
    pub kata: Place<Kata>,
    simulators: Vec<Arc<Simulator<dyn Product>>>,
    control_url: String,
    servers: Vec<JoinHandle<()>>,
    /// There when the lab does not run on its caller's runtime.
    runtime: Option<Runtime>,
}

impl Lab {
    /// Starts on free loopback ports, on the runtime of the caller.
    ///
    /// # Errors
    /// When a product is unknown, or a port or the certificate cannot be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let estate = Estate::of(options.scale);
        let mut start = Start::new(&options)?;
        let kata = start
            .place(kata::NAME, |clock| Kata::new(options.kata, &estate, clock))
            .await?;
        let simulators = std::mem::take(&mut start.simulators);
        let (listener, address) = listen().await?;
        let surface = Arc::new(ControlSurface(simulators.clone()));
        let server = serve(listener, Transport::Plain, surface);
        start.servers.push(tokio::spawn(server));
        Ok(Self {
            clock: start.clock.clone(),
            kata,
            simulators,
            control_url: format!("http://{address}"),
            servers: std::mem::take(&mut start.servers),
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

    /// All products that were started, in the order of [`PRODUCTS`].
    pub fn simulators(&self) -> &[Arc<Simulator<dyn Product>>] {
        &self.simulators
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

/// What has been started so far.
struct Start {
    clock: Clock,
    certificate: Option<ServerCertificate>,
    only: Vec<String>,
    simulators: Vec<Arc<Simulator<dyn Product>>>,
    servers: Vec<JoinHandle<()>>,
}

impl Start {
    fn new(options: &Options) -> Result<Self, StartError> {
        let unknown = |name: &&String| !PRODUCTS.contains(&name.as_str());
        if let Some(name) = options.only.iter().find(unknown) {
            return Err(StartError::UnknownProduct { name: name.clone() });
        }
        Ok(Self {
            clock: options.clock.clone(),
            certificate: options.certificate.clone(),
            only: options.only.clone(),
            simulators: Vec::new(),
            servers: Vec::new(),
        })
    }

    /// Makes a product and serves it, unless it was not asked for.
    async fn place<P: Product>(
        &mut self,
        name: &'static str,
        make: impl FnOnce(Clock) -> P,
    ) -> Result<Place<P>, StartError> {
        if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
            return Ok(Place::empty(name));
        }
        let (listener, address) = listen().await?;
        let (scheme, transport) = match &self.certificate {
            Some(certificate) => ("https", Transport::tls(certificate)?),
            None => ("http", Transport::Plain),
        };
        let url = format!("{scheme}://{address}");
        let (certificate, clock) = (self.certificate.clone(), self.clock.clone());
        let product = make(clock.clone());
        let simulator = Arc::new(Simulator::new(product, url, certificate, clock));
        let server = serve(listener, transport, Arc::clone(&simulator));
        self.servers.push(tokio::spawn(server));
        self.simulators
            .push(Arc::clone(&simulator) as Arc<Simulator<dyn Product>>);
        Ok(Place::of(name, simulator))
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

async fn listen() -> Result<(TcpListener, std::net::SocketAddr), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(StartError::Listen)?;
    let address = listener.local_addr().map_err(StartError::Listen)?;
    Ok((listener, address))
}
