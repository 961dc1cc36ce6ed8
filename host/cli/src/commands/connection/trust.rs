//! `cordon connection trust`: looks at the certificate that the server presents, and pins it after a
//! yes.

use cordon_connection::trust::{PresentedCertificate, TrustError, presented, write_pin};
use cordon_connection::{ConnectionFile, Limits};

use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Tone, certificate};
use crate::problem::{Problem, directory::wrong_file};

/// Show the certificate that the server presents, and pin it after a yes
///
/// A pinned connection trusts exactly that certificate and no other, whatever name and issuer it
/// has. Compare the fingerprint with what the product's own console shows before you say yes: whoever
/// stands between you and the product can present any certificate.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon connection trust kata
  cordon connection trust kata --yes              for scripts: pins whatever is presented now")]
pub struct Arguments {
    /// The name of a connection: see `cordon connection list`
    name: String,

    /// Do not ask: pin what is presented
    #[arg(long)]
    yes: bool,
}

/// Shows and pins.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let file = inventory.connection_file(&arguments.name)?;
    let certificate = look(&file, context).await?;
    let pinned: Option<String> = file
        .tls
        .pin_sha256
        .map(|pin| pin.iter().map(|byte| format!("{byte:02x}")).collect());
    if pinned.as_deref() == Some(certificate.info.sha256.as_str()) {
        context.screen.print("This certificate is pinned already.");
        return Ok(Exit::Done);
    }
    if let Some(pinned) = pinned {
        let warning = format!(
            "another certificate is pinned: SHA-256 {}\nIt may have been renewed. Or somebody stands in between: \
             compare with the product's own console.",
            certificate::fingerprint(&pinned)
        );
        context
            .screen
            .note(&context.screen.stderr().paint(Tone::Careful, &warning));
    }
    if !arguments.yes {
        match context
            .screen
            .ask("Is this the certificate of your product, and shall it be pinned?")
        {
            Some(true) => {}
            Some(false) => {
                context.screen.note("nothing was pinned");
                return Ok(Exit::Failed);
            }
            None => {
                return Err(
                    Problem::usage("nobody is there to say yes, so nothing was pinned")
                        .hint("compare the fingerprint, then run it again with `--yes`"),
                );
            }
        }
    }
    write_pin(&file.path, &certificate.info.sha256).map_err(|error| problem(&error))?;
    context.screen.print(&format!(
        "pinned in {}\nnext: `cordon connection test {}`",
        file.path.display(),
        arguments.name
    ));
    Ok(Exit::Done)
}

/// The one certificate that all of the connection's servers present.
async fn look(file: &ConnectionFile, context: &Context) -> Result<PresentedCertificate, Problem> {
    let timeout = file.limits.connect_timeout_ms.map_or(
        Limits::default().connect_timeout,
        std::time::Duration::from_millis,
    );
    let mut seen: Option<PresentedCertificate> = None;
    for url in &file.urls {
        let found = presented(url, &file.network, timeout)
            .await
            .map_err(|error| problem(&error))?;
        let look = context.screen.stdout();
        let title = look.paint(Tone::Strong, &format!("{url} presents"));
        context.screen.print(&format!(
            "{title}\n{}\n",
            certificate::block(&found.info, certificate::now(), look)
        ));
        match &seen {
            Some(first) if first.info.sha256 != found.info.sha256 => {
                return Err(Problem::new(
                    Exit::Connection,
                    "the servers present different certificates, and one pin holds for all",
                )
                .hint("put the certificates into one file and name it by `ca` under `[tls]`"));
            }
            _ => seen = Some(found),
        }
    }
    seen.ok_or_else(|| Problem::new(Exit::Connection, "the connection names no URL"))
}

fn problem(error: &TrustError) -> Problem {
    match error {
        TrustError::File(error) => wrong_file(error),
        other => Problem::new(Exit::Connection, other.to_string()).code(other.code()),
    }
}
