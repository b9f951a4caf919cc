//! Budgets: what all calls of one process share, so that one package does not starve the others.
//!
//! A call draws the most that it can use before it runs, never while it runs: else its result would depend on
//! other calls. It waits for what is not free, and is refused at the end of its own time. Verified packages
//! stay in memory until the space is needed for others; those in use by a call stay.

use crate::host::clock::CancelFlag;
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::host::ResourceNeeds;
use crate::kernel::limits::{
    BUDGET_POLL_MS, DESCRIPTORS_COUNT_DEFAULT, DESCRIPTORS_SET_ASIDE, DIRECTORY_CALL_DESCRIPTORS,
    NETWORK_CALL_DESCRIPTORS, SPACE_WAIT_MS, VERIFICATION_WAIT_MS,
};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::BudgetRules;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shared resources of a process.
#[derive(Debug)]
pub(super) struct Budgets {
    memory_bytes_max: u64,
    code_bytes_max: u64,
    descriptors_max: u64,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    memory_bytes: u64,
    descriptors: u64,
    /// Whether a package is being verified: one at a time, since each takes the memory of its contents.
    is_verifying: bool,
    verified: BTreeMap<ContentHash, Verified>,
    /// Number of uses of verified packages.
    uses: u64,
}

#[derive(Debug)]
struct Verified {
    attestation: AttestationResult,
    bytes: u64,
    last_use: u64,
}

const VERIFICATION_WAIT: Duration = Duration::from_millis(VERIFICATION_WAIT_MS);
const SPACE_WAIT: Duration = Duration::from_millis(SPACE_WAIT_MS);
const CODE: &str = "bytes of compiled code and assets";

/// What a call or a verification has drawn; dropping it releases it.
#[derive(Debug)]
pub(super) struct Draw {
    budgets: Arc<Budgets>,
    memory_bytes: u64,
    descriptors: u64,
    is_verification: bool,
}

impl Drop for Draw {
    fn drop(&mut self) {
        let mut state = self.budgets.lock();
        state.memory_bytes = state.memory_bytes.saturating_sub(self.memory_bytes);
        state.descriptors = state.descriptors.saturating_sub(self.descriptors);
        state.is_verifying &= !self.is_verification;
        self.budgets.released.notify_all();
    }
}

impl Budgets {
    /// Returns the budgets of a policy, for the descriptors that this process may open.
    pub(super) fn new(rules: &BudgetRules) -> Self {
        let descriptors = rules.descriptors.or_else(open_files_max);
        let descriptors = descriptors.unwrap_or(DESCRIPTORS_COUNT_DEFAULT);
        Budgets {
            memory_bytes_max: rules.guest_memory_mb.saturating_mul(1 << 20),
            code_bytes_max: rules.code_mb.saturating_mul(1 << 20),
            descriptors_max: descriptors.saturating_sub(DESCRIPTORS_SET_ASIDE),
            state: Mutex::default(),
            released: Condvar::new(),
        }
    }

    /// Draws what a call needs.
    ///
    /// # Errors
    /// `host.busy`, `host.budget`, `tool.cancelled`.
    // [RUN-15] [RUN-16]
    pub(super) fn draw(
        self: &Arc<Self>,
        needs: &ResourceNeeds,
        cancel: &CancelFlag,
    ) -> Result<Draw, Error> {
        let (memory_bytes, descriptors) = (needs.memory_bytes, descriptors_of(needs));
        fits(CODE, needs.code_bytes, self.code_bytes_max)?;
        fits("bytes of memory", memory_bytes, self.memory_bytes_max)?;
        fits("open files", descriptors, self.descriptors_max)?;
        self.wait(needs.timeout, cancel, |state| {
            let memory_after = state.memory_bytes.saturating_add(memory_bytes);
            let descriptors_after = state.descriptors.saturating_add(descriptors);
            if memory_after > self.memory_bytes_max {
                return Err("memory");
            }
            if descriptors_after > self.descriptors_max {
                return Err("open files");
            }
            (state.memory_bytes, state.descriptors) = (memory_after, descriptors_after);
            Ok(())
        })?;
        Ok(Draw { budgets: Arc::clone(self), memory_bytes, descriptors, is_verification: false })
    }

    /// Waits until no other package is being verified.
    ///
    /// # Errors
    /// `host.busy`, `tool.cancelled`.
    // [RUN-17]
    pub(super) fn verify_alone(self: &Arc<Self>, cancel: &CancelFlag) -> Result<Draw, Error> {
        self.wait(VERIFICATION_WAIT, cancel, |state| match state.is_verifying {
            true => Err("verification"),
            false => {
                state.is_verifying = true;
                Ok(())
            }
        })?;
        let budgets = Arc::clone(self);
        Ok(Draw { budgets, memory_bytes: 0, descriptors: 0, is_verification: true })
    }

