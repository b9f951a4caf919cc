//! `mpp.lock`: the packages of a project, each pinned by its content.

use super::{refused, rows_of};
use crate::cli::write_atomic;
use mpp::gatekeeper::AttestationResult;
use mpp::package::content_hash::ContentHash;
use mpp::package::key::KeyId;
use mpp::package::version::Version;
use mpp::{names, Code, Error};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The file's name in the current directory.
pub const FILE_NAME: &str = "mpp.lock";
const FORMAT: &str = "mpp-lock/1";

/// One pinned package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub version: Version,
    pub content_hash: ContentHash,
    /// Ids of the signing keys, sorted.
    pub key_ids: Vec<KeyId>,
    /// Where it was installed from, as `mpp install` takes it.
    pub from: String,
}

impl Pin {
    pub fn of(package: &AttestationResult, from: &str) -> Self {
        let mut key_ids: Vec<KeyId> =
            package.signers.iter().map(|signer| signer.key_id().clone()).collect();
        key_ids.sort();
        let (version, content_hash) =
            (package.manifest.version.clone(), package.content_hash.clone());
        Pin { version, content_hash, key_ids, from: from.to_owned() }
    }
}

/// The packages of a lock by their ids.
pub type Pins = BTreeMap<String, Pin>;

/// Reads a lock; `None` if it does not exist.
///
/// # Errors
/// `lock.invalid`; `host.file`.
// [LOCK-01] [LOCK-02]
pub fn read(path: &Path) -> Result<Option<Pins>, Error> {
    let Some(rows) = rows_of(path, FORMAT, "packages", Code::LockInvalid)? else { return Ok(None) };
    let invalid = |what: String| refused(Code::LockInvalid, format!("{}: {what}", path.display()));
    let mut pins = Pins::new();
    for (number, row) in rows.iter().enumerate() {
        let (id, pin) =
            pin(row).ok_or_else(|| invalid(format!("packages[{number}] is not a package")))?;
        if pins.insert(id.clone(), pin).is_some() {
            return Err(invalid(format!("{id} twice")));
        }
    }
    Ok(Some(pins))
}

/// Reads one row: exactly five members, each in its own form.
fn pin(row: &Value) -> Option<(String, Pin)> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let id = text("id").filter(|id| names::is_id(id))?.to_owned();
    let key_ids = row.get("key_ids")?.as_array()?.iter();
    let key_ids: Option<Vec<KeyId>> = key_ids.map(|key| KeyId::parse(key.as_str()?)).collect();
    let pin = Pin {
        version: Version::parse(text("version")?)?,
        content_hash: ContentHash::parse(text("content_hash")?)?,
        key_ids: key_ids.filter(|it| !it.is_empty() && it.is_sorted())?,
        from: text("from").filter(|from| names::is_visible_line(from))?.to_owned(),
    };
    (row.as_object()?.len() == 5).then_some((id, pin))
}

/// Checks that a package is the pinned one.
///
/// # Errors
/// `lock.missing`: the lock does not have it; `lock.mismatch`: it has another.
// [LOCK-03]
pub fn check(pins: &Pins, id: &str, found: &Pin) -> Result<(), Error> {
    let Some(pinned) = pins.get(id) else {
        return Err(refused(Code::LockMissing, format!("{FILE_NAME} does not have {id}")));
    };
    let differs = [
        ("version", pinned.version == found.version),
        ("content", pinned.content_hash == found.content_hash),
        ("signers", pinned.key_ids == found.key_ids),
    ];
    match differs.iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((what, _)) => {
            let detail = format!(
                "{id}: another {what}: {} {} is pinned, found {} {}",
                pinned.version, pinned.content_hash, found.version, found.content_hash
            );
            Err(refused(Code::LockMismatch, detail))
        }
    }
}

/// Pins a package in a lock, which is created if it does not exist.
///
/// # Errors
/// As [`read`].
pub fn add(path: &Path, id: &str, pin: Pin) -> Result<(), Error> {
    let mut pins = read(path)?.unwrap_or_default();
    pins.insert(id.to_owned(), pin);
    let rows: Vec<Value> = pins.iter().map(|(id, pin)| row(id, pin)).collect();
    let value = json!({ "format": FORMAT, "packages": rows });
    let mut text = format!("{value:#}");
    text.push('\n');
    write_atomic(path, text.as_bytes(), None)
}

fn row(id: &str, pin: &Pin) -> Value {
    let key_ids: Vec<&str> = pin.key_ids.iter().map(KeyId::as_str).collect();
    json!({
        "id": id, "version": pin.version.to_string(), "content_hash": pin.content_hash.as_str(),
        "key_ids": key_ids, "from": pin.from,
    })
}
