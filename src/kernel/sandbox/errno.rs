//! How a host call that does not succeed ends: with an error number of WASI preview 1, or with the end of
//! the guest.
//!
//! Numbers and names: `errno` in the `witx` definition of `wasi_snapshot_preview1`.

use crate::kernel::deadline::Interrupted;
use crate::kernel::directory::DirectoryError;
use core::fmt;

/// An answer other than success.
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
    ACCES 2 "there, but not to be opened: a link, pipe or device of the host"
    BADF 8 "no such descriptor, or none that can do this"
    EXIST 20 "the file exists"
    FAULT 21 "a pointer outside linear memory"
    ILSEQ 25 "a name that is not UTF-8"
    INVAL 28 "an argument without meaning"
    IO 29 "the host could not read"
    ISDIR 31 "a directory where a file is needed"
    LOOP 32 "a symbolic link where none is followed, or too many"
    MFILE 33 "too many open descriptors"
    NAMETOOLONG 37 "a name or path that is too long"
    NFILE 41 "too many files in one call"
    NOENT 44 "no such file or directory"
    NOSPC 51 "more than may be changed in one call"
    NOSYS 52 "a function this runtime does not have"
    NOTDIR 54 "a file where a directory is needed"
    NOTEMPTY 55 "a directory with something in it"
    NOTSOCK 57 "not a socket"
    OVERFLOW 61 "more names than one directory may have"
    PERM 63 "a path that leads out of its directory"
    ROFS 69 "read-only"
    SPIPE 70 "not seekable"
    XDEV 75 "from one mount to another"
    NOTCAPABLE 76 "rights can only shrink"
}

impl Errno {
    /// This answer, if the condition holds.
    pub(super) fn when(self, condition: bool) -> Result<(), Errno> {
        condition.then_some(self).map_or(Ok(()), Err)
    }
}

impl From<DirectoryError> for Errno {
    fn from(fault: DirectoryError) -> Self {
        match fault {
            DirectoryError::NotFound => Errno::NOENT,
            DirectoryError::NotDirectory => Errno::NOTDIR,
            DirectoryError::Denied => Errno::ACCES,
            DirectoryError::Failed => Errno::IO,
        }
    }
}

impl From<DirectoryError> for HostCallError {
    fn from(fault: DirectoryError) -> Self {
        HostCallError::Errno(fault.into())
    }
}

/// Why a host function ends the guest instead of answering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Termination {
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

/// How a host function that did not succeed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostCallError {
    /// The guest gets an errno and goes on.
    Errno(Errno),
    /// The guest ends here.
    Termination(Termination),
}

impl From<Errno> for HostCallError {
    fn from(errno: Errno) -> Self {
        HostCallError::Errno(errno)
    }
}

impl From<Termination> for HostCallError {
    fn from(stop: Termination) -> Self {
        HostCallError::Termination(stop)
    }
}

impl From<Interrupted> for HostCallError {
    fn from(interrupted: Interrupted) -> Self {
        HostCallError::Termination(interrupted.into())
    }
}
