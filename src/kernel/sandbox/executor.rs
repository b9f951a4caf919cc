//! Executor: runs one instance of a module from `_start` to its exit, within its limits.
//!
//! Fuel is the limit: it is the same on every machine. The deadline is the safety net: the engine gets fuel
//! in slices, and the host checks the clock and the cancel flag between slices. Stopping a guest needs no
//! thread and no signal.

use super::errno::Termination;
use super::guest::{DeniedGrowth, GuestState};
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

/// How a guest ended, and its final state.
pub(super) struct GuestExit<'a> {
    pub(super) outcome: Result<(), Error>,
    /// The guest's exit status; `None` if the host ended it.
    pub(super) exit_status: Option<u32>,
    pub(super) guest: GuestState<'a>,
    pub(super) fuel_used: u64,
}

/// Runs a module's `_start` until it returns, exits or is stopped by a limit.
pub(super) fn run<'a>(module: &Module, guest: GuestState<'a>, limits: &RunLimits) -> GuestExit<'a> {
    let deadline = guest.meter.deadline;
    let mut store = Store::new(module.compiled().engine(), guest);
    let outcome = start(&mut store, module, limits, &deadline)
        .and_then(|entry| run_in_slices(&mut store, entry, &deadline))
        .map_err(|error| explain(error, store.data().denied_growth));
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

/// Creates the instance. Its initial memory is charged before it is allocated.
fn start(
    store: &mut Store<GuestState>,
    module: &Module,
    limits: &RunLimits,
    deadline: &Deadline,
) -> Result<Func, Error> {
    // [BOX-35]
    if module.memory_bytes() > limits.memory_bytes_max {
        let detail = format!(
            "initial memory of the module is {} bytes, limit {}",
            module.memory_bytes(),
            limits.memory_bytes_max
        );
        return Err(Error::new(Code::ToolMemory, detail));
    }
    let pages_fuel = module.memory_bytes().div_ceil(u64::from(BYTES_PER_FUEL));
    let reserve = store.data().meter.reserve.checked_sub(pages_fuel);
    store.data_mut().meter.reserve = reserve.ok_or_else(fuel_exhausted)?;
    deadline.check_before(bulk_duration(pages_fuel))?;
    store.limiter(|guest| guest);
    let mut linker = Linker::new(module.compiled().engine());
    wasi::define(&mut linker).map_err(|error| exit_error(&error))?;
    service_calls::define(&mut linker).map_err(|error| exit_error(&error))?;
    let instance = linker
        .instantiate_and_start(&mut *store, module.compiled())
        .map_err(|error| exit_error(&error))?;
    let missing =
        || Error::new(Code::ModuleExport, "the instance exports no `memory` or no `_start`");
    let memory = instance.get_memory(&*store, "memory").ok_or_else(missing)?;
    let entry = instance.get_func(&*store, "_start").ok_or_else(missing)?;
    store.data_mut().memory = Some(memory);
    // [BOX-37] The engine cannot resume a `table.grow` that ran out of its slice's fuel. So tables keep their
    // initial size, and the instruction returns -1, which the specification always allows.
    store.data_mut().table_elements_max = 0;
    Ok(entry)
}

/// Grants fuel slice by slice until the guest ends.
// [BOX-33]
fn run_in_slices(
    store: &mut Store<GuestState>,
    entry: Func,
    deadline: &Deadline,
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
        deadline.check_before(bulk_duration(needed))?;
        next_slice(store, needed)?;
        call = paused.resume(&mut *store, &mut []);
    }
}

/// Returns the fuel in the engine plus the reserve.
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
    Error::new(Code::ToolFuel, "fuel exhausted")
}

/// Decides each growth within the module's own maxima; a denied growth returns -1 to the guest.
impl ResourceLimiter for GuestState<'_> {
    fn memory_growing(
        &mut self,
        _bytes: usize,
        bytes_after: usize,
        _bytes_max: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let is_denied = bytes_after > self.memory_bytes_max;
        self.denied_growth = is_denied.then_some(DeniedGrowth::ByLimit);
        Ok(!is_denied)
    }

    fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
        // Out of fuel is the other reason: it ends the guest, or the engine retries with the next slice.
        if matches!(error, MemoryError::OutOfSystemMemory) {
            self.denied_growth = Some(DeniedGrowth::ByHost);
        }
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

/// Attributes a failure after a denied growth to memory: most likely that is its cause.
// [BOX-22]
pub(super) fn explain(error: Error, denied_growth: Option<DeniedGrowth>) -> Error {
    let blamed = match (error.code(), denied_growth) {
        (Code::ToolTrap | Code::ToolExit | Code::ToolFuel | Code::ToolTimeout, Some(by)) => by,
        _ => return error,
    };
    let (code, why) = match blamed {
        DeniedGrowth::ByLimit => (Code::ToolMemory, "after memory growth was denied"),
        DeniedGrowth::ByHost => (Code::HostMemory, "after this computer had no memory left"),
    };
    Error::new(code, format!("{}, {why}", error.detail()))
}

/// Returns the reason code for an error of the engine or of a host function.
// [BOX-20] [BOX-21]
fn exit_error(error: &wasmi::Error) -> Error {
    match error.downcast_ref::<Termination>() {
        Some(Termination::Exit(status)) => {
            Error::new(Code::ToolExit, format!("exit status {status}"))
        }
        Some(Termination::Fuel) => fuel_exhausted(),
        Some(Termination::Interrupted(interrupted)) => (*interrupted).into(),
        Some(Termination::Output) => Error::new(Code::ToolOutput, "stdout exceeds its limit"),
        Some(Termination::ErrorOutput) => {
            Error::new(Code::ToolErrorOutput, "stderr exceeds its limit")
        }
        None => {
            let code = match error.as_trap_code() {
                Some(TrapCode::StackOverflow) => Code::ToolStack,
                Some(TrapCode::OutOfFuel) => Code::ToolFuel,
                Some(TrapCode::OutOfSystemMemory) => Code::HostMemory,
                _ => Code::ToolTrap,
            };
            Error::new(code, error.to_string())
        }
    }
}
