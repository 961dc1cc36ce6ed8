//! Actions and arguments that the connections do not have, where it is certain which connection is
//! meant: `connection("edr").isolate(…)`, or a variable that is `connection("edr")` and nothing else.

use std::collections::BTreeSet;

use cordon_contract::name;
use cordon_contract::{Action, Type};
use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::closures;
use super::code::{Code, Function};
use crate::action::no_such_action;
use crate::bind::{Bindings, Connection};
use crate::problem::{Problem, ProblemKind};

/// Methods that every value has.
const OF_EVERY_VALUE: &[&str] = &[
    "to_string",
    "to_debug",
    "type_of",
    "is_shared",
    "tag",
    "set_tag",
];

pub(super) fn check(code: &Code<'_>, bindings: &Bindings, problems: &mut Vec<Problem>) {
    let connections = || {
        bindings
            .aliases()
            .filter_map(|alias| bindings.connections(alias))
            .flatten()
    };
    let called = methods(code);
    for function in code
        .named()
        .filter(|function| function.parameters.len() <= 1 && called.contains(&function.name))
    {
        // As a method it is called with the connection as `this`, in place of the action.
        if let Some(connection) =
            connections().find(|connection| connection.action(&function.name).is_some())
        {
            let name = function.name.clone();
            let kind = ProblemKind::HidesAction {
                name,
                connection: connection.name().to_owned(),
            };
            let help = "give the function another name".to_owned();
            problems.push(
                Problem::new(kind)
                    .at(code.place_of(function))
                    .with_help(Some(help)),
            );
        }
    }
    for function in code.named() {
        let variables = variables(function, bindings);
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        closures::walk(code, function, &names, &mut |node, reachable| {
            let ASTNode::Expr(Expr::Dot(dot, ..)) = node else {
                return;
            };
            let connection = match &dot.lhs {
                Expr::FnCall(call, _) => connection(call, bindings),
                other => closures::variable(other)
                    .filter(|name| reachable.contains(name))
                    .and_then(|name| {
                        variables
                            .iter()
                            .find(|(variable, _)| variable == name)
                            .map(|(_, connection)| *connection)
                    }),
            };
            let call = match &dot.rhs {
                Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
                other => other,
            };
            if let (Some(connection), Expr::MethodCall(call, position)) = (connection, call) {
                let is_own = code.named().any(|own| own.name == call.name.as_str());
                if !is_own && !OF_EVERY_VALUE.contains(&call.name.as_str()) {
                    method(connection, call, *position, code, problems);
                }
            }
        });
    }
}

/// The names of all methods that a script calls, on whatever.
fn methods(code: &Code<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    code.ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::MethodCall(call, _))) = nodes.last() {
            names.insert(call.name.to_string());
        }
        true
    });
    names
}

/// Variables of a function that hold one certain connection: declared once, as that.
fn variables<'b>(function: &Function, bindings: &'b Bindings) -> Vec<(String, &'b Connection)> {
    let mut found: Vec<(String, &Connection)> = Vec::new();
    let mut assigned = Vec::new();
    function.walk(&mut |nodes| match nodes.last() {
        Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => {
            if let Expr::FnCall(call, _) = &variable.1
                && let Some(connection) = connection(call, bindings)
            {
                found.push((variable.0.name.to_string(), connection));
            }
        }
        Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
            assigned.extend(closures::variable(&assignment.1.lhs).map(str::to_owned));
        }
        _ => {}
    });
    found.retain(|(name, _)| {
        closures::declarations(function, name) == 1 && !assigned.contains(name)
    });
    found
}

/// The connection that a call of `connection` gives.
fn connection<'b>(call: &FnCallExpr, bindings: &'b Bindings) -> Option<&'b Connection> {
    match (call.name.as_str(), call.args.as_slice()) {
        ("connection", [Expr::StringConstant(alias, _)]) => match bindings.connections(alias)? {
            [connection] => Some(connection),
            _ => None,
        },
        _ => None,
    }
}

fn method(
    connection: &Connection,
    call: &FnCallExpr,
    position: Position,
    code: &Code<'_>,
    problems: &mut Vec<Problem>,
) {
    let Some(action) = connection.action(&call.name) else {
        let (message, help) = no_such_action(connection, &call.name);
        let problem = Problem::new(ProblemKind::NoSuchAction { message });
        problems.push(problem.at(code.place(position)).with_help(Some(help)));
        return;
    };
    match call.args.as_slice() {
        [] => missing(action, &[], position, code, problems),
        [Expr::Map(map, _)] => {
            let before = problems.len();
            for (argument, _) in map
                .0
                .iter()
                .filter(|(argument, _)| action.parameter(&argument.name).is_none())
            {
                let kind = ProblemKind::NoSuchArgument {
                    action: action.script_name(),
                    argument: argument.name.to_string(),
                };
                let help = nearest_argument(action, &argument.name);
                problems.push(
                    Problem::new(kind)
                        .at(code.place(argument.pos))
                        .with_help(Some(help)),
                );
            }
            // What is missing is most likely what was misspelt.
            if problems.len() == before {
                let given: Vec<&str> = map
                    .0
                    .iter()
                    .map(|(argument, _)| argument.name.as_str())
                    .collect();
                missing(action, &given, position, code, problems);
            }
        }
        [_] => {}
        more => {
            let message = format!(
                "takes one map of named arguments, not {} arguments",
                more.len()
            );
            let kind = ProblemKind::Call {
                function: action.script_name(),
                message,
            };
            problems.push(Problem::new(kind).at(code.place(position)));
        }
    }
}

fn missing(
    action: &Action,
    given: &[&str],
    position: Position,
    code: &Code<'_>,
    problems: &mut Vec<Problem>,
) {
    let needed = action
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.r#type, Type::Option(_)));
    for parameter in
        needed.filter(|parameter| !given.iter().any(|given| name::same(given, &parameter.name)))
    {
        let message = format!(
            "needs the argument `{}` ({})",
            name::snake(&parameter.name),
            parameter.r#type
        );
        let kind = ProblemKind::Call {
            function: action.script_name(),
            message,
        };
        problems.push(Problem::new(kind).at(code.place(position)));
    }
}

fn nearest_argument(action: &Action, wrong: &str) -> String {
    let names: Vec<String> = action
        .parameters
        .iter()
        .map(|parameter| name::snake(&parameter.name))
        .collect();
    match name::nearest(wrong, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it takes none".to_owned(),
        None => format!("it takes `{}`", names.join("`, `")),
    }
}
