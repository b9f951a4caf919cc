//! Room: running a verified tool, with nothing but what its token holds.
//!
//! Read on in `grants.rs` (what may be asked for), `machine.rs` (how it runs and ends), `guest.rs` (its
//! memory), `meter.rs` and `time.rs` (its fuel and time), `wasi/` and `door.rs` (what it can call), `files/` and `host_directory.rs` (what it sees),
//! `protected.rs` (what no guest sees), `changes.rs` and `commit.rs` (what it leaves) and `protocol/` (how it is spoken to).

mod changes;
mod commit;
mod door;
mod errno;
mod files;
mod grants;
mod guest;
mod host_directory;
mod machine;
mod meter;
mod protected;
mod protocol;
mod random;
mod run;
mod self_test;
#[cfg(test)]
mod tests;
mod time;
mod wasi;

use crate::kernel::prelude::*;
pub use changes::Changes;
pub use commit::Action;
pub use grants::{extract_approved_dirs, extract_approved_env_vars, SandboxConfig};
pub use protocol::json_rpc::{tools_call_request, JsonRpcResponse};
pub use protocol::result::ToolResult;
pub use protocol::Request;
pub use run::Run;

use crate::host::clock::CancelFlag;
use crate::kernel::deadline::Deadline;
use crate::kernel::door::{Door, Services};
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::WasmBinary;
use crate::kernel::module::Module;
use crate::kernel::policy::capability::Capability;
use crate::kernel::policy::token::{DirectoryGrant, ResolvedToken, RunLimits};
use crate::kernel::storage::Loaded;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use files::Root;
use guest::Guest;
use host_directory::HostDirectory;
use meter::Meter;
use protected::Places;
use random::RandomStream;
use std::path::{Path, PathBuf};
use std::time::Instant;
use time::Time;

/// Runs tools, each call in an instance of its own.
#[derive(Clone, Debug)]
pub struct WasmSandbox {
    seed: [u8; 32],
    services: Services,
    places: Places,
}

impl WasmSandbox {
    /// A sandbox whose tools get the same random numbers in each call.
    ///
    /// # Errors
    /// `host.engine` if this program was built with an engine that would not keep to the limits.
    pub fn new() -> Result<Self, Error> {
        Self::with_seed([0; 32])
    }

    /// A sandbox whose tools get their random numbers from this seed.
    ///
    /// # Errors
    /// As [`WasmSandbox::new`].
    pub fn with_seed(seed: [u8; 32]) -> Result<Self, Error> {
        self_test::check_engine()?;
        Ok(WasmSandbox { seed, services: Services::default(), places: Places::default() })
    }

    /// Puts services behind the door; a new sandbox has none.
    #[must_use]
    pub fn with_services(self, services: Services) -> Self {
        WasmSandbox { services, ..self }
    }

    /// The services behind the door.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Keeps guests from a file or folder that decides what tools may do, whether it is there yet or not:
    /// no directory that is, holds or lies in it is mapped, as none is with the user's home folder
    /// ([`crate::host::home::home_dir`]).
    #[must_use]
    pub fn protect(mut self, path: impl Into<PathBuf>) -> Self {
        self.places.add(path.into());
        self
    }

    /// Whether these directories could be mapped now, for hosts that ask a person first.
    pub(crate) fn check_directories(&self, grants: &[DirectoryGrant]) -> Result<(), Error> {
        open_roots(grants, &self.places).map(drop)
    }

    /// Runs a tool that answers one request.
    ///
    /// # Errors
    /// `sandbox.*` if the configuration asks for more than the token holds; `tool.*` if the tool fails
    /// or breaks a limit.
    pub fn execute(&self, binary: &WasmBinary, config: SandboxConfig) -> Result<Run, Error> {
        let token = grants::narrowed(&config)?;
        let request = Request { args: Vec::new(), stdin: config.stdin_data };
        let run = self.run(binary, &token, request, &CancelFlag::default());
        run.outcome.clone().map(|()| run)
    }

    /// Runs a tool with what its token holds, for hosts that may cancel a call and that record how it ended.
    /// The arguments of the request stand behind those of the manifest. They have no NUL, behind which a
    /// program would see nothing.
    #[must_use]
    pub fn run(
        &self,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: Request,
        cancel: &CancelFlag,
    ) -> Run {
        let deadline = Deadline::new(cancel, token.limits().timeout);
        self.run_within(binary, token, request, &deadline)
    }

