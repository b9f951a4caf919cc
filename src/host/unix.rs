//! What Unix knows of a file and Rust has no portable name for: owner, mode, identity, flags of `open`.
//! Elsewhere each has one stand-in here, by the same name, so that the code that uses it is the same.
//!
//! The stand-ins grant nothing. A directory of the host can't be opened without those flags, so none is
//! mapped. A file's mode and owner are left to the folder that it is made in.

#[cfg(unix)]
pub(crate) use std::os::fd::AsRawFd;
#[cfg(unix)]
pub(crate) use std::os::unix::fs::{
    fchown, DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};

#[cfg(not(unix))]
pub(crate) use stand_in::*;

#[cfg(any(not(unix), test))]
#[cfg_attr(unix, allow(dead_code))] // the tests below are all that uses it
mod stand_in {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io::{Error, ErrorKind, Result};

    pub(crate) trait OpenOptionsExt {
        fn mode(&mut self, mode: u32) -> &mut Self;
        fn custom_flags(&mut self, flags: i32) -> &mut Self;
    }

    impl OpenOptionsExt for OpenOptions {
        fn mode(&mut self, _mode: u32) -> &mut Self {
            self
        }

        /// Whatever the flags forbid would happen without them: nothing can be opened any more.
        fn custom_flags(&mut self, _flags: i32) -> &mut Self {
            *self = OpenOptions::new();
            self
        }
    }

    pub(crate) trait DirBuilderExt {
        fn mode(&mut self, mode: u32) -> &mut Self;
    }

    impl DirBuilderExt for DirBuilder {
        fn mode(&mut self, _mode: u32) -> &mut Self {
            self
        }
    }

    pub(crate) trait PermissionsExt {
        fn mode(&self) -> u32;
        fn set_mode(&mut self, mode: u32);
    }

    /// Nobody but the owner has rights, as far as can be told here.
    impl PermissionsExt for Permissions {
        fn mode(&self) -> u32 {
            0o700
        }

        fn set_mode(&mut self, _mode: u32) {}
    }

    pub(crate) trait MetadataExt {
        fn dev(&self) -> u64 {
            0
        }
        fn ino(&self) -> u64 {
            0
        }
        fn nlink(&self) -> u64 {
            1
        }
        fn uid(&self) -> u32 {
            0
        }
        fn gid(&self) -> u32 {
            0
        }
        fn mode(&self) -> u32 {
            0o700
        }
        fn mtime(&self) -> i64 {
            0
        }
        fn mtime_nsec(&self) -> i64 {
            0
        }
        fn ctime(&self) -> i64 {
            0
        }
        fn ctime_nsec(&self) -> i64 {
            0
        }
    }

    /// All files have one identity: what is protected from being mapped is then everything.
    impl MetadataExt for Metadata {}

    pub(crate) trait FileExt {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize>;
    }

    impl FileExt for File {
        fn read_at(&self, _buffer: &mut [u8], _offset: u64) -> Result<usize> {
            Err(Error::from(ErrorKind::Unsupported))
        }
    }

    pub(crate) trait AsRawFd {
        fn as_raw_fd(&self) -> i32;
    }

    /// No number that the system gives.
    impl AsRawFd for File {
        fn as_raw_fd(&self) -> i32 {
            -1
        }
    }

    pub(crate) fn fchown(_file: &File, _user: Option<u32>, _group: Option<u32>) -> Result<()> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

#[cfg(test)]
mod tests {
    use super::stand_in::*;
    use std::fs::{File, OpenOptions};

    #[test]
    fn elsewhere_nothing_is_opened_with_flags_read_at_an_offset_or_given_away() {
        let path = std::env::current_exe().unwrap();
        assert!(OpenOptions::new().read(true).custom_flags(1).open(&path).is_err());
        assert!(OpenOptions::new().read(true).mode(0o600).open(&path).is_ok());
        let file = File::open(&path).unwrap();
        assert!(file.read_at(&mut [0], 0).is_err() && fchown(&file, Some(0), None).is_err());
        assert!(file.as_raw_fd() < 0);
    }

    #[test]
    fn elsewhere_no_file_can_be_told_from_another() {
        let status = |path: std::path::PathBuf| path.metadata().unwrap();
        let (file, folder) = (std::env::current_exe().unwrap(), std::env::temp_dir());
        let identity = |status: std::fs::Metadata| (status.dev(), status.ino());
        assert_eq!(identity(status(file)), identity(status(folder)));
    }
}
