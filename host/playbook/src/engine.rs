//! The Rhai engine as a playbook sees it: which of its packages, which of its words, whose limits.

use std::sync::{Arc, OnceLock};

use rhai::packages::{
    BasicArrayPackage, BasicBlobPackage, BasicMapPackage, BasicMathPackage, BitFieldPackage,
    CorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, Module, OptimizationLevel, Shared};

use crate::functions;
use crate::limits::Limits;
use crate::run::Run;
use crate::step::LogLevel;
use crate::timestamp;
use crate::words;

/// An engine that reads scripts. It runs nothing.
pub(crate) fn reader(limits: &Limits) -> Engine {
    let mut engine = bare(limits, None);
    // A misspelt variable is found when the script is loaded.
    engine.set_strict_variables(true);
    #[allow(
        deprecated,
        reason = "not deprecated, but marked so by Rhai as open to change"
    )]
    engine.on_parse_token(|token, position, _| words::give_back(token, position));
    engine
}

/// An engine that executes one run.
pub(crate) fn executor(run: &Arc<Run>) -> Engine {
    let mut engine = bare(run.limits(), Some(run.bindings().module()));
    let ticking = Arc::clone(run);
    engine.on_progress(move |_| {
        if ticking.tick() {
            None
        } else {
            Some(Dynamic::UNIT)
        }
    });
    // These callbacks return no error, and a line must not go missing.
    let (printing, debugging) = (Arc::clone(run), Arc::clone(run));
    engine.on_print(move |text| write(&printing, LogLevel::Info, text));
    engine.on_debug(move |text, _, _| write(&debugging, LogLevel::Debug, text));
    engine
}

fn write(run: &Run, level: LogLevel, text: &str) {
    if let Err(error) = functions::report::line(level, text.to_owned()) {
        run.refuse(error);
    }
}

fn bare(limits: &Limits, actions: Option<Shared<Module>>) -> Engine {
    let mut engine = Engine::new_raw();
    for module in rhai_modules() {
        engine.register_global_module(Shared::clone(module));
    }
    if let Some(actions) = actions {
        engine.register_global_module(actions);
    }
    // Registered last and therefore asked first.
    engine.register_global_module(language());
    engine.disable_symbol("eval");
    // The optimizer drops code that the checker must see.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_max_call_levels(limits.call_depth);
    engine.set_max_expr_depths(limits.expression_depth, limits.expression_depth);
    engine.set_max_string_size(limits.text_size);
    engine.set_max_array_size(limits.list_size);
    engine.set_max_map_size(limits.map_size);
    engine.set_max_variables(limits.variables);
    engine.set_max_modules(limits.modules);
    engine
}

/// Rhai's own functions, without its clock (the time package).
fn rhai_modules() -> &'static [Shared<Module>] {
    static MODULES: OnceLock<Vec<Shared<Module>>> = OnceLock::new();
    MODULES.get_or_init(|| {
        vec![
            CorePackage::new().as_shared_module(),
            BitFieldPackage::new().as_shared_module(),
            LogicPackage::new().as_shared_module(),
            BasicMathPackage::new().as_shared_module(),
            BasicArrayPackage::new().as_shared_module(),
            BasicBlobPackage::new().as_shared_module(),
            BasicMapPackage::new().as_shared_module(),
            MoreStringPackage::new().as_shared_module(),
        ]
    })
}

/// The functions and types that the playbook language adds.
fn language() -> Shared<Module> {
    static LANGUAGE: OnceLock<Shared<Module>> = OnceLock::new();
    Shared::clone(LANGUAGE.get_or_init(|| {
        let mut module = Module::new();
        functions::register(&mut module);
        timestamp::register(&mut module);
        types(&mut module);
        Shared::new(module)
    }))
}

/// What scripts see of connections and references.
fn types(module: &mut Module) {
    use cordon_contract::{BlobReference, SecretReference};
    use rhai::FuncRegistration;

    use crate::bind::Connection;

    macro_rules! operator {
        ($name:literal, $function:expr) => {
            FuncRegistration::new($name)
                .in_global_namespace()
                .with_purity(true)
                .set_into_module(module, $function);
        };
    }
    module.set_custom_type::<SecretReference>("secret");
    module.set_custom_type::<BlobReference>("blob reference");
    operator!("to_string", |connection: Connection| connection
        .name()
        .to_owned());
    operator!("to_debug", |connection: Connection| format!(
        "connection {}",
        connection.name()
    ));
    operator!("==", |left: Connection, right: Connection| left == right);
    operator!("!=", |left: Connection, right: Connection| left != right);
    operator!("to_string", |secret: SecretReference| secret.to_string());
    operator!("to_debug", |secret: SecretReference| secret.to_string());
    operator!("to_string", |blob: BlobReference| format!(
        "{} bytes",
        blob.length
    ));
    operator!("to_debug", |blob: BlobReference| format!(
        "{} bytes",
        blob.length
    ));
}
