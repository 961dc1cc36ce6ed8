//! A playbook: read, checked, bound to connections, run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use cordon_contract::Value;
use cordon_contract::value::Map;
use rhai::{AST, EvalAltResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::bind::{Bindings, Offer};
use crate::check;
use crate::engine;
use crate::error::RunError;
use crate::execution;
use crate::header::{self, Header};
use crate::library::{Imports, Library, read_script};
use crate::limits::{Limits, SCRIPT_SIZE_MAX};
use crate::place::{Place, Source};
use crate::problem::{PlaybookError, Problem, ProblemKind};
use crate::run::Run;
use crate::stack::on_large_stack;
use crate::step::Performer;
use crate::syntax::compile_error;

/// A playbook that was read and checked. Cheap to clone; holds no connection and no run.
#[derive(Clone)]
pub struct Playbook {
    header: Arc<Header>,
    digest: String,
    program: Arc<Program>,
}

/// A version of a playbook by itself: its script and everything that this imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// What messages call the script.
    pub name: String,
    /// The script.
    pub text: String,
    /// The texts of the imports, by the paths that the imports name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, String>,
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

    /// Runs the playbook from its top and gives what `run` returned. Blocks until it is done, failed or
    /// stopped; [`StopReason::Suspended`] means that it waits, and is to be run again when it can go on.
    /// When it ends without a result and the performer says so ([`Performer::unwind`]), what it
    /// registered is taken back before.
    ///
    /// [`StopReason::Suspended`]: crate::step::StopReason::Suspended
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
        execution::run(&self.program, input, &run)
    }

    /// Everything that the playbook consists of: what a run must keep of the version that it started
    /// with.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        Bundle {
            name: self.program.source.name.clone(),
            text: self.program.source.text.clone(),
            imports: self.program.imports.texts(),
        }
    }

    /// The playbook of a bundle: the same digest, and the same names of places.
    ///
    /// # Errors
    /// Everything that is wrong with it. Another version of Cordon may see that otherwise than the one
    /// that made the bundle.
    pub fn from_bundle(bundle: &Bundle) -> Result<Self, PlaybookError> {
        let library = Library::texts(bundle.imports.clone());
        Self::compile(&bundle.name, &bundle.text, &library)
    }
}

impl Program {
    /// The script of this name, among the playbook and its imports.
    pub fn source_named(&self, name: &str) -> &Arc<Source> {
        self.imports.source(name).unwrap_or(&self.source)
    }

    /// The innermost place that an error knows.
    pub fn place_of(&self, error: &EvalAltResult) -> Option<Place> {
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
