//! Polling function of WASI: `poll_oneoff`. Virtual time jumps to the earliest subscription; a guest sleeps
//! only in host time.

use crate::kernel::limits::SUBSCRIPTIONS_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::{field_u32, field_u64, HostCall};

const SUBSCRIPTION_BYTES: usize = 48;
const EVENT_BYTES: usize = 32;
/// The bit of `subclockflags` that makes the timeout an absolute time.
const ABSOLUTE: u64 = 1;

/// A subscription, due at a time in nanoseconds since the guest's start; at once if it has an error. Streams
/// and files are always ready.
struct Subscription {
    user_data: u64,
    kind: u8,
    due_ns: u64,
    errno: u16,
}

/// Waits for the earliest subscription, writes an `event` for each that is due then, and their number at
/// `result`. `EINVAL`: no subscriptions, or too many.
// [BOX-52]
pub(super) fn poll_oneoff(
    call: &mut HostCall,
    subscriptions: u32,
    events: u32,
    count: u32,
    result: u32,
) -> HostResult {
    let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
    Errno::INVAL.when(count == 0 || count > SUBSCRIPTIONS_COUNT_MAX)?;
    call.span(result, 4)?;
    let span = call.span(subscriptions, count.saturating_mul(SUBSCRIPTION_BYTES))?;
    let events = call.span(events, count.saturating_mul(EVENT_BYTES))?;
    call.guest.meter.charge_bytes(span.length())?;
    let records = call.read(span)?.chunks_exact(SUBSCRIPTION_BYTES);
    let subscriptions: Vec<Subscription> =
        records.map(|record| read_subscription(call, record)).collect();
    let earliest = subscriptions.iter().map(|it| it.due_ns).min().unwrap_or(0);
    call.guest.time.wait_until(earliest, &call.guest.meter.deadline)?;
    let now = call.guest.time.elapsed(&call.guest.meter.deadline);
    let mut due = Vec::new();
    let mut number = 0_u32;
    for subscription in subscriptions.iter().filter(|it| it.due_ns <= now) {
        due.extend(subscription.user_data.to_le_bytes());
        due.extend(subscription.errno.to_le_bytes());
        due.extend(u16::from(subscription.kind).to_le_bytes());
        due.extend([0; 20]);
        number = number.saturating_add(1);
    }
    call.write(events, &due)?;
    call.write_u32(result, number)
}

/// Decodes a `subscription`.
fn read_subscription(call: &HostCall, record: &[u8]) -> Subscription {
    let kind = record.get(8).copied().unwrap_or(u8::MAX);
    let due = match kind {
        0 => clock_due(call, record),
        1 | 2 => call.guest.descriptors.get(field_u32(record, 16)).map(|_| 0),
        _ => Err(Errno::INVAL),
    };
    let (due_ns, errno) = due.map_or_else(|errno| (0, errno.0), |due_ns| (due_ns, 0));
    Subscription { user_data: field_u64(record, 0), kind, due_ns, errno }
}

fn clock_due(call: &HostCall, record: &[u8]) -> Result<u64, Errno> {
    let (time, deadline) = (&call.guest.time, &call.guest.meter.deadline);
    let shown = time.read(field_u32(record, 16), deadline)?;
    let timeout = field_u64(record, 24);
    let is_absolute = field_u64(record, 40) & ABSOLUTE != 0;
    let wait = if is_absolute { timeout.saturating_sub(shown) } else { timeout };
    Ok(time.elapsed(deadline).saturating_add(wait))
}
