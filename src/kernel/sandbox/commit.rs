//! Carrying out what a guest changed, once its call has succeeded.
//!
//! Two steps. First everything is made ready, in each directory and in what the package keeps: a full disk shows
//! here, when nothing has changed yet. Then the changes are made, and what is kept is in force last of all.

use crate::kernel::deadline::Deadline;
use crate::kernel::directory::{Change, CommitError, Directory, PreparedChanges};
use crate::kernel::prelude::*;
use crate::kernel::storage::NewSnapshot;

/// The changes below one mapped directory.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// Where the guest sees the directory.
    pub(super) guest: String,
    pub(super) host: Arc<dyn Directory>,
    pub(super) changes: Vec<Change>,
}

impl Mount {
    pub(super) fn guest_path(&self, path: &str) -> String {
        format!("{}/{path}", self.guest.trim_end_matches('/'))
    }

    // [BOX-90]
    fn prepare(&self, deadline: &Deadline) -> Result<Box<dyn PreparedChanges + '_>, Error> {
        self.host.prepare(&self.changes, deadline).map_err(|CommitError { path, why }| {
            if let Err(interrupted) = deadline.check() {
                return interrupted.into();
            }
            let detail = format!("{}: {why}; nothing was changed", self.guest_path(&path));
            Error::new(Code::HostCommit, detail)
        })
    }
}

/// Names shown of what was carried out before a failure.
const DONE_SHOWN: usize = 20;

/// Carries out the changes of all mounts and of what is kept, or says how far it came and leaves those in
/// the lists.
// [BOX-90] [BOX-91]
pub(super) fn apply(
    mounts: &mut [Mount],
    kept: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> Result<(), Error> {
    // Locks are taken in one order everywhere, so that two calls wait for each other at most once.
    mounts.sort_by_cached_key(|mount| mount.host.identity_chain().first().copied());
    let (done, result) = attempt(mounts, kept, deadline);
    if result.is_err() {
        for (mount, done) in mounts.iter_mut().zip(done) {
            mount.changes.truncate(done);
        }
    }
    result
}

/// How many changes of each mount were carried out, and why no more.
// [STO-31] [STO-32]
fn attempt(
    mounts: &[Mount],
    kept: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> (Vec<usize>, Result<(), Error>) {
    let mut done = vec![0; mounts.len()];
    let prepare = || {
        let mounts: Vec<_> =
            mounts.iter().map(|mount| mount.prepare(deadline)).collect::<Result<_, _>>()?;
        let kept = kept.map(|kept| kept.prepare(deadline)).transpose()?;
        // The last look: what is begun is brought to its end.
        deadline.check()?;
        Ok((mounts, kept))
    };
    let (prepared, kept) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return (done, Err(error)),
    };
    for ((mount, ready), count) in mounts.iter().zip(prepared).zip(&mut done) {
        if let Err(CommitError { path, why }) = ready.apply(count) {
            let path = mount.guest_path(&path);
            let detail = format!("{path}: {why}; {}", carried_out(mounts, &done));
            return (done, Err(Error::new(Code::HostCommit, detail)));
        }
    }
    let result = kept.map_or(Ok(()), |kept| kept.commit()).map_err(|error| {
        let detail = format!("{}; {}", error.detail(), carried_out(mounts, &done));
        Error::new(error.code(), detail)
    });
    (done, result)
}

// [BOX-92]
fn carried_out(mounts: &[Mount], done: &[usize]) -> String {
    let paths = mounts.iter().zip(done).flat_map(|(mount, done)| {
        mount.changes.iter().take(*done).map(|change| mount.guest_path(&change.path))
    });
    let paths: Vec<String> = paths.collect();
    if paths.is_empty() {
        return "nothing was changed".to_owned();
    }
    let shown = paths.iter().take(DONE_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(DONE_SHOWN) {
        0 => format!("carried out before: {shown}"),
        more => format!("carried out before: {shown} and {more} more"),
    }
}
