//! Budget of one call of the privacy filter: bytes, pattern steps and the deadline.

use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{PRIVACY_BYTES_MAX, PRIVACY_SLICE_STEPS, PRIVACY_STEPS_MAX};
use crate::kernel::pattern::is_within_search_limit;
use crate::kernel::prelude::*;

pub(super) struct Budget<'a> {
    bytes: usize,
    steps: u64,
    pub(super) deadline: Deadline<'a>,
    /// Steps since the last check of the deadline.
    unchecked: u64,
}

impl<'a> Budget<'a> {
    pub(super) fn new(deadline: &Deadline<'a>) -> Self {
        let deadline = *deadline;
        Budget { bytes: PRIVACY_BYTES_MAX, steps: PRIVACY_STEPS_MAX, deadline, unchecked: 0 }
    }

    /// Charges the bytes of one scan.
    // [PRIV-82]
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        let refused = || Error::new(Code::PrivacyLimit, "result is too large to filter");
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(refused)?;
        self.check_deadline(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Charges the steps of one search of a custom pattern.
    // [PRIV-82]
    pub(super) fn charge_steps(&mut self, steps: u64) -> Result<(), Error> {
        let left = self.steps.checked_sub(steps).filter(|_| is_within_search_limit(steps));
        let refused = || Error::new(Code::PrivacyLimit, "custom patterns exceed the step limit");
        self.steps = left.ok_or_else(refused)?;
        self.check_deadline(steps)
    }

    /// Checks the deadline after each amount of work.
    // [PRIV-84]
    fn check_deadline(&mut self, steps: u64) -> Result<(), Error> {
        self.unchecked = self.unchecked.saturating_add(steps);
        if self.unchecked >= PRIVACY_SLICE_STEPS {
            self.unchecked = 0;
            self.deadline.check()?;
        }
        Ok(())
    }
}
