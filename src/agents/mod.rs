//! The configuration of the programs that call tools: what it is, and merging an entry into its file.

pub mod clients;
pub mod merge;
