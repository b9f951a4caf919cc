//! The ordinary computer: files, clocks, programs. What the kernel asks for comes from here.

pub mod approvals;
pub mod article;
pub mod clock;
pub mod files;
pub mod home;
pub mod host_file;
pub mod host_key;
pub mod keys;
pub mod log;
pub mod pack;
pub mod pending;
pub mod person;
pub mod runtime;
pub mod secrets;
pub mod storage;
pub mod store;
pub mod system;
pub mod trust;
pub mod unix;
