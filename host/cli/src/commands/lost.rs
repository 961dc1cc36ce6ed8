//! What is said when a write was sent and its answer did not come: what, to whom, that it may have
//! happened, and how to find out.

use cordon_contract::value::Map;
use cordon_contract::{Action, ConnectorModel, Effect, Failure, Type, Value, name};
use cordon_journal::RunId;
use cordon_run::client::short;
use cordon_run::live::Link;
use cordon_run::report::InDoubt;

use crate::exit::Exit;
use crate::output::value;
use crate::problem::Problem;

/// The problem of a lost write, with what is known of its connection, and of the run that stands still
/// for it.
pub fn problem(doubt: &InDoubt, link: Option<&Link>, run: Option<RunId>) -> Problem {
    let urls = link.map(|link| link.connection.bases()).unwrap_or_default();
    let model = link.map(|link| &**link.connector.model());
    let scrub = |text: String| match link {
        // A secret that was typed as an argument is a secret still.
        Some(link) => link.connection.scrub(&text),
        None => text,
    };
    let problem = describe(&doubt.failure, &doubt.arguments, urls, model, scrub);
    match run {
        Some(run) => problem.hint(format!(
            "then say so: `cordon runs resolve {} {} --done`, `--not-done`, or `--abort` where nobody will know",
            short(run),
            doubt.step,
        )),
        None => problem,
    }
}

fn describe(
    failure: &Failure,
    arguments: &Map,
    urls: &[String],
    model: Option<&ConnectorModel>,
    scrub: impl Fn(String) -> String,
) -> Problem {
    let action = format!("{}.{}", failure.connection, name::snake(&failure.action));
    let whole = Problem::new(
        Exit::LostWrite,
        format!(
            "the answer to `{action}` was lost: it was sent{} and may have happened\n{}",
            to(urls),
            failure.message,
        ),
    )
    .code("run.in-doubt");
    let sent = scrub(value::arguments(arguments));
    let whole = if sent.is_empty() {
        whole
    } else {
        whole.hint(format!("sent with {sent}"))
    };
    let looks: Vec<String> = model
        .map(|model| looks(model, &failure.action, arguments))
        .unwrap_or_default()
        .iter()
        .map(|look| scrub(format!("`cordon call {} {look}`", failure.connection)))
        .collect();
    match looks.as_slice() {
        [] => whole.hint("look into the product whether it happened before you try again"),
        looks => whole.hint(format!(
            "find out by {}; do not try again before you know",
            looks.join(" or ")
        )),
    }
}

/// ` to https://…`, where that is known.
fn to(urls: &[String]) -> String {
    match urls {
        [] => String::new(),
        urls => format!(" to {}", urls.join(" or ")),
    }
}

/// How many ways to find out are named.
const LOOKS_MAX: usize = 2;

/// Reads of the same connector that can be called with some of the same arguments. Those whose name is
/// akin to the lost action's are about the same thing; only where there is none, others are named.
fn looks(model: &ConnectorModel, lost: &str, arguments: &Map) -> Vec<String> {
    let reads = model.actions.iter().filter(|action| {
        action.manifest.worst_effect() == Effect::Read && !name::same(&action.name, lost)
    });
    let mut found: Vec<(bool, usize, String)> = reads
        .filter_map(|action| Some((shared(action, arguments)?, action)))
        .map(|(shared, action)| {
            let look = format!("{} {}", action.script_name(), shared.join(" "));
            (akin(&action.name, lost), shared.len(), look)
        })
        .collect();
    found.sort_by_key(|(akin, shared, _)| std::cmp::Reverse((*akin, *shared)));
    let best = found.first().is_some_and(|(akin, ..)| *akin);
    found
        .into_iter()
        .filter(|(akin, ..)| *akin == best)
        .map(|(.., look)| look)
        .take(LOOKS_MAX)
        .collect()
}

