//! The runtime of an ordinary computer: a home folder with its trust store, log, secrets and approvals.

pub use crate::host::approver::{Approver, NoApprover};
use crate::host::clock::CancelFlag;
use crate::host::sandbox::WasmSandbox;
use crate::host::secrets::{CommandSecretStore, FileSecretStore, SecretStore};
use crate::host::storage::FileStorage;
pub use crate::host::system::PackageSource;
use crate::host::system::{Computer, System};
use crate::host::transport::{HttpTransport, Services};
use crate::kernel;
use crate::kernel::call::Package;
pub use crate::kernel::call::{CallResult, ToolCall};
pub use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::error::Error;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::storage::StorageBackend;
use crate::kernel::trust::TrustStore;
use std::path::Path;
use std::sync::Arc;

/// The host's side of every call: whom it trusts, what it allows, and where it keeps the record.
///
/// ```
/// use mpp::runtime::{ToolCall, NoApprover, Runtime};
/// use mpp::{CancelFlag, PermissionPolicy};
/// # let home = std::env::temp_dir().join(format!("mpp-runtime-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&home).unwrap();
/// # std::fs::copy("conformance/example/trust.json", home.join("trust.json")).unwrap();
/// let package = std::fs::read("conformance/example/text_stats.mpp").unwrap();
/// let policy = PermissionPolicy::new(); // this package asks for nothing, so nobody is asked
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
    computer: Computer,
    policy: PermissionPolicy,
}

impl Runtime {
    /// A runtime that keeps its trust store, the versions it has seen, its audit log and what tools store
    /// in `home`.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    pub fn open(home: &Path, policy: PermissionPolicy) -> Result<Self, Error> {
        let storage = FileStorage::new(home.join("storage"));
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
        Ok(Runtime { computer: Computer::open(home, secrets, sandbox)?, policy })
    }

    /// Gives tools a way to the network. Without one they reach no host, whatever was granted.
    pub fn http_transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.computer.sandbox.services.http = Some(transport);
        self
    }

    /// Keeps what packages store in another folder than `storage` of the home. No directory that is, holds or
    /// lies in it is mapped.
    // [STO-41]
    pub fn storage_folder(self, folder: &Path) -> Self {
        self.storage(Arc::new(FileStorage::new(folder))).protect(folder)
    }

    /// Keeps what packages store elsewhere than in files of this host. [`Runtime::protect`] what a backend
    /// keeps in files all the same.
    pub fn storage(mut self, backend: Arc<dyn StorageBackend>) -> Self {
        self.computer.sandbox.services.storage = Some(backend);
        self
    }

    /// Takes secrets from elsewhere than the policy says. [`Runtime::protect`] the files of a store that has
    /// some.
    pub fn secrets(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.computer.secrets = store;
        self
    }

    /// Takes the trust store from another file.
    pub fn trust_file(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.computer.trust_path);
        self.protect(path)
    }

    /// Keeps guests from one more file or folder that decides what tools may do, such as the file of the
    /// package in use: no directory that is, holds or lies in it is mapped. The home, the trust store, the
    /// file that the policy was loaded from and its command for secrets are protected as they are.
    pub fn protect(mut self, path: &Path) -> Self {
        self.computer.sandbox = self.computer.sandbox.protect(path);
        self
    }

    /// Its rules.
    pub fn policy(&self) -> &PermissionPolicy {
        &self.policy
    }

    /// Whom this host trusts, and which versions it has seen, as the files have it now.
    ///
    /// # Errors
    /// `trust.invalid`, `host.file`.
    pub fn trust_store(&self) -> Result<TrustStore, Error> {
        self.computer.trust_store()
    }

    /// The folder of this host's own files.
    pub(crate) fn home(&self) -> &Path {
        &self.computer.home
    }

    /// A key of this host for a purpose of the server's.
    pub(crate) fn derive_key(&self, purpose: &[u8]) -> [u8; 32] {
        self.computer.log.key().derive_key(purpose)
    }

    /// One call, from the package's bytes to the answer.
    ///
    /// # Errors
    /// Any code of any stage. Refusals before the run and failures of it are in the log as well.
    pub fn call(
        &self,
        package: &[u8],
        call: &ToolCall,
        person: &dyn Approver,
        cancel: &CancelFlag,
    ) -> Result<CallResult, Error> {
        let host = System::new(&self.computer, None, person, cancel);
        kernel::call::call(
            &host,
            &self.computer.sandbox.engine,
            &self.policy,
            Package::Bytes(package),
            call,
        )
    }

    /// One call of an installed package. It is verified on its first call, and its signers are judged anew
    /// on each. It has to stay installed until it runs.
    ///
    /// # Errors
    /// As [`Runtime::call`]; `store.not_installed`, `store.invalid`, `content.hash_mismatch`.
    pub fn call_installed(
        &self,
        store: &dyn PackageSource,
        content_hash: &ContentHash,
        call: &ToolCall,
        person: &dyn Approver,
        cancel: &CancelFlag,
    ) -> Result<CallResult, Error> {
        let host = System::new(&self.computer, Some(store), person, cancel);
        let package = Package::Installed(content_hash);
        kernel::call::call(&host, &self.computer.sandbox.engine, &self.policy, package, call)
    }
}
