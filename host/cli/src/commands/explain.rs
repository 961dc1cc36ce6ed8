//! `cordon explain`: the pages behind the codes of messages.

use cordon_contract::codes::Code;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::{Tone, markdown};
use crate::problem::{self, Problem};

/// Explain the code of a message: what happened, the likely cause, what to do
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon explain connection.tls
  cordon explain                     all codes")]
pub struct Arguments {
    /// A code as it stands below a message; without one, all codes are listed
    code: Option<String>,
}

/// Every code of every crate.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    cordon_contract::codes::CODES
        .iter()
        .chain(cordon_connection::CODES)
        .chain(cordon_connector::CODES)
        .chain(cordon_playbook::CODES)
        .chain(cordon_journal::CODES)
        .chain(cordon_run::CODES)
        .chain(problem::CODES)
}

/// Prints the page, or the list of pages.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let look = context.screen.stdout();
    let Some(wanted) = &arguments.code else {
        let mut table = Table::new(["code", "what it is about"]);
        let mut all: Vec<&Code> = codes().collect();
        all.sort_by_key(|code| code.code);
        for code in all {
            table.row([code.code, code.title()]);
        }
        context.screen.print(&table.render(look));
        return Ok(Exit::Done);
    };
    match codes().find(|code| code.code == wanted.trim()) {
        Some(code) => {
            let name = look.paint(Tone::Faint, code.code);
            context
                .screen
                .print(&format!("{name}\n{}", markdown::render(code.page, look)));
            Ok(Exit::Done)
        }
        None => Err(Problem::usage(format!("there is no code `{wanted}`"))
            .nearest(wanted, codes().map(|code| code.code))
            .hint("`cordon explain` lists all codes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once_and_its_page_has_a_title_and_a_body() {
        let mut seen = std::collections::BTreeSet::new();
        for code in codes() {
            assert!(seen.insert(code.code), "{} is there twice", code.code);
            assert!(
                code.page.starts_with("# ") && !code.title().is_empty(),
                "{}",
                code.code
            );
            assert!(
                code.page.trim().lines().count() >= 3,
                "the page of {} says nothing",
                code.code
            );
        }
        assert!(!seen.is_empty());
    }
}
