//! Packages in OCI registries: image layouts on disk, and skopeo, which moves them to and from registries.
//!
//! A registry distributes bytes and decides nothing: what it gives is a file, which the Gatekeeper verifies.

pub mod configuration;
pub mod layout;
pub mod lock;
pub mod reference;
pub mod transfer;

use mpp::limits::{ARCHIVE_BYTES_MAX, BUNDLE_BYTES_MAX};
use mpp::{home, json, Code, Error};
use serde_json::Value;
use std::path::Path;

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

/// The most bytes of `mpp.lock` and `registries.json`.
const FILE_BYTES_MAX: usize = 1 << 20;
const FILE_DEPTH_MAX: usize = 8;

/// Reads a file of two members, its format and a list. `None` if it does not exist.
///
/// # Errors
/// `invalid` for a file of another form, `host.file`.
fn rows_of(
    path: &Path,
    format: &str,
    list: &str,
    invalid: Code,
) -> Result<Option<Vec<Value>>, Error> {
    let refuse = |what: String| refused(invalid, format!("{}: {what}", path.display()));
    let Some(bytes) = home::read_file(path, FILE_BYTES_MAX)? else { return Ok(None) };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(refuse(format!("longer than {FILE_BYTES_MAX} bytes")));
    }
    let mut value = json::parse(&bytes, FILE_DEPTH_MAX).map_err(refuse)?;
    let members = value.as_object_mut().filter(|it| it.len() == 2);
    let members = members.filter(|it| it.get("format").is_some_and(|found| found == format));
    match members.and_then(|it| it.remove(list)) {
        Some(Value::Array(rows)) => Ok(Some(rows)),
        _ => Err(refuse(format!("not `format` {format:?} and a list `{list}`"))),
    }
}

fn refused(code: Code, detail: impl Into<String>) -> Error {
    Error::new(code, detail)
}
