//! A component's exports, checked against the contract and reflected into actions.

use cordon_contract::manifest::ActionManifest;
use cordon_contract::model::Parameter;
use cordon_contract::types::Type;
use cordon_contract::{Action, name};
use wit_parser::{Function, FunctionKind, InterfaceId, Resolve, TypeDefKind, World, WorldItem};

use super::LoadError;
use super::contract::{Contract, Interface, Signature};
use super::docs::Docs;
use super::meaning::{is_contract, is_contract_error};
use super::types::Types;

/// What a component exports, before its manifest is known.
#[derive(Debug)]
pub(super) struct Exports {
    /// The functions that can be actions or reconcile companions, ordered by name.
    pub functions: Vec<Action>,
    /// The capabilities that are exported whole.
    pub capabilities: Vec<String>,
    /// The full name of the exported `lifecycle`.
    pub lifecycle: String,
}

/// One component's WIT and what it is compared with.
pub(super) struct Component<'a> {
    pub name: &'a str,
    pub resolve: &'a Resolve,
    pub world: &'a World,
    pub contract: &'a Contract,
    pub docs: &'a Docs,
}

impl Component<'_> {
    /// Checks `lifecycle` and reflects everything else that is exported.
    pub fn exports(&self) -> Result<Exports, LoadError> {
        let lifecycle = self.lifecycle()?;
        let mut exports = Exports {
            functions: Vec::new(),
            capabilities: Vec::new(),
            lifecycle,
        };
        for (key, item) in &self.world.exports {
            let full_name = self.resolve.name_world_key(key);
            match item {
                WorldItem::Interface { id, .. } if is_contract(self.resolve, *id, "lifecycle") => {}
                // What a compiler adds, such as `wasi:cli/run`, is no action.
                WorldItem::Interface { .. } if full_name.starts_with("wasi:") => {}
                WorldItem::Interface { id, .. } => self.interface(&full_name, *id, &mut exports)?,
                WorldItem::Function(function) => {
                    return Err(self.no_action(
                        &function.name,
                        "it stands outside of an interface; put it into one",
                    ));
                }
                WorldItem::Type { .. } => {}
            }
        }
        exports
            .functions
            .sort_by(|left, right| left.name.cmp(&right.name));
        if let Some([first, second]) = exports
            .functions
            .array_windows()
            .find(|[first, second]| first.name == second.name)
        {
            let also = format!(
                "`{}#{}` has the same name; rename one of the two",
                first.interface, first.function
            );
            return Err(self.no_action(&format!("{}#{}", second.interface, second.function), &also));
        }
        exports.capabilities.sort();
        Ok(exports)
    }

    fn lifecycle(&self) -> Result<String, LoadError> {
        let refuse = |problem: String| LoadError::NotConnector {
            name: self.name.to_owned(),
            problem,
        };
        let exported: Vec<(String, InterfaceId)> = self
            .world
            .exports
            .iter()
            .filter_map(|(key, item)| match item {
                WorldItem::Interface { id, .. } => Some((self.resolve.name_world_key(key), *id)),
                _ => None,
            })
            .collect();
        let Some((full_name, id)) = exported
            .iter()
            .find(|(_, id)| is_contract(self.resolve, *id, "lifecycle"))
        else {
            let other = exported
                .iter()
                .find(|(name, _)| name.starts_with("cordon:connector/lifecycle@"));
            return Err(refuse(match other {
                Some((other, _)) => format!("it is built for `{other}`, and this Cordon serves 0.1; use a matching version of one of the two"),
                None => "it does not export `cordon:connector/lifecycle@0.1.0`; a connector includes the world `cordon:connector/connector`".to_owned(),
            }));
        };
        let mut types = Types::new(self.resolve, self.docs);
        let functions = &self.resolve.interfaces[*id].functions;
        for (name, expected) in self
            .contract
            .interfaces
            .get("lifecycle")
            .into_iter()
            .flatten()
        {
            let function = functions
                .get(name)
                .ok_or_else(|| refuse(format!("its `{full_name}` has no function `{name}`")))?;
            let found = Signature::of(&mut types, function)
                .map_err(|problem| refuse(format!("its `{full_name}#{name}` uses {problem}")))?;
            if let Some(difference) = expected.difference(&found) {
                return Err(refuse(format!(
                    "its `{full_name}#{name}` is not the contract's: {difference}; build it with the `wit/` of this Cordon"
                )));
            }
        }
        Ok(full_name.clone())
    }

    fn interface(
        &self,
        full_name: &str,
        id: InterfaceId,
        exports: &mut Exports,
    ) -> Result<(), LoadError> {
        let capability = full_name
            .strip_prefix("cordon:capability/")
            .map(|rest| rest.split('@').next().unwrap_or(rest));
        if let Some(capability) = capability {
            self.check_capability(full_name, capability, id)?;
            exports.capabilities.push(capability.to_owned());
        }
        let mut types = Types::new(self.resolve, self.docs);
        for (name, function) in &self.resolve.interfaces[id].functions {
            let action = self
                .action(&mut types, full_name, capability, function)
                .map_err(|problem| self.no_action(&format!("{full_name}#{name}"), &problem))?;
            exports.functions.push(action);
        }
        Ok(())
    }

    fn action(
        &self,
        types: &mut Types,
        interface: &str,
        capability: Option<&str>,
        function: &Function,
    ) -> Result<Action, String> {
        if function.kind != FunctionKind::Freestanding {
            return Err(
                "it belongs to a resource or is async; make it a plain function of the interface"
                    .to_owned(),
            );
        }
        let name = capability.map_or_else(
            || function.name.clone(),
            |capability| format!("{capability}-{}", function.name),
        );
        if !name::can_be_an_action(&name) {
            return Err("playbooks could not call it, since the playbook language has that word for itself; rename it".to_owned());
        }
        let parameters = function
            .params
            .iter()
            .map(|parameter| {
                let r#type = types.reflect(&parameter.ty).map_err(|problem| {
                    format!("its parameter `{}` uses {problem}", parameter.name)
                })?;
                Ok(Parameter {
                    name: parameter.name.clone(),
                    r#type,
                    docs: None,
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let docs = self.docs.of_function(
            interface,
            &function.name,
            parameters.iter().map(|parameter| parameter.name.as_str()),
        );
        Ok(Action {
            manifest: ActionManifest::unsaid(name.clone()),
            name,
            interface: interface.to_owned(),
            function: function.name.clone(),
            capability: capability.map(str::to_owned),
            result: self.result(types, function)?,
            parameters,
            docs,
        })
    }

    /// `T` of a function that returns `result<T, error>`.
    fn result(&self, types: &mut Types, function: &Function) -> Result<Option<Type>, String> {
        const SHAPE: &str =
            "an action returns `result<T, error>` with the `error` of `cordon:connector/errors`";
        let sides = function.result.as_ref().and_then(|result| match result {
            wit_parser::Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Result(sides) => Some(sides),
                _ => None,
            },
            _ => None,
        });
        let Some(sides) = sides else {
            return Err(format!("it returns no result; {SHAPE}"));
        };
        let Some(error) = sides
            .err
            .as_ref()
            .filter(|error| is_contract_error(self.resolve, error))
        else {
            return Err(format!("it fails with a type of its own; {SHAPE}"));
        };
        let error = types
            .reflect(error)
            .map_err(|problem| format!("its error uses {problem}"))?;
        if !is_error_shape(&error) {
            return Err(format!("its `error` has no `kind` and `message`; {SHAPE}"));
        }
        sides
            .ok
            .as_ref()
            .map(|ok| types.reflect(ok))
            .transpose()
            .map_err(|problem| format!("its result uses {problem}"))
    }

    fn check_capability(
        &self,
        full_name: &str,
        capability: &str,
        id: InterfaceId,
    ) -> Result<(), LoadError> {
        let refuse = |problem: String| LoadError::Capability {
            name: self.name.to_owned(),
            capability: full_name.to_owned(),
            problem,
        };
        let known: Option<&Interface> = self
            .contract
            .capabilities
            .get(capability)
            .filter(|_| full_name.contains("@0.1."));
        let Some(known) = known else {
            let names: Vec<&str> = self
                .contract
                .capabilities
                .keys()
                .map(String::as_str)
                .collect();
            return Err(refuse(format!(
                "this Cordon knows `{}` in version 0.1",
                names.join("`, `")
            )));
        };
        let mut types = Types::new(self.resolve, self.docs);
        let found = &self.resolve.interfaces[id].functions;
        for (name, expected) in known {
            let function = found
                .get(name)
                .ok_or_else(|| refuse(format!("its function `{name}` is missing")))?;
            let signature = Signature::of(&mut types, function)
                .map_err(|problem| refuse(format!("its function `{name}` uses {problem}")))?;
            if let Some(difference) = expected.difference(&signature) {
                return Err(refuse(format!(
                    "its function `{name}` is not the capability's: {difference}"
                )));
            }
        }
        match found.keys().find(|name| !known.contains_key(*name)) {
            Some(unknown) => Err(refuse(format!(
                "it has no function `{unknown}`; put that into an interface of your own"
            ))),
            None => Ok(()),
        }
    }

    fn no_action(&self, function: &str, problem: &str) -> LoadError {
        LoadError::Action {
            name: self.name.to_owned(),
            function: function.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

/// Whether a failure can be read from values of this type. Kinds and fields may be added to the
/// contract's `error`; a component that was built with more or fewer of them still loads.
fn is_error_shape(error: &Type) -> bool {
    error.record().is_some_and(|record| {
        let has = |name: &str, holds: fn(&Type) -> bool| {
            record
                .fields
                .iter()
                .any(|field| field.name == name && holds(&field.r#type))
        };
        has("kind", |kind| matches!(kind, Type::Enum(_)))
            && has("message", |message| *message == Type::Text)
    })
}
