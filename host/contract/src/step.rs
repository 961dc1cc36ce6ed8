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
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            write!(f, "{}{part}", if index == 0 { "" } else { "." })?;
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
        let path: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
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
}
