//! One seed, whole: with its faults, without them, and what is said when it fails.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::catalogue::compile;
use crate::drive::{Setup, Simulated, Start, compare, journal, simulate, starts};
use crate::plan::{Fate, Plan, Profile};
use crate::rng::Rng;
use crate::script;
use crate::tally::Tally;

/// What came of a seed.
pub struct Judged {
    /// The number of everything that happened.
    pub trace: u64,
    /// What was counted.
    pub tally: Arc<Tally>,
    /// What to tell when it failed.
    pub failure: Option<String>,
    /// How many submissions there were.
    pub submitted: u64,
}

/// Simulates a seed with its faults, and without.
#[must_use]
pub fn judge(seed: u64) -> Judged {
    let texts = script::playbooks(seed);
    let playbooks = match compile(&texts) {
        Ok(playbooks) => playbooks,
        Err(error) => panic!("seed {seed}: the playbook is wrong: {error:?}\n{texts:#?}"),
    };
    let profile = Profile::of(seed);
    let plan = match profile.crash_every {
        0 => Plan::None,
        every => Plan::Somewhere {
            every,
            rng: Box::new(Rng::new(seed, "crashes")),
        },
    };
    let setup = |profile: &Profile, plan: Plan| Setup {
        seed,
        profile: profile.clone(),
        plan,
        playbooks: playbooks.clone(),
        starts: starts(seed),
    };
    let crashed = simulate(setup(&profile, plan));
    let calm = simulate(setup(&Profile::CALM, Plan::None));
    let mut wrongs = crashed.wrongs.clone();
    wrongs.extend(
        calm.wrongs
            .iter()
            .map(|wrong| format!("(without faults) {wrong}")),
    );
    wrongs.extend(compare(&crashed, &calm));
    let failure = (!wrongs.is_empty()).then(|| {
        let mut text = format!("seed {seed} fails\n\n{}\n", wrongs.join("\n"));
        let _ = writeln!(text, "\nfaults, in thousandths: {profile:?}");
        for (name, playbook) in &texts {
            let _ = writeln!(text, "\n--- {name}\n{playbook}");
        }
        journals(&mut text, &crashed);
        let _ = writeln!(
            text,
            "\nagain: cargo xtask simulate --from {seed} --seeds 1"
        );
        text
    });
    judged(&crashed, failure)
}

fn journals(text: &mut String, simulated: &Simulated) {
    let ids = simulated.world.disk.visible(|image| image.all());
    for run in ids {
        let _ = writeln!(text, "\n{}", journal(&simulated.world, run.id));
    }
}

fn judged(simulated: &Simulated, failure: Option<String>) -> Judged {
    let tally = Arc::clone(&simulated.world.tally);
    tally.add("events", simulated.events);
    Judged {
        trace: simulated.trace(),
        submitted: simulated.world.disk.submitted(),
        tally,
        failure,
    }
}

/// One of the fixed playbooks with what happens to one submission.
#[must_use]
pub fn judge_fixed(name: &str, at: u64, fate: Fate) -> Judged {
    let playbooks = compile(&script::fixed::playbooks()).unwrap();
    let setup = |plan: Plan| Setup {
        seed: at,
        profile: Profile::CALM,
        plan,
        playbooks: playbooks.clone(),
        starts: vec![Start {
            playbook: name.to_owned(),
            tag: "r0".to_owned(),
            by: "sam",
        }],
    };
    let crashed = simulate(setup(Plan::At(at, fate)));
    let calm = simulate(setup(Plan::None));
    let mut wrongs = crashed.wrongs.clone();
    wrongs.extend(compare(&crashed, &calm));
    let failure = (!wrongs.is_empty()).then(|| {
        let mut text = format!(
            "`{name}` with {fate:?} at submission {at} fails\n\n{}\n",
            wrongs.join("\n")
        );
        journals(&mut text, &crashed);
        text
    });
    judged(&crashed, failure)
}
