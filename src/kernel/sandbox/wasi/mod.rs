//! WASI preview 1: defines all 46 functions of `wasi_snapshot_preview1`.
//!
//! Each function is documented with what it does here and its errno values. The `witx` definition and its
//! `docs.md` explain the records that they read and write:
//! <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md>.
//! Every function with a pointer returns `EFAULT` if it points outside linear memory, before it changes
//! anything; every function with a descriptor returns `EBADF` if it is not open. These two are not
//! repeated.

mod clock;
mod descriptor;
mod directory;
mod environment;
mod file;
mod io;
mod path;
mod poll;
mod random;
mod stubs;

use super::errno::{Errno, HostCallError, HostResult};
use super::guest::{GuestState, HostCall};
use crate::kernel::limits::HOST_CALL_FUEL;
use crate::kernel::module::imports::{wasi_functions, WASI};
use clock::{clock_res_get, clock_time_get};
use descriptor::*;
use directory::fd_readdir;
use environment::{args_get, args_sizes_get, environ_get, environ_sizes_get};
use file::*;
use io::*;
use path::*;
use poll::poll_oneoff;
use random::random_get;
use stubs::*;
use wasmi::{Caller, Error, Linker};

/// Runs one host function: lends it the guest's memory and fuel, charges the call, and converts the outcome
/// for the guest.
// [BOX-40] [BOX-43]
pub(super) fn call(
    mut caller: Caller<'_, GuestState>,
    function: impl FnOnce(&mut HostCall) -> HostResult,
) -> Result<u32, Error> {
    let fuel = caller.get_fuel()?;
    let Some(memory) = caller.data().memory else {
        return Err(Error::new("host call before the instance was made"));
    };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    guest.meter.slice = fuel;
    guest.tree.begin_call(guest.time.realtime(&guest.meter.deadline));
    let mut call = HostCall { memory, guest };
    let outcome = match call.guest.meter.charge(HOST_CALL_FUEL) {
        Ok(()) => function(&mut call),
        Err(termination) => Err(termination.into()),
    };
    // [BOX-95]
    if let Err(HostCallError::Errno(Errno::ACCES | Errno::PERM | Errno::ROFS | Errno::NOTCAPABLE)) =
        outcome
    {
        call.guest.denied = call.guest.denied.saturating_add(1);
    }
    let fuel = call.guest.meter.slice;
    caller.set_fuel(fuel)?;
    match outcome {
        Ok(()) => Ok(0),
        Err(HostCallError::Errno(errno)) => Ok(u32::from(errno.0)),
        Err(HostCallError::Termination(termination)) => Err(Error::host(termination)),
    }
}

/// Defines one function of preview 1.
macro_rules! define {
    // The only function without an errno: it does not return.
    ($linker:ident proc_exit($($argument:ident: $kind:ident),*)) => {
        $linker.func_wrap(
            WASI,
            "proc_exit",
            |caller: Caller<'_, GuestState>, $($argument: $kind),*| -> Result<(), Error> {
                call(caller, |call| proc_exit(call, $($argument),*)).map(drop)
            },
        )
    };
    ($linker:ident $name:ident($($argument:ident: $kind:ident),*)) => {
        $linker.func_wrap(
            WASI,
            stringify!($name),
            |caller: Caller<'_, GuestState>, $($argument: $kind),*| -> Result<u32, Error> {
                call(caller, |call| $name(call, $($argument),*))
            },
        )
    };
}

macro_rules! define_all {
    ($($name:ident($($argument:ident: $kind:ident),*))*) => {
        /// Defines every function of preview 1.
        pub(super) fn define(linker: &mut Linker<GuestState>) -> Result<(), Error> {
            $(define!(linker $name($($argument: $kind),*))?;)*
            Ok(())
        }
    };
}

wasi_functions!(define_all);