    /// As [`WasmSandbox::run`], for a host whose work on the answer has the same deadline.
    pub(crate) fn run_within(
        &self,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: Request,
        deadline: &Deadline,
    ) -> Run {
        let inputs = || {
            grants::check_token(token.token(), binary.manifest().content_hash())?;
            let runtime = &binary.manifest().runtime;
            let mut args = vec![runtime.entry.clone()];
            args.extend(runtime.args.iter().cloned());
            // [CMD-04]
            args.extend(request.args);
            Ok(Inputs {
                args,
                environment: grants::environment(token)?,
                stdin: request.stdin,
                assets: Arc::clone(binary.assets()),
                roots: open_roots(token.directories(), &self.places)?,
                seed: self.seed,
                // [BOX-56]
                real_clock: token.token().holds(&Capability::RealClock),
                real_random: token.token().holds(&Capability::RealRandom),
                door: Door::new(token, &self.services),
                storage: Loaded::of(token.token(), self.services.storage.as_ref())?,
            })
        };
        match inputs() {
            Ok(inputs) => run_module(binary.module(), inputs, token.limits(), deadline),
            Err(error) => Run::refused(error),
        }
    }
}

// [BOX-07] [BOX-97]
fn open_roots(grants: &[DirectoryGrant], places: &Places) -> Result<Vec<Root>, Error> {
    if grants.is_empty() {
        return Ok(Vec::new()); // most calls: nothing need be looked up
    }
    let protected = Arc::new(places.find());
    let open = |grant: &DirectoryGrant| {
        let refuse = |code, why: &str| {
            Error::new(code, format!("{} for {}: {why}", grant.host, grant.guest))
        };
        let host = HostDirectory::open(Path::new(&grant.host), &protected)
            .map_err(|error| refuse(Code::HostFile, &error.to_string()))?;
        host.check().map_err(|why| refuse(Code::SandboxNotGranted, &why))?;
        let (guest, writable) = (grant.guest.clone(), grant.writable);
        let place = Path::new(&grant.host);
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        Ok((Root { guest, host: Arc::new(host), writable }, place))
    };
    let roots: Vec<(Root, PathBuf)> = grants.iter().map(open).collect::<Result<_, Error>>()?;
    check_apart(&roots)?;
    Ok(roots.into_iter().map(|(root, _)| root).collect())
}

/// What is written under one name must not be read or written under another in the same call.
// [BOX-09]
fn check_apart(roots: &[(Root, PathBuf)]) -> Result<(), Error> {
    for (index, (one, here)) in roots.iter().enumerate() {
        for (other, there) in roots.iter().skip(index.saturating_add(1)) {
            let overlap = here.starts_with(there)
                || there.starts_with(here)
                || one.host.identity() == other.host.identity();
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
struct Inputs {
    args: Vec<String>,
    environment: Vec<String>,
    stdin: Vec<u8>,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    roots: Vec<Root>,
    seed: [u8; 32],
    real_clock: bool,
    real_random: bool,
    door: Door,
    storage: Option<Loaded>,
}

impl Inputs {
    fn into_guest<'a>(mut self, limits: &RunLimits, deadline: &Deadline<'a>) -> Guest<'a> {
        let storage = self.storage.as_mut().map(Loaded::take_entries);
        let (tree, descriptors) = files::open(self.assets, self.roots, storage);
        Guest {
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
            time: if self.real_clock { Time::of_host() } else { Time::own() },
            random: match self.real_random {
                true => RandomStream::Host,
                false => RandomStream::seeded(self.seed),
            },
            meter: Meter { slice: 0, reserve: limits.fuel_max, watch: *deadline },
            door: self.door,
            storage: self.storage,
            response: Vec::new(),
            memory_bytes_max: usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX),
            table_elements_max: crate::kernel::limits::TABLE_ELEMENTS_COUNT_MAX,
            growth_denied: false,
            memory: None,
        }
    }
}

fn run_module(module: &Module, inputs: Inputs, limits: &RunLimits, deadline: &Deadline) -> Run {
    let started = Instant::now();
    let real_clock = inputs.real_clock;
    let ended = machine::run(module, inputs.into_guest(limits, deadline), limits);
    // A guest that ended by itself may have answered, whatever its status: the protocol knows.
    let changes = match ended.exit_status {
        Some(_) => {
            let changes = ended.guest.tree.into_changes(ended.guest.storage);
            changes.unwrap_or_else(Changes::impossible)
        }
        None => Changes::default(),
    };
    let door = ended.guest.door.into_counts();
    let duration = started.elapsed();
    let elapsed_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let only_computes = !real_clock && door.is_empty();
    let outcome = ended.outcome.map_err(|error| {
        let is_late = error.code() == Code::ToolTimeout && only_computes;
        match self_test::slow_engine(ended.fuel_used, elapsed_ms).filter(|_| is_late) {
            Some(note) => Error::new(error.code(), format!("{}{note}", error.detail())),
            None => error,
        }
    });
    Run {
        outcome,
        exit_status: ended.exit_status,
        denied: ended.guest.denied,
        door,
        stdout: ended.guest.stdout,
        stderr: ended.guest.stderr,
        changes,
        fuel_used: ended.fuel_used,
        duration,
    }
}
