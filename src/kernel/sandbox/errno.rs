//! Errors of host calls: error numbers of WASI preview 1, and terminations of the guest.
//!
//! Numbers and names: `errno` in the `witx` definition of `wasi_snapshot_preview1`.

use crate::kernel::deadline::Interrupted;
use crate::kernel::directory::DirectoryError;
use core::fmt;

/// A WASI error number other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(pub(super) u16);

macro_rules! errnos {
    ($($name:ident $number:literal $meaning:literal)*) => {
        impl Errno {
            $(#[doc = $meaning] pub(super) const $name: Errno = Errno($number);)*
        }
    };
}

errnos! {
    ACCES 2 "exists but cannot be opened: a link, pipe or device of the host"
    BADF 8 "descriptor not open, or not open for this"
    EXIST 20 "file exists"
    FAULT 21 "pointer outside linear memory"
    ILSEQ 25 "name is not UTF-8"
    INVAL 28 "invalid argument"
    IO 29 "host could not read"
    ISDIR 31 "is a directory"
    LOOP 32 "symbolic link is not followed, or too many symbolic links"
    MFILE 33 "too many open descriptors"
    NAMETOOLONG 37 "name or path is too long"
    NFILE 41 "too many files in one call"
    NOENT 44 "no such file or directory"
    NOSPC 51 "too many changes in one call"
    NOSYS 52 "function is not implemented"
    NOTDIR 54 "not a directory"
    NOTEMPTY 55 "directory is not empty"
    NOTSOCK 57 "not a socket"
    OVERFLOW 61 "too many names in one directory"
    PERM 63 "path leads out of its directory"
    ROFS 69 "read-only"
    SPIPE 70 "not seekable"
    XDEV 75 "different mounts"
    NOTCAPABLE 76 "rights can only be reduced"
}

impl Errno {
    /// Returns this error if the condition holds.
    pub(super) fn when(self, condition: bool) -> Result<(), Errno> {
        condition.then_some(self).map_or(Ok(()), Err)
    }
}

impl From<DirectoryError> for Errno {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound => Errno::NOENT,
            DirectoryError::NotDirectory => Errno::NOTDIR,
            DirectoryError::Denied => Errno::ACCES,
            DirectoryError::Failed => Errno::IO,
        }
    }
}

impl From<DirectoryError> for HostCallError {
    fn from(error: DirectoryError) -> Self {
        HostCallError::Errno(error.into())
    }
}

/// Why a host function ends the guest instead of returning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Termination {
    /// `proc_exit` with its status.
    Exit(u32),
    /// Not enough fuel for the host's own work.
    Fuel,
    /// Timed out, or cancelled by the host.
    Interrupted(Interrupted),
    /// More bytes on stdout than allowed.
    Output,
    /// More bytes on stderr than allowed.
    ErrorOutput,
}

impl fmt::Display for Termination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl wasmi::errors::HostError for Termination {}

impl From<Interrupted> for Termination {
    fn from(interrupted: Interrupted) -> Self {
        Termination::Interrupted(interrupted)
    }
}

/// The result of a host function.
pub(super) type HostResult<T = ()> = Result<T, HostCallError>;

/// How a host function fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostCallError {
    /// The guest gets an errno and continues.
    Errno(Errno),
    /// The guest is ended.
    Termination(Termination),
}

impl From<Errno> for HostCallError {
    fn from(errno: Errno) -> Self {
        HostCallError::Errno(errno)
    }
}

impl From<Termination> for HostCallError {
    fn from(termination: Termination) -> Self {
        HostCallError::Termination(termination)
    }
}

impl From<Interrupted> for HostCallError {
    fn from(interrupted: Interrupted) -> Self {
        HostCallError::Termination(interrupted.into())
    }
}
