//! Process, scheduling and socket functions of WASI, with fixed results: there are no sockets, signals or
//! other threads. Interpreters such as CPython import them without calling them.

use crate::kernel::sandbox::errno::{Errno, HostResult, Termination};
use crate::kernel::sandbox::guest::HostCall;

/// Ends the guest with `status`.
pub(super) fn proc_exit(_call: &mut HostCall, status: u32) -> HostResult {
    Err(Termination::Exit(status).into())
}

/// Returns `ENOSYS` for any signal.
pub(super) fn proc_raise(_call: &mut HostCall, _signal: u32) -> HostResult {
    Err(Errno::NOSYS.into())
}

/// Returns success.
pub(super) fn sched_yield(_call: &mut HostCall) -> HostResult {
    Ok(())
}

macro_rules! not_sockets {
    ($($name:ident($($unused:ident),*))*) => {$(
        /// Returns `ENOTSOCK` for any open descriptor `fd`; the other parameters are ignored.
        // [BOX-55]
        pub(super) fn $name(call: &mut HostCall, fd: u32, $($unused: u32),*) -> HostResult {
            call.guest.descriptors.get(fd)?;
            Err(Errno::NOTSOCK.into())
        }
    )*};
}

not_sockets! {
    sock_accept(_flags, _result)
    sock_recv(_iovecs, _count, _flags, _result, _result_flags)
    sock_send(_iovecs, _count, _flags, _result)
    sock_shutdown(_how)
}
