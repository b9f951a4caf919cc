//! The tests of the whole crate, in one binary.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::precedence,
    clippy::type_complexity,
    clippy::unwrap_used
)]

mod author;
mod budgets;
mod changes;
mod cli;
mod config;
mod config_write;
mod defaults;
mod determinism;
mod evidence;
mod example;
mod follow;
mod fuzz;
mod guests;
mod hands;
mod host;
mod imports;
mod kills;
mod layout;
mod lock;
mod mcp;
mod mcp_changes;
mod mcp_clients;
mod mcp_lines;
mod migrate;
mod organisation;
mod package;
mod pipeline;
mod protected;
mod protocols;
mod published;
mod readme;
mod registries;
mod registry;
mod rings;
mod secrets;
mod serve;
mod services;
mod signers;
mod sizes;
mod spec_examples;
mod stale_state;
mod storage;
mod store;
mod support;
mod tools;
mod trace;
mod transport;
mod vectors;
mod words;
