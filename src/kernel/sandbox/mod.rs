//! Sandbox: runs a verified tool with only the grants of its capability token.
//!
//! `token.rs` checks the token, `executor.rs` runs the instance, `guest.rs` is its state and linear memory,
//! `meter.rs` and `guest_clock.rs` its fuel and clocks; `wasi/` and `service_calls.rs` are its host calls,
//! `overlay/` its file system; `changes.rs` and `commit.rs` apply its changes, and `protocol/` encodes the
//! call and decodes the response.

mod changes;
mod commit;
mod engine_check;
mod errno;
mod executor;
mod guest;
mod guest_clock;
mod meter;
mod outcome;
mod overlay;
mod protocol;
mod random;
mod service_calls;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/sandbox/mod.rs"]
mod tests;
mod token;
mod wasi;

pub use crate::kernel::directory::FileOp;
use crate::kernel::prelude::*;
pub use changes::Changes;
pub use outcome::Execution;
pub use protocol::json_rpc::{tools_call_request, JsonRpcResponse};
pub use protocol::{ToolInput, ToolResult};

use crate::kernel::deadline::Deadline;
use crate::kernel::directory::Identity;
use crate::kernel::gatekeeper::WasmBinary;
use crate::kernel::host::Host;
use crate::kernel::limits::{JSON_VALUES_COUNT_MAX, OUTPUT_MEMORY_FACTOR, VALUE_MEMORY_BYTES};
use crate::kernel::module::Module;
use crate::kernel::network::ServiceBroker;
use crate::kernel::policy::capability::Capability;
use crate::kernel::policy::token::{CapabilityToken, DirectoryGrant, ResolvedToken, RunLimits};
use crate::kernel::storage::LoadedStorage;
use crate::kernel::time::milliseconds;
use guest::GuestState;
use guest_clock::GuestClock;
use meter::FuelMeter;
use overlay::Preopen;
use random::RandomStream;

/// A WebAssembly engine that passed its self-test, and the seed of the guests' random numbers. Only
/// [`Engine::new`] and [`Engine::with_seed`] create one.
#[derive(Clone, Debug)]
pub struct Engine {
    seed: [u8; 32],
}

impl Engine {
    /// Creates an engine whose guests get the same random numbers in each call.
    ///
    /// # Errors
    /// `host.engine` if the linked engine would not keep to the limits.
    pub fn new() -> Result<Self, Error> {
        Engine::with_seed([0; 32])
    }

    /// Creates an engine whose guests get random numbers derived from this seed.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_seed(seed: [u8; 32]) -> Result<Self, Error> {
        engine_check::check_engine()?;
        Ok(Engine { seed })
    }

    /// Runs a tool with the grants of its token. The request's arguments follow those of the manifest; none
    /// has a NUL, which would cut the argument short.
    pub fn run(
        &self,
        host: &dyn Host,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: ToolInput,
        deadline: &Deadline,
    ) -> Execution {
        let inputs = || {
            token::check_token(token.token(), binary.manifest().content_hash(), host.elapsed())?;
            let runtime = &binary.manifest().runtime;
            let mut args = vec![runtime.entry.clone()];
            args.extend(runtime.args.iter().cloned());
            // [CMD-04]
            args.extend(request.args);
            let granted = token.token();
            Ok(GuestInputs {
                args,
                environment: token::environment(token)?,
                stdin: request.stdin,
                assets: Arc::clone(binary.assets()),
                roots: open_preopens(host, token.directories())?,
                // [BOX-56]
                time: match granted.grants(&Capability::RealClock) {
                    true => GuestClock::host_time(host.now().saturating_sub(deadline.elapsed())),
                    false => GuestClock::virtual_time(),
                },
                random: match granted.grants(&Capability::RealRandom) {
                    true => RandomStream::Host(host),
                    false => RandomStream::seeded(self.seed),
                },
                services: ServiceBroker::new(token, host),
                storage: storage_of(host, granted)?,
            })
        };
        match inputs() {
            Ok(inputs) => run_module(binary.module(), inputs, token.limits(), deadline),
            Err(error) => Execution::refused(error),
        }
    }
}

fn storage_of(host: &dyn Host, token: &CapabilityToken) -> Result<Option<LoadedStorage>, Error> {
    let bytes_max = token.storage_bytes_max();
    let load =
        || LoadedStorage::load(token.package(), token.publisher_key(), bytes_max, host.storage());
    (bytes_max > 0).then(load).transpose()
}

/// Checks that these directories can be mapped now, before their approval is requested.
pub(in crate::kernel) fn check_directories(
    host: &dyn Host,
    grants: &[DirectoryGrant],
) -> Result<(), Error> {
    open_preopens(host, grants).map(drop)
}

