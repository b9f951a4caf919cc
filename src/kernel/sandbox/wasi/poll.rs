//! Room: waiting. The guest's own time moves on at once; only for the host's, if it was granted, does a
//! guest sleep.

use crate::kernel::limits::SUBSCRIPTIONS_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError};
use crate::kernel::sandbox::guest::{field_u32, field_u64, HostCall};

const SUBSCRIPTION_BYTES: usize = 48;
const EVENT_BYTES: usize = 32;
/// The bit of `subclockflags` that makes a time-out a moment instead of a duration.
const ABSOLUTE: u64 = 1;

/// What one subscription waits for: the moment it is due, in nanoseconds since the guest's start, or an
/// errno that is its answer at once. Streams and files are always ready.
struct Subscription {
    user_data: u64,
    kind: u8,
    due_ns: Result<u64, Errno>,
}

/// Waits until one of the subscriptions is due, by moving the guest's time to the earliest; writes an
/// `event` for each that is due then, and their number at `result`. `EINVAL`: none, or too many.
// [BOX-52]
pub(super) fn poll_oneoff(
    call: &mut HostCall,
    subscriptions: u32,
    events: u32,
    count: u32,
    result: u32,
) -> Result<(), HostCallError> {
    let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
    Errno::INVAL.when(count == 0 || count > SUBSCRIPTIONS_COUNT_MAX)?;
    call.span(result, 4)?;
    let span = call.span(subscriptions, count.saturating_mul(SUBSCRIPTION_BYTES))?;
    let events = call.span(events, count.saturating_mul(EVENT_BYTES))?;
    call.guest.meter.charge_bytes(span.length())?;
    let records = call.read(span)?.chunks_exact(SUBSCRIPTION_BYTES);
    let waits: Vec<Subscription> = records.map(|record| read(call, record)).collect();
    let earliest = waits.iter().map(|wait| wait.due_ns.unwrap_or(0)).min().unwrap_or(0);
    call.guest.time.wait_until(earliest, &call.guest.meter.watch)?;
    let now = call.guest.time.elapsed(&call.guest.meter.watch);
    let mut due = Vec::new();
    let mut number = 0_u32;
    for wait in waits.iter().filter(|wait| wait.due_ns.unwrap_or(0) <= now) {
        let errno = wait.due_ns.err().map_or(0, |errno| errno.0);
        due.extend(wait.user_data.to_le_bytes());
        due.extend(errno.to_le_bytes());
        due.extend(u16::from(wait.kind).to_le_bytes());
        due.extend([0; 20]);
        number = number.saturating_add(1);
    }
    call.write(events, &due)?;
    call.write_u32(result, number)
}

/// Reads a `subscription`.
fn read(call: &HostCall, record: &[u8]) -> Subscription {
    let kind = record.get(8).copied().unwrap_or(u8::MAX);
    let due_ns = match kind {
        0 => clock_due(call, record),
        1 | 2 => call.guest.descriptors.get(field_u32(record, 16)).map(|_| 0),
        _ => Err(Errno::INVAL),
    };
    Subscription { user_data: field_u64(record, 0), kind, due_ns }
}

fn clock_due(call: &HostCall, record: &[u8]) -> Result<u64, Errno> {
    let (time, watch) = (&call.guest.time, &call.guest.meter.watch);
    let shown = time.show(field_u32(record, 16), watch)?;
    let timeout = field_u64(record, 24);
    let is_absolute = field_u64(record, 40) & ABSOLUTE != 0;
    let wait = if is_absolute { timeout.saturating_sub(shown) } else { timeout };
    Ok(time.elapsed(watch).saturating_add(wait))
}
