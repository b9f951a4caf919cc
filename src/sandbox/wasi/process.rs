//! Room: ending, signals, yielding.

use crate::sandbox::errno::Errno;
use crate::sandbox::guest::{Call, Halt, Stop};

/// Ends the guest with a status. Never comes back.
pub(super) fn proc_exit(status: u32) -> Result<(), Halt> {
    Err(Stop::Exit(status).into())
}

/// `ENOSYS`: there are no signals.
pub(super) fn proc_raise(_call: &mut Call<'_>, _signal: u32) -> Result<(), Halt> {
    Err(Errno::NOSYS.into())
}

/// Success: there is nobody to yield to.
pub(super) fn sched_yield(_call: &mut Call<'_>) -> Result<(), Halt> {
    Ok(())
}
