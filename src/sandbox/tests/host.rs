//! Directories of the host: read through, changed in memory only, and what is left to be carried out.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use super::probe::*;
use super::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that goes when the test ends.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("mpp-host-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A few files and directories.
    pub(super) fn filled() -> Self {
        let folder = Folder::new();
        fs::create_dir_all(folder.0.join("dir/sub")).unwrap();
        fs::create_dir_all(folder.0.join("empty")).unwrap();
        fs::write(folder.0.join("file"), "0123456789").unwrap();
        fs::write(folder.0.join("dir/inner"), "inner").unwrap();
        fs::write(folder.0.join("dir/sub/deep"), "deep").unwrap();
        folder
    }

    pub(super) fn root(&self, guest: &str, writable: bool) -> Root {
        let host = Arc::new(HostDirectory::open(&self.0).unwrap());
        Root { guest: guest.to_owned(), host, writable }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything below a directory of the host, by path.
pub(super) fn snapshot(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            found.insert(name, (!kind.is_dir()).then(|| fs::read(&path).unwrap_or_default()));
            if kind.is_dir() {
                pending.push(path);
            }
        }
    }
    found
}

/// A guest with one directory, as descriptor 3.
pub(super) fn with_root(folder: &Folder, writable: bool) -> Inputs {
    Inputs { roots: vec![folder.root("/data", writable)], ..inputs(b"input") }
}

/// One line for each change.
pub(super) fn lines(run: &Run) -> Vec<String> {
    let line = |(path, action): (String, &Action)| match action {
        Action::RemoveFile => format!("rm {path}"),
        Action::RemoveDirectory => format!("rmdir {path}"),
        Action::CreateDirectory => format!("mkdir {path}"),
        Action::WriteFile { content, replaces } => {
            let verb = if *replaces { "replace" } else { "create" };
            format!("{verb} {path} {}", String::from_utf8_lossy(content))
        }
    };
    run.changes.iter().map(line).collect()
}

pub(super) const READ_WRITE: i64 = 0x08e0_01ff;

#[test]
fn what_the_guest_writes_is_a_list_of_changes_and_the_host_stays_as_it_is() {
    let folder = Folder::filled();
    let before = snapshot(&folder.0);
    let (answers, run) = probe_with(
        with_root(&folder, true),
        &data([
            (0, b"file"),
            (16, b"new"),
            (32, b"dir/sub"),
            (48, b"moved"),
            (64, b"dir/inner"),
            (80, b"abc"),
            (88, &iovec(80, 3)),
            (96, &iovec(200, 100)),
        ]),
        &[
            ("path_open", &[3, 0, 0, 4, 0, READ_WRITE, 0, 0, 400]),
            ("fd_seek", &[4, 5, 0, 408]),
            ("fd_write", &[4, 88, 1, 416]),
            ("fd_pread", &[4, 96, 1, 0, 420]),
            ("path_open", &[3, 0, 16, 3, 1, READ_WRITE, 0, 0, 400]),
            ("fd_write", &[5, 88, 1, 416]),
            ("path_rename", &[3, 32, 7, 3, 48, 5]),
            ("path_unlink_file", &[3, 64, 9]),
            ("path_remove_directory", &[3, 32, 3]),
        ],
    );
    assert_eq!(answers, [SUCCESS; 9]);
    assert_eq!(&run.stderr[200..210], b"01234abc89");
    assert_eq!(
        lines(&run),
        [
            "rm /data/dir/sub/deep",
            "rmdir /data/dir/sub",
            "rm /data/dir/inner",
            "rmdir /data/dir",
            "replace /data/file 01234abc89",
            "mkdir /data/moved",
            "create /data/moved/deep deep",
            "create /data/new abc",
        ]
    );
    assert_eq!(snapshot(&folder.0), before);
}
