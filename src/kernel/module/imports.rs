//! Importable functions and their exact signatures.
//!
//! These are the 46 functions of WASI preview 1, module `wasi_snapshot_preview1`, as its `witx`
//! definition lowers them to WebAssembly, and the two functions for host services. The sandbox defines
//! exactly the functions of this list.

use wasmi::{FuncType, ValType};

/// The import module that is available to every package.
pub(in crate::kernel) const WASI: &str = "wasi_snapshot_preview1";
/// The import module of host services, for packages with the `network` capability.
pub(in crate::kernel) const SERVICE_MODULE: &str = "mpp_v1";
/// The functions for host services. Each takes a pointer and a length and returns a number.
// [DOOR-01]
const SERVICE_FUNCTIONS: [&str; 2] = ["request", "response"];

/// Passes the list of functions with their parameters to another macro.
// [MOD-20]
macro_rules! wasi_functions {
    ($use:ident) => {
        $use! {
            args_get(list: u32, text: u32)
            args_sizes_get(count: u32, bytes: u32)
            clock_res_get(id: u32, result: u32)
            clock_time_get(id: u32, precision: u64, result: u32)
            environ_get(list: u32, text: u32)
            environ_sizes_get(count: u32, bytes: u32)
            fd_advise(fd: u32, offset: u64, length: u64, advice: u32)
            fd_allocate(fd: u32, offset: u64, length: u64)
            fd_close(fd: u32)
            fd_datasync(fd: u32)
            fd_fdstat_get(fd: u32, result: u32)
            fd_fdstat_set_flags(fd: u32, flags: u32)
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64)
            fd_filestat_get(fd: u32, result: u32)
            fd_filestat_set_size(fd: u32, size: u64)
            fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32)
            fd_pread(fd: u32, iovecs: u32, count: u32, offset: u64, result: u32)
            fd_prestat_dir_name(fd: u32, pointer: u32, length: u32)
            fd_prestat_get(fd: u32, result: u32)
            fd_pwrite(fd: u32, iovecs: u32, count: u32, offset: u64, result: u32)
            fd_read(fd: u32, iovecs: u32, count: u32, result: u32)
            fd_readdir(fd: u32, pointer: u32, length: u32, cookie: u64, result: u32)
            fd_renumber(fd: u32, to: u32)
            fd_seek(fd: u32, by: u64, whence: u32, result: u32)
            fd_sync(fd: u32)
            fd_tell(fd: u32, result: u32)
            fd_write(fd: u32, iovecs: u32, count: u32, result: u32)
            path_create_directory(fd: u32, path: u32, path_length: u32)
            path_filestat_get(fd: u32, lookup: u32, path: u32, path_length: u32, result: u32)
            path_filestat_set_times(
                fd: u32, lookup: u32, path: u32, path_length: u32, accessed: u64, modified: u64, flags: u32
            )
            path_link(
                fd: u32, lookup: u32, path: u32, path_length: u32, new_fd: u32, new_path: u32,
                new_path_length: u32
            )
            path_open(
                fd: u32, lookup: u32, path: u32, path_length: u32, open: u32, base: u64, inheriting: u64,
                flags: u32, result: u32
            )
            path_readlink(fd: u32, path: u32, path_length: u32, pointer: u32, length: u32, result: u32)
            path_remove_directory(fd: u32, path: u32, path_length: u32)
            path_rename(
                fd: u32, path: u32, path_length: u32, new_fd: u32, new_path: u32, new_path_length: u32
            )
            path_symlink(target: u32, target_length: u32, fd: u32, path: u32, path_length: u32)
            path_unlink_file(fd: u32, path: u32, path_length: u32)
            poll_oneoff(subscriptions: u32, events: u32, count: u32, result: u32)
            proc_exit(status: u32)
            proc_raise(signal: u32)
            random_get(pointer: u32, length: u32)
            sched_yield()
            sock_accept(fd: u32, flags: u32, result: u32)
            sock_recv(fd: u32, iovecs: u32, count: u32, flags: u32, result: u32, result_flags: u32)
            sock_send(fd: u32, iovecs: u32, count: u32, flags: u32, result: u32)
            sock_shutdown(fd: u32, how: u32)
        }
    };
}
pub(in crate::kernel) use wasi_functions;

macro_rules! value_type {
    (u32) => {
        ValType::I32
    };
    (u64) => {
        ValType::I64
    };
}

macro_rules! table {
    ($($name:ident($($argument:ident: $kind:ident),*))*) => {
        &[$((stringify!($name), &[$(value_type!($kind)),*])),*]
    };
}

/// Name and parameters of each function, in ascending order of names.
const FUNCTIONS: &[(&str, &[ValType])] = wasi_functions!(table);

/// Returns the signature of an importable function, or `None` for any other name.
pub(in crate::kernel) fn signature(module: &str, name: &str) -> Option<FuncType> {
    if module == SERVICE_MODULE && SERVICE_FUNCTIONS.contains(&name) {
        return Some(FuncType::new([ValType::I32, ValType::I32], [ValType::I32]));
    }
    let (_, parameters) = FUNCTIONS.iter().find(|(known, _)| module == WASI && *known == name)?;
    // [MOD-21] every function returns an errno, except `proc_exit`, which does not return
    let results = (name != "proc_exit").then_some(ValType::I32);
    Some(FuncType::new(parameters.iter().cloned(), results))
}
