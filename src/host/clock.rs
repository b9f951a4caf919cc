//! The system's clocks, and the flag by which another thread ends a call.

use crate::kernel::deadline::Clock;
use crate::kernel::time::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// What has this computer's clocks, and perhaps a flag that ends its call.
pub(crate) trait OnThisComputer {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        None
    }
}

impl OnThisComputer for CancelFlag {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        Some(self)
    }
}

impl<T: OnThisComputer> Clock for T {
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

/// What the system's clock says. One that is set before 1970 reads as 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time since this process first asked.
pub(crate) fn elapsed() -> Duration {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    STARTED.get_or_init(Instant::now).elapsed()
}

impl Timestamp {
    /// What the system's clock says now. A clock set before 1970 reads as 1970.
    pub fn now() -> Self {
        Timestamp::since_epoch(now())
    }
}
