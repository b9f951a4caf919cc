//! Room: functions whose answer is always the same: there are no sockets, no signals, and nobody to
//! yield to. Interpreters such as CPython import them and never call them.

use crate::kernel::sandbox::errno::{Errno, Halt, Stop};
use crate::kernel::sandbox::guest::Call;

/// Ends the guest with `status`. Never comes back.
pub(super) fn proc_exit(_call: &mut Call, status: u32) -> Result<(), Halt> {
    Err(Stop::Exit(status).into())
}

/// `ENOSYS`, whatever the signal.
pub(super) fn proc_raise(_call: &mut Call, _signal: u32) -> Result<(), Halt> {
    Err(Errno::NOSYS.into())
}

/// Success.
pub(super) fn sched_yield(_call: &mut Call) -> Result<(), Halt> {
    Ok(())
}

macro_rules! not_sockets {
    ($($name:ident($($unused:ident),*))*) => {$(
        /// `ENOTSOCK` for any descriptor `fd` that is open; the other parameters are not looked at.
        // [BOX-55]
        pub(super) fn $name(call: &mut Call, fd: u32, $($unused: u32),*) -> Result<(), Halt> {
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
