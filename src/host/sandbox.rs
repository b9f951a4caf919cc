//! Sandbox of this computer: runs a tool in the engine, with mapped directories, network and storage.

use crate::host::clock::{CancelFlag, SystemClock};
use crate::host::keys::fill_random;
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

/// What a host requests for one call. The token must grant all of it, or the call is refused; the stricter of
/// two limits applies.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Linear memory, in bytes.
    pub memory_limit_bytes: u64,
    /// Wall-clock time limit.
    pub timeout: Duration,
    /// What the tool reads from stdin, for example from [`tools_call_request`].
    pub stdin_data: Vec<u8>,
    /// Environment variables, for example from [`extract_approved_env_vars`].
    pub env_vars: BTreeMap<String, String>,
    /// Directories, for example from [`extract_approved_dirs`].
    pub dir_mappings: Vec<DirectoryGrant>,
    /// The token from the policy decision. A token that names secrets is refused: resolve it, and call
    /// [`WasmSandbox::run`].
    pub capability_token: Option<CapabilityToken>,
    /// Hosts that the tool may connect to.
    pub allowed_network_domains: Vec<String>,
}

/// Omits the values of variables and stdin, since debug output ends up in logs.
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

/// Returns all environment variables that a token grants.
pub fn extract_approved_env_vars(token: &CapabilityToken) -> BTreeMap<String, String> {
    token.environment()
}

/// Returns all directories that a token grants.
pub fn extract_approved_dirs(token: &CapabilityToken) -> Vec<DirectoryGrant> {
    token.directories()
}

/// Narrows the token of a configuration to what the configuration requests.
fn narrowed(config: &SandboxConfig, host: &dyn Host) -> Result<ResolvedToken, Error> {
    // [BOX-01]
    let Some(token) = &config.capability_token else {
        return Err(Error::new(Code::SandboxToken, "the configuration has no token"));
    };
    // [SECRET-05]
    let token = token.clone().resolve_secrets(host)?;
    let (variables, directories) = (&config.env_vars, &config.dir_mappings);
    let (hosts, timeout) = (&config.allowed_network_domains, config.timeout);
    // [BOX-04] The value of a variable may be a secret, so the message does not contain it.
    let variable = variables.iter().find(|(name, it)| token.environment().get(*name) != Some(it));
    let directory = directories.iter().find(|it| !token.directories().contains(it));
    let host = hosts.iter().find(|it| !token.allows_host(it));
    let excess = variable
        .map(|(name, _)| format!("the environment variable {name:?} with this value"))
        .or_else(|| directory.map(|it| format!("the directory {:?}", it.guest)))
        .or_else(|| host.map(|it| format!("the domain {it:?}")));
    let Some(what) = excess else {
        // [BOX-05]
        let memory_bytes_max = config.memory_limit_bytes;
        return Ok(token.narrowed(variables, directories, hosts, memory_bytes_max, timeout));
    };
    Err(Error::new(Code::SandboxNotGranted, format!("token does not grant {what}")))
}

/// Runs tools, each call in its own instance.
#[derive(Clone, Debug)]
pub struct WasmSandbox {
    pub(super) engine: Engine,
    pub(super) services: Services,
    /// Paths that no mapped directory may contain.
    #[cfg_attr(not(unix), allow(dead_code))] // no directory is mapped there
    protected: Vec<PathBuf>,
}

impl WasmSandbox {
    /// Returns a sandbox whose tools receive the same random numbers in each call.
    ///
    /// # Errors
    /// `host.engine` if this program was built with an engine that does not enforce the limits.
    pub fn new() -> Result<Self, Error> {
        Self::with_seed([0; 32])
    }

    /// Returns a sandbox whose tools receive random numbers from this seed.
    ///
    /// # Errors
    /// As [`WasmSandbox::new`].
    pub fn with_seed(seed: [u8; 32]) -> Result<Self, Error> {
        let engine = Engine::with_seed(seed)?;
        Ok(WasmSandbox { engine, services: Services::default(), protected: Vec::new() })
    }

    /// Sets the host services; a new sandbox has neither network nor storage.
    pub fn with_services(self, services: Services) -> Self {
        WasmSandbox { services, ..self }
    }

    /// Protects a file or directory that decides what tools may do, whether it exists yet or not: no
    /// directory that is, contains or lies in it is mapped. The home directory
    /// ([`crate::host::home::home_dir`]) is always protected.
    pub fn protect(mut self, path: impl Into<PathBuf>) -> Self {
        self.protected.push(path.into());
        self
    }

    /// Runs a tool on one request.
    ///
    /// # Errors
    /// `sandbox.*` if the configuration requests more than the token grants; `tool.*` if the tool fails or
    /// exceeds a limit.
    pub fn execute(&self, binary: &WasmBinary, config: SandboxConfig) -> Result<Execution, Error> {
        let cancel = CancelFlag::default();
        let token = narrowed(&config, &self.host(&cancel))?;
        let request = ToolInput { args: Vec::new(), stdin: config.stdin_data };
        let run = self.run(binary, &token, request, &cancel);
        run.outcome.clone().map(|()| run)
    }

    /// Runs a tool with the grants of its token, for hosts that can cancel a call and that record its outcome:
    /// [`Engine::run`].
    pub fn run(
        &self,
        binary: &WasmBinary,
        token: &ResolvedToken,
        request: ToolInput,
        cancel: &CancelFlag,
    ) -> Execution {
        let host = self.host(cancel);
        let deadline = Deadline::new(&host, token.limits().timeout);
        self.engine.run(&host, binary, token, request, &deadline)
    }

    /// Returns the host of one call.
    pub(crate) fn host<'a>(&'a self, cancel: &'a CancelFlag) -> SandboxHost<'a> {
        SandboxHost { sandbox: self, cancel }
    }
}

/// The host of the sandbox stage alone: what a guest can reach, and nothing else.
pub(crate) struct SandboxHost<'a> {
    sandbox: &'a WasmSandbox,
    cancel: &'a CancelFlag,
}

impl SystemClock for SandboxHost<'_> {
    fn cancel_flag(&self) -> Option<&CancelFlag> {
        Some(self.cancel)
    }
}

impl Host for SandboxHost<'_> {
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        fill_random(bytes);
        Ok(())
    }

    /// Refuses: a configuration has no secret store, so its token must not need a secret.
    // [SECRET-05]
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        let detail = format!("secret {name} is unresolved in this token");
        Err(Error::new(Code::SecretMissing, detail))
    }

    /// Opens a directory, unless it is protected.
    // [BOX-97]
    #[cfg(unix)]
    fn directory(&self, name: &str) -> Result<Arc<dyn Directory>, Error> {
        let protected = Arc::new(Protected::resolve(&self.sandbox.protected));
        let host = HostDirectory::open(std::path::Path::new(name), &protected)
            .map_err(|error| Error::new(Code::HostFile, error.to_string()))?;
        host.check().map_err(|why| Error::new(Code::SandboxNotGranted, why))?;
        Ok(Arc::new(host))
    }

    /// Refuses: this system cannot confine a guest to a directory.
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
