//! The sandbox by the article's names: the engine, with what this system has behind it.

use crate::host::clock::{CancelFlag, OnThisComputer};
use crate::host::keys::random_bytes;
use crate::host::transport::Services;
#[cfg(unix)]
use crate::host::{directory::HostDirectory, protected_paths::Protected};
use crate::kernel::deadline::Deadline;
use crate::kernel::directory::Directory;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::WasmBinary;
use crate::kernel::host::Host;
use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use crate::kernel::policy::token::{CapabilityToken, DirectoryGrant, ResolvedToken};
#[cfg(doc)]
use crate::kernel::sandbox::tools_call_request;
use crate::kernel::sandbox::{Engine, Execution, ToolInput};
use crate::kernel::secrets::SecretValue;
use crate::kernel::storage::StorageBackend;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a host asks for in one call. Everything in it must be held by the token, or the call is
/// refused; the stricter of two limits applies.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Linear memory, in bytes.
    pub memory_limit_bytes: u64,
    /// Wall-clock time.
    pub timeout: Duration,
    /// What the tool reads from stdin, such as [`tools_call_request`] makes it.
    pub stdin_data: Vec<u8>,
    /// Environment variables, as [`extract_approved_env_vars`] gives them.
    pub env_vars: BTreeMap<String, String>,
    /// Directories, as [`extract_approved_dirs`] gives them.
    pub dir_mappings: Vec<DirectoryGrant>,
    /// What the policy decision granted. One that names secrets is refused: resolve it, and take
    /// [`WasmSandbox::run`].
    pub capability_token: Option<CapabilityToken>,
    /// Hosts that the tool may be connected to.
    pub allowed_network_domains: Vec<String>,
}

/// Without the values of variables and without stdin: this form ends up in logs.
impl fmt::Debug for SandboxConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SandboxConfig")
            .field("memory_limit_bytes", &self.memory_limit_bytes)
            .field("timeout", &self.timeout)
            .field("env_vars", &self.env_vars.keys())
            .field("dir_mappings", &self.dir_mappings)
            .field("capability_token", &self.capability_token)
            .field("allowed_network_domains", &self.allowed_network_domains)
            .finish_non_exhaustive()
    }
}

/// All environment variables that a token holds.
pub fn extract_approved_env_vars(token: &CapabilityToken) -> BTreeMap<String, String> {
    token.environment()
}

/// All directories that a token holds.
pub fn extract_approved_dirs(token: &CapabilityToken) -> Vec<DirectoryGrant> {
    token.directories()
}

/// The token of a configuration, with no more than the configuration asks for.
fn narrowed(config: &SandboxConfig, host: &dyn Host) -> Result<ResolvedToken, Error> {
    // [BOX-01]
    let Some(token) = &config.capability_token else {
        return Err(Error::new(Code::SandboxToken, "the configuration holds no token"));
    };
    // [SECRET-05]
    let token = token.clone().resolve_secrets(host)?;
    let (variables, directories) = (&config.env_vars, &config.dir_mappings);
    let (hosts, timeout) = (&config.allowed_network_domains, config.timeout);
    // [BOX-04] The value of a variable may be a secret, so it does not go into the message.
    let variable = variables.iter().find(|(name, it)| token.environment().get(*name) != Some(it));
    let directory = directories.iter().find(|it| !token.directories().contains(it));
    let host = hosts.iter().find(|it| !token.allows_host(it));
    let beyond = variable
        .map(|(name, _)| format!("the environment variable {name:?} with this value"))
        .or_else(|| directory.map(|it| format!("the directory {:?}", it.guest)))
        .or_else(|| host.map(|it| format!("the domain {it:?}")));
    let Some(what) = beyond else {
        // [BOX-05]
        let memory_bytes_max = config.memory_limit_bytes;
        return Ok(token.narrowed(variables, directories, hosts, memory_bytes_max, timeout));
    };
    Err(Error::new(Code::SandboxNotGranted, format!("the token does not hold {what}")))
}

