//! Room: a [`KvStore`] in files: one for each package id and publisher key, changed whole or not at all.

use super::kv::{Kept, KvOwner, KvStore};
use crate::host::home;
use crate::host::host_file;
use crate::kernel::document::{self, object, Document, FromJson, ToJson};
use crate::kernel::error::{Code, Error};
use crate::kernel::json::object::{Fault, Member};
use crate::kernel::limits::{KV_FILE_BYTES_MAX, KV_VALUE_BYTES_MAX};
use crate::kernel::names::is_kv_key;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

object! {
    /// What is kept for one owner.
    // [DOOR-79]
    struct KvFile: FromJson + ToJson {
        package: String;
        publisher_key: KeyId;
        entries: Entries;
    }
}

impl Document for KvFile {
    const FORMAT: &'static str = "mpp-kv/1";
    const BYTES_MAX: usize = KV_FILE_BYTES_MAX;
    const INVALID: Code = Code::KvDamaged;
}

/// An object with a member for each entry.
struct Entries(Kept);

impl FromJson for Entries {
    fn read(place: &Member<'_>) -> Result<Self, Fault> {
        let entry = |(key, value): (&String, &Value)| {
            let place = place.child(key, value);
            let text = place.text()?;
            let holds = is_kv_key(key) && text.len() <= KV_VALUE_BYTES_MAX;
            place.check(holds, "must be what a tool can keep, under such a key")?;
            Ok((key.clone(), text.to_owned()))
        };
        place.members()?.iter().map(entry).collect::<Result<_, _>>().map(Entries)
    }
}

impl ToJson for Entries {
    fn write(&self) -> Value {
        self.0.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
    }
}

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
            let KvOwner { package, publisher_key } = owner.clone();
            let file = KvFile { package, publisher_key, entries: Entries(kept) };
            let bytes = document::print(&file).into_bytes();
            // [DOOR-79] What could not be read again is not written.
            read(&path, Some(bytes.clone()), owner)?;
            Ok((Some(bytes), ()))
        };
        home::edit_file_with(&path, KV_FILE_BYTES_MAX, change, between)
    }
}

/// Nothing is kept where there is no file.
// [DOOR-79]
fn read(path: &Path, bytes: Option<Vec<u8>>, owner: &KvOwner) -> Result<Kept, Error> {
    let Some(file) = host_file::parse::<KvFile>(bytes, path)? else { return Ok(Kept::new()) };
    match (&file.package, &file.publisher_key) == (&owner.package, &owner.publisher_key) {
        true => Ok(file.entries.0),
        false => {
            let detail = format!("{}: is of another package or key", path.display());
            Err(Error::new(Code::KvDamaged, detail))
        }
    }
}
