//! Why a file is not loaded as a connector. One variant for each thing that its author or operator
//! would do something else about.

use std::path::PathBuf;

use super::list;

/// Why a connector was refused. Nothing of it was published, and none of its actions ran.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {problem}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// Larger than `component_size`.
    #[error(
        "`{name}` is larger than {allowed}, the limit `component_size`; if it is meant to be, raise it in `[limits]` of `cordon.toml`"
    )]
    TooLarge {
        /// The file's name.
        name: String,
        /// The limit.
        allowed: String,
    },
    /// Not WebAssembly, or damaged.
    #[error("`{name}` is no WebAssembly component: {problem}")]
    NotComponent {
        /// The file's name.
        name: String,
        /// What it is instead, and what to do.
        problem: String,
    },
    /// A component, but not one that keeps the contract's `lifecycle`.
    #[error("`{name}` is a component but no connector: {problem}")]
    NotConnector {
        /// The file's name.
        name: String,
        /// What is missing or misshaped.
        problem: String,
    },
    /// Imports that nobody gives.
    #[error(
        "`{name}` imports what Cordon does not give: {}; a connector reaches the world through `cordon:connector` 0.1 and WASI 0.2 without files, network and HTTP only",
        imports.join(", ")
    )]
    Imports {
        /// The file's name.
        name: String,
        /// All of them.
        imports: Vec<String>,
    },
    /// An exported function that cannot be an action.
    #[error("`{name}` exports `{function}`, which cannot be an action: {problem}")]
    Action {
        /// The file's name.
        name: String,
        /// The function with its interface.
        function: String,
        /// Why, and what to do.
        problem: String,
    },
    /// A capability that is not exported as it is defined.
    #[error(
        "`{name}` exports the capability `{capability}`, but {problem}; a capability is exported whole or not at all"
    )]
    Capability {
        /// The file's name.
        name: String,
        /// Which.
        capability: String,
        /// What is missing or misshaped.
        problem: String,
    },
    /// The manifest contradicts itself or the exports.
    #[error("the manifest of `{name}` is wrong:{}", list(problems))]
    Manifest {
        /// The file's name.
        name: String,
        /// Every problem.
        problems: Vec<String>,
    },
    /// It does not compile, or does not start.
    #[error("`{name}` cannot be made ready: {problem}")]
    Compile {
        /// The file's name.
        name: String,
        /// What wasmtime says.
        problem: String,
    },
    /// `describe` did not answer.
    #[error("`{name}` does not say what it is: its `lifecycle.describe` failed: {problem}")]
    Describe {
        /// The file's name.
        name: String,
        /// What happened.
        problem: String,
    },
    /// Another connector has that name already.
    #[error("`{name}` calls itself `{connector}`, and so does `{other}`; remove one of the two")]
    NameTaken {
        /// The file's name.
        name: String,
        /// The name in both manifests.
        connector: String,
        /// The other file.
        other: String,
    },
}

impl LoadError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::TooLarge { .. } => "connector.file",
            Self::NotComponent { .. } => "connector.no-component",
            Self::NotConnector { .. } => "connector.contract",
            Self::Imports { .. } => "connector.imports",
            Self::Action { .. } => "connector.action",
            Self::Capability { .. } => "connector.capability",
            Self::Manifest { .. } => "connector.manifest",
            Self::Compile { .. } | Self::Describe { .. } => "connector.start",
            Self::NameTaken { .. } => "connector.name-taken",
        }
    }
}
