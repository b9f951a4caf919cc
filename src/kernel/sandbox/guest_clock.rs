//! Clocks of the guest. Virtual time, the default, starts at a fixed time and advances by a fixed step with
//! each read: busy waiting ends, and every run sees the same times. Host time needs a grant.

use super::errno::{Errno, HostResult};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::CLOCK_STEP_NS;
use core::time::Duration;

/// The start of virtual time: 2026-01-01T00:00:00Z, in nanoseconds since 1970.
pub(super) const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// How long a guest that waits in host time sleeps between checks of the cancel flag.
const SLEEP_SLICE: Duration = Duration::from_millis(2);

/// The clocks of one guest.
// [BOX-50] [BOX-56]
pub(super) struct GuestClock {
    /// When the guest started, in nanoseconds since 1970.
    started_ns: u64,
    /// Virtual nanoseconds since then; `None` in host time.
    virtual_ns: Option<u64>,
}

impl GuestClock {
    /// Virtual time, the same in every run.
    pub(super) fn virtual_time() -> Self {
        GuestClock { started_ns: EPOCH_NS, virtual_ns: Some(0) }
    }

    /// Host time, with the time since 1970 at which the deadline began.
    pub(super) fn host_time(began: Duration) -> Self {
        GuestClock { started_ns: nanoseconds(began), virtual_ns: None }
    }

    /// Returns `true` in host time.
    pub(super) fn is_real(&self) -> bool {
        self.virtual_ns.is_none()
    }

    /// Returns the resolution of the clocks in nanoseconds.
    pub(super) fn resolution_ns(&self) -> u64 {
        self.virtual_ns.map_or(1, |_| CLOCK_STEP_NS)
    }

    /// Advances virtual time by one step, after a read.
    pub(super) fn step(&mut self) {
        self.virtual_ns = self.virtual_ns.map(|now| now.saturating_add(CLOCK_STEP_NS));
    }

    /// Returns the nanoseconds since the guest started.
    pub(super) fn elapsed(&self, deadline: &Deadline) -> u64 {
        self.virtual_ns.unwrap_or_else(|| nanoseconds(deadline.elapsed()))
    }

    /// Returns the nanoseconds since 1970.
    pub(super) fn realtime(&self, deadline: &Deadline) -> u64 {
        self.started_ns.saturating_add(self.elapsed(deadline))
    }

    /// Reads the clock with this id. `EINVAL`: a CPU-time clock, or no such clock.
    pub(super) fn read(&self, clock: u32, deadline: &Deadline) -> Result<u64, Errno> {
        match clock {
            0 => Ok(self.realtime(deadline)),
            1 => Ok(self.elapsed(deadline)),
            _ => Err(Errno::INVAL),
        }
    }

    /// Waits until a time, in nanoseconds since the guest's start. Virtual time jumps there; in host time
    /// it sleeps, unless the deadline passes before.
    pub(super) fn wait_until(&mut self, due_ns: u64, deadline: &Deadline) -> HostResult {
        if let Some(now) = &mut self.virtual_ns {
            *now = due_ns.max(*now);
            return Ok(());
        }
        loop {
            let left = Duration::from_nanos(due_ns.saturating_sub(self.elapsed(deadline)));
            if left.is_zero() {
                return Ok(());
            }
            deadline.check_before(left)?;
            deadline.wait(left.min(SLEEP_SLICE));
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
