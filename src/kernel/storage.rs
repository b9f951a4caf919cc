//! What a package keeps from call to call: the directory `/storage`, for each package and publisher apart.
//! `spec/storage.md` is its page.
//!
//! A host keeps a directory as one run of bytes, a *snapshot*, and replaces it whole. A call reads the
//! snapshot before it runs, works on its own copy, and leaves a new one.

use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{
    FILE_DEPTH_MAX, STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES, STORAGE_KB_MAX,
};
use crate::kernel::names::is_file_name;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;

/// Whose it is: another publisher of the same package id has another directory.
// [STO-01]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorageOwner {
    /// Id of the package.
    pub package: String,
    /// The key by which its publisher signed it.
    pub publisher_key: KeyId,
}

/// The content of each file by its path, such as `notes/1.txt`; a directory has none.
pub type Entries = BTreeMap<String, Option<Vec<u8>>>;

/// Where a host keeps snapshots. Calls come from several threads at once.
///
/// ```
/// use mpp::storage::{PreparedStorage, StorageBackend, StorageOwner};
/// use mpp::{Code, Error};
/// use std::collections::BTreeMap;
/// use std::sync::{Mutex, MutexGuard};
///
/// /// Keeps everything until the program ends.
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
///         &self, owner: &StorageOwner, was: Option<&[u8]>, new: &[u8], _ended: &dyn Fn() -> bool,
///     ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
///         let all = self.0.lock().unwrap();
///         if all.get(owner).map(Vec::as_slice) != was {
///             return Err(Error::new(Code::StorageConflict, "it is another by now"));
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
    /// The snapshot of an owner; none where nothing was kept so far.
    ///
    /// # Errors
    /// `host.file`.
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error>;

    /// Makes everything ready for a new snapshot, and keeps all others from changing it until that is
    /// committed or dropped. Waits no longer for others than until `ended` says so.
    ///
    /// # Errors
    /// `storage.conflict` if what is kept is no longer `was`; `host.file`. Then nothing was changed.
    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error>;
}

/// A new snapshot that is safe where it is, but not in force. Dropped, it changes nothing.
pub trait PreparedStorage {
    /// Puts it in force in one step, which a crash leaves undone or done.
    ///
    /// # Errors
    /// `host.file`; the old one is in force then.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// Reads a snapshot of this owner.
///
/// # Errors
/// `storage.damaged`.
// [STO-10] [STO-11] [STO-12] [STO-13]
pub fn read(owner: &StorageOwner, snapshot: &[u8]) -> Result<Entries, Error> {
    let entries = parse(owner, snapshot)
        .filter(|entries| size(entries) <= BYTES_MAX && print(owner, entries) == snapshot);
    entries.ok_or_else(|| {
        let StorageOwner { package, publisher_key } = owner;
        let detail = format!("what {package} of the key {publisher_key} keeps");
        Error::new(Code::StorageDamaged, detail)
    })
}

/// The largest quota.
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects)] // widens; both are constants
const BYTES_MAX: u64 = STORAGE_KB_MAX as u64 * 1024;

