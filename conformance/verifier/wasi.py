"""Purpose: the functions that a module may import, with their signatures (MOD-20, MOD-21, DOOR-01)."""

# `i` is i32, `I` is i64: what the parameters of preview 1's witx files lower to.
_PARAMETERS = {
    "args_get": "ii", "args_sizes_get": "ii", "environ_get": "ii", "environ_sizes_get": "ii",
    "clock_res_get": "ii", "clock_time_get": "iIi",
    "fd_advise": "iIIi", "fd_allocate": "iII", "fd_close": "i", "fd_datasync": "i", "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii", "fd_fdstat_set_rights": "iII", "fd_filestat_get": "ii", "fd_filestat_set_size": "iI",
    "fd_filestat_set_times": "iIIi", "fd_pread": "iiiIi", "fd_prestat_get": "ii", "fd_prestat_dir_name": "iii",
    "fd_pwrite": "iiiIi", "fd_read": "iiii", "fd_readdir": "iiiIi", "fd_renumber": "ii", "fd_seek": "iIii",
    "fd_sync": "i", "fd_tell": "ii", "fd_write": "iiii",
    "path_create_directory": "iii", "path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiIIi",
    "path_link": "iiiiiii", "path_open": "iiiiiIIii", "path_readlink": "iiiiii", "path_remove_directory": "iii",
    "path_rename": "iiiiii", "path_symlink": "iiiii", "path_unlink_file": "iii",
    "poll_oneoff": "iiii", "proc_exit": "i", "proc_raise": "i", "random_get": "ii", "sched_yield": "",
    "sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
}  # fmt: skip
I32, I64 = 0x7F, 0x7E
_TYPES = {"i": I32, "I": I64}

# (module, name): (parameters, results), each a tuple of value types as in the binary format.
WASI = {
    ("wasi_snapshot_preview1", name): (
        tuple(_TYPES[letter] for letter in parameters),
        () if name == "proc_exit" else (I32,),
    )
    for name, parameters in _PARAMETERS.items()
}
# DOOR-01, DOOR-02: only for manifests that request a host.
NETWORK = {("mpp_v1", name): ((I32, I32), (I32,)) for name in ("request", "response")}
