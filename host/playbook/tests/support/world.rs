//! A world that remembers: connections that answer from Rust, a clock that waiting moves, and a record
//! of every step, from which a run that is run again is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cordon_contract::value::Map;
use cordon_contract::{Failure, StepKey, Value, units};
use cordon_playbook::step::{
    Answer, Branch, Composite, Ending, Entry, Performer, Step, StopFlag, StopReason,
};

type Respond = dyn Fn(&str, &str, &Map) -> Result<Value, Failure> + Send + Sync;
type Waits = dyn Fn(&StepKey, &Step) -> bool + Send + Sync;

/// Performs steps and remembers them.
pub struct World {
    respond: Box<Respond>,
    /// Whether the run waits for long at a step that it reaches for the first time.
    waits: Box<Waits>,
    stop_after: Option<usize>,
    flag: StopFlag,
    memory: Mutex<Memory>,
    /// Key and what was asked, in the order of asking; a step that is answered from the record is not
    /// asked again.
    pub steps: Mutex<Vec<(String, Step)>>,
    /// Key and outcome of every composite that was left.
    pub left: Mutex<BTreeMap<String, Answer>>,
    /// Why things were done after the script.
    pub endings: Mutex<Vec<Ending>>,
}

#[derive(Default)]
struct Memory {
    clock_ms: u64,
    record: BTreeMap<StepKey, (Step, Answer)>,
    /// What waits, and until when.
    parked: BTreeMap<StepKey, u64>,
    /// Composites: since when, and the iteration.
    entered: BTreeMap<StepKey, (u64, u32)>,
    left_branches: BTreeMap<(StepKey, u32), Answer>,
    /// Steps that registered something to be taken back.
    registered: BTreeSet<StepKey>,
    pauses: Vec<Duration>,
    ended: Option<Ending>,
}

impl World {
    /// A world whose connections answer everything with this.
    pub fn new(
        respond: impl Fn(&str, &str, &Map) -> Result<Value, Failure> + Send + Sync + 'static,
    ) -> Self {
        let memory = Memory {
            clock_ms: 1_773_480_097_000,
            ..Memory::default()
        };
        Self {
            respond: Box::new(respond),
            waits: Box::new(|_, _| false),
            stop_after: None,
            flag: StopFlag::default(),
            memory: Mutex::new(memory),
            steps: Mutex::default(),
            left: Mutex::default(),
            endings: Mutex::default(),
        }
    }

    /// A world whose connections answer everything with nothing.
    pub fn silent() -> Self {
        Self::new(|_, _, _| Ok(Value::Null))
    }

    /// Stops the run at the step after this many.
    pub fn stopping_after(mut self, steps: usize) -> Self {
        self.stop_after = Some(steps);
        self
    }

    /// The run waits for long at these steps.
    pub fn waiting_at(
        mut self,
        waits: impl Fn(&StepKey, &Step) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.waits = Box::new(waits);
        self
    }

    /// The run waits for long in `sleep`, in `poll` and for people.
    pub fn waiting(self) -> Self {
        self.waiting_at(|_, step| {
            matches!(
                step,
                Step::Sleep { .. } | Step::Again { .. } | Step::Approve(_) | Step::Ask(_)
            )
        })
    }

    /// With a composite that finished in an earlier execution.
    pub fn with_finished(self, key: &str, answer: Answer) -> Self {
        self.left.lock().unwrap().insert(key.to_owned(), answer);
        self
    }

    /// With a composite that an earlier execution left at this iteration.
    pub fn with_resumed(self, key: &str, iteration: u32, elapsed: Duration) -> Self {
        let mut memory = self.memory();
        let begun = memory.clock_ms - milliseconds(elapsed);
        memory
            .entered
            .insert(key.parse().unwrap(), (begun, iteration));
        drop(memory);
        self
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// The keys of the steps, sorted: branches run side by side.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<StepKey> = self
            .steps
            .lock()
            .unwrap()
            .iter()
            .map(|(key, _)| key.parse().unwrap())
            .collect();
        keys.sort();
        keys.iter().map(ToString::to_string).collect()
    }

    /// How many actions were called.
    pub fn calls(&self) -> usize {
        self.called().len()
    }

    /// The actions that were called with their arguments, in the order of the calls.
    pub fn called(&self) -> Vec<String> {
        let steps = self.steps.lock().unwrap();
        let calls = steps.iter().filter_map(|(_, step)| match step {
            Step::Action {
                action, arguments, ..
            } => Some(format!("{action} {}", Value::Map(arguments.clone()))),
            _ => None,
        });
        calls.collect()
    }

    /// How long the run waited.
    pub fn pauses(&self) -> Vec<Duration> {
        self.memory().pauses.clone()
    }

    /// The flag of the run.
    pub fn flag(&self) -> &StopFlag {
        &self.flag
    }

