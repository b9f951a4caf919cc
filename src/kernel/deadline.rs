//! Deadlines and cancellation of calls. Long work checks both between pieces of bounded size.

use crate::kernel::prelude::*;
use core::time::Duration;

/// The clocks of a host, and the cancellation of a call.
///
/// ```
/// use mpp::{Clock, Deadline};
/// use std::{cell::Cell, time::Duration};
///
/// /// Each reading takes a millisecond.
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
    /// Returns the current time, since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;

    /// Returns a monotonic time since a start that is the same for all calls of the host.
    fn elapsed(&self) -> Duration;

    /// Sleeps for some time. It is allowed to return early, and is called again then.
    fn wait(&self, _: Duration) {}

    /// Returns `true` if the call is cancelled. It is called often.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// When a call has to end, on the host's monotonic clock.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    started: Duration,
    timeout: Duration,
}

/// Why a call must not continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// It exceeded this timeout.
    TimedOut(Duration),
    /// The host cancelled it.
    Cancelled,
}

impl<'a> Deadline<'a> {
    /// Starts the timeout now.
    pub fn new(clock: &'a dyn Clock, timeout: Duration) -> Self {
        Deadline { clock, started: clock.elapsed(), timeout }
    }

    /// Returns a deadline that never passes.
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
        Deadline::untimed(&Stopped)
    }

    /// Returns a deadline without a timeout: the call can only be cancelled.
    pub fn untimed(clock: &'a dyn Clock) -> Self {
        Deadline::new(clock, Duration::MAX)
    }

    /// Starts the same timeout again.
    pub fn restarted(&self) -> Self {
        Deadline::new(self.clock, self.timeout)
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// Returns the time until the deadline.
    pub fn remaining(&self) -> Duration {
        self.timeout.saturating_sub(self.elapsed())
    }

    /// Returns this deadline or one after `timeout` from now, whichever is earlier.
    pub fn capped_at(&self, timeout: Duration) -> Self {
        Deadline::new(self.clock, timeout.min(self.remaining()))
    }

    /// Sleeps for some time.
    pub fn wait(&self, time: Duration) {
        self.clock.wait(time);
    }

    /// Checks that the call is neither cancelled nor past its deadline.
    ///
    /// # Errors
    /// The one of the two that applies.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.check_before(Duration::ZERO)
    }

    /// Checks that the call is not cancelled, and that work of this duration can end before the deadline.
    ///
    /// # Errors
    /// The one of the two that applies.
    // [BOX-38] [BOX-39]
    pub fn check_before(&self, next: Duration) -> Result<(), Interrupted> {
        if self.clock.is_cancelled() {
            return Err(Interrupted::Cancelled);
        }
        if self.elapsed().saturating_add(next) >= self.timeout {
            return Err(Interrupted::TimedOut(self.timeout));
        }
        Ok(())
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Error {
        match interrupted {
            Interrupted::TimedOut(timeout) => {
                let detail = format!("call timed out after {} ms", timeout.as_millis());
                Error::new(Code::ToolTimeout, detail)
            }
            Interrupted::Cancelled => {
                Error::new(Code::ToolCancelled, "call was cancelled by the host")
            }
        }
    }
}
