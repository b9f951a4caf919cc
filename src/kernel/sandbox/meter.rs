//! Room: what a running call may still use: its fuel, and the time on the host's clock.

use super::errno::Termination;
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{HOST_CALL_FUEL, SLICE_FUEL};
use crate::kernel::module::BYTES_PER_FUEL;
use core::time::Duration;

/// Fuel that the host takes for its own work, from the engine's present slice first and then from what
/// was not yet given to the engine.
pub(super) struct FuelMeter<'a> {
    /// Fuel left in the engine's present slice; set anew for each host call.
    pub(super) slice: u64,
    /// Fuel that was not yet given to the engine.
    pub(super) reserve: u64,
    pub(super) watch: Deadline<'a>,
}

impl FuelMeter<'_> {
    /// Takes fuel for host work. Work that needs more than the slice also has a look at the clock, as
    /// the engine would between two slices.
    // [BOX-34] [BOX-38]
    pub(super) fn charge(&mut self, fuel: u64) -> Result<(), Termination> {
        let from_slice = fuel.min(self.slice);
        let rest = fuel.saturating_sub(from_slice);
        self.reserve = self.reserve.checked_sub(rest).ok_or(Termination::Fuel)?;
        self.slice = self.slice.saturating_sub(from_slice);
        if rest == 0 {
            return Ok(());
        }
        Ok(self.watch.check()?)
    }

    /// The price of any host call, whatever it does.
    pub(super) fn charge_call(&mut self) -> Result<(), Termination> {
        self.charge(HOST_CALL_FUEL)
    }

    /// As many times the price of one.
    pub(super) fn charge_each(&mut self, count: usize, fuel: u64) -> Result<(), Termination> {
        self.charge(fuel.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX)))
    }

    /// The price of moving bytes, the same as for the engine's own bulk operations.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Termination> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let fuel = bytes.div_ceil(u64::from(BYTES_PER_FUEL));
        // [BOX-39]
        if fuel > self.slice {
            self.watch.check_before(bulk_duration(fuel))?;
        }
        self.charge(fuel)
    }
}

/// Time that work may take which needs more than a slice: copying, filling or adding memory, at a careful
/// gigabyte a second. It cannot be interrupted, so it is not begun if it could not end in time.
pub(super) fn bulk_duration(fuel: u64) -> Duration {
    if fuel <= SLICE_FUEL {
        return Duration::ZERO;
    }
    Duration::from_nanos(fuel.saturating_mul(u64::from(BYTES_PER_FUEL)))
}
