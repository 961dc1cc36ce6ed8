//! The guide says what is so: its examples are read, and its list of functions is the table's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::path::{Path, PathBuf};

use cordon_contract::ConnectorModel;
use cordon_playbook::{Library, Offer, Playbook, functions};
use support::wit;

const BEGIN: &str = "--test guide` -->\n";
const END: &str = "<!-- end of functions -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide() -> String {
    std::fs::read_to_string(root().join("playbooks/README.md")).unwrap()
}

/// The text of every block of Rhai.
fn blocks(text: &str) -> Vec<String> {
    text.split("```rhai\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// KATA's own actions by WIT, and the capabilities that the guide speaks of.
fn kata() -> ConnectorModel {
    let mut model = (*wit::model("kata", &root().join("plugins/kata/wit"))).clone();
    for capability in ["hosts", "isolation", "programs"] {
        let of = wit::model("kata", &root().join("wit/capability"));
        let text = std::fs::read_to_string(root().join(format!("wit/capability/{capability}.wit")))
            .unwrap();
        for mut action in of.actions.iter().cloned() {
            if text.contains(&format!(" {}: func(", action.function)) {
                action.name = format!("{capability}-{}", action.function);
                action.capability = Some(capability.to_owned());
                model.actions.push(action);
            }
        }
        model.capabilities.push(capability.to_owned());
    }
    model
}

/// Reads an example, and checks it against KATA's actions.
fn check(block: &str) -> Result<(), String> {
    let text = match block.contains("const PLAYBOOK") {
        true => block.to_owned(),
        false => format!(
            "const PLAYBOOK = #{{ uses: #{{ edr: \"kata\", edrs: [\"kata\"] }} }};\nfn run(input) {{\nlet edr = connection(\"edr\");\n{block}\n}}"
        ),
    };
    let playbook = Playbook::compile("example.rhai", &text, &Library::none())
        .map_err(|error| error.to_string())?;
    let model = std::sync::Arc::new(kata());
    let offers = playbook
        .header()
        .uses
        .iter()
        .map(|used| {
            (
                used.alias.clone(),
                vec![Offer {
                    name: "kata-1".to_owned(),
                    model: model.clone(),
                }],
            )
        })
        .collect();
    playbook
        .bind(&offers)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[test]
fn every_example_of_the_guide_can_be_read_and_fits_the_connector() {
    let blocks = blocks(&guide());
    assert!(blocks.len() > functions::all().count());
    for block in blocks {
        if let Err(error) = check(&block) {
            panic!("{block}\n{error}");
        }
    }
}

#[test]
fn an_example_with_a_misspelt_action_would_be_found() {
    assert!(check("edr.list_sensor(#{ host: \"a\" })").is_err());
}

#[test]
fn the_guide_lists_every_function_as_the_table_has_it() {
    let guide = guide();
    let (before, rest) = guide.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let help: Vec<String> = functions::all().map(functions::Function::help).collect();
    let wanted = format!("\n{}\n", help.join("\n"));
    if std::env::var_os("CORDON_WRITE_GUIDE").is_some() {
        std::fs::write(
            root().join("playbooks/README.md"),
            format!("{before}{BEGIN}{wanted}{END}{after}"),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        listed, wanted,
        "write it anew as the comment in playbooks/README.md says"
    );
}
