//! `cordon-lab`: the simulated products as a program.

mod ask;
mod up;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use cordon_lab::estate::SCALE_MAX;
use cordon_lab::frame::{ServerForm, Speed};
use tracing_subscriber::EnvFilter;

/// Simulated products for trying and testing Cordon without the real ones.
#[derive(Debug, Parser)]
#[command(name = "cordon-lab", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the lab in a folder, on free ports of 127.0.0.1, until Ctrl-C.
    ///
    /// Writes `DIR/lab.json` (where everything is) and `DIR/automation` (a ready automation
    /// directory), then prints one line. Started again in the same folder it keeps certificates and
    /// whatever you changed; the simulated products begin anew.
    Up(UpArguments),
    /// Show hosts with their true isolation state, rules, tasks and the latest requests.
    Show {
        /// The folder of a running lab.
        dir: PathBuf,
    },
    /// Accept the external systems that wait for approval, as the administrator would.
    Accept {
        /// The folder of a running lab.
        dir: PathBuf,
    },
    /// Move the lab's clock forward.
    Advance {
        /// The folder of a running lab.
        dir: PathBuf,
        /// How far: `90s`, `2h`, `1h 30m`.
        by: String,
    },
}

#[derive(Debug, clap::Args)]
struct UpArguments {
    /// The folder; made when it is not there.
    dir: PathBuf,
    /// Copy the connectors (`*.wasm`) of this folder; by default those of `connectors/` beside
    /// this program.
    #[arg(long, value_name = "DIR")]
    connectors: Option<PathBuf>,
    /// Copy the playbooks (`*.rhai`) of this folder; by default those of `playbooks/` beside this
    /// program.
    #[arg(long, value_name = "DIR")]
    playbooks: Option<PathBuf>,
    /// Whether the administrator has accepted the connection's certificate beforehand.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    accept: bool,
    /// Make a new server certificate of this form; by default the one of the last time is kept.
    #[arg(long, value_name = "FORM")]
    certificate: Option<Form>,
    /// Serve plain HTTP, for looking at the traffic: callers name their certificate's SHA-256 in
    /// the header `x-client-certificate-sha256`.
    #[arg(long, conflicts_with = "certificate")]
    plain_http: bool,
    /// Start only these products, as `NAME,NAME`; by default all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',',
          value_parser = clap::builder::PossibleValuesParser::new(cordon_lab::PRODUCTS))]
    only: Vec<String>,
    /// Let the lab's clock run this many times as fast as real time.
    #[arg(long, value_name = "TIMES", default_value = "1")]
    speed: Speed,
    /// Add this many computers to the six that every lab has.
    #[arg(long, value_name = "COUNT", default_value_t = 0,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=SCALE_MAX as u64))]
    scale: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// A leaf with the names `localhost` and `127.0.0.1`.
    Plain,
    /// The same, marked CA:TRUE.
    Authority,
    /// A leaf whose only name is the common name.
    NoNames,
    /// A leaf that ran out in 2021.
    Expired,
}

impl From<Form> for ServerForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Plain => Self::Plain,
            Form::Authority => Self::Authority,
            Form::NoNames => Self::NoNames,
            Form::Expired => Self::Expired,
        }
    }
}

/// Which log lines go to standard error; warnings by default.
const LOG_VARIABLE: &str = "CORDON_LAB_LOG";

#[tokio::main]
async fn main() -> miette::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match arguments.command {
        Command::Up(arguments) => up::run(arguments).await?,
        Command::Show { dir } => ask::show(&dir).await?,
        Command::Accept { dir } => ask::accept(&dir).await?,
        Command::Advance { dir, by } => ask::advance(&dir, &by).await?,
    }
    Ok(())
}
