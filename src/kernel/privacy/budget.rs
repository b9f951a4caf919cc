//! Room: what may still be done in one call of the filter, and until when.

use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{PRIVACY_BYTES_MAX, PRIVACY_SLICE_STEPS, PRIVACY_STEPS_MAX};
use crate::kernel::pattern::is_within_search_limit;
use crate::kernel::prelude::*;

pub(super) struct Budget<'a> {
    bytes: usize,
    steps: u64,
    pub(super) deadline: Deadline<'a>,
    /// Steps since the last look at the deadline.
    unseen: u64,
}

impl<'a> Budget<'a> {
    pub(super) fn new(deadline: &Deadline<'a>) -> Self {
        let deadline = *deadline;
        Budget { bytes: PRIVACY_BYTES_MAX, steps: PRIVACY_STEPS_MAX, deadline, unseen: 0 }
    }

    /// Takes the bytes of one scan.
    // [PRIV-82]
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        let refused = || Error::new(Code::PrivacyLimit, "answer is too large to be scanned");
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(refused)?;
        self.look(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Takes the steps of one search of a custom pattern.
    // [PRIV-82]
    pub(super) fn spend_steps(&mut self, steps: u64) -> Result<(), Error> {
        let left = self.steps.checked_sub(steps).filter(|_| is_within_search_limit(steps));
        let refused =
            || Error::new(Code::PrivacyLimit, "custom patterns would take too many steps");
        self.steps = left.ok_or_else(refused)?;
        self.look(steps)
    }

    /// Looks at the deadline after each piece of work.
    // [PRIV-84]
    fn look(&mut self, steps: u64) -> Result<(), Error> {
        self.unseen = self.unseen.saturating_add(steps);
        if self.unseen >= PRIVACY_SLICE_STEPS {
            self.unseen = 0;
            self.deadline.check()?;
        }
        Ok(())
    }
}
