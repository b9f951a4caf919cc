//! The two clocks that a guest can look at.

use crate::kernel::sandbox::errno::HostCallError;
use crate::kernel::sandbox::guest::HostCall;

/// Writes the resolution of the clock `id` at `result`: one step; of the host's, one nanosecond.
/// `EINVAL`: no such clock.
pub(super) fn clock_res_get(
    call: &mut HostCall,
    id: u32,
    result: u32,
) -> Result<(), HostCallError> {
    let time = &call.guest.time;
    time.show(id, &call.guest.meter.watch)?;
    call.write_u64(result, time.resolution_ns())
}

/// Writes what the clock `id` shows at `result`, and moves the guest's own time on by one step.
/// `precision` changes nothing. `EINVAL`: no such clock.
// [BOX-51]
pub(super) fn clock_time_get(
    call: &mut HostCall,
    id: u32,
    _precision: u64,
    result: u32,
) -> Result<(), HostCallError> {
    let shown = call.guest.time.show(id, &call.guest.meter.watch)?;
    call.write_u64(result, shown)?;
    call.guest.time.step();
    Ok(())
}
