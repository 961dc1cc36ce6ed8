//! The product: does what it is told, as unreliably as the seed says, and remembers what it really did.

pub mod connector;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cordon_contract::{Delivery, ErrorKind, Failure, Repeat, Value};
use cordon_run::world::{Products, Request};
use uuid::Uuid;

use crate::rng::{Rng, hash};
use crate::world::{World, lock};
use connector::{Kind, asked_by, writes};
use trouble::Trouble;

/// How long after a call an action without a timeout may still act.
const ACTS_WITHIN: u64 = 30_000;

/// What marks a failure that comes of the moment, not of what was asked for.
pub const OF_THE_MOMENT: &str = "[of the moment]";

/// An effect: whose, by which action, at which place of the script.
pub type Effect = (String, &'static str, String);

/// What the product knows of a write, by its idempotency key.
#[derive(Debug, Clone)]
pub struct Written {
    /// What it is.
    pub effect: Effect,
    /// How often it was sent.
    pub calls: u32,
    /// How often it took effect: twice is once where the product says so.
    pub applied: u32,
    /// When it was called last, by true time. Its timeout counts from then, whatever holds it up before
    /// it is sent.
    sent: i64,
}

/// The product.
pub struct Model {
    rng: Rng,
    seed: u64,
    writes: BTreeMap<Uuid, Written>,
    looks: BTreeMap<String, u32>,
    /// What it was told and has not done yet.
    late: Vec<(i64, Uuid)>,
    /// What must never happen, and did.
    pub wrongs: Vec<String>,
    /// A number for all that happened, in its order.
    pub trace: u64,
}

impl Model {
    /// A product that was never called.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed, "product"),
            seed,
            writes: BTreeMap::new(),
            looks: BTreeMap::new(),
            late: Vec::new(),
            wrongs: Vec::new(),
            trace: 0,
        }
    }

    /// What it knows of writes.
    #[must_use]
    pub fn writes(&self) -> &BTreeMap<Uuid, Written> {
        &self.writes
    }

    /// What it did for the run of this tag, and how often. What is the same twice as once counts once.
    #[must_use]
    pub fn effects(&self, tag: &str) -> BTreeMap<Effect, u32> {
        let mut effects = BTreeMap::new();
        for written in self.writes.values() {
            let natural =
                writes(written.effect.1).is_some_and(|kind| kind.repeat == Repeat::Natural);
            if written.effect.0 != tag || written.applied == 0 {
                continue;
            }
            let count: &mut u32 = effects.entry(written.effect.clone()).or_default();
            *count = if natural { 1 } else { *count + written.applied };
        }
        effects
    }

    /// What the product would have answered.
    #[must_use]
    pub fn result(&self, key: Uuid) -> Option<Value> {
        let written = self
            .writes
            .get(&key)
            .filter(|written| written.applied > 0)?;
        Some(given(&written.effect))
    }

    /// Whether a write was sent last before this true time, so that it is done or never will be.
    #[must_use]
    pub fn is_settled(&self, key: Uuid, before: i64) -> bool {
        let written = self.writes.get(&key);
        written.is_none_or(|written| written.sent < before)
    }

    /// What it was told and had not done by this true time happens.
    pub fn happen(&mut self, until: i64, world: &World) {
        let (now, later) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(at, _)| *at <= until);
        self.late = later;
        for (_, key) in now {
            self.apply(key, world);
        }
    }

    fn wrong(&mut self, what: String) {
        self.wrongs.push(what);
    }

    /// The write takes effect.
    fn apply(&mut self, key: Uuid, world: &World) {
        let Some(written) = self.writes.get_mut(&key) else {
            return;
        };
        self.trace = hash(&format!("{} {key}", self.trace));
        let kind = writes(written.effect.1);
        let (tag, action, at) = written.effect.clone();
        let again = written.applied > 0;
        match kind.map(|kind| kind.repeat) {
            // The product knows the key.
            Some(Repeat::Keyed | Repeat::Natural) if again => {}
            _ => written.applied += 1,
        }
        world.tally.add("effects", 1);
        if again && kind.is_some_and(|kind| kind.repeat == Repeat::None) {
            self.wrong(format!(
                "[write at most once] {action} of {tag} at {at} took effect twice"
            ));
        }
        if let Some((_, message)) = at.split_once(" after ")
            && let Err(why) = lock(&world.people).agreed(&tag, message)
        {
            self.wrong(format!(
                "[approvals are never skipped] {action} of {tag} at {at}: {why}"
            ));
        }
    }

    /// Whether the product says no to this, whenever it is asked.
    fn refuses(&self, effect: &Effect) -> Option<Failure> {
        let lot = hash(&format!("{} refuses {effect:?}", self.seed)) % 100;
        let kind = match lot {
            0..3 => ErrorKind::NotFound,
            3..6 => ErrorKind::Conflict,
            _ => return None,
        };
        Some(Failure {
            delivery: Delivery::Answered,
            status: Some(404),
            ..Failure::new(kind, "the product says no")
        })
    }

    fn sent(
        &mut self,
        request: &Request<'_>,
        kind: &'static Kind,
        since: i64,
        world: &World,
    ) -> Effect {
        let (key, arguments) = (request.idempotency_key, request.arguments);
        let text = |name: &str| {
            let value = arguments.get(name).and_then(Value::as_text);
            value.unwrap_or_default().to_owned()
        };
        let effect = (text("run"), kind.name, text("at"));
        let allowed = world
            .disk
            .durable(|image| image.attempts.get(&key).cloned());
        let written = self.writes.entry(key).or_insert_with(|| Written {
            effect: effect.clone(),
            calls: 0,
            applied: 0,
            sent: 0,
        });
        written.calls += 1;
        written.sent = since;
        let calls = written.calls;
        let known = written.effect.clone();
        if known != effect {
            self.wrong(format!(
                "[one key, one step] {known:?} and {effect:?} have one key"
            ));
        }
        match allowed {
            None => self.wrong(format!("[intent before write] {effect:?} was sent without one")),
            Some((_, step, attempts)) if calls > attempts => self.wrong(format!(
                "[one call per recorded attempt] {effect:?} at step {step}: {calls} calls, {attempts} attempts"
            )),
            Some(_) => {}
        }
        effect
    }
}

