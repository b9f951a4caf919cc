//! Room: taking a granted directory of the host into a guest's tree, before the guest starts.
//!
//! The guest then reads copies: nothing that happens to the directory meanwhile, and no path that the
//! guest can think of, reaches the host. Symbolic links are not followed, and neither is a directory
//! that is swapped for one during the walk: each step opens one name, without following it, below a
//! directory that is already open, and looks at the type of what it opened.

use crate::limits::{MAPPED_BYTES_MAX, MAPPED_ENTRIES_COUNT_MAX, NAME_BYTES_MAX, NAME_DEPTH_MAX};
use crate::policy::token::DirectoryGrant;
use crate::{Code, Error};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// One mapped directory: its guest path, and what lies below it by path; `None` is a directory.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) guest: String,
    pub(super) entries: BTreeMap<String, Option<Vec<u8>>>,
}

/// Copies the granted directories. All of them together stay within the limits.
// [BOX-07]
pub(super) fn copy_in(grants: &[DirectoryGrant]) -> Result<Vec<Mapped>, Error> {
    let mut room = Room { entries: MAPPED_ENTRIES_COUNT_MAX, bytes: MAPPED_BYTES_MAX };
    let mut mapped = Vec::with_capacity(grants.len());
    for grant in grants {
        let failed = |what: &dyn std::fmt::Display| {
            let detail = format!("{} for {}: {what}", grant.host.display(), grant.guest);
            Error::new(Code::HostFile, detail)
        };
        let root = host::open_root(&grant.host).map_err(|error| failed(&error))?;
        let mut entries = BTreeMap::new();
        room.copy(&root, "", 1, &mut entries).map_err(|what| failed(&what))?;
        mapped.push(Mapped { guest: grant.guest.clone(), entries });
    }
    Ok(mapped)
}

/// What may still be copied.
struct Room {
    entries: usize,
    bytes: usize,
}

impl Room {
    /// Copies what lies in an open directory. What is neither file nor directory, or can't be read, or
    /// has a name that no guest could write, does not exist for the guest.
    // [BOX-08]
    fn copy(
        &mut self,
        directory: &File,
        prefix: &str,
        depth: usize,
        entries: &mut BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), &'static str> {
        let listed = host::names(directory).map_err(|_| "the directory can't be listed")?;
        for name in listed {
            let Some(name) = name.to_str().filter(|name| name.len() <= NAME_BYTES_MAX) else {
                continue;
            };
            self.entries = self.entries.checked_sub(1).ok_or("more files than can be mapped")?;
            let path = format!("{prefix}{name}");
            let Some(opened) = host::open_below(directory, name) else { continue };
            let Ok(status) = opened.metadata() else { continue };
            if status.is_dir() {
                if depth >= NAME_DEPTH_MAX {
                    return Err("nested too deeply to be mapped");
                }
                self.copy(&opened, &format!("{path}/"), depth.saturating_add(1), entries)?;
                entries.insert(path, None);
            } else if status.is_file() {
                if let Some(content) = self.read(opened)? {
                    entries.insert(path, Some(content));
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, file: File) -> Result<Option<Vec<u8>>, &'static str> {
        use std::io::Read as _;
        let one_too_many = u64::try_from(self.bytes).unwrap_or(u64::MAX).saturating_add(1);
        let mut content = Vec::new();
        if file.take(one_too_many).read_to_end(&mut content).is_err() {
            return Ok(None);
        }
        self.bytes =
            self.bytes.checked_sub(content.len()).ok_or("more bytes than can be mapped")?;
        Ok(Some(content))
    }
}

/// Opening without following links, by way of `/proc/self/fd`, which needs no `unsafe`. The numbers of
/// the flags differ between architectures; where they are not known, nothing is mapped.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod host {
    use super::{File, Path};
    use std::ffi::OsString;
    use std::fs::OpenOptions;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;

    #[cfg(target_arch = "x86_64")]
    const NO_FOLLOW: i32 = 0o400_000;
    #[cfg(target_arch = "aarch64")]
    const NO_FOLLOW: i32 = 0o100_000;
    /// A pipe is opened without waiting for its other end.
    const NO_WAIT: i32 = 0o4000;

    /// The directory that the host's administrator named, links and all.
    pub(super) fn open_root(path: &Path) -> io::Result<File> {
        let root = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path)?;
        match root.metadata()?.is_dir() {
            true => Ok(root),
            false => Err(io::Error::other("not a directory")),
        }
    }

    pub(super) fn names(directory: &File) -> io::Result<Vec<OsString>> {
        let listed = std::fs::read_dir(format!("/proc/self/fd/{}", directory.as_raw_fd()))?;
        let mut names: Vec<OsString> =
            listed.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn open_below(directory: &File, name: &str) -> Option<File> {
        let path = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
        OpenOptions::new().read(true).custom_flags(NO_FOLLOW | NO_WAIT).open(path).ok()
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod host {
    use super::{File, Path};
    use std::ffi::OsString;
    use std::io;

    pub(super) fn open_root(_: &Path) -> io::Result<File> {
        Err(io::Error::other("directories can be mapped on Linux only (x86-64, AArch64)"))
    }
    pub(super) fn names(_: &File) -> io::Result<Vec<OsString>> {
        Ok(Vec::new())
    }
    pub(super) fn open_below(_: &File, _: &str) -> Option<File> {
        None
    }
}
