//! What is certainly wrong with a script, found before anything of it runs. It reports nothing that
//! might be right: whatever a script only may do is left for the run to find.

mod actions;
mod captured;
mod closures;
mod code;

use cordon_contract::name;
use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Stmt};

use crate::afterwards::HANDLERS;
use crate::bind::Bindings;
use crate::functions;
use crate::header::Header;
use crate::playbook::Program;
use crate::problem::{Problem, ProblemKind};
use code::{Code, Function};

/// What is wrong with a script whatever it is bound to.
pub(crate) fn script(program: &Program, header: &Header) -> Vec<Problem> {
    let mut problems = Vec::new();
    let main = Code::new(&program.ast, &program.source);
    run_function(&main, header, &mut problems);
    handlers(&main, header, &mut problems);
    for code in scripts(program) {
        top_level(&code, &mut problems);
        own_functions(&code, &mut problems);
        aliases(&code, header, &mut problems);
        captured::check(&code, &mut problems);
    }
    problems
}

/// What is wrong with a script on these connections.
pub(crate) fn against(program: &Program, bindings: &Bindings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for code in scripts(program) {
        actions::check(&code, bindings, &mut problems);
    }
    problems
}

/// The playbook and what it imports.
fn scripts(program: &Program) -> impl Iterator<Item = Code<'_>> {
    let main = std::iter::once((&program.ast, &program.source));
    main.chain(program.imports.scripts())
        .map(|(ast, source)| Code::new(ast, source))
}

fn run_function(code: &Code<'_>, header: &Header, problems: &mut Vec<Problem>) {
    let runs: Vec<&Function> = code
        .named()
        .filter(|function| function.name == "run")
        .collect();
    match runs.as_slice() {
        [] => {
            let help = "write `fn run(input) { … }`; what it gives is the result of the run";
            problems.push(Problem::new(ProblemKind::NoRun).with_help(Some(help.to_owned())));
        }
        [run] if run.parameters.len() == 1 => inputs(code, header, run, problems),
        [run, ..] => {
            let kind = ProblemKind::RunParameters {
                parameters: run.parameters.len(),
            };
            let help = "write `fn run(input) { … }`, once";
            problems.push(
                Problem::new(kind)
                    .at(code.place_of(run))
                    .with_help(Some(help.to_owned())),
            );
        }
    }
}

/// The functions that are called when the script has ended otherwise than with a result.
fn handlers(code: &Code<'_>, header: &Header, problems: &mut Vec<Problem>) {
    for function in code.named() {
        let Some((name, parameters)) = HANDLERS.iter().find(|(name, _)| *name == function.name)
        else {
            continue;
        };
        if function.parameters.len() == *parameters {
            inputs(code, header, function, problems);
            continue;
        }
        let (takes, written) = match parameters {
            1 => ("one parameter, the inputs", "input"),
            _ => ("two parameters, the inputs and the error", "input, error"),
        };
        let kind = ProblemKind::HandlerParameters {
            function: (*name).to_owned(),
            takes: takes.to_owned(),
            parameters: function.parameters.len(),
        };
        problems.push(
            Problem::new(kind)
                .at(code.place_of(function))
                .with_help(Some(format!("write `fn {name}({written}) {{ … }}`"))),
        );
    }
}

/// Inputs that `run`, `on_error` or `on_cancel` reads and the header does not declare.
fn inputs(code: &Code<'_>, header: &Header, run: &Function, problems: &mut Vec<Problem>) {
    let parameter = run.parameters[0].as_str();
    if closures::declares(run, parameter) {
        return;
    }
    closures::walk(code, run, &[parameter], &mut |node, reachable| {
        let ASTNode::Expr(Expr::Dot(dot, ..)) = node else {
            return;
        };
        let Expr::Variable(variable, _, _) = &dot.lhs else {
            return;
        };
        let property = match &dot.rhs {
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
            other => other,
        };
        if let Expr::Property(property, position) = property
            && variable.1 == parameter
            && reachable.contains(&parameter)
            && header.input(&property.2).is_none()
        {
            let names: Vec<&str> = header
                .inputs
                .iter()
                .map(|input| input.name.as_str())
                .collect();
            let wrong = property.2.to_string();
            let help = match name::nearest(&wrong, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it to `inputs` in the header: `{wrong}: \"string\"`"),
            };
            let problem = Problem::new(ProblemKind::NoSuchInput { name: wrong });
            problems.push(problem.at(code.place(*position)).with_help(Some(help)));
        }
    });
}

/// Statements outside of functions that are more than definitions.
fn top_level(code: &Code<'_>, problems: &mut Vec<Problem>) {
    for statement in code.ast.statements() {
        let is_definition = match statement {
            Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
            Stmt::Import(..) | Stmt::Export(..) | Stmt::Noop(_) => true,
            _ => false,
        };
        if !is_definition {
            let help = "put it into `run`, or write `const NAME = …;`";
            let place = code.place(statement.position());
            problems.push(
                Problem::new(ProblemKind::TopLevel)
                    .at(place)
                    .with_help(Some(help.to_owned())),
            );
        }
    }
}

/// Functions of the script with the name of a function of the language: the script's would be called.
fn own_functions(code: &Code<'_>, problems: &mut Vec<Problem>) {
    for function in code.named() {
        if functions::find(&function.name).is_some() {
            let kind = ProblemKind::Hides {
                name: function.name.clone(),
            };
            let help = "give it another name".to_owned();
            problems.push(
                Problem::new(kind)
                    .at(code.place_of(function))
                    .with_help(Some(help)),
            );
        }
    }
}

/// `connection("…")` with a name that is no alias.
fn aliases(code: &Code<'_>, header: &Header, problems: &mut Vec<Problem>) {
    code.ast.walk(&mut |nodes: &[ASTNode]| {
        let Some(call) = nodes.last().and_then(function_call) else {
            return true;
        };
        if !matches!(call.name.as_str(), "connection" | "connections") {
            return true;
        }
        if let Some(Expr::StringConstant(alias, position)) = call.args.first()
            && header.alias(alias).is_none()
        {
            let names = header.uses.iter().map(|used| used.alias.as_str());
            let help = match name::nearest(alias, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{alias}: \"…\"` to `uses` in the header"),
            };
            let problem = Problem::new(ProblemKind::NoSuchAlias {
                alias: alias.to_string(),
            });
            problems.push(problem.at(code.place(*position)).with_help(Some(help)));
        }
        true
    });
}

/// The call that a node is, where it is a call of a function by its plain name.
fn function_call<'a>(node: &ASTNode<'a>) -> Option<&'a FnCallExpr> {
    match node {
        ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))
            if !call.is_qualified() =>
        {
            Some(call)
        }
        _ => None,
    }
}
