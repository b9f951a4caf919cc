//! Room: running one instance of a module from its entry point to its end, within its limits.
//!
//! Fuel is the limit: it counts the same on every machine. Time is the safety net: the engine gets its
//! fuel in slices, and between two slices the host looks at the clock and at the cancel flag. No thread
//! or signal is needed to stop a guest.

use super::guest::Guest;
use super::halt::Stop;
use super::meter::bulk_duration;
use super::{door, wasi};
use crate::deadline::Deadline;
use crate::limits::{SLICE_FUEL, TABLE_ELEMENTS_COUNT_MAX};
use crate::module::{Module, BYTES_PER_FUEL};
use crate::policy::token::RunLimits;
use crate::{Code, Error};
use wasmi::{
    Func, Linker, Memory, ResumableCall, Store, StoreLimits, StoreLimitsBuilder, TrapCode,
};

/// How a guest ended, and what it left.
pub(super) struct Ended {
    pub(super) outcome: Result<(), Error>,
    /// The status of a guest that ended itself; none if something else ended it.
    pub(super) exit_status: Option<u32>,
    pub(super) guest: Guest,
    pub(super) fuel_used: u64,
}

/// Runs a module's `_start` to its end.
pub(super) fn run(module: &Module, mut guest: Guest, limits: &RunLimits) -> Ended {
    let watch = guest.meter.watch.clone();
    guest.allocation = allocation(limits, TABLE_ELEMENTS_COUNT_MAX);
    let mut store = Store::new(module.compiled().engine(), guest);
    let outcome = start(&mut store, module, limits, &watch).and_then(|(entry, memory)| {
        let growth = Growth::new(memory, limits, &store);
        drive(&mut store, entry, growth, &watch)
    });
    let fuel_left = fuel_left(&store);
    let exit_status = match &outcome {
        Ok(()) => Some(0),
        Err(error) if error.code() == Code::ToolExit => store.data().exit_status,
        Err(_) => None,
    };
    Ended {
        outcome,
        exit_status,
        fuel_used: limits.fuel_max.saturating_sub(fuel_left),
        guest: store.into_data(),
    }
}

/// Makes the instance. Its first pages and tables are charged before they are allocated.
fn start(
    store: &mut Store<Guest>,
    module: &Module,
    limits: &RunLimits,
    watch: &Deadline,
) -> Result<(Func, Memory), Error> {
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
    store.limiter(|guest| {
        guest.growths_asked = guest.growths_asked.saturating_add(1);
        &mut guest.allocation
    });
    let mut linker = Linker::new(module.compiled().engine());
    wasi::define(&mut linker).map_err(|error| ended_by(&error))?;
    door::define(&mut linker).map_err(|error| ended_by(&error))?;
    let instance = linker
        .instantiate_and_start(&mut *store, module.compiled())
        .map_err(|error| ended_by(&error))?;
    let missing = || Error::new(Code::ModuleExport, "the instance has no `memory` or `_start`");
    let memory = instance.get_memory(&*store, "memory").ok_or_else(missing)?;
    let entry = instance.get_func(&*store, "_start").ok_or_else(missing)?;
    store.data_mut().memory = Some(memory);
    // [BOX-37] The engine can't resume a `table.grow` that ran out of its slice's fuel. So tables stay
    // as they are, and the instruction answers -1, as it may at any time.
    store.data_mut().allocation = allocation(limits, 0);
    Ok((entry, memory))
}

fn allocation(limits: &RunLimits, table_elements_max: usize) -> StoreLimits {
    let memory_bytes_max = usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX);
    StoreLimitsBuilder::new()
        .memory_size(memory_bytes_max)
        .table_elements(table_elements_max)
        .instances(1)
        .memories(1)
        .build()
}

/// Gives out fuel slice by slice until the guest ends.
// [BOX-33]
fn drive(
    store: &mut Store<Guest>,
    entry: Func,
    mut growth: Growth,
    watch: &Deadline,
) -> Result<(), Error> {
    next_slice(store, 0)?;
    let mut call = entry.call_resumable(&mut *store, &[], &mut []);
    loop {
        growth.look(store);
        let paused = match call {
            Ok(ResumableCall::Finished) => return Ok(()),
            Ok(ResumableCall::HostTrap(trap)) => {
                if let Some(Stop::Exit(status)) = trap.host_error().downcast_ref() {
                    store.data_mut().exit_status = Some(*status);
                }
                let exit_zero = store.data().exit_status == Some(0);
                let ended = if exit_zero { Ok(()) } else { Err(ended_by(trap.host_error())) };
                return ended.map_err(|error| growth.explain(error, false));
            }
            Err(error) => return Err(growth.explain(ended_by(&error), false)),
            Ok(ResumableCall::OutOfFuel(paused)) => paused,
        };
        let needed = paused.required_fuel();
        watch
            .check_before(bulk_duration(needed))
            .map_err(Error::from)
            .and_then(|()| next_slice(store, needed))
            .map_err(|error| growth.explain(error, true))?;
        call = paused.resume(&mut *store, &mut []);
    }
}

