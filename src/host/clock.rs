//! System clocks, and the flag by which another thread cancels a call.

use crate::kernel::deadline::Clock;
use crate::kernel::time::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Cancels a running call from another thread.
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
    /// Cancels the call. This cannot be undone.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns `true` once the call was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Implements [`Clock`] by the system's clocks, optionally with a flag that cancels the call.
pub(crate) trait SystemClock {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        None
    }
}

impl SystemClock for CancelFlag {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        Some(self)
    }
}

impl<T: SystemClock> Clock for T {
    fn now(&self) -> Duration {
        now()
    }
    fn elapsed(&self) -> Duration {
        elapsed()
    }
    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
    fn is_cancelled(&self) -> bool {
        self.cancel_flag().is_some_and(CancelFlag::is_cancelled)
    }
}

/// Returns the system time. A clock set before 1970 reads as 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Returns the time since the first call of this function in the process.
pub(crate) fn elapsed() -> Duration {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    STARTED.get_or_init(Instant::now).elapsed()
}

impl Timestamp {
    /// Returns the system time. A clock set before 1970 reads as 1970.
    pub fn now() -> Self {
        Timestamp::since_epoch(now())
    }
}
