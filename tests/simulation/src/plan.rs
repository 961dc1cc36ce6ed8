//! Which faults a simulation has, decided before it begins.

use crate::rng::Rng;

/// What becomes of a submission to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is taken.
    Fine,
    /// The process dies before it is taken.
    CrashBefore,
    /// The process dies when it is taken, and not on the disk.
    CrashBeforeSettle,
    /// The process dies when it is on the disk, and before it knows.
    CrashAfter,
    /// The disk is full: the store takes nothing more until it is opened anew.
    Full,
}

impl Fate {
    /// All that is not fine.
    pub const FAULTS: [Self; 4] = [
        Self::CrashBefore,
        Self::CrashBeforeSettle,
        Self::CrashAfter,
        Self::Full,
    ];
}

/// What happens at which submission.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Nothing.
    None,
    /// Somewhere, on average every so many submissions.
    Somewhere {
        /// So many.
        every: u64,
        /// Chance.
        rng: Box<Rng>,
    },
    /// At this one.
    At(u64, Fate),
}

impl Plan {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self::None
    }

    /// What becomes of the submission of this number.
    pub fn fate(&mut self, number: u64) -> Fate {
        match self {
            Self::None => Fate::Fine,
            Self::At(at, fate) if *at == number => *fate,
            Self::At(..) => Fate::Fine,
            Self::Somewhere { every, rng } => {
                if rng.below(*every) != 0 {
                    return Fate::Fine;
                }
                match rng.below(10) {
                    0..3 => Fate::CrashBefore,
                    3..6 => Fate::CrashBeforeSettle,
                    6..9 => Fate::CrashAfter,
                    _ => Fate::Full,
                }
            }
        }
    }
}

/// How much goes wrong in a simulation, in thousandths where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// A crash every so many submissions; 0 for none.
    pub crash_every: u64,
    /// A call of a product goes wrong in a way that the engine must settle.
    pub lost: u64,
    /// A call of a product fails in a way that the script sees, and only at this moment.
    pub passing: u64,
    /// The process dies during a call.
    pub crash_in_call: u64,
    /// The wall clock jumps, at restarts and between.
    pub clock: u64,
    /// People cancel.
    pub cancel: u64,
    /// A run's connection is not usable for a while.
    pub blocked: u64,
    /// Something else happens during calls and waits: wishes are taken, other runs go on.
    pub meanwhile: u64,
    /// Of people's words, so many are wrong ones.
    pub wrong_words: u64,
}

impl Profile {
    /// Nothing goes wrong.
    pub const CALM: Self = Self {
        crash_every: 0,
        lost: 0,
        passing: 0,
        crash_in_call: 0,
        clock: 0,
        cancel: 0,
        blocked: 0,
        meanwhile: 0,
        wrong_words: 0,
    };

    /// What a seed says.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "profile");
        let mut sometimes = |of: &[u64]| *rng.pick(of);
        Self {
            crash_every: sometimes(&[0, 4, 8, 20, 60]),
            lost: sometimes(&[0, 100, 300, 500]),
            passing: sometimes(&[0, 0, 0, 100, 300]),
            crash_in_call: sometimes(&[0, 0, 30, 100]),
            clock: sometimes(&[0, 0, 30]),
            cancel: sometimes(&[0, 0, 0, 20, 60]),
            blocked: sometimes(&[0, 0, 100]),
            meanwhile: sometimes(&[0, 100, 400]),
            wrong_words: sometimes(&[100, 500]),
        }
    }
}
