//! Runs over a product that answers at once, inside of this process: what is measured is the engine and
//! its journal, not connectors and sockets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat};
use cordon_contract::value::Map;
use cordon_contract::{Action, ConnectorModel, Failure, Parameter, Type, Value};
use cordon_journal::run::{Binding, Order};
use cordon_journal::sqlite::{Access, Options, SqliteStore};
use cordon_journal::{Durability, Moment, RunId, Store, StoreError};
use cordon_playbook::{Library, Limits, Offer, Playbook};
use cordon_run::engine::{Facts, digest};
use cordon_run::event::Unwatched;
use cordon_run::executor::{
    self, Catalogue, Executor, Ordered, Parts, Prepared, Unprepared, Wanted,
};
use cordon_run::live::LiveSurroundings;
use cordon_run::world::{Products, Request, Surroundings};
use uuid::Uuid;

use crate::Failed;

/// The name of the only connection.
const CONNECTION: &str = "product";

/// A product with a read, `look`, and a write, `act`. Both answer at once.
#[derive(Default)]
pub struct Instant {
    /// How often it was asked.
    pub calls: AtomicU64,
}

impl Products for Instant {
    fn call(&self, request: &Request<'_>) -> Option<Result<Value, Failure>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Some(Ok(Value::map([
            (
                "sensor_id",
                Value::text("DF64838B-B518-414B-B769-2B8BE341A2F0"),
            ),
            ("state", Value::text("completed")),
            (
                "argument",
                request.arguments.get("number").cloned().unwrap_or_default(),
            ),
        ])))
    }

    fn reconcile(&self, _: &Request<'_>) -> Result<Option<Value>, Failure> {
        Ok(None)
    }
}

fn model() -> Arc<ConnectorModel> {
    let action = |name: &str, effect| Action {
        name: name.to_owned(),
        interface: "bench:product/all@0.1.0".to_owned(),
        function: name.to_owned(),
        capability: None,
        parameters: vec![Parameter {
            name: "number".to_owned(),
            r#type: Type::Option(Arc::new(Type::Text)),
            docs: None,
        }],
        result: None,
        docs: None,
        manifest: ActionManifest {
            effect,
            repeat: Repeat::Natural,
            ..ActionManifest::unsaid(name)
        },
    };
    Arc::new(ConnectorModel {
        manifest: Manifest::unsaid(CONNECTION),
        digest: String::new(),
        actions: vec![
            action("act", Effect::Irreversible),
            action("look", Effect::Read),
        ],
        companions: Vec::new(),
        capabilities: Vec::new(),
    })
}

/// One playbook over the product.
pub struct Model {
    playbook: Playbook,
    bindings: Arc<cordon_playbook::Bindings>,
    model: Arc<ConnectorModel>,
    products: Arc<Instant>,
}

impl Model {
    /// A playbook whose `run(input)` has this body, in which `product` is the connection.
    ///
    /// # Errors
    /// Where it does not compile.
    pub fn new(body: &str) -> Result<Self, Failed> {
        let script = format!(
            "const PLAYBOOK = #{{ title: \"measured\", inputs: #{{ name: #{{ type: \"string\", default: \"\" }} }}, uses: #{{ product: \"{CONNECTION}\" }} }};\n\
             fn run(input) {{ let product = connection(\"product\");\n{body}\n}}"
        );
        let playbook = Playbook::compile("measured.rhai", &script, &Library::none())
            .map_err(|error| error.to_string())?;
        let model = model();
        let offer = Offer {
            name: CONNECTION.to_owned(),
            model: Arc::clone(&model),
        };
        let offers = BTreeMap::from([("product".to_owned(), vec![offer])]);
        let bindings = playbook.bind(&offers).map_err(|error| error.to_string())?;
        Ok(Self {
            playbook,
            bindings: Arc::new(bindings),
            model,
            products: Arc::default(),
        })
    }

    /// What is measured beside it.
    #[must_use]
    pub fn products(&self) -> &Instant {
        &self.products
    }

