//! Packages in OCI registries: image layouts on disk, and skopeo, which moves them to and from registries.
//!
//! A registry distributes bytes and decides nothing: what it gives is a file, which the Gatekeeper verifies.

pub mod configuration;
pub mod layout;
pub mod lock;
pub mod reference;
pub mod transfer;

use mpp::limits::{ARCHIVE_BYTES_MAX, BUNDLE_BYTES_MAX};
use mpp::{Code, Error};

/// What a manifest is about: its artifact type, the type of its only layer, and the most bytes of that.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    artifact_type: &'static str,
    layer_type: &'static str,
    bytes_max: usize,
}

/// A package.
pub const PACKAGE: Kind = Kind {
    artifact_type: "application/vnd.mpp.package.v1",
    layer_type: "application/vnd.mpp.package.v1+zip",
    bytes_max: ARCHIVE_BYTES_MAX,
};

/// A bundle of an organisation.
pub const BUNDLE: Kind = Kind {
    artifact_type: "application/vnd.mpp.bundle.v1",
    layer_type: "application/vnd.mpp.bundle.v1+json",
    bytes_max: BUNDLE_BYTES_MAX,
};

fn refused(code: Code, detail: impl Into<String>) -> Error {
    Error::new(code, detail)
}
