//! `cordon-lab up`: start, say so, wait to be stopped.

use std::io::Write;
use std::path::{Path, PathBuf};

use cordon_lab::directory::{DirectoryError, LabDirectory, Sources};
use cordon_lab::frame::Clock;
use cordon_lab::{Lab, Options, StartError, kata};

use crate::UpArguments;

/// Why the lab did not come up.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum UpError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot watch for signals: {0}")]
    Signals(#[source] std::io::Error),
}

pub(crate) async fn run(arguments: UpArguments) -> Result<(), UpError> {
    let directory = LabDirectory::open(&arguments.dir)?;
    let certificate = if arguments.plain_http {
        None
    } else {
        let form = arguments.certificate.map(Into::into);
        Some(directory.server_certificate(form)?)
    };
    let lab = Lab::start(Options {
        clock: Clock::at(arguments.speed),
        certificate,
        only: arguments.only,
        scale: arguments.scale,
        kata: kata::Options {
            credentials: kata::Credentials {
                external_system_id: kata::EXTERNAL_SYSTEM_ID.to_owned(),
                certificate: directory.client_certificate(kata::NAME)?,
            },
            accepted: arguments.accept,
            switches: kata::Switches::default(),
        },
    })
    .await?;
    let sources = Sources {
        connectors: arguments.connectors.or_else(|| beside("connectors")),
        playbooks: arguments.playbooks.or_else(|| beside("playbooks")),
    };
    if sources.connectors.is_none() {
        tracing::warn!("no connectors were copied: give their folder with `--connectors`");
    }
    let stop = stop_signal().map_err(UpError::Signals)?;
    let summary = directory.write(&lab, &sources)?;
    announce(&summary, &lab);
    stop.await;
    Ok(())
}

/// A folder of what is shipped, when this program is part of a distribution.
fn beside(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.join(name);
    folder.is_dir().then_some(folder)
}

fn announce(summary: &Path, lab: &Lab) {
    let products = lab.simulators().iter();
    let products: Vec<String> = products
        .map(|one| format!("{} {}", one.product.name(), one.url))
        .collect();
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; the lab serves all the same.
    let _ = writeln!(
        out,
        "lab ready: {} ({}, control {})",
        summary.display(),
        products.join(", "),
        lab.control_url()
    );
    let _ = out.flush();
}

/// Ends with the first signal that asks the lab to stop; signals count from this call on.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
