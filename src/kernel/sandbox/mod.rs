//! Room: running a verified tool, with nothing but what its token holds.
//!
//! Read on in `grants.rs` (what may be asked for), `machine.rs` (how it runs and ends), `guest.rs` (its
//! memory), `meter.rs` and `time.rs` (its fuel and time), `wasi/` and `services.rs` (what it can call), `files/` and `host_directory.rs` (what it sees),
//! `protected.rs` (what no guest sees), `changes.rs` and `commit.rs` (what it leaves) and `protocol/` (how it is spoken to).

mod changes;
mod commit;
mod errno;
mod execution;
mod executor;
mod grants;
mod guest;
mod guest_clock;
mod meter;
mod overlay;
mod protocol;
mod random;
mod self_test;
mod service_calls;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/sandbox/mod.rs"]
mod tests;
mod wasi;

pub use crate::kernel::directory::FileOp;
use crate::kernel::prelude::*;
pub use changes::Changes;
pub use execution::Execution;
pub use protocol::json_rpc::{tools_call_request, JsonRpcResponse};
pub use protocol::result::ToolResult;
pub use protocol::ToolInput;

use crate::kernel::deadline::Deadline;
use crate::kernel::directory::Identity;
use crate::kernel::gatekeeper::WasmBinary;
use crate::kernel::host::Host;
use crate::kernel::module::Module;
use crate::kernel::network::ServiceBroker;
use crate::kernel::policy::capability::Capability;
use crate::kernel::policy::token::{CapabilityToken, DirectoryGrant, ResolvedToken, RunLimits};
use crate::kernel::storage::Loaded;
use guest::GuestState;
use guest_clock::GuestClock;
use meter::FuelMeter;
use overlay::Preopen;
use random::RandomStream;

/// An engine that was found to keep to the limits, and the seed of the random numbers that guests get from it.
/// Only [`Engine::new`] and [`Engine::with_seed`] make one.
#[derive(Clone, Debug)]
pub struct Engine {
    seed: [u8; 32],
}

impl Engine {
    /// An engine whose guests get the same random numbers in each call.
    ///
    /// # Errors
    /// `host.engine` if this program was built with an engine that would not keep to the limits.
    pub fn new() -> Result<Self, Error> {
        Engine::with_seed([0; 32])
    }

    /// An engine whose guests get their random numbers from this seed.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_seed(seed: [u8; 32]) -> Result<Self, Error> {
        self_test::check_engine()?;
        Ok(Engine { seed })
    }

    /// Runs a tool with what its token holds. The arguments of the request stand behind those of the manifest.
    /// They have no NUL, behind which a program would see nothing.
    pub fn run(
        &self,
        host: &dyn Host,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: ToolInput,
        deadline: &Deadline,
    ) -> Execution {
        let inputs = || {
            grants::check_token(token.token(), binary.manifest().content_hash(), host.elapsed())?;
            let runtime = &binary.manifest().runtime;
            let mut args = vec![runtime.entry.clone()];
            args.extend(runtime.args.iter().cloned());
            // [CMD-04]
            args.extend(request.args);
            let granted = token.token();
            Ok(GuestInputs {
                args,
                environment: grants::environment(token)?,
                stdin: request.stdin,
                assets: Arc::clone(binary.assets()),
                roots: open_preopens(host, token.directories())?,
                // [BOX-56]
                time: match granted.grants(&Capability::RealClock) {
                    true => GuestClock::of_host(host.now().saturating_sub(deadline.elapsed())),
                    false => GuestClock::own(),
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

fn storage_of(host: &dyn Host, token: &CapabilityToken) -> Result<Option<Loaded>, Error> {
    let bytes_max = token.storage_bytes_max();
    let load = || Loaded::of(token.package(), token.publisher_key(), bytes_max, host.storage());
    (bytes_max > 0).then(load).transpose()
}

/// Finds that these directories could be mapped now, before a person is asked about them.
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

/// What is written under one name must not be read or written under another in the same call.
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
                    "{} and {} are mapped to overlapping directories, one of them to be written",
                    one.guest, other.guest
                );
                return Err(Error::new(Code::SandboxNotGranted, detail));
            }
        }
    }
    Ok(())
}

/// Everything that enters a guest.
struct GuestInputs<'a> {
    args: Vec<String>,
    environment: Vec<String>,
    stdin: Vec<u8>,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    roots: Vec<Preopen>,
    time: GuestClock,
    random: RandomStream<'a>,
    services: ServiceBroker<'a>,
    storage: Option<Loaded>,
}

impl<'a> GuestInputs<'a> {
    fn into_guest(mut self, limits: &RunLimits, deadline: &Deadline<'a>) -> GuestState<'a> {
        let storage = self.storage.as_mut().map(Loaded::take_entries);
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
            meter: FuelMeter { slice: 0, reserve: limits.fuel_max, watch: *deadline },
            services: self.services,
            storage: self.storage,
            response: Vec::new(),
            memory_bytes_max: usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX),
            table_elements_max: crate::kernel::limits::TABLE_ELEMENTS_COUNT_MAX,
            growth_denied: false,
            memory: None,
        }
    }
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
    // A guest that ended by itself may have answered, whatever its status: the protocol knows.
    let changes = match ended.exit_status {
        Some(_) => {
            let changes = ended.guest.tree.into_changes(ended.guest.storage);
            changes.unwrap_or_else(Changes::impossible)
        }
        None => Changes::default(),
    };
    let services = ended.guest.services.into_counts();
    let duration = deadline.elapsed().saturating_sub(began);
    let elapsed_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let only_computes = !real_clock && services.is_empty();
    let outcome = ended.outcome.map_err(|error| {
        let is_late = error.code() == Code::ToolTimeout && only_computes;
        match self_test::slow_engine(ended.fuel_used, elapsed_ms).filter(|_| is_late) {
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
        stderr: ended.guest.stderr,
        changes,
        fuel_used: ended.fuel_used,
        duration,
    }
}
