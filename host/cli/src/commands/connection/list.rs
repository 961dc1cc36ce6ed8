//! `cordon connection list`.

use cordon_run::inventory::{Inventory, LinkError};

use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::problem::Problem;

/// Lists the connections. Nothing is sent; whether they work is for `cordon connection test`.
pub async fn run(context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let names = inventory.directory().connection_names()?;
    if names.is_empty() {
        context.screen.note(
            "there are no connections yet; `cordon connection new NAME --connector C` makes one",
        );
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["connection", "connector", "url", "state", "description"]);
    for name in names {
        table.row(row(&inventory, &name));
    }
    context.screen.print(&table.render(context.screen.stdout()));
    Ok(Exit::Done)
}

fn row(inventory: &Inventory, name: &str) -> [String; 5] {
    let file = match inventory.connection_file(name) {
        Ok(file) => file,
        Err(error) => {
            return [
                name.to_owned(),
                String::new(),
                String::new(),
                state(&error),
                String::new(),
            ];
        }
    };
    let urls: Vec<&str> = file
        .urls
        .iter()
        .map(|url| url.as_str().trim_end_matches('/'))
        .collect();
    let state = match inventory.link(name) {
        Ok(_) => "ready".to_owned(),
        Err(error) => state(&error),
    };
    [
        name.to_owned(),
        file.connector.value.clone(),
        urls.join(", "),
        state,
        file.description.clone(),
    ]
}

fn state(error: &LinkError) -> String {
    match error {
        LinkError::Disabled { .. } => "disabled".to_owned(),
        other => format!("not usable: {other}"),
    }
}
