//! What need not be known any more: once a branch or try is over, a replay gets its answer whole and
//! asks for nothing inside of it, so that a long run takes no more room than what it still needs.

use std::ops::Range;

use cordon_contract::StepKey;
use cordon_contract::step::Composite;

use super::{Memory, Stage, Whole};

impl Memory {
    /// The places of all records inside of a branch that no replay needs once the branch is over and
    /// that changed nothing outside.
    pub fn prunable(&self, key: &StepKey, branch: u32, seqs: &mut Vec<u64>) {
        if self.branch_must_be_gone_through(key, branch) {
            return;
        }
        for child in self.children(key, branch) {
            let Some(known) = self.steps.get(&child) else {
                continue;
            };
            match &known.stage {
                Stage::Done { changed: false, .. } => seqs.extend(&known.seqs),
                Stage::Composite(whole) => {
                    seqs.extend(&known.seqs);
                    seqs.extend(whole.iterated);
                    for branch in self.remembered(&child) {
                        self.prunable(&child, branch, seqs);
                    }
                }
                _ => {}
            }
        }
    }

    /// What [`Memory::prunable`] finds in these branches, for a composite step that may be dropped as
    /// part of another one later.
    pub(super) fn residue(&self, key: &StepKey, branches: Range<u32>) -> Vec<u64> {
        let mut seqs = Vec::new();
        if key.parent().is_some() {
            for branch in branches {
                self.prunable(key, branch, &mut seqs);
            }
        }
        seqs
    }

    /// The branches of which something may be known. Of a loop only the latest try is: what came before
    /// was forgotten as it went on.
    pub(super) fn remembered(&self, key: &StepKey) -> Range<u32> {
        match self.whole(key) {
            Some(Whole {
                composite: Some(Composite::Parallel { branches, .. }),
                ..
            }) => 0..*branches,
            Some(whole) => whole.iteration..whole.iteration.saturating_add(1),
            None => 0..0,
        }
    }

    fn children(&self, key: &StepKey, branch: u32) -> Vec<StepKey> {
        let last = self.last_in(key, branch);
        last.map_or_else(Vec::new, |last| {
            (0..=last).map(|index| key.child(branch, index)).collect()
        })
    }

    pub(super) fn forget_branch(&mut self, key: &StepKey, branch: u32) {
        if self.branch_must_be_gone_through(key, branch) {
            return;
        }
        for child in self.children(key, branch) {
            self.forget_inside(&child);
            self.open.remove(&child);
            self.steps.remove(&child);
        }
        self.last.remove(&(key.clone(), branch));
    }

    pub(super) fn forget_inside(&mut self, key: &StepKey) {
        let is_loop = !matches!(
            self.whole(key).and_then(|whole| whole.composite),
            Some(Composite::Parallel { .. })
        );
        if is_loop && self.must_be_gone_through(key).is_some() {
            return;
        }
        for branch in self.remembered(key) {
            self.forget_branch(key, branch);
        }
    }
}
