//! The ordinary computer: files, clocks, programs. What the kernel asks for comes from here.
//!
//! Directories are walked by handles that Linux alone has. On other Unix systems the code for it is compiled, and
//! refuses.

pub mod approvals;
pub mod approver;
pub mod clock;
#[cfg(unix)]
mod commit;
pub mod curl;
#[cfg(unix)]
pub mod directory;
#[cfg(unix)]
pub mod directory_handle;
pub mod files;
pub mod home;
pub mod host_key;
pub mod json_file;
pub mod keys;
pub mod log;
pub mod pack;
pub mod pending;
#[cfg(unix)]
pub mod protected_paths;
pub mod runtime;
pub mod sandbox;
pub mod secrets;
pub mod stages;
pub mod storage;
pub mod store;
pub mod system;
pub mod transport;
pub mod trust;

/// Why no directory is mapped.
const LINUX_ONLY: &str = "directories can be mapped on Linux only (x86-64, AArch64)";
