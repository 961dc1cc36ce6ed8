//! The world of live runs: real products, the real clock, the automation directory.

mod catalogue;
mod products;
mod secrets;
mod surroundings;

use std::sync::Arc;

use cordon_connection::Connection;
use cordon_connector::Connector;

pub use catalogue::LiveCatalogue;
pub use products::LiveProducts;
pub use secrets::NamedSecrets;
pub use surroundings::{LiveSurroundings, wall};

/// A connection with the connector that speaks its product's language.
#[derive(Clone)]
pub struct Link {
    /// The configured product.
    pub connection: Arc<Connection>,
    /// The code for it.
    pub connector: Arc<Connector>,
    /// What playbooks may pass to it.
    pub secrets: Arc<NamedSecrets>,
}
