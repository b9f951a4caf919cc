//! Fuel meter of a running call, and its deadline.

use super::errno::Termination;
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::SLICE_FUEL;
use crate::kernel::module::BYTES_PER_FUEL;
use core::time::Duration;

/// Fuel for the host's own work: it is taken from the engine's present slice first, then from the reserve.
pub(super) struct FuelMeter<'a> {
    /// Fuel left in the engine's present slice; set for each host call.
    pub(super) slice: u64,
    /// Fuel not yet given to the engine.
    pub(super) reserve: u64,
    pub(super) deadline: Deadline<'a>,
}

impl FuelMeter<'_> {
    /// Takes fuel for host work. Work that needs more than the slice also checks the deadline, as the
    /// engine does between slices.
    // [BOX-34] [BOX-38]
    pub(super) fn charge(&mut self, fuel: u64) -> Result<(), Termination> {
        let from_slice = fuel.min(self.slice);
        let rest = fuel.saturating_sub(from_slice);
        self.reserve = self.reserve.checked_sub(rest).ok_or(Termination::Fuel)?;
        self.slice = self.slice.saturating_sub(from_slice);
        if rest == 0 {
            return Ok(());
        }
        Ok(self.deadline.check()?)
    }

    /// Charges `count` times the price of one.
    pub(super) fn charge_each(&mut self, count: usize, fuel: u64) -> Result<(), Termination> {
        self.charge(fuel.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX)))
    }

    /// Charges for moving bytes, as the engine does for its bulk operations.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Termination> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let fuel = bytes.div_ceil(u64::from(BYTES_PER_FUEL));
        // [BOX-39]
        if fuel > self.slice {
            self.deadline.check_before(bulk_duration(fuel))?;
        }
        self.charge(fuel)
    }
}

/// Returns the time to allow for work that needs more than a slice: copying, filling or adding memory, at a
/// conservative gigabyte a second. It cannot be interrupted, so it is not started if it could not end in
/// time.
pub(super) fn bulk_duration(fuel: u64) -> Duration {
    if fuel <= SLICE_FUEL {
        return Duration::ZERO;
    }
    Duration::from_nanos(fuel.saturating_mul(u64::from(BYTES_PER_FUEL)))
}
