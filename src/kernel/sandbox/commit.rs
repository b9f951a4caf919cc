//! Two-phase commit of a guest's changes, after its call has succeeded.
//!
//! Prepare: every directory and storage stage their changes, so that a full disk shows before anything has
//! changed. Commit: the changes are applied, storage last.

use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::directory::{Change, CommitError, Directory, PreparedChanges};
use crate::kernel::limits::COMMIT_CHANGE_US;
use crate::kernel::prelude::*;
use crate::kernel::storage::NewSnapshot;
use crate::kernel::text::quote_untrusted;
use core::time::Duration;

/// The changes below one mapped directory.
#[derive(Clone, Debug)]
pub(super) struct MountChanges {
    /// Where the guest sees the directory.
    pub(super) guest: String,
    pub(super) host: Arc<dyn Directory>,
    pub(super) changes: Vec<Change>,
}

impl MountChanges {
    pub(super) fn guest_path(&self, path: &str) -> String {
        format!("{}/{path}", self.guest.trim_end_matches('/'))
    }

    // [BOX-90]
    fn prepare(&self, deadline: &Deadline) -> Result<Box<dyn PreparedChanges + '_>, Error> {
        self.host.prepare(&self.changes, deadline).map_err(|CommitError { path, why }| {
            if let (Err(interrupted), CommitError::ENDED) = (deadline.check(), why.as_str()) {
                return nothing_changed(interrupted);
            }
            let path = quote_untrusted(&self.guest_path(&path));
            let detail = format!("{path}: {why}; nothing was changed");
            Error::new(Code::HostCommit, detail)
        })
    }
}

/// Returns the error of a call that ended before the first change.
fn nothing_changed(interrupted: Interrupted) -> Error {
    let error = Error::from(interrupted);
    let detail = "while its changes were prepared; nothing was changed";
    Error::new(error.code(), format!("{} {detail}", error.detail()))
}

/// Most paths listed of the changes applied before a failure.
const PATHS_SHOWN_MAX: usize = 20;

/// Applies the changes of all mounts and of storage. On an error the lists keep only the changes already
/// applied.
// [BOX-90] [BOX-91]
pub(super) fn apply(
    mounts: &mut [MountChanges],
    storage: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> Result<(), Error> {
    // One global lock order, so that two calls cannot deadlock.
    mounts.sort_by_cached_key(|mount| mount.host.identity_chain().first().copied());
    let (done, result) = attempt(mounts, storage, deadline);
    if result.is_err() {
        for (mount, done) in mounts.iter_mut().zip(done) {
            mount.changes.truncate(done);
        }
    }
    result
}

/// Returns the number of changes applied in each mount, and the error that stopped it.
// [STO-31] [STO-32]
fn attempt(
    mounts: &[MountChanges],
    storage: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> (Vec<usize>, Result<(), Error>) {
    let mut done = vec![0; mounts.len()];
    let count = mounts.iter().map(|mount| mount.changes.len()).sum::<usize>();
    let time = COMMIT_CHANGE_US.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
    // A commit that has started is completed, so it has to fit into the time that is left.
    // [BOX-99]
    let check = || deadline.check_before(Duration::from_micros(time)).map_err(nothing_changed);
    let prepare = || {
        check()?;
        let mounts: Vec<_> =
            mounts.iter().map(|mount| mount.prepare(deadline)).collect::<Result<_, _>>()?;
        let storage = storage.map(|storage| storage.prepare(deadline)).transpose()?;
        check()?;
        Ok((mounts, storage))
    };
    let (prepared, storage) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return (done, Err(error)),
    };
    for ((mount, ready), count) in mounts.iter().zip(prepared).zip(&mut done) {
        if let Err(CommitError { path, why }) = ready.apply(count) {
            let path = quote_untrusted(&mount.guest_path(&path));
            let detail = format!("{path}: {why}; {}", describe_applied(mounts, &done));
            return (done, Err(Error::new(Code::HostCommit, detail)));
        }
    }
    let result = storage.map_or(Ok(()), |storage| storage.commit()).map_err(|error| {
        let detail = format!("{}; {}", error.detail(), describe_applied(mounts, &done));
        Error::new(error.code(), detail)
    });
    (done, result)
}

// [BOX-92]
fn describe_applied(mounts: &[MountChanges], done: &[usize]) -> String {
    let paths = mounts.iter().zip(done).flat_map(|(mount, done)| {
        mount
            .changes
            .iter()
            .take(*done)
            .map(|change| quote_untrusted(&mount.guest_path(&change.path)))
    });
    let paths: Vec<String> = paths.collect();
    if paths.is_empty() {
        return "nothing was changed".to_owned();
    }
    let shown = paths.iter().take(PATHS_SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(PATHS_SHOWN_MAX) {
        0 => format!("already applied: {shown}"),
        more => format!("already applied: {shown} and {more} more"),
    }
}
