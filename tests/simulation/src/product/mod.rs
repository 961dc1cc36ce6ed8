//! The product: does what it is told, as unreliably as the seed says, and remembers what it really did.

pub mod connector;
mod model;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cordon_contract::{Delivery, ErrorKind, Failure, Value};
use cordon_run::world::{Products, Request};

use crate::rng::hash;
use crate::world::{World, lock};
use connector::{Kind, asked_by, writes};
use model::{ACTS_WITHIN, given};
use trouble::Trouble;

pub use model::{Effect, Model, OF_THE_MOMENT, Written};

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
