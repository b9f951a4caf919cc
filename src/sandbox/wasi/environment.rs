//! Room: command line and environment variables.

use crate::sandbox::guest::{Call, Halt};

/// Writes the pointers of the arguments at `list`, and the arguments, each with a NUL, at `text`.
pub(super) fn args_get(call: &mut Call<'_>, list: u32, text: u32) -> Result<(), Halt> {
    let values = call.guest.args.clone();
    write_values(call, &values, list, text)
}

/// Writes the number of arguments at `count`, and the bytes they need with their NULs at `bytes`.
pub(super) fn args_sizes_get(call: &mut Call<'_>, count: u32, bytes: u32) -> Result<(), Halt> {
    let values = call.guest.args.clone();
    write_sizes(call, &values, count, bytes)
}

/// As `args_get`, for `NAME=value` pairs in ascending order of names.
pub(super) fn environ_get(call: &mut Call<'_>, list: u32, text: u32) -> Result<(), Halt> {
    let values = call.guest.environment.clone();
    write_values(call, &values, list, text)
}

/// As `args_sizes_get`, for environment variables.
pub(super) fn environ_sizes_get(call: &mut Call<'_>, count: u32, bytes: u32) -> Result<(), Halt> {
    let values = call.guest.environment.clone();
    write_sizes(call, &values, count, bytes)
}

/// Bytes of all values, each with its NUL.
fn total(values: &[String]) -> usize {
    values.iter().fold(0, |sum, value| sum.saturating_add(value.len()).saturating_add(1))
}

fn write_sizes(call: &mut Call<'_>, values: &[String], at: u32, bytes: u32) -> Result<(), Halt> {
    call.span(bytes, 4)?;
    call.write_u32(at, u32::try_from(values.len()).unwrap_or(u32::MAX))?;
    call.write_u32(bytes, u32::try_from(total(values)).unwrap_or(u32::MAX))?;
    Ok(())
}

fn write_values(call: &mut Call<'_>, values: &[String], list: u32, text: u32) -> Result<(), Halt> {
    call.span(list, values.len().saturating_mul(4))?;
    call.span(text, total(values))?;
    call.charge_bytes(total(values))?;
    let (mut list, mut text) = (list, text);
    for value in values {
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
