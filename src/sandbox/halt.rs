//! How a host call that did not succeed ends: with an errno, or with the end of the guest.

use super::errno::Errno;
use crate::deadline::Interrupted;
use std::fmt;

/// Why a host function ends the guest instead of answering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// `proc_exit` with its status.
    Exit(u32),
    /// No fuel left for the host's own work.
    Fuel,
    /// Its time is over, or the host asked for it.
    Interrupted(Interrupted),
    /// More on stdout than allowed.
    Output,
    /// More on stderr than allowed.
    ErrorOutput,
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl wasmi::errors::HostError for Stop {}

impl From<Interrupted> for Stop {
    fn from(interrupted: Interrupted) -> Self {
        Stop::Interrupted(interrupted)
    }
}

/// How a host function that did not succeed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The guest gets an errno and goes on.
    Errno(Errno),
    /// The guest ends here.
    Stop(Stop),
}

impl From<Errno> for Halt {
    fn from(errno: Errno) -> Self {
        Halt::Errno(errno)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Halt::Stop(stop)
    }
}

impl From<Interrupted> for Halt {
    fn from(interrupted: Interrupted) -> Self {
        Halt::Stop(interrupted.into())
    }
}
