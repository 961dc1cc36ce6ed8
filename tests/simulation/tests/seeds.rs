//! Some hundred seeds, the same seed twice, and a crash at every write of a handful of playbooks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

use cordon_simulation::plan::Fate;
use cordon_simulation::script::fixed;
use cordon_simulation::seed::{Judged, judge, judge_fixed};
use cordon_simulation::tally::{Tally, too_little};

fn sound(judged: &Judged) {
    if let Some(failure) = &judged.failure {
        panic!("{failure}");
    }
}

#[test]
fn hundreds_of_seeds_keep_every_promise_and_prove_something() {
    let seeds = 300;
    let total = Tally::default();
    for seed in 0..seeds {
        let judged = judge(seed);
        total.merge(&judged.tally);
        sound(&judged);
    }
    assert_eq!(too_little(&total, seeds), Vec::<String>::new());
}

#[test]
fn a_seed_gives_the_same_simulation_every_time() {
    for seed in [3, 17, 60, 110] {
        let (one, other) = (judge(seed), judge(seed));
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.tally.counts(), other.tally.counts());
    }
}

#[test]
fn a_run_survives_a_crash_at_every_write() {
    for name in fixed::NAMES {
        let calm = judge_fixed(name, 0, Fate::Fine);
        sound(&calm);
        assert!(calm.submitted >= 3, "{name}: {}", calm.submitted);
        for at in 1..=calm.submitted {
            for fate in Fate::FAULTS {
                sound(&judge_fixed(name, at, fate));
            }
        }
    }
}
