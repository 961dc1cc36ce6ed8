//! Whatever is kept is read back as it was.

use std::time::Duration;

use cordon_contract::secret::SecretReference;
use cordon_contract::step::{Composite, Pause, Step};
use cordon_contract::value::Map;
use cordon_contract::{Effect, ErrorKind, Failure, StepKey, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::support::*;
use crate::moment::Moment;
use crate::record::{Items, Record, Recorded, Settling, Stop, What};
use crate::run::{Outcome, Reason, Run, State, Waiting};
use crate::store::{Change, Durability, Store};
use crate::wish::{Resolution, Wish, WishKind};

fn moment() -> impl Strategy<Value = Moment> {
    any::<i64>().prop_map(Moment)
}

fn key() -> impl Strategy<Value = StepKey> {
    (any::<u32>(), vec((any::<u32>(), any::<u32>()), 0..3)).prop_map(|(root, path)| {
        let begin = StepKey::root(root);
        path.iter()
            .fold(begin, |key, (branch, index)| key.child(*branch, *index))
    })
}

/// Without NaN, which is equal to nothing.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i128>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("a number", |value| !value.is_nan())
            .prop_map(Value::Float),
        ".{0,6}".prop_map(Value::Text),
        vec(any::<u8>(), 0..6).prop_map(Value::Bytes),
        Just(Value::Secret(SecretReference::new("token"))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            proptest::collection::btree_map("\\$?[a-z]{1,3}", inner, 0..3).prop_map(Value::Map),
        ]
    })
}

fn map() -> impl Strategy<Value = Map> {
    proptest::collection::btree_map("\\$?[a-z]{1,3}", value(), 0..3)
}

fn duration() -> impl Strategy<Value = Duration> {
    (0..u64::MAX / 2).prop_map(Duration::from_millis)
}

