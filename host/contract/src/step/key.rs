//! The key of a step: what makes it the same step when a run is replayed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where in a run a step stands: the count of steps before it, and inside of `parallel`, `poll`
/// and `retry` that step's key, the branch or try, and the count there: `4`, `4.2.1`. Only counts,
/// never a name or a place in the source: the names of closures differ from build to build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepKey(Vec<u32>);

/// What a run does after its script has failed or was cancelled. Their steps stand in keys of their
/// own, below a word instead of a count, so that they never meet the keys of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Afterwards {
    /// Taking back what was registered by `undo` and `undoable`: a branch for each, in reverse.
    Undo,
    /// `fn on_error`.
    OnError,
    /// `fn on_cancel`.
    OnCancel,
}

impl Afterwards {
    /// The words, each with its count, which no script reaches.
    const ALL: [(Self, &'static str, u32); 3] = [
        // In the order in which they are done.
        (Self::Undo, "undo", u32::MAX - 2),
        (Self::OnError, "on_error", u32::MAX - 1),
        (Self::OnCancel, "on_cancel", u32::MAX),
    ];

    fn row(self) -> (Self, &'static str, u32) {
        match self {
            Self::Undo => Self::ALL[0],
            Self::OnError => Self::ALL[1],
            Self::OnCancel => Self::ALL[2],
        }
    }

    /// The key around its steps.
    #[must_use]
    pub fn key(self) -> StepKey {
        StepKey::root(self.row().2)
    }
}

impl StepKey {
    /// A step of the run itself.
    #[must_use]
    pub fn root(index: u32) -> Self {
        Self(vec![index])
    }

    /// A step inside a composite step: in this branch or try, the `index`th.
    #[must_use]
    pub fn child(&self, branch: u32, index: u32) -> Self {
        let mut path = Vec::with_capacity(self.0.len() + 2);
        path.extend_from_slice(&self.0);
        path.extend([branch, index]);
        Self(path)
    }

    /// The counts.
    #[must_use]
    pub fn path(&self) -> &[u32] {
        &self.0
    }

    /// The composite step that this one is inside of, and the branch or try; none for a step of the
    /// run itself.
    #[must_use]
    pub fn parent(&self) -> Option<(Self, u32)> {
        match self.0.as_slice() {
            [around @ .., branch, _] if !around.is_empty() => {
                Some((Self(around.to_vec()), *branch))
            }
            _ => None,
        }
    }

    /// Whether `other` is inside of this composite step, however deep.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// Whether `other` is inside of this branch or try of this composite step, however deep.
    #[must_use]
    pub fn branch_contains(&self, branch: u32, other: &Self) -> bool {
        self.contains(other) && other.0.get(self.0.len()) == Some(&branch)
    }

    /// What the run does with this step after its script ended; none for a step of the script.
    #[must_use]
    pub fn afterwards(&self) -> Option<Afterwards> {
        let first = self.0.first()?;
        Afterwards::ALL
            .iter()
            .find(|(_, _, count)| count == first)
            .map(|(which, ..)| *which)
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            match self.afterwards().filter(|_| index == 0) {
                Some(which) => f.write_str(which.row().1)?,
                None => write!(f, "{}{part}", if index == 0 { "" } else { "." })?,
            }
        }
        Ok(())
    }
}

/// A text that is no step key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a step; steps look like 4 or 4.2.1")]
pub struct StepKeyError(String);

impl FromStr for StepKey {
    type Err = StepKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let count = |(index, part): (usize, &str)| {
            let word = Afterwards::ALL
                .iter()
                .find(|(_, word, _)| index == 0 && *word == part);
            word.map_or_else(|| part.parse(), |(_, _, count)| Ok(*count))
        };
        let path: Result<Vec<u32>, std::num::ParseIntError> =
            text.split('.').enumerate().map(count).collect();
        match path {
            Ok(path) if path.len() % 2 == 1 => Ok(Self(path)),
            _ => Err(StepKeyError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for StepKey {
    type Error = StepKeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StepKey> for String {
    fn from(key: StepKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_was_written_and_a_half_one_is_refused() {
        let key = StepKey::root(4).child(2, 1);
        assert_eq!(key.to_string(), "4.2.1");
        assert_eq!("4.2.1".parse(), Ok(key));
        assert!("4.2".parse::<StepKey>().is_err());
        assert!("".parse::<StepKey>().is_err());
    }

    #[test]
    fn what_a_run_does_after_its_script_stands_below_a_word() {
        let key = Afterwards::Undo.key().child(0, 3);
        assert_eq!(key.to_string(), "undo.0.3");
        assert_eq!("undo.0.3".parse(), Ok(key.clone()));
        assert_eq!(key.afterwards(), Some(Afterwards::Undo));
        assert_eq!(StepKey::root(7).afterwards(), None);
        assert!("4.undo.1".parse::<StepKey>().is_err());
    }

    #[test]
    fn a_step_knows_what_it_is_inside_of() {
        let poll = StepKey::root(4).child(2, 1);
        let look = poll.child(7, 0);
        assert_eq!(look.parent(), Some((poll.clone(), 7)));
        assert_eq!(StepKey::root(4).parent(), None);
        assert!(poll.contains(&look) && !look.contains(&poll) && !poll.contains(&poll));
        assert!(StepKey::root(4).branch_contains(2, &look));
        assert!(!StepKey::root(4).branch_contains(1, &look));
    }
}