// [BOX-07] [BOX-97]
fn open_preopens(host: &dyn Host, grants: &[DirectoryGrant]) -> Result<Vec<Preopen>, Error> {
    let open = |grant: &DirectoryGrant| {
        let DirectoryGrant { guest, host: name, writable } = grant;
        let found = host.directory(name);
        let found = found.map_err(|error| error.context(format_args!("{name} for {guest}")))?;
        Ok(Preopen { guest: guest.clone(), host: found, writable: *writable })
    };
    let roots: Vec<Preopen> = grants.iter().map(open).collect::<Result<_, Error>>()?;
    check_apart(&roots)?;
    Ok(roots)
}

/// Rejects overlapping mapped directories if one of them is writable: its changes would show in the other.
// [BOX-09]
fn check_apart(roots: &[Preopen]) -> Result<(), Error> {
    let places: Vec<Vec<Identity>> = match roots {
        [] | [_] => return Ok(()),
        _ => roots.iter().map(|root| root.host.identity_chain()).collect(),
    };
    let holds = |one: &[Identity], other: &[Identity]| {
        one.first().is_some_and(|identity| other.contains(identity))
    };
    for (index, (one, here)) in roots.iter().zip(&places).enumerate() {
        let others = roots.iter().zip(&places).skip(index.saturating_add(1));
        for (other, there) in others {
            let overlap = holds(here, there) || holds(there, here);
            if overlap && (one.writable || other.writable) {
                let detail = format!(
                    "{} and {} are mapped to overlapping directories, one of them writable",
                    one.guest, other.guest
                );
                return Err(Error::new(Code::SandboxNotGranted, detail));
            }
        }
    }
    Ok(())
}

/// Everything that a guest is given.
struct GuestInputs<'a> {
    args: Vec<String>,
    environment: Vec<String>,
    stdin: Vec<u8>,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    roots: Vec<Preopen>,
    time: GuestClock,
    random: RandomStream<'a>,
    services: ServiceBroker<'a>,
    storage: Option<LoadedStorage>,
}

impl<'a> GuestInputs<'a> {
    fn into_guest(mut self, limits: &RunLimits, deadline: &Deadline<'a>) -> GuestState<'a> {
        let storage = self.storage.as_mut().map(LoadedStorage::take_entries);
        let (tree, descriptors) = overlay::open(self.assets, self.roots, storage);
        GuestState {
            args: self.args,
            environment: self.environment,
            stdin: self.stdin,
            stdin_read: 0,
            stdout: Vec::new(),
            exit_status: None,
            denied: 0,
            stdout_bytes_max: usize::try_from(limits.output_bytes_max).unwrap_or(usize::MAX),
            stderr: Vec::new(),
            tree,
            descriptors,
            time: self.time,
            random: self.random,
            meter: FuelMeter { slice: 0, reserve: limits.fuel_max, deadline: *deadline },
            services: self.services,
            storage: self.storage,
            response: Vec::new(),
            memory_bytes_max: usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX),
            table_elements_max: crate::kernel::limits::TABLE_ELEMENTS_COUNT_MAX,
            denied_growth: None,
            memory: None,
        }
    }
}

/// Returns how many JSON values fit into the memory that is reserved for an output.
// [RUN-15]
fn values_max(limits: &RunLimits) -> usize {
    let bytes = limits.output_bytes_max.saturating_mul(OUTPUT_MEMORY_FACTOR);
    let fitting = bytes.checked_div(VALUE_MEMORY_BYTES).unwrap_or_default();
    usize::try_from(fitting).unwrap_or(usize::MAX).min(JSON_VALUES_COUNT_MAX)
}

fn run_module<'a>(
    module: &Module,
    inputs: GuestInputs<'a>,
    limits: &RunLimits,
    deadline: &Deadline<'a>,
) -> Execution {
    let began = deadline.elapsed();
    let real_clock = inputs.time.is_real();
    let ended = executor::run(module, inputs.into_guest(limits, deadline), limits);
    // A guest that exited may have written a response, regardless of its status: the protocol decides.
    let changes = match ended.exit_status {
        Some(_) => {
            let changes = ended.guest.tree.into_changes(ended.guest.storage);
            changes.unwrap_or_else(Changes::failed)
        }
        None => Changes::default(),
    };
    let services = ended.guest.services.into_counts();
    let duration = deadline.elapsed().saturating_sub(began);
    let elapsed_ms = milliseconds(duration);
    let only_computes = !real_clock && services.is_empty();
    let outcome = ended.outcome.map_err(|error| {
        let is_late = error.code() == Code::ToolTimeout && only_computes;
        match engine_check::slow_engine(ended.fuel_used, elapsed_ms).filter(|_| is_late) {
            Some(note) => Error::new(error.code(), format!("{}{note}", error.detail())),
            None => error,
        }
    });
    Execution {
        outcome,
        exit_status: ended.exit_status,
        denied: ended.guest.denied,
        services,
        stdout: ended.guest.stdout,
        values_max: values_max(limits),
        stderr: ended.guest.stderr,
        changes,
        fuel_used: ended.fuel_used,
        duration,
    }
}
