//! The connector for Kaspersky Anti Targeted Attack Platform (KATA): the API for managing Threat
//! Response actions of a Central Node.
//!
//! The Central Node relays commands to the Endpoint Agents on the hosts, so every success here means
//! "accepted by the Central Node". What the vendor's documents leave open, and this connector
//! decides, is a setting or a constant marked *inferred*.
//!
//! Each module is one part of the product: [`wit`] has the actions with their documentation.

mod access;
mod capability;
mod central_node;
mod exclusions;
mod isolation;
mod manifest;
mod prevention;
mod reconcile;
mod sensors;
mod tasks;
mod wire;

use cordon_sdk::manifest::Manifest;
use cordon_sdk::{Connector, Result};

/// The connector.
pub struct Kata;

cordon_sdk::connector!(Kata);

impl Connector for Kata {
    fn manifest() -> Manifest {
        manifest::kata()
    }

    fn test_connection() -> Result<String> {
        access::test_connection()
    }
}
