//! Random function of WASI: `random_get`.

use crate::kernel::limits::{RANDOM_BYTES_MAX, RANDOM_BYTE_FUEL};
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::HostCall;

/// Fills `length` bytes at `pointer` with random bytes. `EINVAL`: more than one call can get. `EIO`: the
/// host has none.
// [BOX-53] [BOX-54]
pub(super) fn random_get(call: &mut HostCall, pointer: u32, length: u32) -> HostResult {
    let span = call.span_of(pointer, length)?;
    Errno::INVAL.when(span.length() > RANDOM_BYTES_MAX)?;
    call.guest.meter.charge_each(span.length(), RANDOM_BYTE_FUEL)?;
    let bytes = call.guest.random.take(span.length()).map_err(|_| Errno::IO)?;
    call.write(span, &bytes)
}
