//! The header: what it declares, how inputs are converted, what is said when it is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::collections::BTreeMap;

use cordon_contract::{SecretReference, Value};
use cordon_playbook::{Concurrency, Given, Header, InputError, Offer, OnConflict, Playbook};
use support::{compile, json, kata};

fn header(map: &str) -> Header {
    playbook(map).header().clone()
}

fn playbook(map: &str) -> Playbook {
    compile(&format!(
        "const PLAYBOOK = {map};\nfn run(input) {{ input }}"
    ))
    .unwrap_or_else(|error| panic!("{error}"))
}

fn wrong(map: &str) -> String {
    compile(&format!("const PLAYBOOK = {map};\nfn run(input) {{ 1 }}"))
        .unwrap_err()
        .to_string()
}

fn text(pairs: &[(&str, &str)]) -> BTreeMap<String, Given> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Given::Text((*value).to_owned())))
        .collect()
}

const ALL: &str = "#{ title: \"All\", inputs: #{
    host: \"string\",
    count: #{ type: \"integer\", default: 3 },
    ratio: #{ type: \"number\", default: 1 },
    really: #{ type: \"boolean\", default: false },
    time: #{ type: \"duration\", default: \"120m\", help: \"how long\" },
    room: #{ type: \"size\", required: false },
    since: #{ type: \"timestamp\", required: false },
    hosts: #{ type: \"list of string\", default: [] },
    options: #{ type: \"map\", default: #{ default: 1, match: 2 } },
    password: #{ type: \"secret\", required: false },
    mode: #{ type: \"choice\", choices: [\"soft\", \"hard\"], default: \"soft\" },
    ports: #{ type: \"list of integer\", default: [] },
} }";

#[test]
fn a_header_is_read_without_running_anything() {
    let text = "//! Isolate a host.\n//!\n//! And say so.\nconst PLAYBOOK = #{ title: \"Contain\", uses: #{ edr: \"kata\", edrs: [\"hosts + isolation\"] } };\nfn run(input) { 1 }";
    let playbook = compile(text).unwrap();
    let header = playbook.header();
    assert_eq!(
        (header.title.as_str(), header.description.as_str()),
        ("Contain", "Isolate a host.\n\nAnd say so.")
    );
    let uses: Vec<_> = header
        .uses
        .iter()
        .map(|used| (used.alias.as_str(), used.wants(), used.many))
        .collect();
    assert_eq!(
        uses,
        [
            ("edr", "kata".to_owned(), false),
            ("edrs", "hosts + isolation".to_owned(), true)
        ]
    );
}

#[test]
fn inputs_that_are_not_given_have_their_default() {
    let input = header(ALL)
        .convert_input(&text(&[("host", "ws-17")]))
        .unwrap();
    let expected = json(
        r#"{"host": "ws-17", "count": 3, "ratio": 1.0, "really": false, "time": "2h", "room": null, "since": null,
            "hosts": [], "options": {"default": 1, "match": 2}, "password": null, "mode": "soft", "ports": []}"#,
    );
    assert_eq!(Value::Map(input), expected);
}

#[test]
fn text_of_the_command_line_becomes_what_the_type_says() {
    let given = text(&[
        ("host", "17"),
        ("count", " 4 "),
        ("ratio", "0.5"),
        ("really", "yes"),
        ("time", "90m"),
        ("room", "10000KB"),
        ("since", "2026-03-14T10:00:00+01:00"),
        ("hosts", "a, b"),
        ("options", r#"{"a": [1]}"#),
        ("password", "zip"),
        ("mode", "hard"),
        ("ports", "[80, 443]"),
    ]);
    let input = header(ALL).convert_input(&given).unwrap();
    assert_eq!(
        input["password"],
        Value::Secret(SecretReference::new("zip"))
    );
    let mut rest = input;
    rest.remove("password");
    let expected = json(
        r#"{"host": "17", "count": 4, "ratio": 0.5, "really": true, "time": "1h30m", "room": "10MB",
            "since": "2026-03-14T09:00:00Z", "hosts": ["a", "b"], "options": {"a": [1]}, "mode": "hard", "ports": [80, 443]}"#,
    );
    assert_eq!(Value::Map(rest), expected);
}

#[test]
fn everything_that_is_wrong_with_the_inputs_is_said_at_once() {
    let given = text(&[
        ("hots", "a"),
        ("count", "many"),
        ("mode", "sft"),
        ("ports", "1,x"),
        ("time", "2 hours"),
    ]);
    let errors = header(ALL).convert_input(&given).unwrap_err();
    let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "`hots` is no input of this playbook; did you mean `host`?",
            "the input `host` is missing; it takes string",
            "the input `count`: needs a whole number, got \"many\"",
            "the input `time`: `2 hours` is not a duration; write one like \"90s\", \"2h\" or \"1h30m\"",
            "the input `mode`: \"sft\" is no choice; did you mean \"soft\"?",
            "the input `ports`: [1]: needs a whole number, got \"x\"",
        ]
    );
}

