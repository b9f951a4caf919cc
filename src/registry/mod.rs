//! Packages in OCI registries: image layouts on disk, and skopeo, which moves them to and from registries.
//!
//! A registry distributes bytes and decides nothing: what it gives is a file, which the Gatekeeper verifies.

pub mod configuration;
pub mod layout;
pub mod lock;
pub mod reference;
pub mod transfer;

use mpp::{Code, Error};

/// Media type of the layer that is the package.
const PACKAGE_TYPE: &str = "application/vnd.mpp.package.v1+zip";
/// Artifact type of its manifest.
const ARTIFACT_TYPE: &str = "application/vnd.mpp.package.v1";

fn refused(code: Code, detail: impl Into<String>) -> Error {
    Error::new(code, detail)
}
