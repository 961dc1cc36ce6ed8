//! A script as the checks see it: its functions apart from each other.

use std::sync::Arc;

use rhai::{AST, ASTNode, Module, Position, Shared};

use crate::place::{Place, Source};

/// A script and its functions.
pub(super) struct Code<'a> {
    pub ast: &'a AST,
    pub source: &'a Arc<Source>,
    functions: Vec<Function>,
}

/// A function or closure of a script.
pub(super) struct Function {
    pub name: String,
    pub parameters: Vec<String>,
    start: Position,
    /// Rhai hands out no function's body, but walks that of a script with a single function.
    body: AST,
}

impl<'a> Code<'a> {
    pub fn new(ast: &'a AST, source: &'a Arc<Source>) -> Self {
        let functions = ast
            .shared_lib()
            .iter_script_fn_info()
            .map(|(_, _, name, _, definition)| {
                let mut alone = Module::new();
                alone.set_script_fn(Shared::clone(definition));
                Function {
                    name: name.to_owned(),
                    parameters: definition.params.iter().map(ToString::to_string).collect(),
                    start: definition.body.start_position(),
                    body: AST::new_from_module(alone),
                }
            })
            .collect();
        Self {
            ast,
            source,
            functions,
        }
    }

    /// The functions that have a name of the author's.
    pub fn named(&self) -> impl Iterator<Item = &Function> {
        self.functions
            .iter()
            .filter(|function| !function.name.starts_with("anon$"))
    }

    /// The closure of this name.
    pub fn closure(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The place of a position in this script.
    pub fn place(&self, position: Position) -> Option<Place> {
        Place::at(self.source, position)
    }

    /// Where a function is defined: its name in the text, since Rhai keeps only where its body begins.
    pub fn place_of(&self, function: &Function) -> Option<Place> {
        let block = self.place(function.start);
        let end = block
            .as_ref()
            .map_or(self.source.text.len(), |place| place.span.start);
        let before = self.source.text.get(..end)?;
        let Some(start) = before
            .rfind(&format!("fn {}", function.name))
            .map(|start| start + "fn ".len())
        else {
            return block;
        };
        let line = before[..start].matches('\n').count() + 1;
        let column = before[..start]
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Some(Place {
            source: Arc::clone(self.source),
            line,
            column,
            span: start..start + function.name.len(),
        })
    }
}

impl Function {
    /// Visits every node of the body, closures apart, with the nodes around it.
    pub fn walk(&self, visit: &mut dyn FnMut(&[ASTNode<'_>])) {
        self.body.walk(&mut |nodes: &[ASTNode]| {
            visit(nodes);
            true
        });
    }
}