/// Whether two names have words that begin alike: `get-isolation` and `isolate`.
fn akin(left: &str, right: &str) -> bool {
    const STEM: usize = 5;
    let stems = |name: &str| -> Vec<String> {
        name::snake(name)
            .split('_')
            .filter_map(|word| word.get(..STEM).map(str::to_owned))
            .collect()
    };
    let right = stems(right);
    stems(left).iter().any(|stem| right.contains(stem))
}

/// The arguments of the lost write that this read takes too, as they are typed; none where there is
/// none, or where it needs more.
fn shared(action: &Action, arguments: &Map) -> Option<Vec<String>> {
    let mut shared = Vec::new();
    for parameter in &action.parameters {
        let value = arguments
            .iter()
            .find(|(own, _)| name::same(own, &parameter.name))
            .map(|(_, value)| value);
        match value {
            Some(value @ (Value::Text(_) | Value::Integer(_))) => {
                shared.push(format!(
                    "{}={}",
                    name::snake(&parameter.name),
                    typed(&value::short(value))
                ));
            }
            _ if matches!(parameter.r#type, Type::Option(_)) => {}
            _ => return None,
        }
    }
    (!shared.is_empty()).then_some(shared)
}

/// Text as it is typed into a shell.
fn typed(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:/@%+,".contains(c));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cordon_contract::manifest::ActionManifest;
    use cordon_contract::{ErrorKind, Manifest, Parameter};

    use super::*;
    use crate::output::Look;

    fn action(name: &str, effect: Effect, parameters: &[(&str, bool)]) -> Action {
        let parameter = |(name, required): &(&str, bool)| Parameter {
            name: (*name).to_owned(),
            r#type: if *required {
                Type::Text
            } else {
                Type::Option(Arc::new(Type::Text))
            },
            docs: None,
        };
        Action {
            name: name.to_owned(),
            interface: "acme:product/all@0.1.0".to_owned(),
            function: name.to_owned(),
            capability: None,
            parameters: parameters.iter().map(parameter).collect(),
            result: None,
            docs: None,
            manifest: ActionManifest {
                effect,
                ..ActionManifest::unsaid(name)
            },
        }
    }

    fn model() -> ConnectorModel {
        let manifest = Manifest {
            title: "Acme".to_owned(),
            vendor: "Acme".to_owned(),
            version: "1.0.0".to_owned(),
            ..Manifest::unsaid("acme")
        };
        let actions = vec![
            action("get-rule", Effect::Read, &[("rule-id", true)]),
            action(
                "isolate",
                Effect::Reversible,
                &[("sensor-id", true), ("reason", false)],
            ),
            action(
                "isolation-state",
                Effect::Read,
                &[("sensor-id", true), ("reason", false)],
            ),
            action(
                "list-sensors",
                Effect::Read,
                &[("host", false), ("sensor-id", false)],
            ),
            action("wipe", Effect::Destructive, &[("sensor-id", true)]),
        ];
        ConnectorModel {
            manifest,
            digest: String::new(),
            actions,
            companions: Vec::new(),
            capabilities: Vec::new(),
        }
    }

    #[test]
    fn a_lost_write_says_what_was_sent_where_and_how_to_find_out() {
        let failure = Failure::new(ErrorKind::Timeout, "no answer in 30s").of("edr", "isolate");
        let arguments = Map::from([
            ("sensor_id".to_owned(), Value::text("a b")),
            ("reason".to_owned(), Value::text("it's bad")),
        ]);
        let urls = ["https://acme.example".to_owned()];
        let problem = describe(&failure, &arguments, &urls, Some(&model()), |text| text);
        assert_eq!(problem.exit(), Exit::LostWrite);
        insta::assert_snapshot!(problem.render(Look::PLAIN), @r"
        error: the answer to `edr.isolate` was lost: it was sent to https://acme.example and may have happened
        | no answer in 30s
        help: sent with reason=it's bad, sensor_id=a b
              find out by `cordon call edr isolation_state sensor_id='a b' reason='it'\''s bad'`; do not try again before you know
              `cordon explain run.in-doubt` says more
        ");
    }
}
