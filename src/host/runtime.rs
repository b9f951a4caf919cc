//! Runtime: runs calls on this computer, with a home directory for trust store, log, secrets and approvals.

pub use crate::host::approver::{Approver, NoApprover};
use crate::host::budgets::Budgets;
use crate::host::clock::CancelFlag;
use crate::host::organisation;
use crate::host::sandbox::WasmSandbox;
use crate::host::secrets::{CommandSecretStore, FileSecretStore, SecretStore};
use crate::host::storage::FileStorage;
pub use crate::host::system_host::PackageSource;
use crate::host::system_host::{CallHost, HostState};
use crate::host::transport::{HttpTransport, Services};
use crate::kernel;
pub use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::error::Error;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::pipeline::Package;
pub use crate::kernel::pipeline::{CallResult, ToolCall};
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::storage::StorageBackend;
use crate::kernel::trust::TrustStore;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Runs calls with one policy and one home directory.
///
/// ```
/// use mpp::runtime::{ToolCall, NoApprover, Runtime};
/// use mpp::{CancelFlag, PermissionPolicy};
/// # let home = std::env::temp_dir().join(format!("mpp-runtime-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&home).unwrap();
/// # std::fs::copy("conformance/example/trust.json", home.join("trust.json")).unwrap();
/// let package = std::fs::read("conformance/example/text_stats.mpp").unwrap();
/// let policy = PermissionPolicy::new(); // the package requests no capability, so no approval is needed
/// let arguments = serde_json::json!({"text": "Ann: ann@example.com", "containing": "Ann"});
/// let call = ToolCall::new("extract_lines", arguments);
/// let runtime = Runtime::open(&home, policy)?;
/// let answer = runtime.call(&package, &call, &NoApprover, &CancelFlag::default())?;
/// assert!(answer.content.to_string().contains("Ann: [EMAIL]"));
/// # std::fs::remove_dir_all(&home).unwrap();
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    state: HostState,
    /// This host's own; an organisation's bundle can change while the runtime is open.
    local: PermissionPolicy,
}

impl Runtime {
    /// Opens a runtime that stores its trust store, the highest versions seen, its audit log and the data of
    /// tools in `home`.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    pub fn open(home: &Path, policy: PermissionPolicy) -> Result<Self, Error> {
        let storage = FileStorage::new(home.join("storage"));
        let local = policy;
        let policy = organisation::policy_now(&local);
        let command = policy.secrets_command().map(|words| CommandSecretStore::new(words.to_vec()));
        let command = command.transpose()?;
        // [BOX-97]
        let files = command.iter().flat_map(CommandSecretStore::files);
        let places = policy.file().map(Path::new).into_iter().chain(files).chain([home]);
        let sandbox = places.fold(WasmSandbox::new()?, WasmSandbox::protect);
        let secrets: Arc<dyn SecretStore> = match command {
            Some(command) => Arc::new(command),
            None => Arc::new(FileSecretStore::new(home)),
        };
        let services = Services { http: None, storage: Some(Arc::new(storage)) };
        let sandbox = sandbox.with_services(services);
        let budgets = Budgets::new(&policy.budgets);
        let state = HostState::open(home, secrets, sandbox, budgets)?;
        drop(policy);
        Ok(Runtime { state, local })
    }

    /// Sets the HTTP transport for tools. Without one they reach no host, even if the policy granted it.
    pub fn http_transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.state.sandbox.services.http = Some(transport);
        self
    }

    /// Stores the data of packages in another directory than `storage` in the home directory. No directory
    /// that is, contains or lies in it is mapped.
    // [STO-41]
    pub fn storage_directory(self, directory: &Path) -> Self {
        self.storage(Arc::new(FileStorage::new(directory))).protect(directory)
    }

    /// Sets a custom storage backend. Call [`Runtime::protect`] for files that a backend stores data in.
    pub fn storage(mut self, backend: Arc<dyn StorageBackend>) -> Self {
        self.state.sandbox.services.storage = Some(backend);
        self
    }

    /// Sets a custom secret store. Call [`Runtime::protect`] for files that a store reads.
    pub fn secrets(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.state.secrets = store;
        self
    }

    /// Reads the trust store from another file.
    pub fn trust_file(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.state.trust_path);
        self.protect(path)
    }

    /// Protects one more file or directory that decides what tools may do, such as the package in use: no
    /// directory that is, contains or lies in it is mapped. The home directory, the trust store, the policy
    /// file and its `secrets_command` are always protected.
    pub fn protect(mut self, path: &Path) -> Self {
        self.state.sandbox = self.state.sandbox.protect(path);
        self
    }

    /// Returns the policy that counts now: that of this host, or of the organisation that it belongs to, narrowed. If
    /// what binds this host cannot be read, it denies every package.
    pub fn policy(&self) -> Cow<'_, PermissionPolicy> {
        organisation::policy_now(&self.local)
    }

    /// Reads the trusted publishers and the highest versions seen from their files.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    pub fn trust_store(&self) -> Result<TrustStore, Error> {
        self.state.trust_store()
    }

    /// Returns the home directory (`MPP_HOME`).
    pub(crate) fn home(&self) -> &Path {
        &self.state.home
    }

    /// Derives a key for one purpose from the log's key.
    pub(crate) fn derive_key(&self, purpose: &[u8]) -> [u8; 32] {
        self.state.log.key().derive_key(purpose)
    }

    /// Runs one call, from the package's bytes to its result.
    ///
    /// # Errors
    /// Any code of any stage. Refusals and failed runs are recorded in the audit log as well.
    pub fn call(
        &self,
        package: &[u8],
        call: &ToolCall,
        approver: &dyn Approver,
        cancel: &CancelFlag,
    ) -> Result<CallResult, Error> {
        let host = CallHost::new(&self.state, None, approver, cancel);
        self.call_on(&host, Package::Bytes(package), call)
    }

    /// Runs one call of an installed package. The package is verified on its first call, and its signers are
    /// evaluated again on each call. It must stay installed until it runs.
    ///
    /// # Errors
    /// As [`Runtime::call`]; `store.not_installed`, `store.invalid`, `content.hash_mismatch`.
    pub fn call_installed(
        &self,
        store: &dyn PackageSource,
        content_hash: &ContentHash,
        call: &ToolCall,
        approver: &dyn Approver,
        cancel: &CancelFlag,
    ) -> Result<CallResult, Error> {
        let host = CallHost::new(&self.state, Some(store), approver, cancel);
        self.call_on(&host, Package::Installed(content_hash), call)
    }

    /// Runs a call by the policy that counts now.
    // [ORG-08]
    fn call_on(
        &self,
        host: &CallHost<'_>,
        package: Package<'_>,
        call: &ToolCall,
    ) -> Result<CallResult, Error> {
        let engine = &self.state.sandbox.engine;
        match organisation::bind_policy(&self.local) {
            Ok(policy) => kernel::pipeline::call(host, engine, &policy, package, call),
            Err(refused) => Err(kernel::pipeline::refuse(host, call, refused)),
        }
    }
}
