//! What a native build of a connector has around it: the scripted product, a clock that only pauses
//! move, the settings, a log.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::Settings;
use super::blobs::Blobs;
use super::exchange::{Exchange, Expected};
use super::state::State;
use crate::bindings::cordon::connector::blobs;
use crate::bindings::cordon::connector::http::{
    Delivery, Failure, Header, Part, Request, Response,
};
use crate::bindings::cordon::connector::state::{self, Entry, SealedSecret};
use crate::bindings::cordon::connector::types::Blob;
use crate::log::Level;
use crate::settings::{Certificate, Value};

/// The time of day in a script, unless it says another.
const NOW: i64 = 1_750_000_000_000;

pub(super) struct World {
    pub script: VecDeque<Exchange>,
    pub settings: Settings,
    pub certificate: Option<Certificate>,
    pub key: String,
    pub now: i64,
    pub limit: Duration,
    pub pauses: Vec<Duration>,
    pub log: Vec<(Level, String)>,
    pub state: State,
    pub blobs: Blobs,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self {
            script: VecDeque::new(),
            settings,
            certificate: None,
            key: "00000000-0000-4000-8000-000000000001".to_owned(),
            now: NOW,
            limit: Duration::from_secs(300),
            pauses: Vec::new(),
            log: Vec::new(),
            state: State::default(),
            blobs: Blobs::default(),
        }
    }

    pub fn begin(&mut self, script: VecDeque<Exchange>) {
        self.script = script;
        self.pauses.clear();
        self.log.clear();
        self.state.end_call();
        self.blobs.end_call();
    }

    fn paused(&self) -> Duration {
        self.pauses.iter().sum()
    }

    fn now(&self) -> i64 {
        self.now + i64::try_from(self.paused().as_millis()).unwrap_or(0)
    }

    fn answer(&mut self, request: &Request) -> Result<Response, Failure> {
        let Some(exchange) = self.script.pop_front() else {
            panic!(
                "the script has ended, but the action sent: {}",
                Expected::of(request)
            );
        };
        match exchange.expected.difference(request) {
            None => {
                assert!(
                    request.seals.is_empty() || self.state.holds_a_lock(),
                    "two calls could send this at once, and the secrets of one answer be lost; `state::acquire` a lock \
                     first: {}",
                    Expected::of(request)
                );
                let now = self.now();
                self.state.begin(&request.seals, now);
                match exchange.answer {
                    Ok(response) => Ok(self.state.take_secrets(request, response, now)),
                    Err(failure) => {
                        if failure.delivery == Delivery::NotSent {
                            self.state.end(&request.seals);
                        }
                        Err(failure)
                    }
                }
            }
            Some(difference) => panic!("the action does not follow the script\n{difference}"),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<World>>>> = const { RefCell::new(None) };
}

/// Runs `action` in this world.
pub(super) fn with_world<T>(world: &Rc<RefCell<World>>, action: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.with(|current| current.borrow_mut().take());
        }
    }
    let _leave = Leave;
    CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(world)));
    action()
}

fn current<T>(what: impl FnOnce(&mut World) -> T) -> T {
    let world = CURRENT.with(|current| current.borrow().clone());
    match world {
        Some(world) => what(&mut world.borrow_mut()),
        None => panic!("outside of Cordon a connector's actions run inside of `Harness::run`"),
    }
}

pub(crate) fn send(request: &Request) -> Result<Response, Failure> {
    current(|world| world.answer(request))
}

pub(crate) fn setting(name: &str) -> Option<Value> {
    current(|world| world.settings.get(name).cloned())
}

pub(crate) fn connection_name() -> String {
    "harness".to_owned()
}

pub(crate) fn client_certificate() -> Option<Certificate> {
    current(|world| world.certificate.clone())
}

pub(crate) fn idempotency_key() -> String {
    current(|world| world.key.clone())
}

pub(crate) fn remaining() -> u64 {
    current(|world| crate::call::milliseconds(world.limit.saturating_sub(world.paused())))
}

pub(crate) fn now() -> i64 {
    current(|world| world.now())
}

pub(crate) fn wait(milliseconds: u64) -> bool {
    current(|world| {
        let pause = Duration::from_millis(milliseconds);
        let fits = world.paused() + pause < world.limit;
        if fits {
            world.pauses.push(pause);
        }
        fits
    })
}

pub(crate) fn write(level: Level, line: &str) {
    current(|world| world.log.push((level, line.to_owned())));
}

pub(crate) fn state_get(name: &str) -> Result<Option<Entry>, state::Failure> {
    current(|world| Ok(world.state.get(name)))
}

pub(crate) fn state_compare_and_set(
    name: &str,
    expected: Option<u64>,
    value: Option<&[u8]>,
) -> Result<Option<u64>, state::Failure> {
    current(|world| world.state.compare_and_set(name, expected, value))
}

pub(crate) fn state_acquire(name: &str) -> Result<(), state::Failure> {
    current(|world| {
        world.state.acquire(name);
        Ok(())
    })
}

pub(crate) fn state_release(name: &str) {
    current(|world| world.state.release(name));
}

pub(crate) fn state_get_sealed(name: &str) -> Result<Option<SealedSecret>, state::Failure> {
    current(|world| Ok(world.state.sealed(name)))
}

pub(crate) fn state_sealing_since(name: &str) -> Result<Option<i64>, state::Failure> {
    current(|world| Ok(world.state.sealing_since(name)))
}

pub(crate) fn state_forget(name: &str) -> Result<(), state::Failure> {
    current(|world| {
        world.state.forget(name);
        Ok(())
    })
}

pub(crate) fn download(request: &Request, into: u32, resume: bool) -> Result<Response, Failure> {
    current(|world| {
        let mut request = request.clone();
        let received = world.blobs.received(into).unwrap_or(0);
        if resume && received > 0 {
            request.headers.push(Header {
                name: "range".to_owned(),
                value: vec![Part::Text(format!("bytes={received}-"))],
            });
        }
        let came = world
            .script
            .front()
            .map_or_else(Vec::new, |exchange| exchange.came.clone());
        match world.answer(&request) {
            Ok(response) => world.blobs.take(into, response),
            Err(failure) => match world.blobs.append(into, &came) {
                Ok(()) | Err(_) => Err(failure),
            },
        }
    })
}

pub(crate) fn blob_begin() -> Result<u32, blobs::Failure> {
    current(|world| Ok(world.blobs.begin()))
}

pub(crate) fn blob_append(draft: u32, bytes: &[u8]) -> Result<(), blobs::Failure> {
    current(|world| world.blobs.append(draft, bytes))
}

pub(crate) fn blob_received(draft: u32) -> Result<u64, blobs::Failure> {
    current(|world| world.blobs.received(draft))
}

pub(crate) fn blob_finish(draft: u32) -> Result<Blob, blobs::Failure> {
    current(|world| world.blobs.finish(draft))
}

pub(crate) fn blob_read(blob: &Blob, offset: u64, length: u64) -> Result<Vec<u8>, blobs::Failure> {
    current(|world| world.blobs.read(blob, offset, length))
}
