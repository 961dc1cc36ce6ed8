//! From the bytes of a file to a connector that can be called, in the order that costs least and
//! tells most: size, shape of the file, WIT, exports, imports, and only then compiling and running.

mod contract;
mod difference;
mod docs;
mod error;
mod exports;
mod imports;
mod manifest;
mod meaning;
mod scan;
mod types;

use std::collections::HashMap;
use std::sync::Arc;

use cordon_connection::Secrets;
use cordon_contract::{Action, ConnectorModel};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use uuid::Uuid;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wit_parser::decoding::{DecodedWasm, decode};

use crate::bindings::ConnectorPre;
use crate::limits::Limits;
use crate::outcome::Ending;
use crate::sandbox::{Purpose, Sandbox};
use crate::scrub::Scrub;
pub(crate) use contract::Contract;
pub use error::LoadError;
use exports::Exports;

/// How long a connector may take to say what it is. It makes no request, and most take microseconds.
const DESCRIBE_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// A compiled and linked component of which not a single instruction was run yet.
pub(crate) struct Compiled {
    pub pre: InstancePre<Sandbox>,
    pub digest: String,
    exports: Exports,
    indices: HashMap<String, ComponentExportIndex>,
    test_connection: ComponentExportIndex,
}

/// What a loaded connector consists of.
pub(crate) struct Loaded {
    pub model: ConnectorModel,
    pub pre: InstancePre<Sandbox>,
    /// The exported function of each action and companion, by name.
    pub indices: HashMap<String, ComponentExportIndex>,
    pub test_connection: ComponentExportIndex,
}

/// Checks and compiles. Takes tens of milliseconds to seconds of one core: not for an async worker.
///
/// # Errors
/// Where the bytes are no connector.
pub(crate) fn compile(
    name: &str,
    bytes: &[u8],
    contract: &Contract,
    linker: &wasmtime::component::Linker<Sandbox>,
) -> Result<Compiled, LoadError> {
    let not_component = |problem: String| LoadError::NotComponent {
        name: name.to_owned(),
        problem,
    };
    let unready = |error: wasmtime::Error| LoadError::Compile {
        name: name.to_owned(),
        problem: format!("{error:#}"),
    };
    let scan = scan::scan(bytes).map_err(not_component)?;
    let (resolve, world) = match decode(bytes) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            return Err(not_component(
                "it is an encoded WIT package, which has no code".to_owned(),
            ));
        }
        Err(error) => {
            return Err(not_component(format!(
                "its types cannot be read: {error:#}"
            )));
        }
    };
    let mut docs = contract.docs.clone();
    docs.read(name, scan.wit_packages);
    let component = exports::Component {
        name,
        resolve: &resolve,
        world: &resolve.worlds[world],
        contract,
        docs: &docs,
    };
    let exports = component.exports()?;
    component.check_imports()?;

    let component = Component::from_binary(linker.engine(), bytes).map_err(unready)?;
    let pre = linker.instantiate_pre(&component).map_err(unready)?;
    let index = |interface: &str, function: &str| {
        let interface = component.get_export_index(None, interface);
        interface
            .and_then(|interface| component.get_export_index(Some(&interface), function))
            .ok_or_else(|| LoadError::Compile {
                name: name.to_owned(),
                problem: format!("its function `{function}` is not where its types say"),
            })
    };
    let indices = exports
        .functions
        .iter()
        .map(|function| {
            Ok((
                function.name.clone(),
                index(&function.interface, &function.function)?,
            ))
        })
        .collect::<Result<_, LoadError>>()?;
    let test_connection = index(&exports.lifecycle, "test-connection")?;
    Ok(Compiled {
        pre,
        digest: hex::encode(Sha256::digest(bytes)),
        exports,
        indices,
        test_connection,
    })
}

/// Asks the connector what it is, and checks its answer.
///
/// # Errors
/// Where it does not answer, or its answer is wrong.
pub(crate) async fn describe(
    name: &str,
    compiled: Compiled,
    limits: &Arc<Limits>,
) -> Result<Loaded, LoadError> {
    let manifest = ask(name, &compiled.pre, limits).await?;
    let mut problems = Vec::new();
    let manifest = manifest::convert(manifest, &mut problems);
    let Exports {
        functions,
        capabilities,
        ..
    } = compiled.exports;
    let (actions, companions): (Vec<Action>, Vec<Action>) =
        manifest::apply(&manifest, functions, &mut problems);
    if !problems.is_empty() {
        return Err(LoadError::Manifest {
            name: name.to_owned(),
            problems,
        });
    }
    let model = ConnectorModel {
        manifest,
        digest: compiled.digest,
        actions,
        companions,
        capabilities,
    };
    Ok(Loaded {
        model,
        pre: compiled.pre,
        indices: compiled.indices,
        test_connection: compiled.test_connection,
    })
}

async fn ask(
    name: &str,
    pre: &InstancePre<Sandbox>,
    limits: &Arc<Limits>,
) -> Result<crate::bindings::exports::cordon::connector::lifecycle::Manifest, LoadError> {
    let failed = |problem: String| LoadError::Describe {
        name: name.to_owned(),
        problem,
    };
    let purpose = Purpose {
        connection: None,
        connector: name.into(),
        action: "describe".into(),
        idempotency_key: Uuid::nil(),
        deadline: Instant::now() + DESCRIBE_TIME,
        passed: Vec::new(),
        secrets: Secrets::none(),
        scrub: Scrub::new(None, &Secrets::none()),
        observer: None,
    };
    let typed = ConnectorPre::new(pre.clone()).map_err(|error| failed(format!("{error:#}")))?;
    let mut prepared = Sandbox::prepare(pre.engine(), limits, purpose);
    let answer = tokio::time::timeout(DESCRIBE_TIME, async {
        let instance = typed.instantiate_async(&mut prepared.store).await?;
        instance
            .cordon_connector_lifecycle()
            .call_describe(&mut prepared.store)
            .await
    });
    match answer.await {
        Ok(Ok(manifest)) => Ok(manifest),
        Ok(Err(error)) => Err(failed(
            Ending::of(&error, &prepared.output, limits).to_string(),
        )),
        Err(_) => Err(failed(format!(
            "it did not answer within {} seconds",
            DESCRIBE_TIME.as_secs()
        ))),
    }
}

/// Several problems after a colon: alone on its line, together as a list.
fn list(problems: &[String]) -> String {
    match problems {
        [only] => format!(" {only}"),
        several => several
            .iter()
            .map(|problem| format!("\n  - {problem}"))
            .collect(),
    }
}