    /// Ends a run that waits: it is gone through as far as its record goes.
    pub fn end(&self, ending: Ending) {
        self.memory().ended = Some(ending);
    }

    /// Lets time pass until something can go on.
    pub fn pass_time(&self) {
        let mut memory = self.memory();
        let due = memory.parked.values().copied().min().unwrap_or_default();
        memory.clock_ms = memory.clock_ms.max(due);
    }

    /// How many steps wait.
    pub fn parked(&self) -> usize {
        self.memory().parked.len()
    }

    /// How this branch of a `parallel`, or of what is done afterwards, ended.
    pub fn left_branch(&self, key: &str, branch: u32) -> Option<Answer> {
        let at = (key.parse().unwrap(), branch);
        self.memory().left_branches.get(&at).cloned()
    }

    fn answer(&self, key: &StepKey, step: &Step) -> Answer {
        match step {
            Step::Action {
                connection,
                action,
                arguments,
                ..
            } => match (self.respond)(connection, action, arguments) {
                Ok(value) => Answer::Done(value),
                Err(failure) => {
                    Answer::Failed(Box::new(failure.of(connection, action.replace('-', "_"))))
                }
            },
            Step::Now => {
                let now = i64::try_from(self.memory().clock_ms).unwrap();
                Answer::Done(Value::Text(units::format_timestamp(now).unwrap()))
            }
            Step::Uuid => {
                let digits = key.to_string().replace('.', "");
                Answer::Done(Value::text(format!(
                    "00000000-0000-4000-8000-{digits:0>12}"
                )))
            }
            Step::Again { .. } => {
                let over = self.memory().time_left(key, step) == Some(Duration::ZERO);
                Answer::Done(Value::Bool(!over))
            }
            Step::Approve(_) => {
                let person = Value::map([
                    ("who", Value::text("ada")),
                    ("at", Value::text("2026-03-14T09:21:37Z")),
                    ("comment", Value::text("")),
                ]);
                Answer::Done(Value::map([("approved_by", Value::List(vec![person]))]))
            }
            Step::Ask(question) => {
                let first = question.choices.first().cloned().map(Value::Text);
                let answer = question.default.clone().or(first);
                Answer::Done(answer.unwrap_or_else(|| Value::text("yes")))
            }
            Step::Sleep { .. }
            | Step::Playbook { .. }
            | Step::Undo
            | Step::Artifact { .. }
            | Step::Log { .. }
            | Step::Progress { .. }
            | Step::Note { .. } => Answer::Done(Value::Null),
        }
    }

    fn is_gone_through_again(&self, memory: &Memory, key: &StepKey) -> bool {
        first_inside(&memory.registered, key).is_some()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

/// The first of these steps that is inside of a composite.
fn first_inside<'a>(keys: &'a BTreeSet<StepKey>, composite: &StepKey) -> Option<&'a StepKey> {
    let begin = composite.child(0, 0);
    keys.range(begin..)
        .next()
        .filter(|key| composite.contains(key))
}

impl Memory {
    /// How long a step waits before it is done.
    fn time_left(&self, key: &StepKey, step: &Step) -> Option<Duration> {
        match step {
            Step::Sleep { duration, .. } => Some(*duration),
            Step::Again { every, timeout } => {
                let (poll, _) = key.parent().unwrap();
                let elapsed = Duration::from_millis(self.clock_ms - self.entered[&poll].0);
                Some((*every).min(timeout.saturating_sub(elapsed)))
            }
            _ => None,
        }
    }

    fn branch(&self, key: &StepKey, branch: u32) -> Branch {
        let begin = key.child(branch, 0);
        fn inside<'a, T>(
            map: &'a BTreeMap<StepKey, T>,
            begin: &StepKey,
            (key, branch): (&'a StepKey, u32),
        ) -> impl Iterator<Item = &'a T> + use<'a, T> {
            map.range(begin.clone()..)
                .take_while(move |(step, _)| key.branch_contains(branch, step))
                .map(|(_, value)| value)
        }
        let at = (key, branch);
        let due = inside(&self.parked, &begin, at).min();
        let is_registered = self
            .registered
            .range(begin.clone()..)
            .next()
            .is_some_and(|step| key.branch_contains(branch, step));
        let is_begun = inside(&self.record, &begin, at).next().is_some()
            || inside(&self.entered, &begin, at).next().is_some();
        if let Some(outcome) = self.left_branches.get(&(key.clone(), branch)) {
            return match is_registered {
                true => Branch::Begun,
                false => Branch::Finished(outcome.clone()),
            };
        }
        match due {
            Some(due) if *due > self.clock_ms && self.ended.is_none() => {
                Branch::Parked(Duration::from_millis(due - self.clock_ms))
            }
            Some(_) => Branch::Begun,
            None if is_begun => Branch::Begun,
            None if self.ended.is_some() && key.afterwards().is_none() => Branch::Skipped,
            None => Branch::New,
        }
    }
}

