//! Room: the functions a module may import, with their exact signatures.
//!
//! These are the 46 functions of WASI preview 1, module `wasi_snapshot_preview1`, as its `witx`
//! definition lowers them to WebAssembly. The sandbox defines each of them.

use wasmi::{FuncType, ValType};

/// The one module name that may be imported from.
pub(crate) const WASI: &str = "wasi_snapshot_preview1";

/// Name and parameters: `i` is an `i32`, `I` an `i64`.
// [MOD-20]
const FUNCTIONS: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// The signature of an importable function, or `None` if there is no such function.
pub(crate) fn signature(module: &str, name: &str) -> Option<FuncType> {
    let (_, parameters) = FUNCTIONS.iter().find(|(known, _)| module == WASI && *known == name)?;
    let parameters = parameters.chars().map(|c| if c == 'I' { ValType::I64 } else { ValType::I32 });
    // [MOD-21] every function answers with an errno, but for the one that does not come back
    let results = (name != "proc_exit").then_some(ValType::I32);
    Some(FuncType::new(parameters.collect::<Vec<_>>(), results))
}

/// Name and signature of every importable function, in ascending order of names.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, FuncType)> {
    FUNCTIONS.iter().filter_map(|(name, _)| Some((*name, signature(WASI, name)?)))
}