fn failure() -> impl Strategy<Value = Box<Failure>> {
    (0..11_usize, ".{0,9}", value(), any::<u16>()).prop_map(|(kind, message, details, status)| {
        let mut failure = Failure::new(ErrorKind::ALL[kind], message).of("edr", "isolate");
        failure.details = details;
        failure.status = Some(status);
        Box::new(failure)
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (map(), any::<bool>()).prop_map(|(arguments, undoable)| Step::Action {
            connection: "edr".to_owned(),
            action: "isolate-host".to_owned(),
            arguments,
            undoable,
        }),
        Just(Step::Now),
        duration().prop_map(|duration| Step::Sleep {
            duration,
            reason: Pause::Retry
        }),
        value().prop_map(|value| Step::Note {
            title: "found".to_owned(),
            value
        }),
    ]
}

fn recorded() -> impl Strategy<Value = Recorded> {
    prop_oneof![
        value().prop_map(Recorded::Done),
        failure().prop_map(Recorded::Failed),
        ("[0-9a-f]{64}", any::<u64>())
            .prop_map(|(digest, length)| Recorded::Large { digest, length }),
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        step().prop_map(|step| What::Intent {
            step,
            effect: Effect::Destructive
        }),
        any::<u32>().prop_map(|number| What::Attempt { number }),
        (failure(), moment(), any::<u32>()).prop_map(|(failure, until, asked)| What::Deferred {
            failure,
            then: Settling::Ask,
            until,
            asked
        }),
        failure().prop_map(|failure| What::Doubt { failure }),
        (".{0,9}", any::<bool>(), value()).prop_map(|(by, done, value)| What::Resolved {
            by,
            done,
            value
        }),
        (step(), moment(), any::<bool>()).prop_map(|(step, until, again)| What::Wait {
            step,
            until,
            again
        }),
        (step(), option::of(moment())).prop_map(|(step, until)| What::Asked { step, until }),
        (".{0,9}", any::<bool>(), option::of(".{0,9}"))
            .prop_map(|(by, allow, comment)| What::Decided { by, allow, comment }),
        (".{0,9}", value()).prop_map(|(by, value)| What::Given { by, value }),
        (step(), any::<u32>()).prop_map(|(step, number)| What::Child {
            step,
            run: id(number)
        }),
        (option::of(step()), recorded(), duration())
            .prop_map(|(step, answer, took)| What::Outcome { step, answer, took }),
        (duration(), duration()).prop_map(|(every, timeout)| What::Entered {
            composite: Composite::Poll { every, timeout }
        }),
        any::<u32>().prop_map(|iteration| What::Iterated { iteration }),
        (any::<u32>(), recorded()).prop_map(|(branch, answer)| What::Branch { branch, answer }),
        (recorded(), option::of((any::<u32>(), any::<u32>()))).prop_map(|(answer, items)| {
            let items = items.map(|(done, of)| Items { done, of });
            What::Left { answer, items }
        }),
        option::of(".{0,9}").prop_map(|why| What::Stopped {
            stop: Stop::Cancelled {
                by: "ada".to_owned(),
                why
            }
        }),
        Just(What::Unwinding),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    (moment(), key(), what()).prop_map(|(at, key, what)| Record { at, key, what })
}

fn any_run() -> impl Strategy<Value = Run> {
    let order = (
        map(),
        moment(),
        vec(".{0,9}", 0..3),
        option::of(key()),
        any::<u64>(),
    );
    let now = (
        0..4_usize,
        option::of(moment()),
        any::<u64>(),
        option::of((key(), moment())),
    );
    let end = option::of((0..6_usize, moment(), value()));
    (order, now, end).prop_map(|(order, now, end)| {
        let mut run = run(1);
        let (input, created, tags, parent, bytes) = order;
        run.order.input = input;
        run.order.created = created;
        run.order.tags = tags;
        run.order.parent = parent.clone().map(|key| (id(7), key));
        run.order.retry_of = parent.map(|key| (id(8), key));
        run.order.journal_bytes_max = bytes;
        let (state, due, seq, wait) = now;
        run.status = status(State::ALL[state], due.map(|due| due.0));
        run.status.seq = seq;
        run.status.waits = wait
            .map(|(step, since)| Waiting {
                step: Some(step),
                reason: Reason::Approval {
                    message: "isolate?".to_owned(),
                    role: None,
                    wanted: 2,
                    given: vec!["eve".to_owned()],
                },
                since,
                until: None,
            })
            .into_iter()
            .collect();
        if let Some((outcome, at, result)) = end {
            run.status = ended(Outcome::ALL[outcome], at.0);
            if let Some(end) = &mut run.status.end {
                end.result = result;
                end.error = Some(serde_json::json!({"kind": "failed", "share": 0.1}));
            }
        }
        run
    })
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let kind = prop_oneof![
        (option::of(key()), any::<bool>(), option::of(".{0,9}")).prop_map(
            |(step, allow, comment)| WishKind::Approve {
                step,
                allow,
                comment
            }
        ),
        (option::of(key()), any::<bool>(), value())
            .prop_map(|(step, text, value)| WishKind::Answer { step, text, value }),
        (key(), value()).prop_map(|(step, value)| WishKind::Resolve {
            step,
            how: Resolution::Done(value)
        }),
        option::of(".{0,9}").prop_map(|why| WishKind::Cancel { why }),
    ];
    (".{0,9}", moment(), any::<u32>(), kind).prop_map(|(by, at, run, kind)| Wish {
        by,
        at,
        run: id(run),
        kind,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_kept_is_read_back_as_it_was(
        run in any_run(),
        records in vec(any_record(), 0..12),
        wishes in vec(any_wish(), 0..4),
    ) {
        let folder = folder();
        let path = file(&folder);
        let store = open(&path);
        let mut changes = vec![create(run.clone())];
        for (seq, record) in records.iter().enumerate() {
            changes.push(Change::Append { run: run.id, seq: seq as u64, record: record.clone() });
        }
        changes.extend(wishes.iter().cloned().map(Change::Wish));
        store.commit(changes, Durability::Now).unwrap();
        store.close().unwrap();

        let store = look(&path).unwrap();
        prop_assert_eq!(store.run(run.id).unwrap(), Some(run.clone()));
        let journal = store.journal(run.id, 0).unwrap();
        let read: Vec<Record> = journal.into_iter().map(|entry| entry.record).collect();
        prop_assert_eq!(read, records);
        let read: Vec<Wish> = store.wishes().unwrap().into_iter().map(|(_, wish)| wish).collect();
        prop_assert_eq!(read, wishes);
        prop_assert!(store.check().unwrap().is_sound());
    }
}

#[test]
fn the_deepest_value_that_a_playbook_may_have_is_read_back() {
    // Each of its levels is two in the exact form.
    let value = (0..64).fold(Value::Null, |inner, _| Value::map([("$secret", inner)]));
    let folder = folder();
    let store = open(&file(&folder));
    let record = Record {
        what: What::Outcome {
            step: None,
            answer: Recorded::Done(value),
            took: Duration::ZERO,
        },
        ..record(1)
    };
    let append = Change::Append {
        run: id(1),
        seq: 1,
        record: record.clone(),
    };
    store
        .commit(vec![create(run(1)), append], Durability::Now)
        .unwrap();
    assert_eq!(store.journal(id(1), 0).unwrap()[0].record, record);
}
