//! Room: running one instance of a module from its entry point to its end, within its limits.
//!
//! Fuel is the limit: it counts the same on every machine. Time is the safety net: the engine gets its
//! fuel in slices, and between two slices the host looks at the clock and at the cancel flag. No thread
//! or signal is needed to stop a guest.

use super::errno::Termination;
use super::guest::GuestState;
use super::meter::bulk_duration;
use super::{service_calls, wasi};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{SLICE_FUEL, TABLES_COUNT_MAX};
use crate::kernel::module::{Module, BYTES_PER_FUEL};
use crate::kernel::policy::token::RunLimits;
use crate::kernel::prelude::*;
use wasmi::errors::MemoryError;
use wasmi::{Func, Linker, ResourceLimiter, ResumableCall, Store, TrapCode};
use wasmi_core::LimiterError;

/// How a guest ended, and what it left.
pub(super) struct GuestExit<'a> {
    pub(super) outcome: Result<(), Error>,
    /// The status of a guest that ended itself; none if something else ended it.
    pub(super) exit_status: Option<u32>,
    pub(super) guest: GuestState<'a>,
    pub(super) fuel_used: u64,
}

/// Runs a module's `_start` to its end.
pub(super) fn run<'a>(module: &Module, guest: GuestState<'a>, limits: &RunLimits) -> GuestExit<'a> {
    let watch = guest.meter.watch;
    let mut store = Store::new(module.compiled().engine(), guest);
    let outcome = start(&mut store, module, limits, &watch)
        .and_then(|entry| run_in_slices(&mut store, entry, &watch))
        .map_err(|error| explain(error, store.data().growth_denied));
    let fuel_left = fuel_left(&store);
    let exit_status = match &outcome {
        Ok(()) => Some(0),
        Err(error) if error.code() == Code::ToolExit => store.data().exit_status,
        Err(_) => None,
    };
    GuestExit {
        outcome,
        exit_status,
        fuel_used: limits.fuel_max.saturating_sub(fuel_left),
        guest: store.into_data(),
    }
}

/// Makes the instance. Its first pages and tables are charged before they are allocated.
fn start(
    store: &mut Store<GuestState>,
    module: &Module,
    limits: &RunLimits,
    watch: &Deadline,
) -> Result<Func, Error> {
    // [BOX-35]
    if module.memory_bytes() > limits.memory_bytes_max {
        let detail = format!(
            "the module starts with {} bytes of memory, and {} are granted",
            module.memory_bytes(),
            limits.memory_bytes_max
        );
        return Err(Error::new(Code::ToolMemory, detail));
    }
    let pages_fuel = module.memory_bytes().div_ceil(u64::from(BYTES_PER_FUEL));
    let reserve = store.data().meter.reserve.checked_sub(pages_fuel);
    store.data_mut().meter.reserve = reserve.ok_or_else(fuel_exhausted)?;
    watch.check_before(bulk_duration(pages_fuel))?;
    store.limiter(|guest| guest);
    let mut linker = Linker::new(module.compiled().engine());
    wasi::define(&mut linker).map_err(|error| exit_error(&error))?;
    service_calls::define(&mut linker).map_err(|error| exit_error(&error))?;
    let instance = linker
        .instantiate_and_start(&mut *store, module.compiled())
        .map_err(|error| exit_error(&error))?;
    let missing = || Error::new(Code::ModuleExport, "the instance has no `memory` or `_start`");
    let memory = instance.get_memory(&*store, "memory").ok_or_else(missing)?;
    let entry = instance.get_func(&*store, "_start").ok_or_else(missing)?;
    store.data_mut().memory = Some(memory);
    // [BOX-37] The engine can't resume a `table.grow` that ran out of its slice's fuel. So tables stay
    // as they are, and the instruction answers -1, as it may at any time.
    store.data_mut().table_elements_max = 0;
    Ok(entry)
}

