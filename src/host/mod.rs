//! Host implementation for an ordinary computer: its files, clocks, network and programs.
//!
//! Directories are mapped on Linux only, through `O_PATH` handles. On other Unix systems that code compiles and
//! refuses.

pub mod approvals;
pub mod approver;
mod budgets;
mod child;
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
pub mod organisation;
pub mod pack;
pub mod pending;
#[cfg(unix)]
pub mod protected_paths;
pub mod question;
pub mod runtime;
pub mod sandbox;
pub mod secrets;
pub mod stage_api;
pub mod storage;
pub mod store;
pub mod system_host;
pub mod transport;
pub mod trust;

/// The reason for refusing a mapped directory on other systems.
const LINUX_ONLY: &str = "directories can be mapped on Linux only (x86-64, AArch64)";