#[test]
fn values_that_have_a_type_are_not_guessed_at() {
    let given = |name: &str, value: &str| [(name.to_owned(), Given::Value(json(value)))].into();
    let header = header(ALL);
    let all_but_host = |name: &str, value: &str| {
        let errors = header.convert_input(&given(name, value)).unwrap_err();
        errors
            .iter()
            .any(|error| matches!(error, InputError::Wrong { name: wrong, .. } if wrong == name))
    };
    assert!(all_but_host("count", "\"3\""));
    assert!(all_but_host("host", "3"));
    assert!(all_but_host("hosts", "\"a,b\""));
    assert!(!all_but_host("count", "3"));
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let header = header("#{ inputs: #{ password: \"secret\" } }");
    let given = [("password".to_owned(), Given::Value(json(r#"["hunter2"]"#)))].into();
    let errors = header.convert_input(&given).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "the input `password`: needs the name of a secret, got a list"
    );
}

#[test]
fn the_script_sees_the_inputs() {
    let playbook = playbook(ALL);
    let input = playbook
        .header()
        .convert_input(&text(&[("host", "a"), ("since", "2026-03-14T09:00:00Z")]))
        .unwrap();
    let bindings = std::sync::Arc::new(playbook.bind(&BTreeMap::new()).unwrap());
    let world = std::sync::Arc::new(support::World::silent());
    let result = playbook
        .run(&input, &bindings, world, &Default::default())
        .unwrap();
    assert_eq!(result, Value::Map(input));
}

#[test]
fn a_wrong_header_says_what_where_and_what_to_write() {
    for (map, message) in [
        (
            "#{ titel: \"x\" }",
            "test.rhai:1:21: `titel` has no meaning in the header; did you mean `title`?",
        ),
        ("#{ title: 3 }", "`title` must be text, not a whole number"),
        (
            "#{ title: `a${1}` }",
            "`title` must be written out; the header is read without running anything",
        ),
        (
            "#{ inputs: #{ a: \"strin\" } }",
            "the input `a`: \"strin\" is no type; did you mean \"string\"?",
        ),
        (
            "#{ inputs: #{ a: #{ type: \"integer\", default: \"x\" } } }",
            "the default of the input `a` is wrong: needs a whole number",
        ),
        (
            "#{ inputs: #{ a: #{ typ: \"integer\" } } }",
            "`typ` has no meaning in the input `a`; did you mean `type`?",
        ),
        (
            "#{ inputs: #{ a: #{ type: \"choice\" } } }",
            "a choice needs its `choices`",
        ),
        (
            "#{ inputs: #{ a: #{ type: \"string\", required: true, default: \"x\" } } }",
            "is required and has a default",
        ),
        (
            "#{ uses: #{ edr: 3 } }",
            "the alias `edr` does not say what it needs; write a connector (`\"kata\"`)",
        ),
        (
            "#{ uses: #{ edr: [] } }",
            "the alias `edr` does not say what it needs",
        ),
        ("#{ uses: \"kata\" }", "`uses` must be a map"),
        ("#{ tags: \"a\" }", "`tags` must be a list of texts"),
        ("#{ tags: [\"\"] }", "`tags` has an empty one"),
        (
            "#{ deadline: \"0s\" }",
            "`deadline` must be more than nothing",
        ),
        ("#{ deadline: \"soon\" }", "`soon` is not a duration"),
        (
            "#{ deadline: 5 }",
            "`deadline` must be a duration such as \"2d\", not a whole number",
        ),
        (
            "#{ dedline: \"1h\" }",
            "`dedline` has no meaning in the header; did you mean `deadline`?",
        ),
        (
            "#{ concurrency: #{ key: \"hots\" }, inputs: #{ host: \"string\" } }",
            "`key` of `concurrency` names `hots`, which is no input; did you mean `host`?",
        ),
        (
            "#{ concurrency: #{ key: [\"a\"] } }",
            "names `a`, which is no input; add it to `inputs`",
        ),
        (
            "#{ concurrency: #{ max: 0 } }",
            "`max` of `concurrency` must be a whole number above 0",
        ),
        (
            "#{ concurrency: #{ on_conflict: \"drop\" } }",
            "`on_conflict` of `concurrency` is \"queue\" or \"skip\"",
        ),
        (
            "#{ concurrency: #{ kee: \"a\" } }",
            "`kee` has no meaning in `concurrency`",
        ),
        ("now()", "the header must be a map"),
    ] {
        let error = wrong(map);
        assert!(error.contains(message), "{map}: {error}");
    }
}

#[test]
fn a_header_says_how_its_runs_are_among_each_other() {
    let plain = header("#{ title: \"a\" }");
    assert_eq!((plain.deadline, plain.concurrency), (None, None));
    let full = header(
        "#{ concurrency: #{ key: \"host\", on_conflict: \"skip\" }, tags: [\"edr\", \"urgent\"], deadline: \"2d\",
            inputs: #{ host: \"string\", case: \"string\" } }",
    );
    assert_eq!(full.tags, ["edr", "urgent"]);
    assert_eq!(
        full.deadline,
        Some(std::time::Duration::from_secs(2 * 86_400))
    );
    let expected = Concurrency {
        key: vec!["host".to_owned()],
        max: 1,
        on_conflict: OnConflict::Skip,
    };
    assert_eq!(full.concurrency.as_ref(), Some(&expected));
    assert_eq!(
        serde_json::to_string(&expected).unwrap(),
        r#"{"key":["host"],"max":1,"on_conflict":"skip"}"#
    );
    let several = header(
        "#{ inputs: #{ host: \"string\", case: \"string\" }, concurrency: #{ key: [\"host\", \"case\"], max: 4, on_conflict: \"queue\" } }",
    );
    let several = several.concurrency.unwrap();
    assert_eq!((several.key.len(), several.max), (2, 4));
    assert_eq!(several.on_conflict, OnConflict::Queue);
}

#[test]
fn a_playbook_without_header_or_run_says_what_to_write() {
    assert!(
        compile("fn run(input) { 1 }")
            .unwrap_err()
            .to_string()
            .contains("begin the file with `const PLAYBOOK = #{")
    );
    assert!(
        compile("const PLAYBOOK = #{};")
            .unwrap_err()
            .to_string()
            .contains("write `fn run(input) { … }`")
    );
    let error = compile("const PLAYBOOK = #{};\nfn run() { 1 }")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("test.rhai:2:4: `run` takes one parameter, the inputs, not 0"),
        "{error}"
    );
}

/// The connections that are offered, by alias.
type Offered = &'static [(&'static str, &'static [&'static str])];

