//! The time that a call may take, and whether it was cancelled. Work that takes long looks at both between
//! pieces of bounded size.

use crate::kernel::prelude::*;
use core::time::Duration;

/// What of a host has to do with time.
///
/// ```
/// use mpp::{Clock, Deadline};
/// use std::{cell::Cell, time::Duration};
///
/// /// A millisecond passes with each question.
/// struct Steps(Cell<u64>);
///
/// impl Clock for Steps {
///     fn now(&self) -> Duration {
///         Duration::from_secs(1_780_000_000) + self.elapsed()
///     }
///     fn elapsed(&self) -> Duration {
///         self.0.set(self.0.get() + 1);
///         Duration::from_millis(self.0.get())
///     }
/// }
///
/// let clock = Steps(Cell::new(0));
/// let deadline = Deadline::new(&clock, Duration::from_millis(2));
/// assert!(deadline.check().is_ok());
/// assert!(deadline.check().is_err());
/// ```
pub trait Clock {
    /// The present time, since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;

    /// Time since a moment of the host's choice, the same for all its calls, on a clock that is never set.
    fn elapsed(&self) -> Duration;

    /// Lets some of that time pass. One that returns at once is asked again.
    fn wait(&self, _: Duration) {}

    /// Whether the call is to end early. It is asked often.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// When a call has to end, on the host's clock.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    started: Duration,
    timeout: Duration,
}

/// Why a call may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// More than this time has passed.
    Late(Duration),
    /// The host asked for it.
    Cancelled,
}

impl<'a> Deadline<'a> {
    /// Begins now.
    pub fn new(clock: &'a dyn Clock, timeout: Duration) -> Self {
        Deadline { clock, started: clock.elapsed(), timeout }
    }

    /// No limit at all.
    pub fn unlimited() -> Deadline<'static> {
        struct Stopped;
        impl Clock for Stopped {
            fn now(&self) -> Duration {
                Duration::ZERO
            }
            fn elapsed(&self) -> Duration {
                Duration::ZERO
            }
        }
        Deadline::none(&Stopped)
    }

    /// No limit of time: the call can only be cancelled.
    pub fn none(clock: &'a dyn Clock) -> Self {
        Deadline::new(clock, Duration::MAX)
    }

    /// The same time once more, from now on.
    pub fn anew(&self) -> Self {
        Deadline::new(self.clock, self.timeout)
    }

    /// Time since the call began.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// Time until it is over.
    pub fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// The same, and over after so long at the latest.
    pub fn sooner(&self, timeout: Duration) -> Self {
        Deadline::new(self.clock, timeout.min(self.left()))
    }

    /// Lets some time pass.
    pub fn wait(&self, time: Duration) {
        self.clock.wait(time);
    }

    /// Refuses to go on if the call was cancelled, or if its time is over.
    ///
    /// # Errors
    /// Which of the two it is.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.check_before(Duration::ZERO)
    }

    /// Refuses to go on if the call was cancelled, or if what comes next would end after its time.
    ///
    /// # Errors
    /// Which of the two it is.
    // [BOX-38] [BOX-39]
    pub fn check_before(&self, next: Duration) -> Result<(), Interrupted> {
        if self.clock.is_cancelled() {
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
