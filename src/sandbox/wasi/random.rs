//! Room: random numbers, from the seed of the call.

use crate::limits::{RANDOM_BYTES_MAX, RANDOM_BYTE_FUEL};
use crate::sandbox::errno::Errno;
use crate::sandbox::guest::{Call, Halt};

/// Fills a buffer with the next bytes of the random stream. `EINVAL`: more than one call may ask for.
// [BOX-53] [BOX-54]
pub(super) fn random_get(call: &mut Call<'_>, pointer: u32, length: u32) -> Result<(), Halt> {
    let span = call.span_of(pointer, length)?;
    if span.length() > RANDOM_BYTES_MAX {
        return Err(Errno::INVAL.into());
    }
    call.charge(RANDOM_BYTE_FUEL.saturating_mul(u64::from(length)))?;
    let bytes = call.guest.random.take(span.length());
    call.write(span, &bytes)?;
    Ok(())
}
