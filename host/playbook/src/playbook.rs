//! A playbook: read, checked, bound to connections, run.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use cordon_contract::Value;
use cordon_contract::value::Map;
use rhai::{
    AST, CallFnOptions, Dynamic, EvalAltResult, LexError, ParseError, ParseErrorType,
    Scope as Variables,
};
use sha2::{Digest as _, Sha256};

use crate::bind::{Bindings, Offer};
use crate::check;
use crate::engine;
use crate::error::{RunError, limit_of};
use crate::header::{self, Header};
use crate::library::{Imports, Library, Resolver, read_script};
use crate::limits::{Limits, SCRIPT_SIZE_MAX, STACK_SIZE};
use crate::place::{Place, Source};
use crate::problem::{PlaybookError, Problem, ProblemKind};
use crate::run::Run;
use crate::scope::Scope;
use crate::step::Performer;
use crate::thrown;
use crate::value;
use crate::words;

/// A playbook that was read and checked. Cheap to clone; holds no connection and no run.
#[derive(Clone)]
pub struct Playbook {
    header: Arc<Header>,
    digest: String,
    program: Arc<Program>,
}

/// The code of a playbook: its script and what that imports.
pub(crate) struct Program {
    pub ast: AST,
    pub source: Arc<Source>,
    pub imports: Imports,
}

impl fmt::Debug for Playbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "playbook {} ({})", self.program.source.name, self.digest)
    }
}

impl Playbook {
    /// Reads a playbook's file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places; nothing of it has run.
    pub fn load(path: &Path, library: &Library) -> Result<Self, PlaybookError> {
        let text = read_script(path)?;
        Self::compile(&path.display().to_string(), &text, library)
    }

    /// Reads a playbook's text; messages call it `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places; nothing of it has run.
    pub fn compile(name: &str, text: &str, library: &Library) -> Result<Self, PlaybookError> {
        if text.len() > SCRIPT_SIZE_MAX {
            let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
            return Err(Problem::new(ProblemKind::TooLarge {
                name: name.to_owned(),
                size,
                max: SCRIPT_SIZE_MAX,
            })
            .into());
        }
        let source = Arc::new(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let broken = |message: String| {
            Problem::new(ProblemKind::Syntax {
                message: format!("the script cannot be read: {message}"),
            })
        };
        match on_large_stack(|| Self::compile_here(&source, library)) {
            Ok(compiled) => compiled,
            Err(message) => Err(broken(message).into()),
        }
    }

    fn compile_here(source: &Arc<Source>, library: &Library) -> Result<Self, PlaybookError> {
        let engine = engine::reader(&Limits::default());
        let mut ast = engine
            .compile(&source.text)
            .map_err(|error| compile_error(&error, source))?;
        ast.set_source(source.name.as_str());
        let header = header::read(&ast, source)?;
        let imports = Imports::collect(&engine, library, &ast, source)?;
        let program = Program {
            ast,
            source: Arc::clone(source),
            imports,
        };
        let problems = check::script(&program, &header);
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let digest = digest(&program);
        Ok(Self {
            header: Arc::new(header),
            digest,
            program: Arc::new(program),
        })
    }

    /// What the playbook says about itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// SHA-256 of the script and of everything that it imports: 64 lower-case hex digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The script.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        &self.program.source
    }

    /// Binds the aliases to connections and checks the script against what these can do. An alias for
    /// one connection takes exactly one offer; one for many takes all that are offered.
    ///
    /// # Errors
    /// Aliases that are not or wrongly bound, actions and arguments that the connections do not have.
    pub fn bind(&self, offers: &BTreeMap<String, Vec<Offer>>) -> Result<Bindings, PlaybookError> {
        let bindings = Bindings::new(&self.header, offers)?;
        let problems = check::against(&self.program, &bindings);
        if problems.is_empty() {
            Ok(bindings)
        } else {
            Err(problems.into())
        }
    }

    /// Runs the playbook and gives what `run` returned. Blocks until it is done, failed or stopped.
    ///
    /// # Errors
    /// How it ended otherwise.
    pub fn run(
        &self,
        input: &Map,
        bindings: &Arc<Bindings>,
        performer: Arc<dyn Performer>,
        limits: &Limits,
    ) -> Result<Value, RunError> {
        let run = Arc::new(Run::new(performer, Arc::clone(bindings), limits.clone()));
        on_large_stack(|| self.execute(input, &run))
            .unwrap_or_else(|message| Err(RunError::Defect { message }))
    }

    fn execute(&self, input: &Map, run: &Arc<Run>) -> Result<Value, RunError> {
        let mut engine = engine::executor(run);
        engine.set_module_resolver(Resolver(Arc::clone(&self.program)));
        let _scope = Scope::root(Arc::clone(run)).enter();
        let input = Dynamic::from_map(value::map_to_script(input));
        let result: Result<Dynamic, _> = engine.call_fn_with_options(
            CallFnOptions::default(),
            &mut Variables::new(),
            &self.program.ast,
            "run",
            (input,),
        );
        let result = result.and_then(|result| {
            value::from_script(&result)
                .map_err(|error| thrown::mistake(format!("the result of `run`: {error}"), None))
        });
        self.end(run, result)
    }

