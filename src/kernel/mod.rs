//! The kernel: it verifies, decides, runs, filters and records. It is a function of bytes: it opens no file,
//! reads no clock, uses no random source and starts no thread.

pub mod agent;
pub mod audit;
pub mod bundle;
pub mod consent;
pub mod deadline;
pub mod directory;
pub mod document;
pub mod encoding;
pub mod error;
pub mod gatekeeper;
pub mod host;
pub mod json;
pub mod limits;
pub mod module;
pub mod names;
pub mod network;
pub mod package;
pub mod pattern;
pub mod pipeline;
pub mod policy;
mod prelude;
pub mod privacy;
pub mod rotation;
pub mod sandbox;
pub mod secrets;
pub mod storage;
pub mod text;
pub mod time;
pub mod trust;