/// Gives out fuel slice by slice until the guest ends.
// [BOX-33]
fn run_in_slices(
    store: &mut Store<GuestState>,
    entry: Func,
    watch: &Deadline,
) -> Result<(), Error> {
    next_slice(store, 0)?;
    let mut call = entry.call_resumable(&mut *store, &[], &mut []);
    loop {
        let paused = match call {
            Ok(ResumableCall::Finished) => return Ok(()),
            Ok(ResumableCall::HostTrap(trap)) => {
                if let Some(Termination::Exit(status)) = trap.host_error().downcast_ref() {
                    store.data_mut().exit_status = Some(*status);
                }
                let exit_zero = store.data().exit_status == Some(0);
                return if exit_zero { Ok(()) } else { Err(exit_error(trap.host_error())) };
            }
            Err(error) => return Err(exit_error(&error)),
            Ok(ResumableCall::OutOfFuel(paused)) => paused,
        };
        let needed = paused.required_fuel();
        watch.check_before(bulk_duration(needed))?;
        next_slice(store, needed)?;
        call = paused.resume(&mut *store, &mut []);
    }
}

/// Fuel in the engine and fuel not yet given to it.
fn fuel_left(store: &Store<GuestState>) -> u64 {
    store.get_fuel().unwrap_or(0).saturating_add(store.data().meter.reserve)
}

/// Moves fuel from the reserve to the engine, at least as much as the next instruction needs.
fn next_slice(store: &mut Store<GuestState>, needed: u64) -> Result<(), Error> {
    let left = fuel_left(store);
    if left == 0 || needed > left {
        return Err(fuel_exhausted());
    }
    let slice = left.min(needed.max(SLICE_FUEL));
    store.data_mut().meter.reserve = left.saturating_sub(slice);
    store.set_fuel(slice).map_err(|error| exit_error(&error))
}

fn fuel_exhausted() -> Error {
    Error::new(Code::ToolFuel, "the fuel of the call was used up")
}

/// Decides each growth that the module's own maxima allow; the engine answers what is denied with -1.
impl ResourceLimiter for GuestState<'_> {
    fn memory_growing(
        &mut self,
        _bytes: usize,
        bytes_after: usize,
        _bytes_max: Option<usize>,
    ) -> Result<bool, LimiterError> {
        self.growth_denied = bytes_after > self.memory_bytes_max;
        Ok(!self.growth_denied)
    }

    fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
        // The other reason is fuel: it ends the guest, or the engine asks again with the next slice.
        self.growth_denied = matches!(error, MemoryError::OutOfSystemMemory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _elements: usize,
        elements_after: usize,
        _elements_max: Option<usize>,
    ) -> Result<bool, LimiterError> {
        Ok(elements_after <= self.table_elements_max)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        TABLES_COUNT_MAX
    }

    fn memories(&self) -> usize {
        1
    }
}

/// A guest that fails after it was denied memory most likely fails for that.
// [BOX-22]
fn explain(error: Error, growth_denied: bool) -> Error {
    match error.code() {
        Code::ToolTrap | Code::ToolExit | Code::ToolFuel | Code::ToolTimeout if growth_denied => {
            let detail = format!("{}, after it was denied more memory", error.detail());
            Error::new(Code::ToolMemory, detail)
        }
        _ => error,
    }
}

/// The stable reason for an end that the engine or a host function reports.
// [BOX-20] [BOX-21]
fn exit_error(error: &wasmi::Error) -> Error {
    if let Some(stop) = error.downcast_ref::<Termination>() {
        return stopped(*stop);
    }
    let code = match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Code::ToolStack,
        Some(TrapCode::OutOfFuel) => Code::ToolFuel,
        Some(TrapCode::OutOfSystemMemory) => Code::ToolMemory,
        _ => Code::ToolTrap,
    };
    Error::new(code, error.to_string())
}

fn stopped(stop: Termination) -> Error {
    match stop {
        Termination::Exit(status) => {
            Error::new(Code::ToolExit, format!("the tool ended with status {status}"))
        }
        Termination::Fuel => fuel_exhausted(),
        Termination::Interrupted(interrupted) => interrupted.into(),
        Termination::Output => Error::new(Code::ToolOutput, "the tool wrote more than granted"),
        Termination::ErrorOutput => {
            Error::new(Code::ToolErrorOutput, "the tool wrote more than allowed")
        }
    }
}