/// Fuel in the engine and fuel not yet given to it.
fn fuel_left(store: &Store<Guest>) -> u64 {
    store.get_fuel().unwrap_or(0).saturating_add(store.data().meter.reserve)
}

/// Moves fuel from the reserve to the engine, at least as much as the next instruction needs.
fn next_slice(store: &mut Store<Guest>, needed: u64) -> Result<(), Error> {
    let left = fuel_left(store);
    if left == 0 || needed > left {
        return Err(fuel_exhausted());
    }
    let slice = left.min(needed.max(SLICE_FUEL));
    store.data_mut().meter.reserve = left.saturating_sub(slice);
    store.set_fuel(slice).map_err(|error| ended_by(&error))
}

fn fuel_exhausted() -> Error {
    Error::new(Code::ToolFuel, "the fuel of the call was used up")
}

/// Works out whether a guest failed for want of memory. The engine answers a growth beyond the limit
/// with -1, as programs expect, and does not tell the host. But the host sees how often a growth was
/// asked for, and what was gained.
struct Growth {
    memory: Memory,
    pages_max: u64,
    asked_before: u64,
    pages: u64,
    /// Growths asked for in the last slice that had any, and pages gained in it.
    asked: u64,
    gained: u64,
    /// Whether that slice was the last of all.
    just_now: bool,
}

impl Growth {
    fn new(memory: Memory, limits: &RunLimits, store: &Store<Guest>) -> Self {
        Growth {
            memory,
            pages_max: limits.memory_bytes_max / crate::module::PAGE_BYTES,
            asked_before: store.data().growths_asked,
            pages: memory.size(store),
            asked: 0,
            gained: 0,
            just_now: false,
        }
    }

    /// Takes notice of what the slice that just ended did.
    fn look(&mut self, store: &Store<Guest>) {
        let asked = store.data().growths_asked.saturating_sub(self.asked_before);
        let pages = self.memory.size(store);
        self.just_now = asked > 0;
        if self.just_now {
            (self.asked, self.gained) = (asked, pages.saturating_sub(self.pages));
            self.asked_before = store.data().growths_asked;
            self.pages = pages;
        }
    }

    /// Gives the failure of a guest its right name, if memory was what it lacked: in the last slice in
    /// which it asked for growth it gained fewer pages than it asked times, or there would not have been
    /// room for as much again. A slice that ended in a pause may have asked once for what it was going
    /// to get.
    // [BOX-22]
    fn explain(&self, error: Error, paused: bool) -> Error {
        let pending = u64::from(paused && self.just_now);
        let room = self.pages_max.saturating_sub(self.pages);
        let denied = self.asked > self.gained.saturating_add(pending)
            || (!paused && self.asked > 0 && room < self.gained);
        let by_itself = matches!(
            error.code(),
            Code::ToolTrap | Code::ToolExit | Code::ToolFuel | Code::ToolTimeout
        );
        if !denied || !by_itself {
            return error;
        }
        let detail = format!("{}, after it asked for more memory than granted", error.detail());
        Error::new(Code::ToolMemory, detail)
    }
}

/// The stable reason for an end that the engine or a host function reports.
// [BOX-20] [BOX-21]
fn ended_by(error: &wasmi::Error) -> Error {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stopped(*stop);
    }
    let code = match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Code::ToolStack,
        Some(TrapCode::OutOfFuel) => Code::ToolFuel,
        Some(TrapCode::OutOfSystemMemory | TrapCode::GrowthOperationLimited) => Code::ToolMemory,
        _ => Code::ToolTrap,
    };
    Error::new(code, error.to_string())
}

fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Exit(status) => {
            Error::new(Code::ToolExit, format!("the tool ended with status {status}"))
        }
        Stop::Fuel => fuel_exhausted(),
        Stop::Interrupted(interrupted) => interrupted.into(),
        Stop::Output => Error::new(Code::ToolOutput, "the tool wrote more than granted"),
        Stop::ErrorOutput => Error::new(Code::ToolErrorOutput, "the tool wrote more than allowed"),
    }
}
