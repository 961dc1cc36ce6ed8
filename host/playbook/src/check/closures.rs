//! Walking a function together with the closures in it. Rhai keeps a closure's body as a function of
//! its own, whose first parameters are what it captured.

use rhai::{ASTNode, Expr, FnPtr, Stmt};

use super::code::{Code, Function};

/// What to do at a node: the node, and which of the names walked with mean the same variable there.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&ASTNode<'_>, &[&str]);

/// Visits every node of the statements, and of the closures in them; `names` are variables to keep
/// track of. A name that a closure does not capture, or declares itself, is another variable there.
pub(super) fn walk(code: &Code<'_>, function: &Function, names: &[&str], visit: Visit<'_>) {
    function.walk(&mut |nodes| {
        let Some(node) = nodes.last() else { return };
        visit(node, names);
        if let Some(closure) = closure(code, node) {
            let captured = captured(nodes);
            let inner: Vec<&str> = names
                .iter()
                .copied()
                .filter(|name| {
                    captured.iter().any(|captured| captured == name) && !declares(closure, name)
                })
                .collect();
            walk(code, closure, &inner, visit);
        }
    });
}

/// The closure that a node is.
pub(super) fn closure<'c>(code: &'c Code<'_>, node: &ASTNode<'_>) -> Option<&'c Function> {
    let ASTNode::Expr(Expr::DynamicConstant(constant, _)) = node else {
        return None;
    };
    let pointer = constant.read_lock::<FnPtr>()?;
    code.closure(pointer.fn_name())
}

/// The names that the closure at the end of the path captures. Rhai puts it as the first argument of a
/// call of `curry`, with the captured variables behind it.
fn captured(nodes: &[ASTNode<'_>]) -> Vec<String> {
    let Some(ASTNode::Expr(Expr::FnCall(call, _))) = nodes
        .len()
        .checked_sub(2)
        .and_then(|index| nodes.get(index))
    else {
        return Vec::new();
    };
    if call.name != "curry" {
        return Vec::new();
    }
    call.args
        .iter()
        .skip(1)
        .filter_map(variable)
        .map(str::to_owned)
        .collect()
}

/// The closure that an argument is, with the names that it captures.
pub(super) fn argument<'c>(
    code: &'c Code<'_>,
    argument: &Expr,
) -> Option<(&'c Function, Vec<String>)> {
    match argument {
        Expr::DynamicConstant(..) => {
            closure(code, &ASTNode::Expr(argument)).map(|closure| (closure, Vec::new()))
        }
        Expr::Stmt(block) => block
            .statements()
            .iter()
            .find_map(|statement| match statement {
                Stmt::Expr(expression) => match &**expression {
                    Expr::FnCall(call, _) if call.name == "curry" => {
                        let closure = closure(code, &ASTNode::Expr(call.args.first()?))?;
                        Some((
                            closure,
                            call.args
                                .iter()
                                .skip(1)
                                .filter_map(variable)
                                .map(str::to_owned)
                                .collect(),
                        ))
                    }
                    _ => None,
                },
                _ => None,
            }),
        _ => None,
    }
}

/// The name of the variable that an expression is.
pub(super) fn variable(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Variable(variable, _, _) if variable.2.is_empty() => Some(&variable.1),
        _ => None,
    }
}

/// Whether the function, closures in it apart, declares a variable of this name.
pub(super) fn declares(function: &Function, name: &str) -> bool {
    declarations(function, name) > 0
}

/// How many variables of this name the function declares, closures in it apart.
pub(super) fn declarations(function: &Function, name: &str) -> usize {
    let mut count = 0;
    function.walk(&mut |nodes| {
        count += match nodes.last() {
            Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => usize::from(variable.0.name == name),
            Some(ASTNode::Stmt(Stmt::For(looped, _))) => usize::from(
                looped.0.name == name
                    || looped
                        .1
                        .as_ref()
                        .is_some_and(|counter| counter.name == name),
            ),
            Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => {
                usize::from(variable(&flow.expr) == Some(name))
            }
            Some(ASTNode::Stmt(Stmt::Import(import, _))) => usize::from(import.1.name == name),
            _ => 0,
        };
    });
    count
}