impl Performer for World {
    fn perform(&self, key: &StepKey, step: Step) -> Answer {
        if self.flag.is_stopped() {
            return Answer::Stopped;
        }
        let mut memory = self.memory();
        if let Some((recorded, answer)) = memory.record.get(key) {
            assert_eq!(*recorded, step, "another step at {key}");
            return answer.clone();
        }
        if memory.ended.is_some() && key.afterwards().is_none() {
            return Answer::Parked;
        }
        let mut steps = self.steps.lock().unwrap();
        let is_stopped = self.stop_after.is_some_and(|after| steps.len() >= after);
        if is_stopped {
            self.flag.stop(StopReason::Suspended);
            return Answer::Stopped;
        }
        let time = memory.time_left(key, &step).filter(|time| !time.is_zero());
        match memory.parked.get(key).copied() {
            Some(due) if due > memory.clock_ms => return Answer::Parked,
            Some(_) => {
                memory.parked.remove(key);
                if matches!(step, Step::Again { .. }) {
                    // There was time for another look when the wait began.
                    steps.push((key.to_string(), step.clone()));
                    let answer = Answer::Done(Value::Bool(true));
                    memory.record.insert(key.clone(), (step, answer.clone()));
                    return answer;
                }
            }
            None => {
                memory.pauses.extend(time);
                let is_over = matches!(step, Step::Again { .. }) && time.is_none();
                if !is_over && (self.waits)(key, &step) {
                    let due =
                        memory.clock_ms + milliseconds(time.unwrap_or(Duration::from_millis(1)));
                    memory.parked.insert(key.clone(), due);
                    return Answer::Parked;
                }
            }
        }
        steps.push((key.to_string(), step.clone()));
        drop(steps);
        drop(memory);
        let answer = self.answer(key, &step);
        let mut memory = self.memory();
        if (self.waits)(key, &step) {
            // The time has passed while the run waited.
        } else {
            memory.clock_ms += time.map_or(0, milliseconds);
        }
        if matches!(step, Step::Undo | Step::Action { undoable: true, .. }) {
            memory.registered.insert(key.clone());
        }
        memory.record.insert(key.clone(), (step, answer.clone()));
        answer
    }

    fn enter(&self, key: &StepKey, _: Composite) -> Entry {
        let mut memory = self.memory();
        let is_gone_through_again = self.is_gone_through_again(&memory, key);
        if let Some(answer) = self.left.lock().unwrap().get(&key.to_string())
            && !is_gone_through_again
        {
            return Entry::Finished(answer.clone());
        }
        let now = memory.clock_ms;
        let (_, iteration) = *memory.entered.entry(key.clone()).or_insert((now, 0));
        Entry::Begin {
            iteration: if is_gone_through_again { 0 } else { iteration },
        }
    }

    fn iterate(&self, key: &StepKey, iteration: u32) {
        let mut memory = self.memory();
        let entered = memory.entered.get_mut(key).unwrap();
        entered.1 = entered.1.max(iteration);
    }

    fn branch(&self, key: &StepKey, branch: u32) -> Branch {
        let known = self.memory().branch(key, branch);
        match self.left.lock().unwrap().get(&key.to_string()) {
            Some(_) if known == Branch::New => Branch::Skipped,
            _ => known,
        }
    }

    fn leave_branch(&self, key: &StepKey, branch: u32, outcome: &Answer) {
        let at = (key.clone(), branch);
        let before = self.memory().left_branches.insert(at, outcome.clone());
        assert!(
            before.is_none_or(|before| before == *outcome),
            "{key} {branch}"
        );
    }

    fn leave(&self, key: &StepKey, outcome: &Answer) {
        let mut left = self.left.lock().unwrap();
        let before = left.insert(key.to_string(), outcome.clone());
        assert!(before.is_none_or(|before| before == *outcome), "{key}");
    }

    fn ended(&self) -> Option<Ending> {
        self.memory().ended.clone()
    }

    fn unwind(&self, ending: &Ending) -> bool {
        self.endings.lock().unwrap().push(ending.clone());
        self.flag.clear();
        true
    }

    fn stop_flag(&self) -> &StopFlag {
        &self.flag
    }
}

/// The world of a run that is run again whenever it waited, until it ends.
pub fn run_to_end<T>(
    world: &Arc<World>,
    run: impl Fn() -> Result<T, cordon_playbook::RunError>,
) -> (Result<T, cordon_playbook::RunError>, usize) {
    for executions in 1..1000 {
        match run() {
            Err(cordon_playbook::RunError::Stopped {
                reason: StopReason::Suspended,
            }) => world.pass_time(),
            ended => return (ended, executions),
        }
    }
    panic!("it waits for ever");
}
