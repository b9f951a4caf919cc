//! Clock functions of WASI: `clock_res_get`, `clock_time_get`.

use crate::kernel::sandbox::errno::HostResult;
use crate::kernel::sandbox::guest::HostCall;

/// Writes the resolution of the clock `id` at `result`: one step of virtual time, or one nanosecond.
/// `EINVAL`: no such clock.
pub(super) fn clock_res_get(call: &mut HostCall, id: u32, result: u32) -> HostResult {
    let time = &call.guest.time;
    time.read(id, &call.guest.meter.deadline)?;
    call.write_u64(result, time.resolution_ns())
}

/// Writes the time of the clock `id` at `result`, and advances virtual time by one step. `precision` is
/// ignored. `EINVAL`: no such clock.
// [BOX-51]
pub(super) fn clock_time_get(
    call: &mut HostCall,
    id: u32,
    _precision: u64,
    result: u32,
) -> HostResult {
    let shown = call.guest.time.read(id, &call.guest.meter.deadline)?;
    call.write_u64(result, shown)?;
    call.guest.time.step();
    Ok(())
}
