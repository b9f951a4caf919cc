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
mod process;
mod random;
mod socket;
mod stream;

use super::guest::{Call, Guest, Halt};
use crate::module::imports::WASI;
use wasmi::{Caller, Error, Linker};

/// Runs one host function: takes the guest's memory and fuel, charges the call, and turns the outcome
/// into what the guest sees.
// [BOX-40] [BOX-43]
fn call(
    mut caller: Caller<'_, Guest>,
    function: impl FnOnce(&mut Call<'_>) -> Result<(), Halt>,
) -> Result<u32, Error> {
    let fuel = caller.get_fuel()?;
    let Some(memory) = caller.data().memory else {
        return Err(Error::new("host call before the instance was made"));
    };
    let (memory, guest) = memory.data_and_store_mut(&mut caller);
    let mut call = Call { memory, guest, fuel };
    let outcome = match call.charge_call() {
        Ok(()) => function(&mut call),
        Err(stop) => Err(stop.into()),
    };
    let fuel = call.fuel;
    caller.set_fuel(fuel)?;
    match outcome {
        Ok(()) => Ok(0),
        Err(Halt::Errno(errno)) => Ok(u32::from(errno.0)),
        Err(Halt::Stop(stop)) => Err(Error::host(stop)),
    }
}

macro_rules! define {
    ($linker:ident; $($module:ident::$name:ident($($argument:ident: $kind:ty),*))*) => {
        $($linker.func_wrap(
            WASI,
            stringify!($name),
            |caller: Caller<'_, Guest>, $($argument: $kind),*| -> Result<u32, Error> {
                call(caller, |call| $module::$name(call, $($argument),*))
            },
        )?;)*
    };
}

/// Defines every function of preview 1.
pub(super) fn define(linker: &mut Linker<Guest>) -> Result<(), Error> {
    define! { linker;
        environment::args_get(list: u32, text: u32)
        environment::args_sizes_get(count: u32, bytes: u32)
        environment::environ_get(list: u32, text: u32)
        environment::environ_sizes_get(count: u32, bytes: u32)
        clock::clock_res_get(id: u32, result: u32)
        clock::clock_time_get(id: u32, precision: u64, result: u32)
        random::random_get(pointer: u32, length: u32)
        stream::fd_read(fd: u32, iovecs: u32, count: u32, result: u32)
        stream::fd_write(fd: u32, iovecs: u32, count: u32, result: u32)
        stream::fd_pread(fd: u32, iovecs: u32, count: u32, offset: u64, result: u32)
        stream::fd_pwrite(fd: u32, iovecs: u32, count: u32, offset: u64, result: u32)
        stream::fd_seek(fd: u32, offset: u64, whence: u32, result: u32)
        stream::fd_tell(fd: u32, result: u32)
        descriptor::fd_close(fd: u32)
        descriptor::fd_renumber(fd: u32, to: u32)
        descriptor::fd_fdstat_get(fd: u32, result: u32)
        descriptor::fd_fdstat_set_flags(fd: u32, flags: u32)
        descriptor::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64)
        descriptor::fd_prestat_get(fd: u32, result: u32)
        descriptor::fd_prestat_dir_name(fd: u32, pointer: u32, length: u32)
        file::fd_filestat_get(fd: u32, result: u32)
        file::fd_filestat_set_size(fd: u32, size: u64)
        file::fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32)
        file::fd_advise(fd: u32, offset: u64, length: u64, advice: u32)
        file::fd_allocate(fd: u32, offset: u64, length: u64)
        file::fd_datasync(fd: u32)
        file::fd_sync(fd: u32)
        directory::fd_readdir(fd: u32, pointer: u32, length: u32, cookie: u64, result: u32)
        path::path_open(
            fd: u32, lookup: u32, path: u32, path_length: u32, open: u32, rights: u64,
            rights_inheriting: u64, flags: u32, result: u32
        )
        path::path_filestat_get(fd: u32, lookup: u32, path: u32, path_length: u32, result: u32)
        path::path_readlink(
            fd: u32, path: u32, path_length: u32, pointer: u32, length: u32, result: u32
        )
        path::path_create_directory(fd: u32, path: u32, path_length: u32)
        path::path_remove_directory(fd: u32, path: u32, path_length: u32)
        path::path_unlink_file(fd: u32, path: u32, path_length: u32)
        path::path_filestat_set_times(
            fd: u32, lookup: u32, path: u32, path_length: u32, accessed: u64, modified: u64,
            flags: u32
        )
        path::path_rename(
            fd: u32, path: u32, path_length: u32, new_fd: u32, new_path: u32, new_path_length: u32
        )
        path::path_link(
            fd: u32, lookup: u32, path: u32, path_length: u32, new_fd: u32, new_path: u32,
            new_path_length: u32
        )
        path::path_symlink(target: u32, target_length: u32, fd: u32, path: u32, path_length: u32)
        poll::poll_oneoff(subscriptions: u32, events: u32, count: u32, result: u32)
        process::proc_raise(signal: u32)
        process::sched_yield()
        socket::sock_accept(fd: u32, flags: u32, result: u32)
        socket::sock_recv(
            fd: u32, iovecs: u32, count: u32, flags: u32, result: u32, result_flags: u32
        )
        socket::sock_send(fd: u32, iovecs: u32, count: u32, flags: u32, result: u32)
        socket::sock_shutdown(fd: u32, how: u32)
    }
    // The one function without an errno: it never comes back.
    linker.func_wrap(
        WASI,
        "proc_exit",
        |caller: Caller<'_, Guest>, status: u32| -> Result<(), Error> {
            call(caller, |_| process::proc_exit(status)).map(drop)
        },
    )?;
    Ok(())
}
