//! The ordinary computer: files, clocks, programs. What the kernel asks for comes from here.

pub mod files;
pub mod home;
pub mod host_file;
pub mod runtime;
pub mod secrets;
pub mod store;
pub mod unix;
