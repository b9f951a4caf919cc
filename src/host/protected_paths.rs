//! Protected paths: host files that decide what tools may do, which no mapped directory may contain.
//!
//! The host names these paths: its home directory, the trust store, the policy, the package in use. Each call
//! resolves them again, since the files may appear or change at any time. Files are compared by device and
//! inode, so no other path or link to one gets around the check.

use crate::host::home;
use crate::kernel::directory::Identity;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{absolute, Component, Path, PathBuf};
use std::sync::Arc;

/// Linux follows at most this number of links in one path.
const LINKS_MAX: usize = 40;
/// Levels below a protected path whose entries are recorded: the home's own files lie no deeper.
const CONTENTS_DEPTH: usize = 2;

pub(crate) fn identity_of(status: &Metadata) -> Identity {
    (status.dev(), status.ino())
}

/// What the protected paths resolved to at one moment; each identity with the path to show for it.
#[derive(Debug, Default)]
pub(crate) struct Protected {
    /// The paths that a host has named.
    paths: Vec<PathBuf>,
    /// The protected files themselves and the contents of protected directories.
    inside: BTreeMap<Identity, Arc<Path>>,
    /// The directories above them, up to the root, and above each link on the way to them.
    above: BTreeMap<Identity, Arc<Path>>,
}

impl Protected {
    /// Resolves the paths that a host has named, and the user's home directory, which is always protected.
    pub(crate) fn resolve(paths: &[PathBuf]) -> Self {
        let mut found = Protected { paths: paths.to_vec(), ..Protected::default() };
        let home = home::home_dir().ok().filter(|home| !paths.contains(home));
        for path in paths.iter().chain(&home) {
            found.add(path, 0);
        }
        found
    }

    /// Returns `true` if this is a protected file or known to lie in a protected directory.
    pub(crate) fn contains(&self, identity: Identity) -> bool {
        self.inside.contains_key(&identity)
    }

    /// Refuses a directory that is, contains or lies in a protected path, and names that path. `identity_chain`
    /// starts with the directory, followed by its ancestors.
    // [BOX-97]
    pub(crate) fn check(&self, identity_chain: &[Identity]) -> Result<(), String> {
        let refuse = |how: &str, path: &Path| {
            let path = path.display();
            Err(format!("it {how} {path}, which decides what tools may do"))
        };
        if let Some(path) = identity_chain.first().and_then(|identity| self.above.get(identity)) {
            return refuse("contains", path);
        }
        match identity_chain.iter().find_map(|identity| self.inside.get(identity)) {
            Some(path) => refuse("is or lies in", path),
            None => Ok(()),
        }
    }

    /// Resolves the same paths again.
    pub(crate) fn resolve_again(&self) -> Self {
        Protected::resolve(&self.paths)
    }

    fn add(&mut self, named: &Path, depth: usize) {
        // An empty path leads nowhere, and neither does a relative one if the current directory was removed.
        let Ok(path) = absolute(named) else { return };
        let (path, parents) = resolve_links(path);
        let named: Arc<Path> = Arc::from(named);
        for directory in parents.iter().flat_map(|parent| parent.ancestors()) {
            if let Ok(status) = directory.metadata() {
                self.above.insert(identity_of(&status), Arc::clone(&named));
            }
        }
        if let Ok(status) = path.metadata() {
            self.inside.insert(identity_of(&status), Arc::clone(&named));
            self.add_contents(&path, &named, depth);
        }
    }

    /// Adds the contents of a directory. A link in it becomes a protected path itself.
    fn add_contents(&mut self, directory: &Path, named: &Arc<Path>, depth: usize) {
        let entries = fs::read_dir(directory).ok().filter(|_| depth < CONTENTS_DEPTH);
        for entry in entries.into_iter().flatten().flatten() {
            let (path, depth) = (entry.path(), depth.saturating_add(1));
            match entry.metadata() {
                Ok(status) if status.is_symlink() => self.add(&path, depth),
                Ok(status) => {
                    self.inside.insert(identity_of(&status), Arc::clone(named));
                    if status.is_dir() {
                        self.add_contents(&path, named, depth);
                    }
                }
                Err(_) => {} // removed concurrently
            }
        }
    }
}

/// Resolves an absolute path as the system would, also if nothing exists there yet. Returns as well each
/// directory that holds a link on the way, or the last name.
fn resolve_links(path: PathBuf) -> (PathBuf, Vec<PathBuf>) {
    let (mut here, mut ahead, mut parents) = (PathBuf::new(), path, Vec::new());
    loop {
        let mut parts = ahead.components();
        let Some(part) = parts.next() else { break };
        let rest = parts.as_path().to_owned();
        let link = match part {
            Component::Normal(name) => fs::read_link(here.join(name)).ok(),
            _ => None,
        };
        if let Some(target) = link.filter(|_| parents.len() < LINKS_MAX) {
            parents.push(here.clone());
            ahead = target.join(rest);
            continue;
        }
        match part {
            Component::ParentDir => drop(here.pop()),
            Component::CurDir => {}
            part => here.push(part),
        }
        ahead = rest;
    }
    parents.extend(here.parent().map(Path::to_owned));
    (here, parents)
}
