//! File storage: one snapshot file for each package id and publisher key.

use crate::host::home::{self, LockedFile, StagedFile};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::STORAGE_FILE_BYTES_MAX;
use crate::kernel::storage::{PreparedStorage, StorageBackend, StorageOwner};
use std::path::PathBuf;

/// Stores snapshots in a directory, such as `storage` in the home directory.
#[derive(Clone, Debug)]
pub struct FileStorage {
    directory: PathBuf,
}

impl FileStorage {
    /// Returns a store in this directory, which the first commit creates.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        FileStorage { directory: directory.into() }
    }

    /// The characters of an id and a key are safe in file names, and a key has a fixed length.
    // [STO-40]
    fn path(&self, owner: &StorageOwner) -> PathBuf {
        let StorageOwner { package, publisher_key } = owner;
        self.directory.join(format!("{package}.{publisher_key}.storage"))
    }
}

impl StorageBackend for FileStorage {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        home::read_file(&self.path(owner), STORAGE_FILE_BYTES_MAX)
    }

    fn prepare(
        &self,
        owner: &StorageOwner,
        expected: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let file = LockedFile::new(&self.path(owner), ended)?;
        if file.read(STORAGE_FILE_BYTES_MAX)?.as_deref() != expected {
            let detail = format!("storage of {} changed; nothing was written", owner.package);
            return Err(Error::new(Code::StorageConflict, detail));
        }
        Ok(Box::new(file.write(new)?))
    }
}

impl PreparedStorage for StagedFile {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.rename_into_place()
    }
}