/// Runs tools, each call in an instance of its own.
#[derive(Clone, Debug)]
pub struct WasmSandbox {
    pub(super) engine: Engine,
    pub(super) services: Services,
    /// What no directory that is mapped may hold.
    #[cfg_attr(not(unix), allow(dead_code))] // there none is mapped
    protected: Vec<PathBuf>,
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
        let engine = Engine::with_seed(seed)?;
        Ok(WasmSandbox { engine, services: Services::default(), protected: Vec::new() })
    }

    /// Puts a network and storage behind it; a new sandbox has neither.
    pub fn with_services(self, services: Services) -> Self {
        WasmSandbox { services, ..self }
    }

    /// Keeps guests from a file or folder that decides what tools may do, whether it is there yet or not:
    /// no directory that is, holds or lies in it is mapped, as none is with the user's home folder
    /// ([`crate::host::home::home_dir`]).
    pub fn protect(mut self, path: impl Into<PathBuf>) -> Self {
        self.protected.push(path.into());
        self
    }

    /// Runs a tool that answers one request.
    ///
    /// # Errors
    /// `sandbox.*` if the configuration asks for more than the token holds; `tool.*` if the tool fails
    /// or breaks a limit.
    pub fn execute(&self, binary: &WasmBinary, config: SandboxConfig) -> Result<Execution, Error> {
        let cancel = CancelFlag::default();
        let token = narrowed(&config, &self.stage(&cancel))?;
        let request = ToolInput { args: Vec::new(), stdin: config.stdin_data };
        let run = self.run(binary, &token, request, &cancel);
        run.outcome.clone().map(|()| run)
    }

    /// Runs a tool with what its token holds, for hosts that may cancel a call and that record how it ended:
    /// [`Engine::run`].
    pub fn run(
        &self,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: ToolInput,
        cancel: &CancelFlag,
    ) -> Execution {
        let host = self.stage(cancel);
        let deadline = Deadline::new(&host, token.limits().timeout);
        self.engine.run(&host, binary, token, request, &deadline)
    }

    /// The host of one call.
    pub(crate) fn stage<'a>(&'a self, cancel: &'a CancelFlag) -> Stage<'a> {
        Stage { sandbox: self, cancel }
    }
}

/// Bytes that nobody can predict.
pub(crate) fn random(bytes: &mut [u8]) {
    for piece in bytes.chunks_mut(32) {
        piece.iter_mut().zip(random_bytes()).for_each(|(byte, random)| *byte = random);
    }
}

/// The host of a single stage: what a guest can reach, and nothing else.
pub(crate) struct Stage<'a> {
    sandbox: &'a WasmSandbox,
    cancel: &'a CancelFlag,
}

impl OnThisComputer for Stage<'_> {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        Some(self.cancel)
    }
}

impl Host for Stage<'_> {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        random(bytes);
        Ok(())
    }

    /// A configuration names no store, so a token in it is one that needs no secret.
    // [SECRET-05]
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        let detail = format!("the secret {name} was not resolved for this token");
        Err(Error::new(Code::SecretMissing, detail))
    }

    /// A directory, unless it holds what decides what tools may do.
    // [BOX-97]
    #[cfg(unix)]
    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        let protected = Arc::new(Protected::find(&self.sandbox.protected));
        let host = HostDirectory::open(std::path::Path::new(name), &protected)
            .map_err(|error| Error::new(Code::HostFile, error.to_string()))?;
        host.check().map_err(|why| Error::new(Code::SandboxNotGranted, why))?;
        Ok(Arc::new(host))
    }

    /// None: what keeps a guest in a directory is not there.
    // [BOX-07]
    #[cfg(not(unix))]
    fn directory(&self, _: &str) -> Result<Arc<dyn Directory>, Error> {
        Err(Error::new(Code::HostFile, crate::host::LINUX_ONLY))
    }

    fn storage(&self) -> Option<Arc<dyn StorageBackend>> {
        self.sandbox.services.storage.clone()
    }

    fn resolve(&self, name: &str, timeout: Duration) -> Result<Vec<IpAddr>, TransportError> {
        let transport = self.sandbox.services.http.as_ref().ok_or(TransportError::Unsupported)?;
        transport.resolve(name, timeout, &|| self.cancel.is_cancelled())
    }

    fn exchange(&self, exchange: &Exchange) -> Result<HttpResponse, TransportError> {
        let transport = self.sandbox.services.http.as_ref().ok_or(TransportError::Unsupported)?;
        transport.exchange(exchange, &|| self.cancel.is_cancelled())
    }
}
