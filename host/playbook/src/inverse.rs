//! What takes an action back: its inverse, with arguments from what the action was given and gave.

use cordon_contract::manifest::at_path;
use cordon_contract::value::Map;
use cordon_contract::{Action, Effect, Type, Value, name};

use crate::bind::Connection;
use crate::thrown::{self, Error};
use crate::undo::Undo;

/// The inverse of an action that is about to be called.
pub(crate) struct Inverse<'a> {
    connection: &'a Connection,
    action: &'a Action,
    inverse: &'a Action,
    arguments: Value,
}

impl<'a> Inverse<'a> {
    /// The inverse of this action with these arguments, if it has one. An error where it can be seen
    /// before the call that the inverse would lack an argument.
    pub fn of(
        connection: &'a Connection,
        action: &'a Action,
        arguments: &Map,
    ) -> Result<Option<Self>, Error> {
        let arguments = Value::Map(arguments.clone());
        let named = action.manifest.inverse.as_deref();
        let Some(inverse) = named.and_then(|inverse| connection.model().action(inverse)) else {
            return Ok(None);
        };
        if action.manifest.effect_with(&arguments) != Effect::Reversible {
            return Ok(None);
        }
        let inverse = Self {
            connection,
            action,
            inverse,
            arguments,
        };
        let result_may_have = |parameter: &str| match &action.result {
            None => false,
            Some(Type::Record(record)) => record
                .fields
                .iter()
                .any(|field| name::same(&field.name, parameter)),
            Some(_) => true,
        };
        let lacking = inverse
            .required()
            .find(|parameter| inverse.argument(parameter).is_none() && !result_may_have(parameter));
        match lacking {
            Some(parameter) => Err(inverse.lacks(parameter)),
            None => Ok(Some(inverse)),
        }
    }

    /// The call that takes the action back, now that it has this result.
    pub fn after(self, result: &Value) -> Result<Undo, Error> {
        let mut arguments = Map::new();
        for parameter in &self.inverse.parameters {
            let found = self
                .argument(&parameter.name)
                .or_else(|| present(at_path(result, &parameter.name)));
            if let Some(found) = found {
                arguments.insert(name::snake(&parameter.name), found.clone());
            }
        }
        let given = Value::Map(arguments.clone());
        if let Some(missing) = self
            .required()
            .find(|parameter| at_path(&given, parameter).is_none())
        {
            return Err(self.lacks(missing));
        }
        Ok(Undo::Inverse {
            connection: self.connection.name().to_owned(),
            action: self.inverse.name.clone(),
            arguments,
        })
    }

    fn required(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.inverse
            .parameters
            .iter()
            .filter(|parameter| !matches!(parameter.r#type, Type::Option(_)))
            .map(|parameter| parameter.name.as_str())
    }

    fn argument(&self, parameter: &str) -> Option<&Value> {
        present(at_path(&self.arguments, parameter))
    }

    fn lacks(&self, parameter: &str) -> Error {
        let message = format!(
            "`{}` cannot be taken back by itself: its inverse `{}` needs `{}`, which is neither an argument of it nor in its result",
            self.action.script_name(),
            self.inverse.script_name(),
            name::snake(parameter)
        );
        let help = "call it outside of `undoable`, and say with `undo` how to take it back";
        thrown::mistake(message, Some(help))
    }
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}
