use std::path::Path;

use super::*;

fn manifest(settings: Vec<Setting>) -> Manifest {
    Manifest {
        title: "KATA".to_owned(),
        version: "1.0.0".to_owned(),
        settings,
        ..Manifest::unsaid("kata")
    }
}

fn setting(name: &str, r#type: SettingType) -> Setting {
    Setting {
        name: name.to_owned(),
        r#type,
        default: None,
        required: false,
        help: "Where it is.".to_owned(),
    }
}

fn values(lines: &str, settings: Vec<Setting>) -> Result<BTreeMap<String, SettingValue>, String> {
    let text = format!("connector = \"kata\"\nurl = \"https://kata.example\"\n[settings]\n{lines}");
    let file = ConnectionFile::parse(Path::new("kata.toml"), &text).unwrap();
    check(&file, &manifest(settings)).map_err(|error| match error {
        SettingError::File(error) => error.to_string(),
        SettingError::Default(error) => error.to_string(),
    })
}

#[test]
fn each_type_takes_what_it_says_and_nothing_else() {
    let choice = SettingType::Choice(vec!["flat".to_owned(), "deep".to_owned()]);
    for (r#type, written, expected) in [
        (
            SettingType::Text,
            "\"a\"",
            Ok(SettingValue::Text("a".to_owned())),
        ),
        (
            SettingType::Text,
            "1",
            Err("must be text in quotes, not a number"),
        ),
        (SettingType::Integer, "0x10", Ok(SettingValue::Integer(16))),
        (
            SettingType::Integer,
            "1_000",
            Ok(SettingValue::Integer(1000)),
        ),
        (
            SettingType::Integer,
            "1.5",
            Err("must be a whole number, not a number"),
        ),
        (
            SettingType::Integer,
            "99999999999999999999",
            Err("must be a whole number, not a number beyond 64 bits"),
        ),
        (SettingType::Number, "2", Ok(SettingValue::Number(2.0))),
        (
            SettingType::Number,
            "1_0.5e-1",
            Ok(SettingValue::Number(1.05)),
        ),
        (
            SettingType::Boolean,
            "true",
            Ok(SettingValue::Boolean(true)),
        ),
        (
            SettingType::Boolean,
            "\"true\"",
            Err("must be true or false, not text"),
        ),
        (
            SettingType::Texts,
            "[\"a\", \"b\"]",
            Ok(SettingValue::Texts(vec!["a".to_owned(), "b".to_owned()])),
        ),
        (
            SettingType::Texts,
            "[\"a\", 1]",
            Err("must be a list of texts in quotes, not a list of other things than texts"),
        ),
        (
            SettingType::Duration,
            "\"90s\"",
            Ok(SettingValue::Duration(90_000)),
        ),
        (
            SettingType::Duration,
            "90",
            Err("must be a duration such as \"90s\", not a number"),
        ),
        (SettingType::Size, "\"1KiB\"", Ok(SettingValue::Size(1024))),
        (
            choice.clone(),
            "\"deep\"",
            Ok(SettingValue::Text("deep".to_owned())),
        ),
        (choice, "\"Deep\"", Err("must be one of \"flat\", \"deep\"")),
        (
            SettingType::Text,
            "2026-03-14",
            Err("must be text in quotes, not a date"),
        ),
    ] {
        let found = values(&format!("it = {written}"), vec![setting("it", r#type)]);
        match expected {
            Ok(value) => assert_eq!(found.unwrap()["it"], value, "{written}"),
            Err(reason) => assert_eq!(
                found.unwrap_err(),
                format!("kata.toml:4:6: `it`: {reason}"),
                "{written}"
            ),
        }
    }
}

#[test]
fn a_setting_that_the_connector_does_not_have_is_refused_with_the_nearest_one() {
    let known = vec![setting("external_system_id", SettingType::Text)];
    assert_eq!(
        values("external_system = \"1\"", known).unwrap_err(),
        "kata.toml:4:1: unknown key `external_system`; did you mean `external_system_id`?"
    );
}

#[test]
fn a_required_setting_is_asked_for_with_its_help() {
    let required = vec![Setting {
        required: true,
        ..setting("external_system_id", SettingType::Text)
    }];
    assert_eq!(
        values("", required).unwrap_err(),
        "kata.toml: `external_system_id` is missing; KATA needs it under [settings]: Where it is."
    );
}

#[test]
fn a_default_holds_where_the_file_says_nothing_and_is_checked_like_a_value() {
    let with = |r#type, default: &str| {
        vec![Setting {
            default: Some(default.to_owned()),
            ..setting("it", r#type)
        }]
    };
    assert_eq!(
        values("", with(SettingType::Integer, "3")).unwrap()["it"],
        SettingValue::Integer(3)
    );
    assert_eq!(
        values("it = 4", with(SettingType::Integer, "3")).unwrap()["it"],
        SettingValue::Integer(4)
    );
    let texts = SettingValue::Texts(vec!["a".to_owned()]);
    assert_eq!(
        values("", with(SettingType::Texts, "[\"a\"]")).unwrap()["it"],
        texts
    );
    assert_eq!(
        values("", with(SettingType::Duration, "1h")).unwrap()["it"],
        SettingValue::Duration(3_600_000)
    );
    assert!(
        values("", with(SettingType::Integer, "three"))
            .unwrap_err()
            .contains("the connector's own default for `it`")
    );
}

#[test]
fn an_optional_setting_without_a_default_has_no_value() {
    assert!(
        values("", vec![setting("it", SettingType::Text)])
            .unwrap()
            .is_empty()
    );
}
