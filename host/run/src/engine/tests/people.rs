//! Approvals and answers: who counts, and until when.

use cordon_contract::step::{Question, Step};
use cordon_contract::{ErrorKind, Value};

use super::support::*;
use crate::engine::{Next, Refusal};

fn asked(step: &Step) -> Bench {
    let mut bench = Bench::new();
    assert_eq!(bench.ask("0", step), PARKED);
    bench
}

fn says(bench: &mut Bench, who: &str, allow: bool) -> Result<(), Refusal> {
    let has_role = |role: &str| role == "lead" && ["ann", "bob"].contains(&who);
    let decided = bench
        .machine
        .decide(None, who, allow, None, has_role, &bench.clock)?;
    bench.keep(decided);
    bench.crash();
    Ok(())
}

#[test]
fn as_many_different_people_must_agree_as_are_wanted() {
    let step = approval(2, None, false);
    let mut bench = asked(&step);
    assert_eq!(says(&mut bench, "ann", true), Ok(()));
    assert_eq!(bench.ask("0", &step), PARKED);
    let again = Refusal::Again {
        by: "ann".to_owned(),
    };
    assert_eq!(says(&mut bench, "ann", true), Err(again));
    assert_eq!(says(&mut bench, "bob", true), Ok(()));
    assert!(bench.status().due <= Some(BEGIN));
    let Next::Answer(cordon_contract::step::Answer::Done(value)) = bench.ask("0", &step) else {
        panic!("it is not approved");
    };
    assert_eq!(
        value.get("approved_by").unwrap().as_list().unwrap().len(),
        2
    );
}

#[test]
fn a_role_and_four_eyes_are_asked_for_and_what_does_not_count_leaves_no_trace() {
    let step = approval(1, Some("lead"), true);
    let mut bench = asked(&step);
    let records = bench.entries.len();
    assert!(matches!(
        says(&mut bench, "eve", true),
        Err(Refusal::Role { .. })
    ));
    assert!(matches!(
        says(&mut bench, "sam", true),
        Err(Refusal::FourEyes { .. })
    ));
    assert_eq!(bench.entries.len(), records);
    assert_eq!(says(&mut bench, "bob", true), Ok(()));
}

#[test]
fn one_refusal_is_enough_and_nobody_is_heard_after_it() {
    let step = approval(3, None, false);
    let mut bench = asked(&step);
    assert_eq!(says(&mut bench, "ann", true), Ok(()));
    assert_eq!(says(&mut bench, "bob", false), Ok(()));
    assert!(matches!(
        says(&mut bench, "eve", true),
        Err(Refusal::NotAsked { .. })
    ));
    assert_eq!(failed(bench.ask("0", &step)).kind, ErrorKind::Forbidden);
}

#[test]
fn an_approval_that_nobody_gave_in_time_has_failed_and_comes_too_late() {
    let step = approval(1, None, false);
    let mut bench = asked(&step);
    assert_eq!(bench.status().due, Some(BEGIN.plus(seconds(60))));
    bench.pass(seconds(60));
    assert!(matches!(
        says(&mut bench, "ann", true),
        Err(Refusal::Expired { .. })
    ));
    assert_eq!(failed(bench.ask("0", &step)).kind, ErrorKind::Timeout);
}

#[test]
fn an_agreement_in_time_counts_also_when_the_run_is_taken_up_late() {
    let step = approval(1, None, false);
    let mut bench = asked(&step);
    bench.pass(seconds(59));
    assert_eq!(says(&mut bench, "ann", true), Ok(()));
    bench.pass(seconds(3600));
    assert!(matches!(
        bench.ask("0", &step),
        Next::Answer(cordon_contract::step::Answer::Done(_))
    ));
}

#[test]
fn where_a_run_asks_in_several_places_the_step_must_be_named() {
    let step = approval(1, None, false);
    let mut bench = asked(&step);
    bench.ask("1", &step);
    assert!(matches!(
        says(&mut bench, "ann", true),
        Err(Refusal::Several { .. })
    ));
}

#[test]
fn a_question_takes_one_answer_that_fits_or_its_default_when_time_is_over() {
    let question = |default: Option<Value>| {
        Step::Ask(Question {
            message: "How deep?".to_owned(),
            choices: vec!["quick".to_owned(), "full".to_owned()],
            takes: None,
            expires_ms: Some(60_000),
            default,
        })
    };
    let step = question(None);
    let mut bench = asked(&step);
    let give = |bench: &mut Bench, fits: bool| {
        let accept = move |_: &Question| match fits {
            true => Ok(Value::text("full")),
            false => Err("no such choice".to_owned()),
        };
        let given = bench.machine.give(None, "ann", accept, &bench.clock)?;
        bench.keep(given);
        Ok(())
    };
    assert!(matches!(
        give(&mut bench, false),
        Err(Refusal::Answer { .. })
    ));
    assert_eq!(give(&mut bench, true), Ok(()));
    assert!(give(&mut bench, true).is_err());
    bench.crash();
    assert_eq!(bench.ask("0", &step), answer(Value::text("full")));

    let step = question(Some(Value::text("quick")));
    let mut bench = asked(&step);
    bench.pass(seconds(60));
    assert_eq!(bench.ask("0", &step), answer(Value::text("quick")));
}
