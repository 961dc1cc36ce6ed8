//! What the product remembers, and what it really does.

use std::collections::BTreeMap;

use cordon_contract::{Delivery, ErrorKind, Failure, Repeat, Value};
use cordon_run::world::Request;
use uuid::Uuid;

use super::connector::{Kind, writes};
use crate::rng::{Rng, hash};
use crate::world::{World, lock};

/// How long after a call an action without a timeout may still act.
pub(super) const ACTS_WITHIN: u64 = 30_000;

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
    pub(super) sent: i64,
}

/// The product.
pub struct Model {
    pub(super) rng: Rng,
    pub(super) seed: u64,
    pub(super) writes: BTreeMap<Uuid, Written>,
    pub(super) looks: BTreeMap<String, u32>,
    /// What it was told and has not done yet.
    pub(super) late: Vec<(i64, Uuid)>,
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

    pub(super) fn wrong(&mut self, what: String) {
        self.wrongs.push(what);
    }

    /// The write takes effect.
    pub(super) fn apply(&mut self, key: Uuid, world: &World) {
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
    pub(super) fn refuses(&self, effect: &Effect) -> Option<Failure> {
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

    pub(super) fn sent(
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
pub(super) fn given(effect: &Effect) -> Value {
    match writes(effect.1) {
        Some(kind) if kind.gives => {
            Value::map([("done", Value::text(format!("{} {}", effect.1, effect.2)))])
        }
        _ => Value::Null,
    }
}
