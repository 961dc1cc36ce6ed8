//! What a run reaches: the products behind its connections, the clock, chance. Handed in, so that the
//! same executor runs over live products and over a model of one in virtual time.

use cordon_contract::value::Map;
use cordon_contract::{Failure, Value};
use cordon_journal::Moment;
use uuid::Uuid;

use crate::engine::Senses;
use crate::stopper::Stopper;

/// The clock, chance, and short waits.
pub trait Surroundings: Senses + Send + Sync {
    /// Waits until this moment, or until the run is stopped.
    fn wait(&self, until: Moment, stopper: &Stopper);
}

/// The products behind the connections of one run.
pub trait Products: Send + Sync {
    /// Calls an action. A call that may be broken off, and is by the stopper, gives nothing.
    fn call(&self, request: &Request<'_>) -> Option<Result<Value, Failure>>;

    /// Asks a reconcile companion whether an action has happened: some result if it has.
    ///
    /// # Errors
    /// Where that cannot be known.
    fn reconcile(&self, request: &Request<'_>) -> Result<Option<Value>, Failure>;
}

/// A call of an action, or of a reconcile companion.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// The action or the companion: kebab-case.
    pub function: &'a str,
    /// Its arguments as the playbook wrote them.
    pub arguments: &'a Map,
    /// The same whenever the same step is tried again.
    pub idempotency_key: Uuid,
    /// What breaks the call off, for a read.
    pub stopper: Option<&'a Stopper>,
}
