//! What a call has left, however it ended.

use super::changes::Changes;
use crate::kernel::prelude::*;
use core::time::Duration;

/// One call, however it ended: what the audit record needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Execution {
    /// Whether the tool ended well; if not, why.
    pub outcome: Result<(), Error>,
    /// The status that it ended itself with, 0 if `_start` returned; none if it was ended.
    pub exit_status: Option<u32>,
    /// How often it tried what it may not do.
    pub denied: u64,
    /// What it had written to stdout.
    pub stdout: Vec<u8>,
    /// What it had written to stderr.
    pub stderr: Vec<u8>,
    /// How often it asked for what at the door, and what came of it.
    pub services: BTreeMap<String, u64>,
    /// What it changed in the directories it may write and in what it keeps; empty if it was ended by a
    /// trap or a limit. Whether an exit status means failure is for the protocol to say. Nothing of it is
    /// done until [`Changes::carry_out`](super::Changes::carry_out).
    pub changes: Changes,
    /// Fuel, in the units of `spec/sandbox.md`.
    pub fuel_used: u64,
    /// Wall-clock time.
    pub duration: Duration,
}

impl Execution {
    /// One that did not begin.
    pub(super) fn refused(error: Error) -> Self {
        Execution {
            outcome: Err(error),
            exit_status: None,
            denied: 0,
            services: BTreeMap::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            changes: Changes::default(),
            fuel_used: 0,
            duration: Duration::ZERO,
        }
    }
}
