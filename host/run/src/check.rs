//! Checks a playbook against connectors, without any connection: what an author and a reload want to
//! know before anything is configured.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_connector::Connector;
use cordon_contract::ConnectorModel;
use cordon_playbook::header::Use;
use cordon_playbook::{Offer, Playbook, PlaybookError};

/// A playbook in which nothing is wrong that can be known.
#[derive(Debug)]
pub struct Checked {
    /// The aliases that no connector here fits. What the script calls on them is not known.
    pub unknown: Vec<Use>,
}

/// Checks every action and argument of a playbook against every connector that fits its aliases.
///
/// # Errors
/// Everything that is wrong, for the first connectors that it is wrong for.
pub fn against(
    playbook: &Playbook,
    connectors: &BTreeMap<String, Arc<Connector>>,
) -> Result<Checked, PlaybookError> {
    let models: Vec<Arc<ConnectorModel>> = connectors
        .values()
        .map(|connector| Arc::clone(connector.model()))
        .collect();
    check(playbook, &models)
}

fn check(playbook: &Playbook, models: &[Arc<ConnectorModel>]) -> Result<Checked, PlaybookError> {
    let uses = &playbook.header().uses;
    let fitting = |used: &Use| -> Vec<Arc<ConnectorModel>> {
        models
            .iter()
            .filter(|model| used.view_of(model).is_some())
            .cloned()
            .collect()
    };
    let unknown: Vec<Use> = uses
        .iter()
        .filter(|used| fitting(used).is_empty())
        .cloned()
        .collect();
    if !unknown.is_empty() {
        // A playbook is bound as a whole, so nothing of it can be looked at.
        return Ok(Checked { unknown });
    }
    let most = uses
        .iter()
        .map(|used| fitting(used).len())
        .max()
        .unwrap_or(1);
    for round in 0..most {
        let offers = uses.iter().filter_map(|used| {
            let fitting = fitting(used);
            let model = Arc::clone(fitting.get(round).or(fitting.last())?);
            Some((
                used.alias.clone(),
                vec![Offer {
                    name: model.manifest.name.clone(),
                    model,
                }],
            ))
        });
        playbook.bind(&offers.collect())?;
    }
    Ok(Checked { unknown })
}

#[cfg(test)]
mod tests {
    use cordon_contract::manifest::ActionManifest;
    use cordon_contract::{Action, Manifest};
    use cordon_playbook::Library;

    use super::*;

    fn model(name: &str, functions: &[&str]) -> Arc<ConnectorModel> {
        let action = |function: &&str| Action {
            name: format!("isolation-{function}"),
            interface: "cordon:capability/isolation@0.1.0".to_owned(),
            function: (*function).to_owned(),
            capability: Some("isolation".to_owned()),
            parameters: Vec::new(),
            result: None,
            docs: None,
            manifest: ActionManifest::unsaid(format!("isolation-{function}")),
        };
        Arc::new(ConnectorModel {
            manifest: Manifest::unsaid(name),
            digest: String::new(),
            actions: functions.iter().map(action).collect(),
            companions: Vec::new(),
            capabilities: vec!["isolation".to_owned()],
        })
    }

    fn playbook() -> Playbook {
        let script = r#"
            const PLAYBOOK = #{ title: "t", uses: #{ edr: "isolation" } };
            fn run(input) { connection("edr").release(); }
        "#;
        Playbook::compile("t.rhai", script, &Library::none()).unwrap()
    }

    #[test]
    fn a_playbook_is_checked_against_every_connector_that_fits() {
        let whole = || model("a", &["isolate", "release"]);
        assert!(check(&playbook(), &[whole()]).unwrap().unknown.is_empty());
        let error = check(&playbook(), &[whole(), model("b", &["isolate"])]).unwrap_err();
        assert!(error.to_string().contains("release"), "{error}");
    }

    #[test]
    fn an_alias_that_no_connector_fits_is_told() {
        let checked = check(&playbook(), &[]).unwrap();
        assert_eq!(
            checked
                .unknown
                .iter()
                .map(|used| used.alias.as_str())
                .collect::<Vec<_>>(),
            ["edr"]
        );
    }
}