/// What a write gives.
fn given(effect: &Effect) -> Value {
    match writes(effect.1) {
        Some(kind) if kind.gives => {
            Value::map([("done", Value::text(format!("{} {}", effect.1, effect.2)))])
        }
        _ => Value::Null,
    }
}

/// The product as one process sees it.
pub struct SimProducts(pub Arc<World>);

impl SimProducts {
    fn read(&self, request: &Request<'_>) -> Option<Result<Value, Failure>> {
        let world = &self.0;
        let is_stopped = || {
            request
                .stopper
                .is_some_and(|stopper| stopper.flag().is_stopped())
        };
        if is_stopped() {
            return None;
        }
        world.tally.add("reads", 1);
        let text = |name: &str| {
            request
                .arguments
                .get(name)
                .and_then(Value::as_text)
                .unwrap_or_default()
        };
        let key = text("key").to_owned();
        let mut model = lock(&world.model);
        if model.rng.permille(world.profile().passing) {
            let failure = Trouble::in_passing(&mut model.rng).failure();
            world.tally.add("answers: failed in passing", 1);
            return Some(Err(failure));
        }
        if request.function == "get" {
            let value = format!("{:x}", hash(&format!("{} {key}", model.seed)) % 0xffff);
            return Some(Ok(Value::map([("value", Value::text(value))])));
        }
        let count = model.looks.entry(key.clone()).or_default();
        *count += 1;
        let after = match request.arguments.get("after") {
            Some(Value::Integer(after)) => u32::try_from(*after).unwrap_or(0),
            _ => 0,
        };
        let finished = *count >= after;
        Some(Ok(Value::map([
            ("key", Value::text(key)),
            ("finished", Value::Bool(finished)),
        ])))
    }

