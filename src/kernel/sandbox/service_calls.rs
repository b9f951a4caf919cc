//! Room: the guest's two functions at the door: it hands in a request, learns how long the answer is, and
//! takes it. What is asked and answered is `crate::kernel::network`'s.

use super::errno::{Errno, HostCallError};
use super::guest::{GuestState, HostCall};
use super::wasi;
use crate::kernel::limits::{SERVICE_BYTE_FUEL, SERVICE_REQUEST_FUEL};
use crate::kernel::module::imports::SERVICE_MODULE;
use wasmi::{Caller, Error, Linker};

/// What both functions answer if the bytes they were given are none that they can use.
const UNUSABLE: i32 = -1;

/// Defines both functions.
// [DOOR-01]
pub(super) fn define(linker: &mut Linker<GuestState>) -> Result<(), Error> {
    linker.func_wrap(
        SERVICE_MODULE,
        "request",
        |caller: Caller<'_, GuestState>, pointer: u32, length: u32| {
            answer(caller, |call| request(call, pointer, length))
        },
    )?;
    linker.func_wrap(
        SERVICE_MODULE,
        "response",
        |caller: Caller<'_, GuestState>, pointer: u32, length: u32| {
            answer(caller, |call| response(call, pointer, length))
        },
    )?;
    Ok(())
}

/// Runs one function as any other host call, and gives its number.
fn answer(
    caller: Caller<'_, GuestState>,
    function: impl FnOnce(&mut HostCall) -> Result<usize, HostCallError>,
) -> Result<i32, Error> {
    let mut length = 0;
    let errno = wasi::call(caller, |call| {
        length = function(call)?;
        Ok(())
    })?;
    Ok(if errno == 0 { i32::try_from(length).unwrap_or(UNUSABLE) } else { UNUSABLE })
}

/// Hands in `length` bytes of JSON at `pointer`, waits for the answer, and gives its length. An answer that
/// was not taken is gone.
// [DOOR-03] [DOOR-07]
fn request(call: &mut HostCall, pointer: u32, length: u32) -> Result<usize, HostCallError> {
    let span = call.span_of(pointer, length)?;
    let GuestState { meter, services, response, .. } = &mut *call.guest;
    meter.charge(SERVICE_REQUEST_FUEL)?;
    meter.charge_each(span.length(), SERVICE_BYTE_FUEL)?;
    *response = services.ask(span.of(call.memory)?, &meter.watch);
    meter.watch.check()?;
    meter.charge_each(response.len(), SERVICE_BYTE_FUEL)?;
    Ok(response.len())
}

/// Writes the answer, whose whole length the guest has to give, at `pointer`; then it is gone.
// [DOOR-09]
fn response(call: &mut HostCall, pointer: u32, length: u32) -> Result<usize, HostCallError> {
    let span = call.span_of(pointer, length)?;
    Errno::INVAL.when(span.length() == 0 || span.length() != call.guest.response.len())?;
    call.guest.meter.charge_bytes(span.length())?;
    let response = core::mem::take(&mut call.guest.response);
    call.write(span, &response)?;
    Ok(response.len())
}
