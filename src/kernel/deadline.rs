//! The time that a call may take, and the flag that ends it early. Work that takes long looks at both
//! between pieces of bounded size.

use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Stops a running call from another thread.
///
/// ```
/// let flag = mpp::CancelFlag::default();
/// let for_another_thread = flag.clone();
/// for_another_thread.cancel();
/// assert!(flag.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks the call to be stopped. It stays asked.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// When a call has to end, on the host's clock.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    started: Instant,
    timeout: Duration,
    cancel: CancelFlag,
}

/// Why a call may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// More than this time has passed.
    Late(Duration),
    /// The host asked for it.
    Cancelled,
}

impl Deadline {
    /// Begins now.
    pub(crate) fn new(timeout: Duration, cancel: CancelFlag) -> Self {
        Deadline { started: Instant::now(), timeout, cancel }
    }

    /// No limit of time: only the flag.
    pub(crate) fn only(cancel: &CancelFlag) -> Self {
        Deadline::new(Duration::MAX, cancel.clone())
    }

    /// The same time once more, from now on.
    pub(crate) fn anew(&self) -> Self {
        Deadline::new(self.timeout, self.cancel.clone())
    }

    /// Time since the call began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Time until it is over.
    pub(crate) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// The same, and over after so long at the latest.
    pub(crate) fn sooner(&self, timeout: Duration) -> Self {
        Deadline::new(timeout.min(self.left()), self.cancel.clone())
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Refuses to go on if the call was cancelled, or if its time is over.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        self.check_before(Duration::ZERO)
    }

    /// Refuses to go on if the call was cancelled, or if what comes next would end after its time.
    // [BOX-38] [BOX-39]
    pub(crate) fn check_before(&self, next: Duration) -> Result<(), Interrupted> {
        if self.cancel.is_cancelled() {
            return Err(Interrupted::Cancelled);
        }
        if self.elapsed().saturating_add(next) >= self.timeout {
            return Err(Interrupted::Late(self.timeout));
        }
        Ok(())
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Error {
        match interrupted {
            Interrupted::Late(timeout) => {
                let detail = format!("the call did not end within {} ms", timeout.as_millis());
                Error::new(Code::ToolTimeout, detail)
            }
            Interrupted::Cancelled => {
                Error::new(Code::ToolCancelled, "the host cancelled the call")
            }
        }
    }
}