    /// Returns a package that was verified earlier in this process.
    pub(super) fn verified(&self, content_hash: &ContentHash) -> Option<AttestationResult> {
        let state = &mut *self.lock();
        state.uses = state.uses.saturating_add(1);
        let found = state.verified.get_mut(content_hash)?;
        found.last_use = state.uses;
        Some(found.attestation.clone())
    }

    /// Keeps a verified package, in place of those that were used least recently.
    ///
    /// # Errors
    /// `host.busy` if calls use the others, `host.budget`, `tool.cancelled`.
    // [RUN-17]
    pub(super) fn keep(&self, found: &AttestationResult, cancel: &CancelFlag) -> Result<(), Error> {
        let bytes = found.wasm_binary.memory_bytes_max();
        fits(CODE, bytes, self.code_bytes_max)?;
        // Short, since no other package is verified until then.
        self.wait(SPACE_WAIT, cancel, |state| {
            state.make_space(bytes, self.code_bytes_max)?;
            let (attestation, last_use) = (found.clone(), state.uses);
            let kept = Verified { attestation, bytes, last_use };
            state.verified.insert(found.content_hash.clone(), kept);
            Ok(())
        })
    }

    /// Repeats an attempt to draw until it succeeds. An attempt that fails names what is used up.
    fn wait(
        &self,
        timeout: Duration,
        cancel: &CancelFlag,
        mut attempt: impl FnMut(&mut State) -> Result<(), &'static str>,
    ) -> Result<(), Error> {
        let deadline = Deadline::new(cancel, timeout);
        let mut state = self.lock();
        while let Err(what) = attempt(&mut state) {
            match deadline.check() {
                Ok(()) => {}
                Err(Interrupted::Cancelled) => return Err(Interrupted::Cancelled.into()),
                Err(Interrupted::TimedOut(_)) => {
                    let waited_ms = timeout.as_millis();
                    let detail = format!("other calls use all {what}; waited {waited_ms} ms");
                    return Err(Error::new(Code::HostBusy, detail));
                }
            }
            let poll = Duration::from_millis(BUDGET_POLL_MS).min(deadline.remaining());
            let woken = self.released.wait_timeout(state, poll);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Locks the state, which is consistent even if a thread that held the lock panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops packages that no call uses, least recently used first, until `bytes` more fit. Drops none if they
    /// would not.
    fn make_space(&mut self, bytes: u64, bytes_max: u64) -> Result<(), &'static str> {
        let (mut used, mut in_use) = (0_u64, 0_u64);
        let mut idle = Vec::new();
        for (hash, kept) in &self.verified {
            used = used.saturating_add(kept.bytes);
            match kept.attestation.is_shared() {
                true => in_use = in_use.saturating_add(kept.bytes),
                false => idle.push((kept.last_use, hash.clone())),
            }
        }
        if in_use.saturating_add(bytes) > bytes_max {
            return Err("space for verified packages");
        }
        idle.sort_unstable();
        for (_, hash) in idle {
            if used.saturating_add(bytes) <= bytes_max {
                break;
            }
            let dropped = self.verified.remove(&hash).map_or(0, |kept| kept.bytes);
            used = used.saturating_sub(dropped);
        }
        Ok(())
    }
}

/// Refuses what would not fit if no other call ran.
// [RUN-16]
fn fits(what: &str, needed: u64, budget: u64) -> Result<(), Error> {
    if needed <= budget {
        return Ok(());
    }
    let detail = format!("the call can need {needed} {what}, and this process has {budget}");
    Err(Error::new(Code::HostBudget, detail))
}

/// Returns the most descriptors that a call can hold, besides those set aside.
fn descriptors_of(needs: &ResourceNeeds) -> u64 {
    let files = match as_u64(needs.directories) {
        0 => 0,
        directories => DIRECTORY_CALL_DESCRIPTORS.saturating_add(directories),
    };
    files.saturating_add(if needs.has_hosts { NETWORK_CALL_DESCRIPTORS } else { 0 })
}

/// Reads how many descriptors this process may open, where the system tells.
fn open_files_max() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" {
        Some(u64::MAX)
    } else {
        soft.parse().ok()
    }
}

#[cfg(test)]
#[path = "../../conformance/unit/host/budgets.rs"]
mod tests;
