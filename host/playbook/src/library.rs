//! Imports: playbooks share functions through files in the same folder, and through no others.
//!
//! Everything that a playbook imports is read, compiled and checked when the playbook is loaded, so
//! that a run touches no file and the digest covers all of its code.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rhai::{
    AST, ASTNode, Engine, EvalAltResult, Expr, Module, ModuleResolver, Position, Scope, Shared,
    Stmt,
};

use crate::limits::SCRIPT_SIZE_MAX;
use crate::place::{Place, Source};
use crate::problem::{Problem, ProblemKind};
use crate::syntax::compile_error;

/// Where imports are looked up.
#[derive(Debug, Clone, Default)]
pub struct Library(Where);

#[derive(Debug, Clone, Default)]
enum Where {
    #[default]
    Nowhere,
    Folder(PathBuf),
    Texts(BTreeMap<String, String>),
}

impl Library {
    /// Nothing can be imported.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Files below this folder: `import "lib/hosts" as hosts;` reads `lib/hosts.rhai` in it.
    #[must_use]
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self(Where::Folder(folder.into()))
    }

    /// These texts, by the paths that imports name.
    #[must_use]
    pub fn texts(texts: BTreeMap<String, String>) -> Self {
        Self(Where::Texts(texts))
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let folder = match &self.0 {
            Where::Nowhere => {
                return Err(format!(
                    "of \"{path}\": this script has no folder to import from"
                ));
            }
            Where::Folder(folder) => folder,
            Where::Texts(texts) => {
                let text = texts.get(path).cloned();
                return text.ok_or_else(|| format!("of \"{path}\": it is not in the bundle"));
            }
        };
        let relative = Path::new(path);
        if path.is_empty()
            || path.contains('\\')
            || !relative
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(format!(
                "of \"{path}\" leaves the playbooks' folder; write a path like \"lib/hosts\""
            ));
        }
        let file = folder.join(format!("{path}.rhai"));
        let outside = || format!("of \"{path}\" leaves the playbooks' folder through a link");
        let unreadable = |error: std::io::Error| {
            format!("of \"{path}\": cannot read `{}`: {error}", file.display())
        };
        let real = file.canonicalize().map_err(unreadable)?;
        if !real.starts_with(folder.canonicalize().map_err(unreadable)?) {
            return Err(outside());
        }
        read_script(&real).map_err(|problem| format!("of \"{path}\": {}", problem.kind))
    }
}

/// The text of a script file of a sensible size.
pub(crate) fn read_script(path: &Path) -> Result<String, Problem> {
    let unreadable = |reason: String| {
        Problem::new(ProblemKind::Unreadable {
            path: path.to_owned(),
            reason,
        })
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no file".to_owned()));
    }
    if metadata.len() > SCRIPT_SIZE_MAX as u64 {
        let name = path.display().to_string();
        return Err(Problem::new(ProblemKind::TooLarge {
            name,
            size: metadata.len(),
            max: SCRIPT_SIZE_MAX,
        }));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}

/// What a playbook imports, compiled: by the path that the import names.
#[derive(Default)]
pub(crate) struct Imports(BTreeMap<String, (AST, Arc<Source>)>);

impl Imports {
    /// Reads and compiles everything that the script imports, and what that imports.
    pub fn collect(
        engine: &Engine,
        library: &Library,
        ast: &AST,
        source: &Arc<Source>,
    ) -> Result<Self, Vec<Problem>> {
        let mut imports = Self::default();
        let mut problems = Vec::new();
        imports.add(engine, library, ast, source, &mut Vec::new(), &mut problems);
        if problems.is_empty() {
            Ok(imports)
        } else {
            Err(problems)
        }
    }

    fn add(
        &mut self,
        engine: &Engine,
        library: &Library,
        ast: &AST,
        source: &Arc<Source>,
        around: &mut Vec<String>,
        problems: &mut Vec<Problem>,
    ) {
        for (path, position) in imported(ast) {
            let mut problem = |message: String| {
                problems.push(
                    Problem::new(ProblemKind::Import { message }).at(Place::at(source, position)),
                );
            };
            let Some(path) = path else {
                problem("must name its file as plain text: what a playbook consists of is known before it runs".to_owned());
                continue;
            };
            if around.contains(&path) {
                problem(format!("of \"{path}\" leads back to itself"));
                continue;
            }
            if self.0.contains_key(&path) {
                continue;
            }
            let text = match library.read(&path) {
                Ok(text) => text,
                Err(message) => {
                    problem(message);
                    continue;
                }
            };
            let source = Arc::new(Source {
                name: format!("{path}.rhai"),
                text,
            });
            match engine.compile(&source.text) {
                Ok(mut ast) => {
                    ast.set_source(source.name.as_str());
                    around.push(path.clone());
                    self.add(engine, library, &ast, &source, around, problems);
                    around.pop();
                    self.0.insert(path, (ast, source));
                }
                Err(error) => problems.push(compile_error(&error, &source)),
            }
        }
    }

    /// All imported scripts.
    pub fn scripts(&self) -> impl Iterator<Item = (&AST, &Arc<Source>)> {
        self.0.values().map(|(ast, source)| (ast, source))
    }

    /// The texts of all imported scripts, by the path that the import names.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let text = |(path, (_, source)): (&String, &(AST, Arc<Source>))| {
            (path.clone(), source.text.clone())
        };
        self.0.iter().map(text).collect()
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.0
            .values()
            .map(|(_, source)| source)
            .find(|source| source.name == name)
    }
}

/// What the script imports; no path where it is computed.
fn imported(ast: &AST) -> Vec<(Option<String>, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = nodes.last() {
            let path = match &import.0 {
                Expr::StringConstant(path, _) => Some(path.to_string()),
                _ => None,
            };
            let at = if import.0.position().is_none() {
                *position
            } else {
                import.0.position()
            };
            found.push((path, at));
        }
        true
    });
    found
}

/// Gives a run the modules that its playbook imports.
pub(crate) struct Resolver(pub Arc<crate::playbook::Program>);

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        _: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let (ast, _) = self
            .0
            .imports
            .0
            .get(path)
            .ok_or_else(|| EvalAltResult::ErrorModuleNotFound(path.to_owned(), position))?;
        Module::eval_ast_as_new(Scope::new(), ast, engine)
            .map(Shared::new)
            .map_err(|error| {
                Box::new(EvalAltResult::ErrorInModule(
                    path.to_owned(),
                    error,
                    position,
                ))
            })
    }
}