    /// How the run ended. A stopped run never counts as done, whatever its script made of being stopped.
    fn end(&self, run: &Run, result: Result<Value, Box<EvalAltResult>>) -> Result<Value, RunError> {
        let limit = run
            .exceeded()
            .or_else(|| result.as_ref().err().and_then(|error| limit_of(error)));
        if let Some(limit) = limit {
            return Err(RunError::Limit {
                limit,
                allowed: limit.allowed(run.limits()),
            });
        }
        if let Some(error) = run.refused() {
            return Err(RunError::of(error, None));
        }
        if let Some(reason) = run.stopped() {
            return Err(RunError::Stopped { reason });
        }
        result.map_err(|error| RunError::of(&error, self.program.place_of(&error)))
    }
}

impl Program {
    /// The script of this name, among the playbook and its imports.
    pub fn source_named(&self, name: &str) -> &Arc<Source> {
        self.imports.source(name).unwrap_or(&self.source)
    }

    /// The innermost place that an error knows.
    fn place_of(&self, error: &EvalAltResult) -> Option<Place> {
        let mut source = &self.source;
        let mut place = None;
        let mut error = error;
        loop {
            place = Place::at(source, error.position()).or(place);
            error = match error {
                EvalAltResult::ErrorInFunctionCall(_, name, inner, _) => {
                    if !name.is_empty() {
                        source = self.source_named(name);
                    }
                    inner
                }
                EvalAltResult::ErrorInModule(path, inner, _) => {
                    source = self.source_named(&format!("{path}.rhai"));
                    inner
                }
                _ => return place,
            };
        }
    }
}

fn digest(program: &Program) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    };
    add(&program.source.text);
    for (_, source) in program.imports.scripts() {
        add(&source.name);
        add(&source.text);
    }
    hex::encode(hash.finalize())
}

/// Runs `work` on a thread with the stack that scripts need, whatever thread this is. A panic is caught
/// and given back as its message.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let message = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        text.or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "it panicked".to_owned())
    };
    std::thread::scope(|threads| {
        let dispatcher = tracing::dispatcher::get_default(Clone::clone);
        let thread = std::thread::Builder::new()
            .name("playbook".to_owned())
            .stack_size(STACK_SIZE);
        let work = move || {
            tracing::dispatcher::with_default(&dispatcher, || catch_unwind(AssertUnwindSafe(work)))
        };
        match thread.spawn_scoped(threads, work) {
            Ok(thread) => thread.join().map_err(message)?.map_err(message),
            Err(error) => Err(format!("no thread to be had: {error}")),
        }
    })
}

/// What a mistake in the grammar means.
pub(crate) fn compile_error(error: &ParseError, source: &Arc<Source>) -> Problem {
    let place = Place::at(source, error.position());
    let word = place
        .as_ref()
        .map(|place| source.text[place.span.clone()].to_owned())
        .unwrap_or_default();
    let is_taken = |word: &str| cordon_contract::name::OF_THE_LANGUAGE.contains(&word);
    let taken = |word: &str| {
        (
            format!("`{word}` is a word of the language and cannot be a name here"),
            words::how_to_write(word),
        )
    };
    let (message, help) = match error.err_type() {
        ParseErrorType::Reserved(word) => taken(word),
        ParseErrorType::PropertyExpected
        | ParseErrorType::VariableExpected
        | ParseErrorType::MissingToken(..)
            if is_taken(&word) && place.as_ref().is_some_and(stands_for_a_name) =>
        {
            taken(&word)
        }
        ParseErrorType::BadInput(LexError::ImproperSymbol(symbol, _)) if is_taken(symbol) => {
            taken(symbol)
        }
        ParseErrorType::VariableUndefined(name) => {
            let constant = source.text.contains(&format!("const {name}"));
            let help = constant.then(|| {
                format!("inside of a function a constant of the file is read as `global::{name}`")
            });
            (format!("there is no variable `{name}`"), help)
        }
        ParseErrorType::ModuleUndefined(name) => (
            format!("there is no import `{name}`"),
            Some(format!("import it: `import \"…\" as {name};`")),
        ),
        ParseErrorType::ExprTooDeep => (
            "expressions or blocks are nested too deep".to_owned(),
            Some("take a part out into a function".to_owned()),
        ),
        other => (other.to_string(), None),
    };
    Problem::new(ProblemKind::Syntax { message })
        .at(place)
        .with_help(help)
}

/// Whether what stands at a place would be the name of a field, an entry or a variable.
fn stands_for_a_name(place: &Place) -> bool {
    let before = place.source.text[..place.span.start].trim_end();
    before.ends_with(['{', ',', '.'])
        || ["let", "const", "for", "fn"]
            .iter()
            .any(|word| before.ends_with(word))
}
