//! The files of the host that decide what tools may do. No directory with them is mapped.
//!
//! A place is a path that the host names: its home folder, the trust store, the policy, the package in
//! use. What the path leads to is looked up for each call, since it may appear or change at any time.
//! It is compared by device and inode, so it makes no difference by which path or link it is reached.

use crate::host::home;
use crate::kernel::directory::Identity;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{absolute, Component, Path, PathBuf};
use std::sync::Arc;

/// As many links as the system follows for one path.
const LINKS_MAX: usize = 40;
/// How far below a place its contents are known one by one: the home's own files lie no deeper.
const CONTENTS_DEPTH: usize = 2;

pub(crate) fn identity_of(status: &Metadata) -> Identity {
    (status.dev(), status.ino())
}

/// What places led to at one moment; each identity with the path that is shown for it.
#[derive(Debug, Default)]
pub(crate) struct Protected {
    /// The places that a host has named.
    places: Vec<PathBuf>,
    /// The places themselves and, of folders, their contents.
    inside: BTreeMap<Identity, Arc<Path>>,
    /// The directories above them, up to the root, and above each link on the way to them.
    above: BTreeMap<Identity, Arc<Path>>,
}

impl Protected {
    /// What the paths that a host has named lead to now, and the user's home folder, which is always one as well.
    pub(crate) fn find(places: &[PathBuf]) -> Self {
        let mut found = Protected { places: places.to_vec(), ..Protected::default() };
        let home = home::home_dir().ok().filter(|home| !places.contains(home));
        for place in places.iter().chain(&home) {
            found.add(place, 0);
        }
        found
    }

    /// Whether this is a place, or known to lie in one.
    pub(crate) fn holds(&self, identity: Identity) -> bool {
        self.inside.contains_key(&identity)
    }

    /// Refuses a directory that is, holds or lies in a place; says which. `identity_chain` begins with the
    /// directory, followed by those above it.
    // [BOX-97]
    pub(crate) fn check(&self, identity_chain: &[Identity]) -> Result<(), String> {
        let refuse = |how: &str, place: &Path| {
            let place = place.display();
            Err(format!("it {how} {place}, and what is there decides what tools may do"))
        };
        if let Some(place) = identity_chain.first().and_then(|identity| self.above.get(identity)) {
            return refuse("holds", place);
        }
        match identity_chain.iter().find_map(|identity| self.inside.get(identity)) {
            Some(place) => refuse("is or lies in", place),
            None => Ok(()),
        }
    }

    /// What the same places lead to by now.
    pub(crate) fn find_again(&self) -> Self {
        Protected::find(&self.places)
    }

    fn add(&mut self, place: &Path, depth: usize) {
        // An empty path leads nowhere, and neither does a relative one if the current folder was removed.
        let Ok(path) = absolute(place) else { return };
        let (path, folders) = follow(path);
        let shown: Arc<Path> = Arc::from(place);
        for folder in folders.iter().flat_map(|folder| folder.ancestors()) {
            if let Ok(status) = folder.metadata() {
                self.above.insert(identity_of(&status), Arc::clone(&shown));
            }
        }
        if let Ok(status) = path.metadata() {
            self.inside.insert(identity_of(&status), Arc::clone(&shown));
            self.add_contents(&path, &shown, depth);
        }
    }

    /// The contents of a folder. A link in it is a place of its own.
    fn add_contents(&mut self, folder: &Path, shown: &Arc<Path>, depth: usize) {
        let entries = fs::read_dir(folder).ok().filter(|_| depth < CONTENTS_DEPTH);
        for entry in entries.into_iter().flatten().flatten() {
            let (path, depth) = (entry.path(), depth.saturating_add(1));
            match entry.metadata() {
                Ok(status) if status.is_symlink() => self.add(&path, depth),
                Ok(status) => {
                    self.inside.insert(identity_of(&status), Arc::clone(shown));
                    if status.is_dir() {
                        self.add_contents(&path, shown, depth);
                    }
                }
                Err(_) => {} // removed meanwhile
            }
        }
    }
}

/// Where an absolute path leads, as the system would follow it, also if nothing is there yet; and each folder
/// that holds a link on the way, or the last name.
fn follow(path: PathBuf) -> (PathBuf, Vec<PathBuf>) {
    let (mut here, mut ahead, mut folders) = (PathBuf::new(), path, Vec::new());
    loop {
        let mut parts = ahead.components();
        let Some(part) = parts.next() else { break };
        let rest = parts.as_path().to_owned();
        let link = match part {
            Component::Normal(name) => fs::read_link(here.join(name)).ok(),
            _ => None,
        };
        if let Some(target) = link.filter(|_| folders.len() < LINKS_MAX) {
            folders.push(here.clone());
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
    folders.extend(here.parent().map(Path::to_owned));
    (here, folders)
}