/// The one snapshot of these entries.
// [STO-10] [STO-11]
pub fn print(owner: &StorageOwner, entries: &Entries) -> Vec<u8> {
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

/// Entries that each may stand in a snapshot. Their order is for a comparison with what [`print`] gives.
// [STO-12]
fn parse(owner: &StorageOwner, snapshot: &[u8]) -> Option<Entries> {
    let mut rest = snapshot.strip_prefix(header(owner).as_bytes())?;
    let mut entries = Entries::new();
    // The names of the directory that the next entry may lie in.
    let mut above: Vec<&str> = Vec::new();
    loop {
        let depth = match take(&mut rest, 1)? {
            [END] => return rest.is_empty().then_some(entries),
            depth => number(depth),
        };
        above.truncate(depth.checked_sub(1)?);
        let kind = take(&mut rest, 1)?;
        let length = number(take(&mut rest, 1)?);
        let name = core::str::from_utf8(take(&mut rest, length)?).ok()?;
        above.push(name);
        if above.len() != depth || depth > FILE_DEPTH_MAX || !is_file_name(name) {
            return None;
        }
        let path = above.join("/");
        let content = match kind {
            [DIRECTORY] => None,
            [FILE] => {
                above.pop(); // nothing lies in a file
                let length = number(take(&mut rest, 4)?);
                Some(take(&mut rest, length)?.to_vec())
            }
            _ => return None,
        };
        let twice = entries.insert(path, content).is_some();
        if twice || entries.len() > STAGED_NAMES_COUNT_MAX {
            return None;
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// A number of up to four bytes, the highest first.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte))
}

/// What counts towards a quota: content, and an amount for each name that bounds what else a snapshot
/// holds.
// [STO-20]
pub(in crate::kernel) fn size(entries: &Entries) -> u64 {
    let bytes = |content: &Option<Vec<u8>>| content.as_ref().map_or(0, Vec::len);
    let sizes = entries.values().map(|content| bytes(content).saturating_add(STORAGE_ENTRY_BYTES));
    u64::try_from(sizes.fold(0, usize::saturating_add)).unwrap_or(u64::MAX)
}

/// What one call found.
pub(in crate::kernel) struct Loaded {
    backend: Arc<dyn StorageBackend>,
    owner: StorageOwner,
    was: Option<Vec<u8>>,
    entries: Entries,
    bytes_max: u64,
}

impl Loaded {
    /// Reads what a package keeps.
    ///
    /// # Errors
    /// `storage.none`, `storage.damaged`, and those of [`StorageBackend::load`].
    // [STO-02] [STO-03]
    pub(in crate::kernel) fn of(
        package: &str,
        publisher_key: Option<&KeyId>,
        bytes_max: u64,
        backend: Option<Arc<dyn StorageBackend>>,
    ) -> Result<Self, Error> {
        let (Some(backend), Some(key)) = (backend, publisher_key) else {
            let detail = format!("this host keeps nothing for {package}");
            return Err(Error::new(Code::StorageNone, detail));
        };
        let owner = StorageOwner { package: package.to_owned(), publisher_key: key.clone() };
        let was = backend.load(&owner)?;
        let entries = was.as_ref().map_or(Ok(Entries::new()), |was| read(&owner, was))?;
        Ok(Loaded { backend, owner, was, entries, bytes_max })
    }

    /// The entries, for the guest to work on, and the quota.
    pub(in crate::kernel) fn take_entries(&mut self) -> (Entries, u64) {
        (core::mem::take(&mut self.entries), self.bytes_max)
    }

    /// What is to be kept from now on, with what was before; none if that is the same.
    ///
    /// # Errors
    /// `storage.quota`; `storage.damaged` where it could not be read again.
    // [STO-21] [STO-30]
    pub(in crate::kernel) fn changed(
        self,
        now: &Entries,
    ) -> Result<Option<(NewSnapshot, Entries)>, Error> {
        let Loaded { backend, owner, was, bytes_max, .. } = self;
        let new = print(&owner, now);
        if was.as_ref() == Some(&new) || (was.is_none() && now.is_empty()) {
            return Ok(None);
        }
        let before = was.as_ref().map_or(Ok(Entries::new()), |was| read(&owner, was))?;
        let bytes = size(now);
        if bytes > bytes_max && bytes > size(&before) {
            let detail = format!("{bytes} bytes are to be kept, and {bytes_max} are granted");
            return Err(Error::new(Code::StorageQuota, detail));
        }
        read(&owner, &new)?;
        Ok(Some((NewSnapshot { backend, owner, was, new }, before)))
    }
}

/// A snapshot that takes another's place once its call has succeeded.
#[derive(Clone)]
pub(in crate::kernel) struct NewSnapshot {
    backend: Arc<dyn StorageBackend>,
    owner: StorageOwner,
    was: Option<Vec<u8>>,
    new: Vec<u8>,
}

impl NewSnapshot {
    // [STO-31] [STO-32]
    pub(in crate::kernel) fn prepare(
        &self,
        deadline: &Deadline,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let ended = || deadline.check().is_err();
        self.backend.prepare(&self.owner, self.was.as_deref(), &self.new, &ended).map_err(|error| {
            match deadline.check() {
                Err(interrupted) => interrupted.into(),
                Ok(()) => error,
            }
        })
    }
}

/// Without the contents, which are the user's.
impl fmt::Debug for NewSnapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.owner.fmt(out)
    }
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/storage.rs"]
pub(in crate::kernel) mod tests;
