//! Room: functions whose answer is always the same: there are no sockets, no signals, and nobody to
//! yield to. Interpreters such as CPython import them and never call them.

use crate::kernel::sandbox::errno::{Errno, HostCallError, Termination};
use crate::kernel::sandbox::guest::HostCall;

/// Ends the guest with `status`. Never comes back.
pub(super) fn proc_exit(_call: &mut HostCall, status: u32) -> Result<(), HostCallError> {
    Err(Termination::Exit(status).into())
}

/// `ENOSYS`, whatever the signal.
pub(super) fn proc_raise(_call: &mut HostCall, _signal: u32) -> Result<(), HostCallError> {
    Err(Errno::NOSYS.into())
}

/// Success.
pub(super) fn sched_yield(_call: &mut HostCall) -> Result<(), HostCallError> {
    Ok(())
}

macro_rules! not_sockets {
    ($($name:ident($($unused:ident),*))*) => {$(
        /// `ENOTSOCK` for any descriptor `fd` that is open; the other parameters are not looked at.
        // [BOX-55]
        pub(super) fn $name(call: &mut HostCall, fd: u32, $($unused: u32),*) -> Result<(), HostCallError> {
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
