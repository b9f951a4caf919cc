//! Storage: the directory `/storage`, which persists from call to call, for each package and
//! publisher separately (`spec/storage.md`).
//!
//! A host stores a directory as one byte string, a *snapshot*, and replaces it as a whole. A call reads the
//! snapshot before it runs, works on a copy, and produces a new one.

use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{
    FILE_DEPTH_MAX, STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES, STORAGE_KB_MAX,
};
use crate::kernel::names::is_file_name;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;

/// The owner of a directory. Another publisher of the same package id has another directory.
// [STO-01]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorageOwner {
    /// The package's id.
    pub package: String,
    /// The key that signed the package for its publisher.
    pub publisher_key: KeyId,
}

/// Entries by path, such as `notes/1.txt`: a file's content, or `None` for a directory.
pub type Entries = BTreeMap<String, Option<Vec<u8>>>;

/// Where a host stores snapshots. It is called from several threads at once.
///
/// ```
/// use mpp::storage::{PreparedStorage, StorageBackend, StorageOwner};
/// use mpp::{Code, Error};
/// use std::collections::BTreeMap;
/// use std::sync::{Mutex, MutexGuard};
///
/// /// Stores everything in memory.
/// #[derive(Default)]
/// struct Memory(Mutex<BTreeMap<StorageOwner, Vec<u8>>>);
///
/// struct Prepared<'a>(MutexGuard<'a, BTreeMap<StorageOwner, Vec<u8>>>, StorageOwner, Vec<u8>);
///
/// impl StorageBackend for Memory {
///     fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
///         Ok(self.0.lock().unwrap().get(owner).cloned())
///     }
///     fn prepare(
///         &self, owner: &StorageOwner, expected: Option<&[u8]>, new: &[u8], _ended: &dyn Fn() -> bool,
///     ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
///         let all = self.0.lock().unwrap();
///         if all.get(owner).map(Vec::as_slice) != expected {
///             return Err(Error::new(Code::StorageConflict, "replaced by another call"));
///         }
///         Ok(Box::new(Prepared(all, owner.clone(), new.to_vec())))
///     }
/// }
///
/// impl PreparedStorage for Prepared<'_> {
///     fn commit(self: Box<Self>) -> Result<(), Error> {
///         let Prepared(mut all, owner, new) = *self;
///         all.insert(owner, new);
///         Ok(())
///     }
/// }
/// # drop(Memory::default());
/// ```
pub trait StorageBackend: Send + Sync {
    /// Returns the snapshot of an owner, if there is one.
    ///
    /// # Errors
    /// `host.file`.
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error>;

    /// Stages a new snapshot, and locks the owner's snapshot until this one is committed or dropped. Stops
    /// waiting for the lock once `ended` returns `true`.
    ///
    /// # Errors
    /// `storage.conflict` if the present snapshot is not `expected`; `host.file`. Nothing has changed then.
    fn prepare(
        &self,
        owner: &StorageOwner,
        expected: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error>;
}

/// A new snapshot that is staged durably. Dropped without a commit, it changes nothing.
pub trait PreparedStorage {
    /// Replaces the old snapshot atomically, even if the host crashes.
    ///
    /// # Errors
    /// `host.file`: the old snapshot is unchanged.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// Decodes a snapshot of this owner.
///
/// # Errors
/// `storage.damaged`.
// [STO-10] [STO-11] [STO-12] [STO-13]
pub fn decode(owner: &StorageOwner, snapshot: &[u8]) -> Result<Entries, Error> {
    let entries = parse(owner, snapshot)
        .filter(|entries| size(entries) <= BYTES_MAX && encode(owner, entries) == snapshot);
    entries.ok_or_else(|| {
        let StorageOwner { package, publisher_key } = owner;
        let detail = format!("snapshot of {package}, publisher key {publisher_key}");
        Error::new(Code::StorageDamaged, detail)
    })
}

/// The largest quota.
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects)] // widens; both are constants
const BYTES_MAX: u64 = STORAGE_KB_MAX as u64 * 1024;

/// Encodes entries as their only snapshot.
// [STO-10] [STO-11]
pub fn encode(owner: &StorageOwner, entries: &Entries) -> Vec<u8> {
    let mut snapshot = header(owner).into_bytes();
    let mut paths: Vec<(Vec<&str>, &Option<Vec<u8>>)> =
        entries.iter().map(|(path, content)| (path.split('/').collect(), content)).collect();
    paths.sort();
    let byte = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
    for (names, content) in paths {
        let name = names.last().copied().unwrap_or_default();
        let kind = if content.is_some() { FILE } else { DIRECTORY };
        snapshot.extend([byte(names.len()), kind, byte(name.len())]);
        snapshot.extend(name.as_bytes());
        if let Some(content) = content {
            snapshot.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
            snapshot.extend(content);
        }
    }
    snapshot.push(END);
    snapshot
}

const DIRECTORY: u8 = b'd';
const FILE: u8 = b'f';
const END: u8 = 0;

// [STO-13]
fn header(StorageOwner { package, publisher_key }: &StorageOwner) -> String {
    format!("mpp-storage/1\n{package}\n{publisher_key}\n")
}

