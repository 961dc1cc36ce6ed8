//! A product's place in a lab, taken or empty.

use std::ops::Deref;
use std::sync::Arc;

use crate::frame::Simulator;

/// The simulator of one product, when it was started.
///
/// Most who hold a lab have started what they use, so a place is used like the simulator itself.
#[derive(Debug, Clone)]
pub struct Place<P> {
    name: &'static str,
    simulator: Option<Arc<Simulator<P>>>,
}

impl<P> Place<P> {
    pub(crate) fn of(name: &'static str, simulator: Arc<Simulator<P>>) -> Self {
        Self {
            name,
            simulator: Some(simulator),
        }
    }

    pub(crate) fn empty(name: &'static str) -> Self {
        Self {
            name,
            simulator: None,
        }
    }

    /// The simulator; none when it was not started.
    pub fn started(&self) -> Option<&Arc<Simulator<P>>> {
        self.simulator.as_ref()
    }
}

/// # Panics
/// When the product was not started.
impl<P> Deref for Place<P> {
    type Target = Arc<Simulator<P>>;

    #[expect(
        clippy::panic,
        reason = "whoever uses a product that they left out made a mistake that no error value mends"
    )]
    fn deref(&self) -> &Self::Target {
        match &self.simulator {
            Some(simulator) => simulator,
            None => panic!(
                "`{}` is not among the products that were started",
                self.name
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "`kata` is not among the products that were started")]
    fn an_empty_place_says_whose_it_is() {
        let _ = Place::<()>::empty("kata").url.len();
    }
}
