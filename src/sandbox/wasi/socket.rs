//! Room: sockets. There are none, so every open descriptor is something else: `ENOTSOCK`.
//!
//! The functions exist since interpreters such as CPython import them and never call them.

use crate::sandbox::errno::Errno;
use crate::sandbox::guest::{Call, Halt};

// [BOX-55]
fn not_a_socket(call: &Call<'_>, fd: u32) -> Result<(), Halt> {
    call.guest.files.get(fd)?;
    Err(Errno::NOTSOCK.into())
}

/// `ENOTSOCK`.
pub(super) fn sock_accept(
    call: &mut Call<'_>,
    fd: u32,
    _flags: u32,
    _result: u32,
) -> Result<(), Halt> {
    not_a_socket(call, fd)
}

/// `ENOTSOCK`.
pub(super) fn sock_recv(
    call: &mut Call<'_>,
    fd: u32,
    _iovecs: u32,
    _count: u32,
    _flags: u32,
    _result: u32,
    _result_flags: u32,
) -> Result<(), Halt> {
    not_a_socket(call, fd)
}

/// `ENOTSOCK`.
pub(super) fn sock_send(
    call: &mut Call<'_>,
    fd: u32,
    _iovecs: u32,
    _count: u32,
    _flags: u32,
    _result: u32,
) -> Result<(), Halt> {
    not_a_socket(call, fd)
}

/// `ENOTSOCK`.
pub(super) fn sock_shutdown(call: &mut Call<'_>, fd: u32, _how: u32) -> Result<(), Halt> {
    not_a_socket(call, fd)
}
