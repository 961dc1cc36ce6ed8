//! Actions as methods on a connection: `edr.isolate(#{ … })`.
//!
//! One function is registered for each name, whatever connectors have it; it finds its action through
//! the connection that it is called on.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::Arc;

use cordon_contract::value::Map;
use cordon_contract::{Action, ErrorKind, Failure, Value, conform, name};
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, RhaiFunc, Shared};

use crate::bind::Connection;
use crate::functions::world::scope;
use crate::inverse::Inverse;
use crate::step::Step;
use crate::thrown::{self, Error};
use crate::value;

/// A module with a method for each of these names.
pub(crate) fn module(names: impl Iterator<Item = String>) -> Shared<Module> {
    let mut module = Module::new();
    let connection = TypeId::of::<Connection>();
    for name in names.collect::<BTreeSet<_>>() {
        for types in [&[connection][..], &[connection, TypeId::of::<Dynamic>()]] {
            let called = name.clone();
            let call = move |_: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| {
                call(&called, arguments)
            };
            let function = RhaiFunc::Method {
                func: Arc::new(call),
                has_context: false,
                is_pure: true,
                is_volatile: true,
            };
            FuncRegistration::new(name.as_str())
                .in_global_namespace()
                .set_into_module_raw(&mut module, types, function);
        }
    }
    Shared::new(module)
}

fn call(name: &str, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let Some(connection) = arguments[0].flatten_clone().try_cast::<Connection>() else {
        return Err(thrown::mistake(
            format!("`{name}` is called on a connection"),
            None,
        ));
    };
    let action = connection
        .action(name)
        .ok_or_else(|| unknown(&connection, name))?;
    let given = match arguments.get(1) {
        None => Map::new(),
        Some(argument) => named_arguments(&connection, action, argument)?,
    };
    let given = Value::Map(given);
    conform(&given, &action.arguments_type())
        .map_err(|error| wrong(&connection, action, error.to_string()))?;
    let Value::Map(given) = given else {
        return Err(unknown(&connection, name));
    };
    let scope = scope()?;
    let what = format!("{}.{name}", connection.name());
    let inverse = match scope.surroundings().undoable {
        true => Inverse::of(&connection, action, &given)?,
        false => None,
    };
    let step = Step::Action {
        connection: connection.name().to_owned(),
        action: action.name.clone(),
        arguments: given,
        undoable: inverse.is_some(),
    };
    let (key, result) = scope.run().perform_with_key(&scope, &what, step)?;
    if let Some(inverse) = inverse {
        scope.run().register(key, inverse.after(&result)?);
    }
    Ok(value::to_script(&result))
}

fn named_arguments(
    connection: &Connection,
    action: &Action,
    argument: &Dynamic,
) -> Result<Map, Error> {
    let given = argument.flatten_clone();
    let Some(map) = given.read_lock::<rhai::Map>() else {
        let example = action.parameters.first().map_or_else(
            || "…".to_owned(),
            |first| format!("{}: …", name::snake(&first.name)),
        );
        let problem = format!(
            "takes one map of named arguments, `#{{ {example} }}`, not {}",
            value::kind(&given)
        );
        return Err(wrong(connection, action, problem));
    };
    value::map_from_script(&map).map_err(|error| wrong(connection, action, error.to_string()))
}

/// The failure of a call whose arguments are wrong; nothing was sent.
fn wrong(connection: &Connection, action: &Action, problem: String) -> Error {
    let failure = Failure::new(ErrorKind::InvalidInput, problem)
        .with_code("action.argument")
        .of(connection.name(), action.script_name());
    thrown::failure(&failure)
}

fn unknown(connection: &Connection, name: &str) -> Error {
    let (message, help) = no_such_action(connection, name);
    thrown::mistake(message, Some(&help))
}

/// What to say of a name that is no action of the connection: message and help.
pub(crate) fn no_such_action(connection: &Connection, wrong: &str) -> (String, String) {
    let names = connection.action_names();
    let help = match name::nearest(wrong, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no actions".to_owned(),
        None => format!("it has `{}`", names.join("`, `")),
    };
    let connector = &connection.model().manifest.name;
    (
        format!(
            "`{wrong}` is no action of the connection `{}` ({connector})",
            connection.name()
        ),
        help,
    )
}
