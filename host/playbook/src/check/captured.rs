//! Closures of `parallel`, `poll`, `retry` and `undo` that change what they captured. They work on copies, so
//! what they do to it is lost.

use rhai::{ASTNode, Expr, Position, Stmt};

use super::code::Code;
use super::{closures, function_call};
use crate::functions;
use crate::problem::{Problem, ProblemKind};

/// Methods of lists, maps and texts that change them.
const CHANGING: &[&str] = &[
    "append",
    "chop",
    "clear",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "mixin",
    "pad",
    "pop",
    "push",
    "remove",
    "retain",
    "reverse",
    "set",
    "shift",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "truncate",
];

pub(super) fn check(code: &Code<'_>, problems: &mut Vec<Problem>) {
    code.ast.walk(&mut |nodes: &[ASTNode]| {
        let call = match nodes.last() {
            Some(ASTNode::Expr(Expr::MethodCall(call, _))) => Some(&**call),
            Some(node) => function_call(node),
            None => None,
        };
        let Some(call) = call else { return true };
        if functions::find(&call.name).is_none_or(|function| !function.copies()) {
            return true;
        }
        for argument in &call.args {
            let Some((closure, captured)) = closures::argument(code, argument) else { continue };
            let names: Vec<&str> = captured
                .iter()
                .map(String::as_str)
                .filter(|name| !closures::declares(closure, name))
                .collect();
            closures::walk(code, closure, &names, &mut |node, reachable| {
                if let Some((variable, position)) = changed(node)
                    && reachable.contains(&variable)
                {
                    let function = format!("{}", call.name);
                    let kind = ProblemKind::CapturedChange { function: function.clone(), variable: variable.to_owned() };
                    let help = match function.as_str() {
                        "parallel" => "let the closure give what it found; `parallel` gives it back item by item",
                        "undo" => "it is called when the script has ended; let it do what it does by actions",
                        _ => "let the closure give what it found; it is what the call gives",
                    };
                    problems.push(Problem::new(kind).at(code.place(position)).with_help(Some(help.to_owned())));
                }
            });
        }
        true
    });
}

/// The variable that a node changes, and where.
fn changed<'a>(node: &ASTNode<'a>) -> Option<(&'a str, Position)> {
    match node {
        ASTNode::Stmt(Stmt::Assignment(assignment)) => {
            root(&assignment.1.lhs).map(|variable| (variable, assignment.1.lhs.start_position()))
        }
        ASTNode::Expr(Expr::Dot(dot, ..) | Expr::Index(dot, ..)) => {
            let variable = closures::variable(&dot.lhs)?;
            changing_call(&dot.rhs).map(|_| (variable, dot.lhs.start_position()))
        }
        other => {
            let call = function_call(other)?;
            let first = call.args.first()?;
            let variable = closures::variable(first)?;
            CHANGING
                .contains(&call.name.as_str())
                .then(|| (variable, first.start_position()))
        }
    }
}

/// The variable at the beginning of `a`, `a.b`, `a[0].b`.
fn root(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        other => closures::variable(other),
    }
}

/// The changing method at the end of a chain of fields and indices. A method before it gives a new
/// value, whose change is no change of the variable.
fn changing_call(chain: &Expr) -> Option<&str> {
    match chain {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => match &chain.lhs {
            Expr::MethodCall(..) => None,
            _ => changing_call(&chain.rhs),
        },
        Expr::MethodCall(call, _) if CHANGING.contains(&call.name.as_str()) => Some(&call.name),
        _ => None,
    }
}
