//! Argument and environment functions of WASI.

use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::HostResult;
use crate::kernel::sandbox::guest::{GuestState, HostCall};

/// Writes pointers to the arguments at `list`, and the arguments, each with a NUL, at `text`.
pub(super) fn args_get(call: &mut HostCall, list: u32, text: u32) -> HostResult {
    write_values(call, |guest| &guest.args, list, text)
}

/// Writes the number of arguments at `count`, and their size with the NULs at `bytes`.
pub(super) fn args_sizes_get(call: &mut HostCall, count: u32, bytes: u32) -> HostResult {
    let sizes = sizes(&call.guest.args);
    write_sizes(call, sizes, count, bytes)
}

/// As `args_get`, for `NAME=value` pairs in ascending order of names.
pub(super) fn environ_get(call: &mut HostCall, list: u32, text: u32) -> HostResult {
    write_values(call, |guest| &guest.environment, list, text)
}

/// As `args_sizes_get`, for environment variables.
pub(super) fn environ_sizes_get(call: &mut HostCall, count: u32, bytes: u32) -> HostResult {
    let sizes = sizes(&call.guest.environment);
    write_sizes(call, sizes, count, bytes)
}

/// Returns the number of values, and their size with a NUL each.
fn sizes(values: &[String]) -> (usize, usize) {
    let add = |sum: usize, value: &String| sum.saturating_add(value.len()).saturating_add(1);
    (values.len(), values.iter().fold(0, add))
}

fn write_sizes(
    call: &mut HostCall,
    (count, total): (usize, usize),
    at: u32,
    bytes: u32,
) -> HostResult {
    call.span(bytes, 4)?;
    call.write_u32(at, u32::try_from(count).unwrap_or(u32::MAX))?;
    call.write_u32(bytes, u32::try_from(total).unwrap_or(u32::MAX))
}

fn write_values(
    call: &mut HostCall,
    values: for<'a> fn(&'a GuestState<'_>) -> &'a Vec<String>,
    list: u32,
    text: u32,
) -> HostResult {
    let (count, total) = sizes(values(call.guest));
    call.span(list, count.saturating_mul(4))?;
    call.span(text, total)?;
    call.guest.meter.charge_bytes(total)?;
    // Cloned only after it was charged; the clone lets the guest's memory be written.
    let values = values(call.guest).clone();
    let (mut list, mut text) = (list, text);
    for value in &values {
        call.write_u32(list, text)?;
        call.write_at(text, value.as_bytes())?;
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let end = text.saturating_add(length);
        call.write_at(end, &[0])?;
        list = list.saturating_add(4);
        text = end.saturating_add(1);
    }
    Ok(())
}
