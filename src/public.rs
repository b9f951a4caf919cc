//! The public names: those of the kernel, and with the feature `std` those of `host/`.

/// Defines a module with the items of the kernel and, with `std`, those of `host/`.
macro_rules! both {
    ($($(#[$doc:meta])* $name:ident: $host:tt;)*) => {$(
        $(#[$doc])*
        pub mod $name {
            pub use crate::kernel::$name::*;
            both!(@host $host);
        }
    )*};
    (@host { $($item:item)* }) => {$(#[cfg(feature = "std")] $item)*};
}

both! {
    /// The audit log: its records, hash chain and directory.
    audit: {
        pub use crate::host::log::{log_exists, verify, verify_each, AuditLog, RunningCall};
    };
    /// The trust store and its files.
    trust: {
        pub use crate::host::trust::{FILE_NAME, SEEN_FILE_NAME};
    };
    /// The seven checks of a package.
    gatekeeper: {
        pub use crate::host::stage_api::read_package;
    };
    /// The sandbox: runs a verified tool with only the grants of its token.
    sandbox: {
        pub use crate::host::sandbox::{
            extract_approved_dirs, extract_approved_env_vars, SandboxConfig, WasmSandbox,
        };
    };
    /// The `http` service and its transport.
    network: {
        pub use crate::host::curl::CurlTransport;
        pub use crate::host::transport::{HttpTransport, Services};
    };
    /// Storage of packages between calls: `spec/storage.md`.
    storage: {
        pub use crate::host::storage::FileStorage;
    };
    /// Secrets and secret stores.
    secrets: {
        pub use crate::host::secrets::{CommandSecretStore, FileSecretStore, SecretStore};
    };
}

/// Approvals: requests, proofs, remembered approvals and pending requests.
pub mod consent {
    #[cfg(feature = "std")]
    pub use crate::host::approver::{Approver, NoApprover};
    #[cfg(feature = "std")]
    pub use crate::host::{approvals, pending, question};
    pub use crate::kernel::consent::*;

    /// The proof of approval of one call, and the key that signs it.
    pub mod attestation {
        #[cfg(feature = "std")]
        pub use crate::host::host_key::{host_key, public_key};
        pub use crate::kernel::consent::attestation::*;
    }
}

/// An organisation's bundles, and what binds this computer.
pub mod bundle {
    #[cfg(feature = "std")]
    pub use crate::host::organisation::{import, Organisation, BUNDLE_FILE, DIRECTORY, ROOT_FILE};
    pub use crate::kernel::bundle::*;
}

/// Packages: archive, manifest, signatures, schemas and packing.
pub mod package {
    #[cfg(feature = "std")]
    pub use crate::host::pack;
    pub use crate::kernel::package::*;

    /// Ed25519 keys (RFC 8032), key ids and PEM files.
    pub mod key {
        #[cfg(feature = "std")]
        pub use crate::host::keys::random_bytes;
        pub use crate::kernel::package::key::*;
    }
}

#[cfg(feature = "std")]
pub use crate::host::{home, runtime, store};
pub use crate::kernel::{
    agent, deadline, directory, document, encoding, error, json, limits, module, names, pipeline,
    policy, privacy, rotation, text, time,
};

#[cfg(feature = "std")]
pub use crate::host::clock::CancelFlag;
#[cfg(feature = "std")]
pub use crate::host::sandbox::{SandboxConfig, WasmSandbox};
pub use crate::kernel::deadline::{Clock, Deadline};
pub use crate::kernel::host::{Host, InstalledPackage, Reservation, ResourceNeeds};
pub use error::{Class, Code, Error};
pub use gatekeeper::{AttestationResult, Gatekeeper, VerifiedManifest, WasmBinary};
pub use package::manifest::Manifest;
pub use policy::token::CapabilityToken;
pub use policy::{PermissionPolicy, PolicyDecision};
pub use privacy::PrivacyFilterEngine;
pub use time::Timestamp;
pub use trust::TrustStore;
