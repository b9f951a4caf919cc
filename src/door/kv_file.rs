//! Room: a [`KvStore`] in files: one for each package id and publisher key, changed whole or not at all.

use super::kv::{Kept, KvOwner, KvStore};
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{parsed, read_document};
use crate::json::object::{Fault, Object};
use crate::limits::{KV_FILE_BYTES_MAX, KV_VALUE_BYTES_MAX};
use crate::names::is_kv_key;
use serde_json::json;
use std::path::{Path, PathBuf};

const FORMAT: &str = "mpp-kv/1";

/// Files in a folder such as `kv` in the home.
///
/// ```
/// use mpp::door::{KvFiles, KvOwner, KvStore};
/// use mpp::package::key::KeyId;
/// # let folder = std::env::temp_dir().join(format!("mpp-kv-doc-{}", std::process::id()));
/// let files = KvFiles::new(&folder);
/// let publisher_key = KeyId::parse(&"ab".repeat(32)).unwrap();
/// let owner = KvOwner { package: "org.acme.notes".to_owned(), publisher_key };
/// let mut add = |kept: &mut mpp::door::kv::Kept| {
///     kept.insert("note/1".to_owned(), "Buy tea".to_owned());
///     Ok(())
/// };
/// files.update(&owner, &mut add, &mut || Ok(()))?;
/// assert_eq!(files.load(&owner)?["note/1"], "Buy tea");
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KvFiles {
    folder: PathBuf,
}

impl KvFiles {
    /// Keeps its files in this folder, which is made when there is something to be kept.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        KvFiles { folder: folder.to_owned() }
    }

    /// An id and a key have safe characters only, and the key is always as long.
    // [DOOR-78]
    fn path(&self, owner: &KvOwner) -> PathBuf {
        self.folder.join(format!("{}.{}.json", owner.package, owner.publisher_key.as_str()))
    }
}

impl KvStore for KvFiles {
    fn load(&self, owner: &KvOwner) -> Result<Kept, Error> {
        let path = self.path(owner);
        read(&path, home::read_file(&path, KV_FILE_BYTES_MAX)?, owner)
    }

    fn update(
        &self,
        owner: &KvOwner,
        edit: &mut dyn FnMut(&mut Kept) -> Result<(), Error>,
        between: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let path = self.path(owner);
        let change = |bytes| {
            let mut kept = read(&path, bytes, owner)?;
            edit(&mut kept)?;
            let KvOwner { package, publisher_key } = owner;
            let document = json!({
                "format": FORMAT, "package": package, "publisher_key": publisher_key.as_str(),
                "entries": kept,
            });
            let document = document.to_string().into_bytes();
            // [DOOR-79]
            let whole = kept.iter().all(|(key, value)| is_entry(key, value));
            if !whole || document.len() > KV_FILE_BYTES_MAX {
                let detail =
                    format!("{}: what is to be kept could not be read again", path.display());
                return Err(Error::new(Code::KvDamaged, detail));
            }
            Ok((Some(document), ()))
        };
        home::edit_file_with(&path, KV_FILE_BYTES_MAX, change, between)
    }
}

/// Nothing is kept where there is no file.
// [DOOR-79]
fn read(path: &Path, bytes: Option<Vec<u8>>, owner: &KvOwner) -> Result<Kept, Error> {
    let Some(bytes) = bytes else { return Ok(Kept::new()) };
    read_document(&bytes, KV_FILE_BYTES_MAX, Code::KvDamaged, |root| read_kept(root, owner))
        .map_err(|error| {
            Error::new(error.code(), format!("{}: {}", path.display(), error.detail()))
        })
}

/// Whether a tool could have kept it.
fn is_entry(key: &str, value: &str) -> bool {
    is_kv_key(key) && value.len() <= KV_VALUE_BYTES_MAX
}

fn read_kept(root: &mut Object<'_>, owner: &KvOwner) -> Result<Kept, Fault> {
    let is = |expected: &str| {
        let expected = expected.to_owned();
        move |text: &str| (text == expected).then_some(())
    };
    parsed(&root.required("format")?, FORMAT, is(FORMAT))?;
    parsed(&root.required("package")?, "the package it is for", is(&owner.package))?;
    let key = owner.publisher_key.as_str();
    parsed(&root.required("publisher_key")?, "the publisher's key", is(key))?;
    let entries = root.required("entries")?;
    let entry = |(key, value): (&String, _)| {
        let member = entries.child(key, value);
        let value = member.text()?;
        match is_entry(key, value) {
            true => Ok((key.clone(), value.to_owned())),
            false => {
                Err(member.bad_value("must be a value that a tool can keep, under such a key"))
            }
        }
    };
    entries.members()?.iter().map(entry).collect()
}
