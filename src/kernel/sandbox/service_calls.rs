//! Host calls for host services: the guest submits a request, gets the response's length, and reads the
//! response. `crate::kernel::network` answers requests.

use super::errno::{Errno, HostResult};
use super::guest::{GuestState, HostCall};
use super::wasi;
use crate::kernel::limits::{SERVICE_BYTE_FUEL, SERVICE_REQUEST_FUEL};
use crate::kernel::module::imports::SERVICE_MODULE;
use wasmi::{Caller, Error, Linker};

/// What both functions return if an argument is invalid.
const INVALID: i32 = -1;

/// Defines both functions.
// [DOOR-01]
pub(super) fn define(linker: &mut Linker<GuestState>) -> Result<(), Error> {
    linker.func_wrap(
        SERVICE_MODULE,
        "request",
        |caller: Caller<'_, GuestState>, pointer: u32, length: u32| {
            run(caller, |call| request(call, pointer, length))
        },
    )?;
    linker.func_wrap(
        SERVICE_MODULE,
        "response",
        |caller: Caller<'_, GuestState>, pointer: u32, length: u32| {
            run(caller, |call| response(call, pointer, length))
        },
    )?;
    Ok(())
}

/// Runs a function as a host call and returns its number.
fn run(
    caller: Caller<'_, GuestState>,
    function: impl FnOnce(&mut HostCall) -> HostResult<usize>,
) -> Result<i32, Error> {
    let mut length = 0;
    let errno = wasi::call(caller, |call| {
        length = function(call)?;
        Ok(())
    })?;
    Ok(if errno == 0 { i32::try_from(length).unwrap_or(INVALID) } else { INVALID })
}

/// Submits `length` bytes of JSON at `pointer`, waits for the response and returns its length. An unread
/// earlier response is dropped.
// [DOOR-03] [DOOR-07]
fn request(call: &mut HostCall, pointer: u32, length: u32) -> HostResult<usize> {
    let span = call.span_of(pointer, length)?;
    let GuestState { meter, services, response, .. } = &mut *call.guest;
    meter.charge(SERVICE_REQUEST_FUEL)?;
    meter.charge_each(span.length(), SERVICE_BYTE_FUEL)?;
    *response = services.handle(span.of(call.memory)?, &meter.deadline);
    meter.deadline.check()?;
    meter.charge_each(response.len(), SERVICE_BYTE_FUEL)?;
    Ok(response.len())
}

/// Writes the response at `pointer` and drops it. `length` must be its exact length.
// [DOOR-09]
fn response(call: &mut HostCall, pointer: u32, length: u32) -> HostResult<usize> {
    let span = call.span_of(pointer, length)?;
    Errno::INVAL.when(span.length() == 0 || span.length() != call.guest.response.len())?;
    call.guest.meter.charge_bytes(span.length())?;
    let response = core::mem::take(&mut call.guest.response);
    call.write(span, &response)?;
    Ok(response.len())
}
