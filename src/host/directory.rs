//! `Directory` implementation for mapped directories: lists, opens and reads host files.

use crate::host::commit::Prepared;
pub(crate) use crate::host::directory_handle::HostDirectory;
use crate::host::directory_handle::{
    directory_error, fingerprint, is_visible_name, path_of, NO_WAIT, STAGING_DIR,
};
use crate::host::protected_paths::identity_of;
use crate::kernel::deadline::Deadline;
use crate::kernel::directory::{
    Change, CommitError, Directory, DirectoryError, HostEntry, Identity, Kind, ListedEntry,
    PreparedChanges, StatFingerprint,
};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;

/// A host file, open for reading.
#[derive(Debug)]
struct HostFile(File);

impl Directory for HostDirectory {
    fn identity_chain(&self) -> Vec<Identity> {
        self.ancestors().unwrap_or_else(|_| vec![self.identity])
    }

    fn open(&self, name: &str) -> Result<HostEntry, DirectoryError> {
        let (handle, status) = self.open_child(&self.handle, name)?;
        if status.is_dir() {
            let (identity, protected) = (identity_of(&status), Arc::clone(&self.protected));
            let directory = HostDirectory { handle, identity, protected };
            return Ok(HostEntry::Directory(Arc::new(directory)));
        }
        let file = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path_of(&handle));
        file.map(|file| HostEntry::File(Arc::new(HostFile(file)))).map_err(directory_error)
    }

    // [BOX-08]
    fn list(&self, each: &mut dyn FnMut(ListedEntry<'_>) -> bool) -> Result<bool, DirectoryError> {
        let mut has_own = false;
        for entry in std::fs::read_dir(path_of(&self.handle)).map_err(directory_error)? {
            let entry = entry.map_err(directory_error)?;
            let name = entry.file_name();
            if name == STAGING_DIR {
                has_own = true;
                continue;
            }
            // Judged as when it is opened: another file system may be mounted there.
            let kind = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Ok(status) if self.is_visible(&status) => Some(status.is_dir()),
                _ => None,
            };
            let kind = kind.map(|is_dir| if is_dir { Kind::Directory } else { Kind::File });
            let name = name.to_str().filter(|name| is_visible_name(name));
            if !each(name.zip(kind)) {
                break;
            }
        }
        Ok(has_own)
    }

    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        self.handle.metadata().map(|status| fingerprint(&status)).map_err(directory_error)
    }

    fn is_reserved(&self, name: &str) -> bool {
        name == STAGING_DIR
    }

    fn prepare<'a>(
        &'a self,
        changes: &'a [Change],
        deadline: &Deadline,
    ) -> Result<Box<dyn PreparedChanges + 'a>, CommitError> {
        Ok(Box::new(Prepared::new(self, changes, deadline)?))
    }
}

impl crate::kernel::directory::File for HostFile {
    fn size(&self) -> Result<u64, DirectoryError> {
        self.0.metadata().map(|status| status.len()).map_err(directory_error)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let from = u64::try_from(filled).unwrap_or(u64::MAX).saturating_add(offset);
            match self.0.read_at(rest, from) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(directory_error(error)),
            }
        }
        Ok(filled)
    }

    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        self.0.metadata().map(|status| fingerprint(&status)).map_err(directory_error)
    }
}