    /// A run of it that begins at this moment.
    #[must_use]
    pub fn ordered(&self, now: Moment) -> Ordered {
        let bundle = serde_json::to_vec(&self.playbook.bundle()).unwrap_or_default();
        let version = digest(&bundle);
        Ordered {
            order: Order {
                playbook: "measured".to_owned(),
                version: version.clone(),
                input: Map::from([("name".to_owned(), Value::text("ws-17"))]),
                bindings: BTreeMap::from([(
                    "product".to_owned(),
                    vec![Binding {
                        connection: CONNECTION.to_owned(),
                        connector: CONNECTION.to_owned(),
                        digest: String::new(),
                    }],
                )]),
                started_by: "bench".to_owned(),
                created: now,
                deadline: now.plus(std::time::Duration::from_secs(30 * 24 * 3600)),
                tags: Vec::new(),
                parent: None,
                depth: 0,
                retry_of: None,
                slot: None,
                journal_bytes_max: 1 << 30,
                journal_records_max: 1 << 30,
            },
            needs: vec![(version, Some(bundle))],
        }
    }
}

impl Catalogue for Model {
    fn prepare(&self, order: &Order, store: &dyn Store) -> Result<Prepared, Unprepared> {
        // As live: what a run needs is in the store. Compiled once.
        if !store.has_blob(&order.version)? {
            return Err(Unprepared::Lost {
                message: "no playbook".to_owned(),
            });
        }
        Ok(Prepared {
            playbook: self.playbook.clone(),
            bindings: Arc::clone(&self.bindings),
            facts: Facts(BTreeMap::from([(
                CONNECTION.to_owned(),
                Arc::clone(&self.model),
            )])),
            products: Arc::clone(&self.products) as Arc<dyn Products>,
            limits: Limits {
                operations: u64::MAX,
                steps: u64::MAX,
                computing: std::time::Duration::from_secs(3600),
                ..Limits::default()
            },
        })
    }

    fn order(&self, _: Wanted<'_>, _: &dyn Store) -> Result<Ordered, Box<Failure>> {
        Ok(self.ordered(Moment(0)))
    }
}

/// A store, and an executor over it that executes the runs of a model.
pub struct Bench {
    /// The store.
    pub store: Arc<SqliteStore>,
    /// The executor.
    pub executor: Executor,
    /// Its clock.
    pub surroundings: Arc<dyn Surroundings>,
}

impl Bench {
    /// Opens the store in this folder. Must be called inside of a tokio runtime.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(folder: &Path, model: Arc<Model>) -> Result<Self, Failed> {
        let path = folder.join("cordon.db");
        let store = Arc::new(SqliteStore::open(&path, Options::new(Access::Execute))?);
        let surroundings: Arc<dyn Surroundings> = Arc::new(LiveSurroundings::new(
            tokio::runtime::Handle::current(),
            store.latest()?,
        ));
        let executor = Executor::new(Parts {
            store: Arc::clone(&store) as Arc<dyn Store>,
            surroundings: Arc::clone(&surroundings),
            catalogue: model,
            watcher: Arc::new(Unwatched),
            roles: BTreeMap::new(),
            only: None,
        });
        Ok(Self {
            store,
            executor,
            surroundings,
        })
    }

    /// Starts a run and gives its id; on the disk where `now` says so.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn start(&self, model: &Model, durability: Durability) -> Result<RunId, StoreError> {
        let id = RunId(Uuid::new_v4());
        let ordered = model.ordered(self.surroundings.now());
        let changes = executor::create(id, ordered, &*self.store)?;
        self.store.commit(changes, durability)?;
        Ok(id)
    }

    /// Executes what is due on this thread until nothing is.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn execute(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        while let Some(claim) = self.executor.claim()? {
            claim.execute();
            count += 1;
        }
        match self.executor.broken() {
            Some(error) => Err(error),
            None => Ok(count),
        }
    }
}

/// A figure of this process: `VmHWM` is its largest resident size, `VmRSS` the one it has now, in
/// bytes. None where the system does not tell.
#[must_use]
pub fn resident(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The processor time that this process has taken.
#[must_use]
pub fn processor_time() -> Option<std::time::Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // A tick is a hundredth of a second on every Linux that this is run on.
    Some(std::time::Duration::from_millis(ticks * 10))
}
