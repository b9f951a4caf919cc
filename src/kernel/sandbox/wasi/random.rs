//! Room: random numbers.

use crate::kernel::limits::{RANDOM_BYTES_MAX, RANDOM_BYTE_FUEL};
use crate::kernel::sandbox::errno::{Errno, HostCallError};
use crate::kernel::sandbox::guest::HostCall;

/// Fills `length` bytes at `pointer` with the next bytes of the random stream. `EINVAL`: more than one
/// call may ask for. `EIO`: the host has none.
// [BOX-53] [BOX-54]
pub(super) fn random_get(
    call: &mut HostCall,
    pointer: u32,
    length: u32,
) -> Result<(), HostCallError> {
    let span = call.span_of(pointer, length)?;
    Errno::INVAL.when(span.length() > RANDOM_BYTES_MAX)?;
    call.guest.meter.charge_each(span.length(), RANDOM_BYTE_FUEL)?;
    let bytes = call.guest.random.take(span.length()).map_err(|_| Errno::IO)?;
    call.write(span, &bytes)
}
