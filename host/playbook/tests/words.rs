//! Names: every word that Rhai reserves without using it is an ordinary name, and every word that it
//! uses gets a message that says how to write it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use cordon_contract::manifest::Effect;
use cordon_contract::{Value, name};
use cordon_playbook::words::ORDINARY;
use cordon_playbook::{Limits, Offer};
use support::{World, action, compile, connector, json, run, run_in};

#[test]
fn every_unused_reserved_word_is_an_argument_a_field_an_input_and_a_variable() {
    for word in ORDINARY {
        let world = World::new(|_, _, arguments| Ok(Value::Map(arguments.clone())));
        let body = format!(
            "let r = connection(\"edr\").odd(#{{ {word}: \"a\" }}); let {word} = r.{word}; {word}"
        );
        assert_eq!(run_in(world, &body).0, Ok(Value::text("a")), "{word}");
        let text = format!(
            "const PLAYBOOK = #{{ inputs: #{{ {word}: \"string\" }} }}; fn run(input) {{ input.{word} }}"
        );
        compile(&text).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_word_of_the_language_as_a_name_gets_help_and_works_in_quotes() {
    for word in name::OF_THE_LANGUAGE {
        let quoted = format!("let m = #{{ \"{word}\": 1 }}; m[\"{word}\"]");
        assert_eq!(run(&quoted), Ok(json("1")), "{word}");
        for body in [
            format!("#{{ {word}: 1 }}"),
            format!("let m = #{{ \"{word}\": 1 }}; m.{word}"),
        ] {
            match compile(&support::script(&format!("fn run(input) {{ {body} }}"))) {
                Ok(_) => assert!(run(&body).is_ok(), "{body}"),
                Err(error) => {
                    let expected =
                        format!("`{word}` is a word of the language and cannot be a name here");
                    assert_eq!(error.problems[0].kind.to_string(), expected, "{body}");
                    assert!(error.problems[0].help.is_some(), "{body}");
                }
            }
        }
    }
}

/// What the connector loader must refuse, and nothing that it need not.
#[test]
fn every_name_but_the_languages_own_can_be_an_action() {
    let of_rhai = [
        "push", "len", "filter", "map", "find", "get", "keys", "values", "contains", "sort", "abs",
        "take", "tag", "split", "replace", "exit",
    ];
    let ours = cordon_playbook::functions::all().map(|function| function.name);
    let names: Vec<&str> = of_rhai
        .into_iter()
        .chain(ours)
        .chain(ORDINARY.iter().copied())
        .chain(["list_sensors"])
        .collect();
    let actions = names
        .iter()
        .map(|called| action(&name::kebab(called), vec![], None, Effect::Read))
        .collect();
    let model = connector("any", actions, &[]);
    for called in names {
        assert!(name::can_be_an_action(called), "{called}");
        let text = format!(
            "const PLAYBOOK = #{{ uses: #{{ c: \"any\" }} }}; fn run(input) {{ let c = connection(\"c\"); c.{called}(); c.{called}(#{{}}) }}"
        );
        let playbook = compile(&text).unwrap_or_else(|error| panic!("{called}: {error}"));
        let offer = Offer {
            name: "any-1".to_owned(),
            model: model.clone(),
        };
        let bindings = playbook
            .bind(&[("c".to_owned(), vec![offer])].into())
            .unwrap_or_else(|error| panic!("{called}: {error}"));
        let world = std::sync::Arc::new(World::silent());
        playbook
            .run(
                &Default::default(),
                &std::sync::Arc::new(bindings),
                world.clone(),
                &Limits::default(),
            )
            .unwrap_or_else(|error| panic!("{called}: {error}"));
        assert_eq!(world.calls(), 2, "{called}");
    }
}

#[test]
fn no_name_of_the_language_reaches_an_action() {
    for taken in name::OF_THE_LANGUAGE {
        let model = connector(
            "any",
            vec![action(&name::kebab(taken), vec![], None, Effect::Read)],
            &[],
        );
        let text = format!(
            "const PLAYBOOK = #{{ uses: #{{ c: \"any\" }} }}; fn run(input) {{ let c = connection(\"c\"); c.{taken}(); c.{taken}(#{{}}) }}"
        );
        let Ok(playbook) = compile(&text) else {
            continue;
        };
        let offer = Offer {
            name: "any-1".to_owned(),
            model,
        };
        let Ok(bindings) = playbook.bind(&[("c".to_owned(), vec![offer])].into()) else {
            continue;
        };
        let world = std::sync::Arc::new(World::silent());
        let _ = playbook.run(
            &Default::default(),
            &std::sync::Arc::new(bindings),
            world.clone(),
            &Limits::default(),
        );
        assert_ne!(world.calls(), 2, "{taken} could be an action after all");
    }
}
