//! A machine that is made from the records so far reacts as the one that lived.

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::{Delivery, ErrorKind, Value};
use cordon_journal::record::Stop;
use cordon_journal::wish::Resolution;

use super::support::*;
use crate::engine::Event;

/// A few bits of chance, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One thing that happens to a machine, and what it says to it.
fn happen(bench: &mut Bench, what: u64, dice: u64) -> String {
    let keys = [
        "0", "1", "2.0.0", "2.0.1", "2.1.0", "3.0.0", "3.1.0", "undo.0.0",
    ];
    let key = keys[usize::try_from(dice % 8).unwrap()];
    let step = match dice / 8 % 7 {
        0 => call("get"),
        1 => call("natural"),
        2 => call("once"),
        3 => call("blind"),
        4 => sleep(seconds(dice % 90)),
        5 => approval(1, None, false),
        _ => Step::Uuid,
    };
    let ask = |bench: &mut Bench| format!("{:?}", bench.ask(key, &step));
    let event = |bench: &mut Bench, event| format!("{:?}", bench.handle(key, event));
    match what {
        0..4 => ask(bench),
        4 => event(bench, Event::Called(Ok(Value::text("done")))),
        5 => event(bench, Event::Called(Err(lost()))),
        6 => event(
            bench,
            Event::Called(Err(failure(Delivery::Answered, ErrorKind::NotFound))),
        ),
        7 => event(bench, Event::Reconciled(Ok(None))),
        8 => event(bench, Event::Woken),
        9 => {
            bench.pass(seconds(dice % 40));
            String::new()
        }
        10 => {
            let parallel = Composite::Parallel {
                branches: 2,
                max: 2,
            };
            let poll = Composite::Retry { attempts: 9 };
            let (key, composite) = if dice.is_multiple_of(2) {
                ("2", parallel)
            } else {
                ("3", poll)
            };
            let entered = bench.machine.enter(&step_key(key), composite, &bench.clock);
            let entry = format!("{:?}", entered.entry);
            bench.keep(entered.reaction);
            entry
        }
        11 => {
            let next = bench.machine.iterate(&step_key("3"), 1, &bench.clock);
            format!("{:?}", bench.keep(next))
        }
        12 => {
            let outcome = Answer::Done(Value::from(1_i64));
            let left = match dice % 3 {
                0 => bench.machine.leave(&step_key("2"), &outcome, &bench.clock),
                1 => bench.machine.leave(&step_key("3"), &outcome, &bench.clock),
                _ => bench
                    .machine
                    .leave_branch(&step_key("2"), 0, &outcome, &bench.clock),
            };
            format!("{:?}", bench.keep(left))
        }
        13 => {
            let decided = bench
                .machine
                .decide(None, "ann", true, None, |_| true, &bench.clock);
            format!("{:?}", decided.map(|reaction| bench.keep(reaction)))
        }
        14 => {
            let how = Resolution::NotDone;
            let resolved = bench
                .machine
                .resolve(&step_key(key), "ann", &how, &bench.clock);
            format!("{:?}", resolved.map(|reaction| bench.keep(reaction)))
        }
        _ if dice.is_multiple_of(9) => {
            let stop = Stop::Cancelled {
                by: "ann".to_owned(),
                why: None,
            };
            let stopped = bench.machine.stop(stop, &bench.clock);
            format!("{:?}", stopped.map(|reaction| bench.keep(reaction)))
        }
        _ => {
            let branches =
                [0, 1].map(|branch| bench.machine.branch(&step_key("2"), branch, &bench.clock));
            format!("{branches:?} {:?}", bench.machine.ended())
        }
    }
}

#[test]
fn a_machine_made_from_the_records_reacts_as_the_one_that_lived() {
    for seed in 1..=400 {
        let (mut lived, mut rebuilt) = (Bench::new(), Bench::new());
        let mut dice = Dice(seed * 7919);
        for turn in 0..60 {
            // What a read answers is known to the one that asked alone.
            let (what, lot) = (dice.roll(16), dice.roll(1 << 20));
            let reads = lived.machine.is_reading();
            if !reads {
                rebuilt.crash();
            }
            let (one, other) = (
                happen(&mut lived, what, lot),
                happen(&mut rebuilt, what, lot),
            );
            assert_eq!(one, other, "seed {seed}, turn {turn}");
            assert_eq!(lived.entries, rebuilt.entries, "seed {seed}, turn {turn}");
            assert_eq!(lived.status(), rebuilt.status(), "seed {seed}, turn {turn}");
            if lived.machine.divergence().is_some() {
                break;
            }
        }
    }
}
