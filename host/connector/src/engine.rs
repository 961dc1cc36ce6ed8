//! The one wasmtime engine, with the settings that make a fresh instance for every call cheap, and
//! the thread that keeps a looping guest from holding a worker.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy,
    PoolingAllocationConfig, WasmBacktraceDetails,
};

use crate::limits::{Limit, Limits};

/// How often a running guest lets other tasks of its thread go on. Shorter costs a wake-up of the
/// ticker; longer lets a loop delay its neighbours and its own timeout.
const TICK: Duration = Duration::from_millis(10);

/// Kept resident of each slot between two instances. Rust guests touch about 100 KiB; keeping it
/// saves the page faults, and with PAGEMAP_SCAN only the pages that were written are cleaned.
const KEEP_RESIDENT: usize = 256 << 10;

/// Core instances, memories and tables of one component. Rust has one of each besides adapters;
/// interpreters for other languages bring several.
const CORE_INSTANCES_PER_COMPONENT: u32 = 20;
const MEMORIES_PER_COMPONENT: u32 = 4;
const TABLES_PER_COMPONENT: u32 = 8;

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The directory of compiled code cannot be used.
    #[error(
        "the cache of compiled connectors, {directory}, cannot be used: {problem}; it must be a folder that only you may write"
    )]
    Cache {
        /// Which.
        directory: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// wasmtime refuses this system.
    #[error("connectors cannot be run on this system: {0}")]
    System(String),
}

impl EngineError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "connector.engine"
    }
}

/// The engine.
///
/// # Errors
/// Where the cache's directory cannot be used, or the system lacks what WebAssembly needs.
pub(crate) fn engine(cache_dir: Option<&Path>, limits: &Limits) -> Result<Engine, EngineError> {
    let cache = cache_dir.map(cache).transpose()?;
    let system = |error: wasmtime::Error| EngineError::System(format!("{error:#}"));
    let engine = match Engine::new(&config(cache.clone(), limits, Allocation::Pool)) {
        Ok(engine) => engine,
        // Containers with a limit on address space, and some small systems, refuse the reservation.
        Err(error) => {
            tracing::warn!(
                reason = %error,
                "no address space for a pool of {} instances; instances are allocated one by one, which makes calls slower",
                limits.get(Limit::Instances)
            );
            Engine::new(&config(cache, limits, Allocation::OneByOne)).map_err(system)?
        }
    };
    start_ticker(&engine).map_err(|error| EngineError::System(error.to_string()))?;
    Ok(engine)
}

/// Where instances come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allocation {
    /// From a pool whose address space is reserved at the start.
    Pool,
    /// Each by itself, with no more address space than it needs: for systems that have little.
    OneByOne,
}

fn config(cache: Option<Cache>, limits: &Limits, allocation: Allocation) -> Config {
    let mut config = Config::new();
    config
        // Tasks of the component model's async (WASI 0.3) do not load without it; it doubles the
        // time of each call.
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_component_model_map(true)
        .wasm_component_model_fixed_length_lists(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .cache(cache);
    match allocation {
        Allocation::Pool => {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(limits)))
        }
        Allocation::OneByOne => config
            .memory_reservation(0)
            .memory_reservation_for_growth(1 << 20)
            .memory_guard_size(0),
    };
    config
}

fn pooling(limits: &Limits) -> PoolingAllocationConfig {
    // More slots than calls at a time, since a slot is free only some time after its call.
    let instances = u32::try_from(limits.get(Limit::Instances)).unwrap_or(u32::MAX);
    let slots = instances.saturating_add(instances / 4).saturating_add(8);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_memories(slots)
        .total_core_instances(slots.saturating_mul(4))
        .total_tables(slots.saturating_mul(2))
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(limits.size(Limit::Memory))
        .table_elements(limits.size(Limit::TableElements))
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Compiled code is run as it is read: whoever can write the directory can run code as us.
fn cache(directory: &Path) -> Result<Cache, EngineError> {
    let refuse = |problem: String| EngineError::Cache {
        directory: directory.to_owned(),
        problem,
    };
    private_directory(directory).map_err(|error| refuse(error.to_string()))?;
    // wasmtime wants an absolute path.
    let absolute = directory
        .canonicalize()
        .map_err(|error| refuse(error.to_string()))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|error| refuse(format!("{error:#}")))
}

fn private_directory(directory: &Path) -> std::io::Result<()> {
    if let Some(parent) = directory.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(directory)?;
            if !found.is_dir() {
                return Err(std::io::Error::other("it is not a folder"));
            }
            // Fails where the folder belongs to somebody else.
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
        }
        Err(error) => Err(error),
    }
}

/// One thread for the engine's life. A thread and no task: the worker that a guest holds may be
/// the one that would have to run the task.
fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("cordon-ticker".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_a_folder_that_only_its_owner_may_use() {
        let parent = tempfile::tempdir().unwrap();
        let open = parent.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        for directory in [open, parent.path().join("new/cache")] {
            engine(Some(&directory), &Limits::default()).unwrap();
            let mode = std::fs::metadata(&directory).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", directory.display());
        }
    }

    #[test]
    fn instances_one_by_one_run_what_the_pool_runs() {
        let limits = Limits::default();
        let engine = Engine::new(&config(None, &limits, Allocation::OneByOne)).unwrap();
        let module = r#"(component
            (core module $m (memory 1)
                (func (export "f") (result i32) (drop (memory.grow (i32.const 3))) (i32.load (i32.const 200000))))
            (core instance $i (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;
        let component =
            wasmtime::component::Component::new(&engine, wat::parse_str(module).unwrap()).unwrap();
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_epoch_deadline(1_000);
        let linker = wasmtime::component::Linker::new(&engine);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let f = instance
            .get_typed_func::<(), (u32,)>(&mut store, "f")
            .unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), (0,));
    }

    #[test]
    fn a_cache_that_is_a_link_elsewhere_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let link = parent.path().join("cache");
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        let error = engine(Some(&link), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("it is not a folder"), "{error}");
    }
}