/// Parses entries without checking their order: comparison with [`encode`] does.
// [STO-12]
fn parse(owner: &StorageOwner, snapshot: &[u8]) -> Option<Entries> {
    let mut rest = snapshot.strip_prefix(header(owner).as_bytes())?;
    let mut entries = Entries::new();
    // The directory path of the next entry.
    let mut directories: Vec<&str> = Vec::new();
    loop {
        let depth = match take(&mut rest, 1)? {
            [END] => return rest.is_empty().then_some(entries),
            depth => number(depth),
        };
        directories.truncate(depth.checked_sub(1)?);
        let kind = take(&mut rest, 1)?;
        let length = number(take(&mut rest, 1)?);
        let name = core::str::from_utf8(take(&mut rest, length)?).ok()?;
        directories.push(name);
        if directories.len() != depth || depth > FILE_DEPTH_MAX || !is_file_name(name) {
            return None;
        }
        let path = directories.join("/");
        let content = match kind {
            [DIRECTORY] => None,
            [FILE] => {
                directories.pop(); // a file has no entries
                let length = number(take(&mut rest, 4)?);
                Some(take(&mut rest, length)?.to_vec())
            }
            _ => return None,
        };
        let is_duplicate = entries.insert(path, content).is_some();
        if is_duplicate || entries.len() > STAGED_NAMES_COUNT_MAX {
            return None;
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// Decodes a big-endian number of up to four bytes.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte))
}

/// Returns the bytes that count towards a quota: content, and a fixed amount for each entry.
// [STO-20]
pub(in crate::kernel) fn size(entries: &Entries) -> u64 {
    let bytes = |content: &Option<Vec<u8>>| content.as_ref().map_or(0, Vec::len);
    let sizes = entries.values().map(|content| bytes(content).saturating_add(STORAGE_ENTRY_BYTES));
    u64::try_from(sizes.fold(0, usize::saturating_add)).unwrap_or(u64::MAX)
}

/// The storage of a package, as one call loaded it.
pub(in crate::kernel) struct LoadedStorage {
    backend: Arc<dyn StorageBackend>,
    owner: StorageOwner,
    old: Option<Vec<u8>>,
    entries: Entries,
    bytes_max: u64,
}

impl LoadedStorage {
    /// Loads a package's storage.
    ///
    /// # Errors
    /// `storage.none`, `storage.damaged`, and those of [`StorageBackend::load`].
    // [STO-02] [STO-03]
    pub(in crate::kernel) fn load(
        package: &str,
        publisher_key: Option<&KeyId>,
        bytes_max: u64,
        backend: Option<Arc<dyn StorageBackend>>,
    ) -> Result<Self, Error> {
        let (Some(backend), Some(key)) = (backend, publisher_key) else {
            let detail = format!("no storage is available for {package}");
            return Err(Error::new(Code::StorageNone, detail));
        };
        let owner = StorageOwner { package: package.to_owned(), publisher_key: key.clone() };
        let old = backend.load(&owner)?;
        let entries = old.as_ref().map_or(Ok(Entries::new()), |old| decode(&owner, old))?;
        Ok(LoadedStorage { backend, owner, old, entries, bytes_max })
    }

    /// Takes the entries, for the guest to change, and returns the quota.
    pub(in crate::kernel) fn take_entries(&mut self) -> (Entries, u64) {
        (core::mem::take(&mut self.entries), self.bytes_max)
    }

    /// Returns the new snapshot and the old entries; `None` if nothing has changed.
    ///
    /// # Errors
    /// `storage.quota`; `storage.damaged`: the new snapshot could not be decoded.
    // [STO-21] [STO-30]
    pub(in crate::kernel) fn into_changed(
        self,
        now: &Entries,
    ) -> Result<Option<(NewSnapshot, Entries)>, Error> {
        let LoadedStorage { backend, owner, old, bytes_max, .. } = self;
        let new = encode(&owner, now);
        if old.as_ref() == Some(&new) || (old.is_none() && now.is_empty()) {
            return Ok(None);
        }
        let old_entries = old.as_ref().map_or(Ok(Entries::new()), |old| decode(&owner, old))?;
        let bytes = size(now);
        if bytes > bytes_max && bytes > size(&old_entries) {
            let detail = format!("storage is {bytes} bytes, limit {bytes_max}");
            return Err(Error::new(Code::StorageQuota, detail));
        }
        decode(&owner, &new)?;
        Ok(Some((NewSnapshot { backend, owner, old, new }, old_entries)))
    }
}

/// A snapshot that replaces the loaded one once its call has succeeded.
#[derive(Clone)]
pub(in crate::kernel) struct NewSnapshot {
    backend: Arc<dyn StorageBackend>,
    owner: StorageOwner,
    old: Option<Vec<u8>>,
    new: Vec<u8>,
}

impl NewSnapshot {
    // [STO-31] [STO-32]
    pub(in crate::kernel) fn prepare(
        &self,
        deadline: &Deadline,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let ended = || deadline.check().is_err();
        self.backend.prepare(&self.owner, self.old.as_deref(), &self.new, &ended).map_err(|error| {
            match deadline.check() {
                Err(interrupted) => interrupted.into(),
                Ok(()) => error,
            }
        })
    }
}

/// Omits the content, which is the user's.
impl fmt::Debug for NewSnapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.owner.fmt(out)
    }
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/storage.rs"]
pub(in crate::kernel) mod tests;
