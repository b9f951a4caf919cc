//! What packages keep, in files of the host: one for each package id and publisher key.

use crate::host::home::{self, Locked, Written};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::STORAGE_FILE_BYTES_MAX;
use crate::kernel::storage::{PreparedStorage, StorageBackend, StorageOwner};
use std::path::PathBuf;

/// Snapshots in a folder such as `storage` in the home.
#[derive(Clone, Debug)]
pub struct FileStorage {
    folder: PathBuf,
}

impl FileStorage {
    /// Keeps its files in this folder, which is made when there is something to be kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        FileStorage { folder: folder.into() }
    }

    /// An id and a key have safe characters only, and the key is always as long.
    // [STO-40]
    fn path(&self, owner: &StorageOwner) -> PathBuf {
        let StorageOwner { package, publisher_key } = owner;
        self.folder.join(format!("{package}.{publisher_key}.storage"))
    }
}

impl StorageBackend for FileStorage {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        home::read_file(&self.path(owner), STORAGE_FILE_BYTES_MAX)
    }

    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let file = Locked::new(&self.path(owner), ended)?;
        if file.read(STORAGE_FILE_BYTES_MAX)?.as_deref() != was {
            let detail = format!("of {}; nothing was changed", owner.package);
            return Err(Error::new(Code::StorageConflict, detail));
        }
        Ok(Box::new(file.write(new)?))
    }
}

impl PreparedStorage for Written {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.put()
    }
}