fn bound(uses: &str, offers: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
    let playbook = playbook(&format!("#{{ uses: #{{ {uses} }} }}"));
    let offer = |name: &&str| Offer {
        name: (*name).to_owned(),
        model: kata(),
    };
    let offers = offers
        .iter()
        .map(|(alias, names)| ((*alias).to_owned(), names.iter().map(offer).collect()))
        .collect();
    let bindings = playbook.bind(&offers).map_err(|error| error.to_string())?;
    let names = bindings
        .aliases()
        .flat_map(|alias| bindings.connections(alias).unwrap()[0].action_names());
    Ok(names.collect())
}

#[test]
fn an_alias_for_a_connector_sees_all_actions_and_one_for_capabilities_only_theirs() {
    let all = bound("edr: \"kata\"", &[("edr", &["kata-1"])]).unwrap();
    assert!(
        all.contains(&"list_sensors".to_owned()) && all.contains(&"isolation_isolate".to_owned()),
        "{all:?}"
    );
    let one = bound("edr: \"isolation\"", &[("edr", &["kata-1"])]).unwrap();
    assert_eq!(
        one,
        ["isolate", "state", "isolation_isolate", "isolation_state"]
    );
    // Both capabilities have a `state`, so only the long names say which.
    let two = bound("edr: \"hosts + isolation\"", &[("edr", &["kata-1"])]).unwrap();
    assert_eq!(
        two,
        [
            "isolate",
            "find",
            "isolation_isolate",
            "isolation_state",
            "hosts_find",
            "hosts_state"
        ]
    );
}

#[test]
fn an_alias_that_cannot_be_bound_says_why() {
    let cases: [(&str, Offered, &str); 4] = [
        (
            "edr: \"kata\"",
            &[],
            "the alias `edr` is bound to no connection; it needs kata",
        ),
        (
            "edr: \"kata\"",
            &[("edr", &["a", "b"])],
            "stands for one connection, and several would do: `a`, `b`",
        ),
        (
            "edr: \"ksc\"",
            &[("edr", &["a"])],
            "the alias `edr` needs ksc, and the connection `a` is one of `kata`",
        ),
        (
            "edr: \"kata\"",
            &[("edr", &["a"]), ("erd", &["a"])],
            "`erd` is no alias of this playbook",
        ),
    ];
    for (uses, offers, message) in cases {
        let error = bound(uses, offers).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}
