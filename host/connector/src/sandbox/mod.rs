//! What a guest can touch: [`Sandbox`], and nothing else.
//!
//! A sandbox is made for one call and dropped with it. Each field is one thing that a connector can
//! import; each has a module of its own that holds all that the guest can do with it.

mod allocation;
mod blobs;
mod call;
mod http;
mod log;
mod meter;
mod output;
mod settings;
mod state;

use std::sync::Arc;
use std::time::Duration;

use cordon_connection::{Connection, Observer, Secrets};
use cordon_contract::SecretReference;
use tokio::time::Instant;
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::cordon::connector as contract;
use crate::limits::{Limit, Limits};
use crate::scrub::Scrub;
use allocation::Allocation;
use blobs::{BlobStore, Drafts};
use call::CallInfo;
use http::Http;
use log::Log;
pub(crate) use meter::Meter;
pub(crate) use output::Output;
use settings::Settings;
use state::{Locks, State};

/// Files, sockets and the like that a guest may hold at a time. There are none to open; what it can
/// hold are its own streams and timers.
const HANDLES_MAX: usize = 1_000;

/// Random bytes for one request of a guest.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// All that one call of one connector can touch.
pub(crate) struct Sandbox {
    /// `cordon:connector/http`: requests to the connection's product.
    http: Http,
    /// `cordon:connector/settings`: what the operator configured.
    settings: Settings,
    /// `cordon:connector/state`: what the connection keeps between calls.
    state: State,
    /// `cordon:connector/blobs`: bytes that are too many for a value.
    blobs: BlobStore,
    /// `cordon:connector/log`: lines for the operator.
    log: Log,
    /// `cordon:connector/call`: key, time, clock and pause of this call.
    call: CallInfo,
    /// WASI 0.2 with nothing in it but clocks, random numbers and output that goes to the log.
    wasi: WasiCtx,
    /// The guest's streams and timers.
    resources: ResourceTable,
    /// How much memory it may have.
    allocation: Allocation,
}

/// The call that a sandbox is made for.
pub(crate) struct Purpose {
    /// The configured product; none while a connector only describes itself.
    pub connection: Option<Arc<Connection>>,
    /// The connector's name, or its file's while the name is not known.
    pub connector: Arc<str>,
    /// The action as playbooks name it.
    pub action: Arc<str>,
    /// The same whenever the same step is tried again.
    pub idempotency_key: Uuid,
    /// When the call must have ended.
    pub deadline: Instant,
    /// The secrets that were passed as arguments.
    pub passed: Vec<SecretReference>,
    /// The values of those that are known.
    pub secrets: Secrets,
    /// Takes secrets out of what the guest says.
    pub scrub: Scrub,
    /// Sees the HTTP of the call.
    pub observer: Option<Arc<dyn Observer>>,
}

/// A store with a fresh sandbox, and what outlives it of the call.
pub(crate) struct Prepared {
    /// To instantiate the connector in.
    pub store: Store<Sandbox>,
    /// What the call used and sent.
    pub meter: Arc<Meter>,
    /// What the guest wrote to its standard output and error.
    pub output: Output,
}

impl Sandbox {
    /// A store for one call.
    pub fn prepare(engine: &Engine, limits: &Arc<Limits>, purpose: Purpose) -> Prepared {
        let meter = Arc::new(Meter::new(limits.clone()));
        let output = Output::new(limits);
        let wasi = WasiCtx::builder()
            .stdout(output.clone())
            .stderr(output.clone())
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(HANDLES_MAX);
        let locks = Locks::default();
        let drafts = Drafts::default();
        let sandbox = Self {
            http: Http::new(&purpose, locks.clone(), drafts.clone(), meter.clone()),
            blobs: BlobStore::new(&purpose, drafts, meter.clone()),
            state: State::new(&purpose, locks, meter.clone()),
            settings: Settings::new(&purpose, meter.clone()),
            log: Log::new(&purpose, meter.clone()),
            call: CallInfo::new(&purpose, meter.clone()),
            wasi,
            resources,
            allocation: Allocation::new(limits),
        };
        let mut store = Store::new(engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.allocation);
        store.set_hostcall_fuel(limits.size(Limit::Transfer));
        store.set_max_component_handles(HANDLES_MAX);
        // Tokio's own yield: wasmtime's re-queues at the front and starves the other tasks.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        });
        Prepared {
            store,
            meter,
            output,
        }
    }
}

/// The linker that every connector is linked with.
///
/// # Errors
/// Only where two interfaces of one name were given.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    contract::http::add_to_linker::<_, HasSelf<Http>>(&mut linker, |sandbox: &mut Sandbox| {
        &mut sandbox.http
    })?;
    contract::settings::add_to_linker::<_, HasSelf<Settings>>(
        &mut linker,
        |sandbox: &mut Sandbox| &mut sandbox.settings,
    )?;
    contract::state::add_to_linker::<_, HasSelf<State>>(&mut linker, |sandbox: &mut Sandbox| {
        &mut sandbox.state
    })?;
    contract::blobs::add_to_linker::<_, HasSelf<BlobStore>>(
        &mut linker,
        |sandbox: &mut Sandbox| &mut sandbox.blobs,
    )?;
    contract::log::add_to_linker::<_, HasSelf<Log>>(&mut linker, |sandbox: &mut Sandbox| {
        &mut sandbox.log
    })?;
    contract::call::add_to_linker::<_, HasSelf<CallInfo>>(&mut linker, |sandbox: &mut Sandbox| {
        &mut sandbox.call
    })?;
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Ok(linker)
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.resources,
        }
    }
}

/// The time until a deadline, in whole milliseconds.
fn remaining_ms(deadline: Instant) -> u64 {
    let left: Duration = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}