    fn write(
        &self,
        kind: &'static Kind,
        request: &Request<'_>,
        since: i64,
    ) -> Result<Value, Failure> {
        let world = &self.0;
        let profile = world.profile();
        let key = request.idempotency_key;
        let mut model = lock(&world.model);
        let effect = model.sent(request, kind, since, world);
        world.tally.add("writes sent", 1);
        if model.rng.permille(profile.crash_in_call) {
            if model.refuses(&effect).is_none() && model.rng.permille(500) {
                model.apply(key, world);
            }
            world.tally.add("crashes during a call", 1);
            world.disk.kill();
            return Err(gone());
        }
        let refusal = model.refuses(&effect);
        let trouble = Trouble::of(&mut model.rng, &profile, kind);
        if let Some(trouble) = &trouble {
            world.tally.add(trouble.name(), 1);
        }
        if let (Some(refusal), None | Some(Trouble::Twice | Trouble::Slow)) = (&refusal, &trouble) {
            return Err(refusal.clone());
        }
        let timeout = kind.timeout_ms.unwrap_or(ACTS_WITHIN);
        let acts = |model: &mut Model| {
            if refusal.is_none() {
                model.apply(key, world);
            }
        };
        match trouble {
            None => {}
            Some(Trouble::Slow) => {
                let slow = model.rng.below(timeout.min(3_000));
                world.pass(slow);
            }
            Some(Trouble::Twice) => acts(&mut model),
            Some(trouble) => {
                if trouble.acts() {
                    acts(&mut model);
                }
                if trouble.acts_late() && refusal.is_none() {
                    let late = i64::try_from(model.rng.below(timeout)).unwrap_or(0);
                    model.late.push((since + late, key));
                }
                if trouble.hangs() {
                    world.pass(timeout);
                    model.happen(world.steady(), world);
                }
                return Err(trouble.failure());
            }
        }
        acts(&mut model);
        world.tally.add("writes done", 1);
        Ok(given(&effect))
    }
}

fn gone() -> Failure {
    Failure {
        delivery: Delivery::Unknown,
        ..Failure::new(
            ErrorKind::Unavailable,
            format!("{OF_THE_MOMENT} the process died"),
        )
    }
}

impl Products for SimProducts {
    fn call(&self, request: &Request<'_>) -> Option<Result<Value, Failure>> {
        let world = &self.0;
        if world.disk.is_dead() {
            return Some(Err(gone()));
        }
        let since = world.steady();
        world.meanwhile();
        if world.disk.is_dead() {
            return Some(Err(gone()));
        }
        let until = world.steady();
        lock(&world.model).happen(until, world);
        let result = match writes(request.function) {
            None => self.read(request),
            Some(kind) => Some(self.write(kind, request, since)),
        };
        let name = |failure: Failure| failure.of(request.connection, request.function);
        if !world.disk.is_dead() {
            world.meanwhile();
        }
        result.map(|result| result.map_err(name))
    }

    fn reconcile(&self, request: &Request<'_>) -> Result<Option<Value>, Failure> {
        let world = &self.0;
        if world.disk.is_dead() {
            return Err(gone());
        }
        world.meanwhile();
        let mut model = lock(&world.model);
        model.happen(world.steady(), world);
        world.tally.add("the product was asked", 1);
        let Some(kind) = asked_by(request.function) else {
            return Err(Failure::new(ErrorKind::Unsupported, "no such companion"));
        };
        let key = request.idempotency_key;
        let timeout = i64::try_from(kind.timeout_ms.unwrap_or(ACTS_WITHIN)).unwrap_or(0);
        let sent = model.writes.get(&key).map(|written| written.sent);
        let early = sent.is_some_and(|sent| world.steady() < sent + timeout);
        if early && !world.jumped.load(Ordering::Relaxed) {
            let name = kind.name;
            model.wrong(format!("[asked in time] {name} was asked about too early"));
        }
        if model.rng.permille(world.profile().lost / 2) {
            world.tally.add("the product could not say in passing", 1);
            return Err(Failure::new(ErrorKind::Unavailable, "the product is busy"));
        }
        if model.rng.permille(world.profile().lost / 10) {
            world.tally.add("the product could not say", 1);
            return Err(Failure::new(
                ErrorKind::Unsupported,
                "the product does not know",
            ));
        }
        // A product that has nothing to give says only that it happened.
        Ok(model.result(key).map(|value| match value {
            Value::Null => Value::Bool(true),
            other => other,
        }))
    }
}
