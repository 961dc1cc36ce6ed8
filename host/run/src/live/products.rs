//! Real products, behind their connections.

use std::collections::BTreeMap;

use cordon_connector::{Call, Extras};
use cordon_contract::{ErrorKind, Failure, Value};
use tokio::runtime::Handle;

use super::Link;
use crate::world::{Products, Request};

/// The connections of one run by name. `runtime` is where calls are driven; they must not be made from
/// one of its own tasks.
pub struct LiveProducts {
    /// The connections.
    pub links: BTreeMap<String, Link>,
    /// Where calls are driven.
    pub runtime: Handle,
}

impl LiveProducts {
    fn link(&self, request: &Request<'_>) -> Result<&Link, Failure> {
        self.links.get(request.connection).ok_or_else(|| {
            Failure::new(
                ErrorKind::InvalidInput,
                "this run has no connection of that name",
            )
            .of(request.connection, request.function)
        })
    }
}

fn call<'a>(link: &'a Link, request: &Request<'a>) -> Call<'a> {
    Call {
        connection: &link.connection,
        action: request.function,
        arguments: request.arguments,
        idempotency_key: request.idempotency_key,
        timeout: None,
    }
}

fn extras(link: &Link, request: &Request<'_>) -> Result<Extras, Failure> {
    let secrets = link.secrets.among(request.arguments);
    let secrets = secrets.map_err(|failure| failure.of(request.connection, request.function))?;
    Ok(Extras {
        secrets,
        ..Extras::default()
    })
}

impl Products for LiveProducts {
    fn call(&self, request: &Request<'_>) -> Option<Result<Value, Failure>> {
        let link = match self.link(request) {
            Ok(link) => link,
            Err(failure) => return Some(Err(failure)),
        };
        let extras = match extras(link, request) {
            Ok(extras) => extras,
            Err(failure) => return Some(Err(failure)),
        };
        let called = link.connector.call_with(call(link, request), &extras);
        self.runtime.block_on(async {
            match request.stopper {
                Some(stopper) => tokio::select! {
                    result = called => Some(result),
                    () = stopper.stopped() => None,
                },
                None => Some(called.await),
            }
        })
    }

    fn reconcile(&self, request: &Request<'_>) -> Result<Option<Value>, Failure> {
        let link = self.link(request)?;
        let extras = extras(link, request)?;
        self.runtime
            .block_on(link.connector.reconcile_with(call(link, request), &extras))
    }
}
