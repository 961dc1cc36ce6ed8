//! The ways in which a call can go wrong, apart from a refusal that would come again.

use cordon_contract::{Delivery, ErrorKind, Failure, Repeat};

use super::OF_THE_MOMENT;
use super::connector::Kind;
use crate::plan::Profile;
use crate::rng::Rng;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It takes a while.
    Slow,
    /// The network sends it twice.
    Twice,
    /// It was done, and the answer lost.
    LostAfter,
    /// It was not done, and nobody knows.
    LostBefore,
    /// It is done after the connection broke.
    Late,
    /// It was done, and no answer came in time.
    HungAfter,
    /// It was not done, and no answer came in time.
    HungBefore,
    /// It was done, and the answer is not to be read.
    Garbled,
    /// The product takes no more at the moment.
    TooMany,
    /// The product could not be reached.
    Away,
}

impl Trouble {
    /// What a call gets.
    pub fn of(rng: &mut Rng, profile: &Profile, kind: &Kind) -> Option<Self> {
        if rng.permille(profile.lost) {
            let lost = [
                Self::LostAfter,
                Self::LostBefore,
                Self::Late,
                Self::HungAfter,
                Self::HungBefore,
                Self::Garbled,
                Self::Twice,
                Self::Slow,
            ];
            let trouble = *rng.pick(&lost);
            let once = trouble == Self::Twice && kind.repeat == Repeat::None;
            return Some(if once { Self::Slow } else { trouble });
        }
        rng.permille(profile.passing).then(|| Self::in_passing(rng))
    }

    /// One that the caller sees, and that is over soon.
    pub fn in_passing(rng: &mut Rng) -> Self {
        *rng.pick(&[Self::TooMany, Self::Away])
    }

    /// What it is counted as.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slow => "answers: slow",
            Self::Twice => "answers: sent twice by the network",
            Self::LostAfter => "answers: lost after it was done",
            Self::LostBefore => "answers: lost before it was done",
            Self::Late => "answers: lost, and done late",
            Self::HungAfter => "answers: none in time, and done",
            Self::HungBefore => "answers: none in time, and not done",
            Self::Garbled => "answers: garbled",
            Self::TooMany | Self::Away => "answers: failed in passing",
        }
    }

    /// Whether it was done at once.
    pub fn acts(self) -> bool {
        matches!(self, Self::LostAfter | Self::HungAfter | Self::Garbled)
    }

    /// Whether it is done later.
    pub fn acts_late(self) -> bool {
        self == Self::Late
    }

    /// Whether the caller waits for its timeout.
    pub fn hangs(self) -> bool {
        matches!(self, Self::HungAfter | Self::HungBefore)
    }

    /// What the caller gets.
    pub fn failure(self) -> Failure {
        let (kind, delivery) = match self {
            Self::Slow | Self::Twice | Self::LostAfter | Self::LostBefore | Self::Late => {
                (ErrorKind::Unavailable, Delivery::Unknown)
            }
            Self::HungAfter | Self::HungBefore => (ErrorKind::Timeout, Delivery::Unknown),
            Self::Garbled => (ErrorKind::Protocol, Delivery::Unknown),
            Self::TooMany => (ErrorKind::RateLimited, Delivery::Answered),
            Self::Away => (ErrorKind::Unavailable, Delivery::NotSent),
        };
        Failure {
            delivery,
            retry_after_ms: (self == Self::TooMany).then_some(1_500),
            ..Failure::new(kind, format!("{OF_THE_MOMENT} {}", self.name()))
        }
    }
}
