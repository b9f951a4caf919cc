//! `mpp`: a small, auditable runtime for signed AI-agent tools.

#![forbid(unsafe_code, unused_must_use)]
#![deny(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod audit;
pub mod encoding;
pub mod error;
pub mod gatekeeper;
pub mod home;
mod host_file;
pub mod json;
pub mod limits;
pub mod module;
pub mod package;
pub mod policy;
pub mod privacy;
pub mod text;
pub mod sandbox;
pub mod time;
pub mod trust;

pub use error::{Class, Code, Error};
pub use gatekeeper::{AttestationResult, Gatekeeper, VerifiedManifest, WasmBinary};
pub use package::manifest::Manifest;
pub use policy::token::CapabilityToken;
pub use policy::{PermissionPolicy, PolicyDecision};
pub use time::Timestamp;
pub use trust::TrustStore;
