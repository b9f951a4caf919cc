//! Result of one execution, successful or not.

use super::changes::Changes;
use crate::kernel::prelude::*;
use core::time::Duration;

/// The result of one execution, successful or not: what the audit record needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Execution {
    /// `Ok` if the tool succeeded; otherwise why it failed.
    pub outcome: Result<(), Error>,
    /// The guest's exit status, 0 if `_start` returned; `None` if the host ended it.
    pub exit_status: Option<u32>,
    /// Number of host calls that failed with a permission error.
    pub denied: u64,
    /// What the tool wrote to stdout.
    pub stdout: Vec<u8>,
    /// The most JSON values that it may hold: as many as fit the memory reserved for an output.
    pub values_max: usize,
    /// What the tool wrote to stderr.
    pub stderr: Vec<u8>,
    /// Requests to host services, counted by service and result.
    pub services: BTreeMap<String, u64>,
    /// Changes to writable directories and to storage; empty if a trap or a limit ended the guest. The
    /// protocol decides whether an exit status is a failure. They take effect with
    /// [`Changes::apply`](super::Changes::apply).
    pub changes: Changes,
    /// Fuel used, in the units of `spec/sandbox.md`.
    pub fuel_used: u64,
    /// Wall-clock time.
    pub duration: Duration,
}

impl Execution {
    /// An execution that did not start.
    pub(super) fn refused(error: Error) -> Self {
        Execution {
            outcome: Err(error),
            exit_status: None,
            denied: 0,
            services: BTreeMap::new(),
            stdout: Vec::new(),
            values_max: 0,
            stderr: Vec::new(),
            changes: Changes::default(),
            fuel_used: 0,
            duration: Duration::ZERO,
        }
    }
}
