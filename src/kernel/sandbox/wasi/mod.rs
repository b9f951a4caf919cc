//! Room: WASI preview 1, the guest's only way out of its memory. All 46 functions are defined.
//!
//! Each function is documented with what it does here and the errno values it answers with. All of
//! them are `wasi_snapshot_preview1.<name>` of the `witx` definition, whose `docs.md` explains the
//! records they read and write:
//! <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md>.
//! Any function that takes a pointer answers `EFAULT` if it points outside linear memory, and finds
//! that out before it changes anything; any function that takes a descriptor answers `EBADF` if it is
//! not open. These two are not repeated.

mod clock;
mod descriptor;
mod directory;
mod environment;
mod file;
mod path;
mod poll;
mod random;
mod stream;
mod stubs;

use super::errno::{Errno, HostCallError};
use super::guest::{GuestState, HostCall};
use crate::kernel::module::imports::{wasi_functions, WASI};
use clock::{clock_res_get, clock_time_get};
use descriptor::*;
use directory::fd_readdir;
use environment::{args_get, args_sizes_get, environ_get, environ_sizes_get};
use file::*;
use path::*;
use poll::poll_oneoff;
use random::random_get;
use stream::*;
use stubs::*;
use wasmi::{Caller, Error, Linker};

/// Runs one host function: takes the guest's memory and fuel, charges the call, and turns the outcome
/// into what the guest sees.
// [BOX-40] [BOX-43]
pub(super) fn call(
    mut caller: Caller<'_, GuestState>,
    function: impl FnOnce(&mut HostCall) -> Result<(), HostCallError>,
) -> Result<u32, Error> {
    let fuel = caller.get_fuel()?;
    let Some(memory) = caller.data().memory else {
        return Err(Error::new("host call before the instance was made"));
    };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    guest.meter.slice = fuel;
    guest.tree.begin_call(guest.time.realtime(&guest.meter.watch));
    let mut call = HostCall { memory, guest };
    let outcome = match call.guest.meter.charge_call() {
        Ok(()) => function(&mut call),
        Err(stop) => Err(stop.into()),
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
        Err(HostCallError::Termination(stop)) => Err(Error::host(stop)),
    }
}

/// Defines one function of preview 1.
macro_rules! define {
    // The one without an errno: it never comes back.
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
