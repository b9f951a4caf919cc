//! Room: the guest's time. Unless the host granted its own, it starts at a fixed moment and goes on by
//! a fixed step whenever the guest looks: a guest that waits in a loop gets to the end of it, and every
//! run sees the same times.

use crate::deadline::Deadline;
use crate::limits::CLOCK_STEP_NS;
use crate::sandbox::errno::Errno;
use crate::sandbox::files::EPOCH_NS;
use crate::sandbox::guest::{Call, Halt, Stop};
use std::time::{Duration, SystemTime};

/// How long a guest that waits for the host's clock sleeps before the cancel flag is looked at.
const NAP: Duration = Duration::from_millis(2);

/// The time of one guest.
// [BOX-50] [BOX-56]
pub(in crate::sandbox) struct Time {
    /// When the guest started, in nanoseconds since 1970.
    started_ns: u64,
    /// Nanoseconds since then, in its own time; `None` for the host's.
    own_ns: Option<u64>,
}

impl Time {
    /// The guest's own time, the same in every run.
    pub(in crate::sandbox) fn own() -> Self {
        Time { started_ns: EPOCH_NS, own_ns: Some(0) }
    }

    /// The host's time.
    pub(in crate::sandbox) fn of_host() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Time { started_ns: since_1970.map_or(0, nanoseconds), own_ns: None }
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
    pub(super) fn wait_until(&mut self, due_ns: u64, watch: &Deadline) -> Result<(), Stop> {
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
            std::thread::sleep(left.min(NAP));
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes the resolution of the clock `id` at `result`: one step; of the host's, one nanosecond.
/// `EINVAL`: no such clock.
pub(super) fn clock_res_get(call: &mut Call<'_>, id: u32, result: u32) -> Result<(), Halt> {
    let time = &call.guest.time;
    time.show(id, &call.guest.meter.watch)?;
    let resolution = if time.own_ns.is_some() { CLOCK_STEP_NS } else { 1 };
    call.write_u64(result, resolution)?;
    Ok(())
}

/// Writes what the clock `id` shows at `result`, and moves the guest's own time on by one step.
/// `precision` changes nothing. `EINVAL`: no such clock.
// [BOX-51]
pub(super) fn clock_time_get(
    call: &mut Call<'_>,
    id: u32,
    _precision: u64,
    result: u32,
) -> Result<(), Halt> {
    let shown = call.guest.time.show(id, &call.guest.meter.watch)?;
    call.write_u64(result, shown)?;
    if let Some(own) = &mut call.guest.time.own_ns {
        *own = own.saturating_add(CLOCK_STEP_NS);
    }
    Ok(())
}
