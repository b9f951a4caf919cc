//! Room: the guest's clocks. They tell the guest's own time, never the host's.
//!
//! Time starts at a fixed moment and goes on by a fixed step whenever the guest looks, so a guest that
//! waits in a loop gets to the end of it, and every run sees the same times.

use crate::limits::CLOCK_STEP_NS;
use crate::sandbox::errno::Errno;
use crate::sandbox::guest::{Call, Halt};

/// Where the real-time clock starts: 2026-01-01T00:00:00Z, in nanoseconds since 1970.
pub(in crate::sandbox) const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// The clocks a guest can read: both show the same time, one counted from 1970, one from its start.
// [BOX-50]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Realtime,
    Monotonic,
}

impl Clock {
    /// `EINVAL` for the clocks of processor time, and for those that do not exist.
    pub(super) fn from_id(id: u32) -> Result<Self, Errno> {
        match id {
            0 => Ok(Clock::Realtime),
            1 => Ok(Clock::Monotonic),
            _ => Err(Errno::INVAL),
        }
    }

    /// What it shows, in nanoseconds, that long after the guest's start.
    pub(super) fn at(self, since_start_ns: u64) -> u64 {
        match self {
            Clock::Realtime => EPOCH_NS.saturating_add(since_start_ns),
            Clock::Monotonic => since_start_ns,
        }
    }
}

/// Writes the resolution of a clock, one step. `EINVAL`: no such clock.
pub(super) fn clock_res_get(call: &mut Call<'_>, id: u32, result: u32) -> Result<(), Halt> {
    Clock::from_id(id)?;
    call.write_u64(result, CLOCK_STEP_NS)?;
    Ok(())
}

/// Writes what a clock shows, and moves time on by one step. `precision` changes nothing. `EINVAL`: no
/// such clock.
// [BOX-51]
pub(super) fn clock_time_get(
    call: &mut Call<'_>,
    id: u32,
    _precision: u64,
    result: u32,
) -> Result<(), Halt> {
    let clock = Clock::from_id(id)?;
    call.write_u64(result, clock.at(call.guest.clock_ns))?;
    call.guest.clock_ns = call.guest.clock_ns.saturating_add(CLOCK_STEP_NS);
    Ok(())
}
