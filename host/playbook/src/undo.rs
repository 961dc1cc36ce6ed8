//! What takes something back, from when it is registered to when it is called.

#![allow(
    deprecated,
    reason = "Rhai's stored contexts are not deprecated, but marked so as open to change"
)]

use cordon_contract::name;
use cordon_contract::value::Map;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext, NativeCallContextStore};

use crate::functions::world::scope;
use crate::step::Step;
use crate::thrown::Error;

/// Something that takes back what the script did.
pub(crate) enum Undo {
    /// A closure of the script.
    Closure {
        act: FnPtr,
        /// Where the closure was written: the functions, imports and constants in its reach.
        context: Box<NativeCallContextStore>,
    },
    /// An action.
    Inverse {
        connection: String,
        action: String,
        arguments: Map,
    },
}

impl Undo {
    /// A closure, detached from what it captured.
    pub fn closure(context: &NativeCallContext, act: FnPtr) -> Self {
        Self::Closure {
            act,
            context: Box::new(context.store_data()),
        }
    }

    /// Takes it back, on the thread and in the scope in which this is called.
    pub fn perform(self, engine: &Engine) -> Result<Dynamic, Error> {
        match self {
            Self::Closure { act, context } => {
                act.call_raw(&context.create_context(engine), None, [])
            }
            Self::Inverse {
                connection,
                action,
                arguments,
            } => {
                let scope = scope()?;
                let what = format!("{connection}.{}", name::snake(&action));
                let step = Step::Action {
                    connection,
                    action,
                    arguments,
                    undoable: false,
                };
                scope.run().perform(&scope, &what, step)?;
                Ok(Dynamic::UNIT)
            }
        }
    }
}
