//! Copying a directory of the host: what is taken, what does not exist, and where it ends.

use crate::limits::{MAPPED_BYTES_MAX, NAME_DEPTH_MAX};
use crate::policy::token::DirectoryGrant;
use crate::sandbox::mapped::copy_in;
use crate::Code;
use std::fs;
use std::path::{Path, PathBuf};

/// A directory that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mpp-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn grant(host: &Path) -> Vec<DirectoryGrant> {
    vec![DirectoryGrant { guest: "/data".into(), host: host.into(), writable: false }]
}

#[test]
fn files_and_directories_are_taken_and_links_pipes_and_odd_names_are_not() {
    let folder = Folder::new("mapped-tree");
    let at = |name: &str| folder.0.join(name);
    fs::create_dir_all(at("deep/er")).unwrap();
    fs::create_dir_all(at("empty")).unwrap();
    fs::write(at("deep/er/file"), "content").unwrap();
    fs::write(at("z"), "").unwrap();
    std::os::unix::fs::symlink("z", at("link")).unwrap();
    std::os::unix::fs::symlink("/etc", at("outside")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
    fs::write(folder.0.join(odd), "").unwrap();

    let mapped = copy_in(&grant(&folder.0)).unwrap();
    let entries: Vec<_> = mapped[0].entries.iter().collect();
    let path = |text: &str| text.to_owned();
    assert_eq!(
        entries,
        [
            (&path("deep"), &None),
            (&path("deep/er"), &None),
            (&path("deep/er/file"), &Some(b"content".to_vec())),
            (&path("empty"), &None),
            (&path("z"), &Some(Vec::new())),
        ]
    );
}

#[test]
fn too_much_too_deep_or_no_directory_at_all_is_refused() {
    let folder = Folder::new("mapped-large");
    let refused = |host: &Path| copy_in(&grant(host)).unwrap_err().code();
    assert_eq!(refused(&folder.0.join("missing")), Code::HostFile);
    let large = folder.0.join("large");
    let bytes = u64::try_from(MAPPED_BYTES_MAX).unwrap();
    fs::File::create(&large).unwrap().set_len(bytes + 1).unwrap();
    assert_eq!(refused(&large), Code::HostFile);
    assert_eq!(refused(&folder.0), Code::HostFile);
    fs::remove_file(&large).unwrap();
    let deep = folder.0.join(vec!["d"; NAME_DEPTH_MAX].join("/"));
    fs::create_dir_all(deep).unwrap();
    assert_eq!(refused(&folder.0), Code::HostFile);
}
