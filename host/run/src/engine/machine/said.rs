//! What people say of a run: approvals, answers, and what came of a write that is in doubt.

use cordon_contract::step::{Answer, Question, Step};
use cordon_contract::{StepKey, Value};
use cordon_journal::wish::Resolution;
use cordon_journal::{Durability, What};

use super::Machine;
use crate::engine::memory::Stage;
use crate::engine::people::{self, Refusal};
use crate::engine::reaction::{Reaction, Senses};

impl Machine {
    /// A person agrees to what the run asks approval for, or refuses.
    ///
    /// # Errors
    /// Where that does not count.
    pub fn decide(
        &mut self,
        step: Option<&StepKey>,
        by: &str,
        allow: bool,
        comment: Option<String>,
        has_role: impl Fn(&str) -> bool,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let key = self.asking(step, "approval", |step| matches!(step, Step::Approve(_)))?;
        let Some(Stage::Asked(asked)) = self.memory.get(&key).map(|known| &known.stage) else {
            return Err(Refusal::Ended);
        };
        people::may_decide(asked, by, &self.order.started_by, has_role, senses.now())?;
        let what = What::Decided {
            by: by.to_owned(),
            allow,
            comment,
        };
        Ok(self.said(&key, what, senses))
    }

    /// A person answers what the run asks.
    ///
    /// # Errors
    /// Where that does not count, or does not fit the question.
    pub fn give(
        &mut self,
        step: Option<&StepKey>,
        by: &str,
        accept: impl Fn(&Question) -> Result<Value, String>,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let key = self.asking(step, "answer", |step| matches!(step, Step::Ask(_)))?;
        let Some(Stage::Asked(asked)) = self.memory.get(&key).map(|known| &known.stage) else {
            return Err(Refusal::Ended);
        };
        if let Some(until) = asked.until.filter(|until| *until <= senses.now()) {
            return Err(Refusal::Expired { at: until });
        }
        if let Some((by, _)) = &asked.given {
            return Err(Refusal::Again { by: by.clone() });
        }
        let Step::Ask(question) = &asked.step else {
            return Err(Refusal::Ended);
        };
        let value = accept(question).map_err(|problem| Refusal::Answer { problem })?;
        let by = by.to_owned();
        Ok(self.said(&key, What::Given { by, value }, senses))
    }

    /// A person says what came of a write that is in doubt.
    ///
    /// # Errors
    /// Where it is not.
    pub fn resolve(
        &mut self,
        step: &StepKey,
        by: &str,
        how: &Resolution,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let doubted = matches!(self.memory.get(step).map(|known| &known.stage),
            Some(Stage::Sent(sent)) if sent.doubt.is_some());
        if !doubted {
            return Err(Refusal::NotInDoubt {
                step: step.to_string(),
            });
        }
        let (done, value) = match how {
            Resolution::Done(value) => (true, value.clone()),
            Resolution::NotDone | Resolution::Abort => (false, Value::Null),
        };
        let by = by.to_owned();
        Ok(self.said(step, What::Resolved { by, done, value }, senses))
    }

    fn said(&mut self, key: &StepKey, what: What, senses: &dyn Senses) -> Reaction {
        let mut reaction = Reaction::answer(Answer::Stopped);
        reaction.durability = Durability::Now;
        self.record(&mut reaction, key, what, senses);
        reaction
    }

    /// The step that asks people for this.
    fn asking(
        &self,
        step: Option<&StepKey>,
        what: &'static str,
        fits: impl Fn(&Step) -> bool,
    ) -> Result<StepKey, Refusal> {
        let open = self.memory.open.iter().filter(|key| {
            let stage = self.memory.get(key).map(|known| &known.stage);
            matches!(stage, Some(Stage::Asked(asked))
                if fits(&asked.step) && !people::is_decided(asked))
        });
        let open: Vec<&StepKey> = open
            .filter(|key| step.is_none_or(|step| step == *key))
            .collect();
        match open.as_slice() {
            [key] => Ok((*key).clone()),
            [] => Err(Refusal::NotAsked {
                what,
                step: step.map(ToString::to_string),
            }),
            several => Err(Refusal::Several {
                steps: several.iter().map(ToString::to_string).collect(),
            }),
        }
    }
}
