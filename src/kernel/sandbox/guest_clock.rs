//! The guest's time. Unless the host granted its own, it starts at a fixed moment and goes on by a fixed
//! step whenever the guest looks: a guest that waits in a loop gets to the end of it, and every run sees
//! the same times.

use super::errno::{Errno, Termination};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::CLOCK_STEP_NS;
use core::time::Duration;

/// The time of everything that was there before: 2026-01-01T00:00:00Z, in nanoseconds since 1970.
pub(super) const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// How long a guest that waits for the host's clock sleeps before the cancel flag is looked at.
const SLEEP_SLICE: Duration = Duration::from_millis(2);

/// The time of one guest.
// [BOX-50] [BOX-56]
pub(super) struct GuestClock {
    /// When the guest started, in nanoseconds since 1970.
    started_ns: u64,
    /// Nanoseconds since then, in its own time; `None` for the host's.
    own_ns: Option<u64>,
}

impl GuestClock {
    /// The guest's own time, the same in every run.
    pub(super) fn own() -> Self {
        GuestClock { started_ns: EPOCH_NS, own_ns: Some(0) }
    }

    /// The host's time: that since 1970 at which the deadline began, and what has passed since.
    pub(super) fn of_host(began: Duration) -> Self {
        GuestClock { started_ns: nanoseconds(began), own_ns: None }
    }

    /// Whether it is the host's.
    pub(super) fn is_real(&self) -> bool {
        self.own_ns.is_none()
    }

    /// The shortest time that its clocks can tell.
    pub(super) fn resolution_ns(&self) -> u64 {
        self.own_ns.map_or(1, |_| CLOCK_STEP_NS)
    }

    /// Moves the guest's own time on, since the guest has looked at it.
    pub(super) fn step(&mut self) {
        self.own_ns = self.own_ns.map(|own| own.saturating_add(CLOCK_STEP_NS));
    }

    /// Nanoseconds since the guest started.
    pub(super) fn elapsed(&self, watch: &Deadline) -> u64 {
        self.own_ns.unwrap_or_else(|| nanoseconds(watch.elapsed()))
    }

    /// Nanoseconds since 1970.
    pub(super) fn realtime(&self, watch: &Deadline) -> u64 {
        self.started_ns.saturating_add(self.elapsed(watch))
    }

    /// What a clock shows. `EINVAL` for the clocks of processor time, and for those that do not exist.
    pub(super) fn show(&self, clock: u32, watch: &Deadline) -> Result<u64, Errno> {
        match clock {
            0 => Ok(self.realtime(watch)),
            1 => Ok(self.elapsed(watch)),
            _ => Err(Errno::INVAL),
        }
    }

    /// Lets time go on to a moment, counted from the guest's start. Its own jumps there; for the host's
    /// it sleeps, unless the call would be over before.
    pub(super) fn wait_until(&mut self, due_ns: u64, watch: &Deadline) -> Result<(), Termination> {
        if let Some(own) = &mut self.own_ns {
            *own = due_ns.max(*own);
            return Ok(());
        }
        loop {
            let left = Duration::from_nanos(due_ns.saturating_sub(self.elapsed(watch)));
            if left.is_zero() {
                return Ok(());
            }
            watch.check_before(left)?;
            watch.wait(left.min(SLEEP_SLICE));
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
