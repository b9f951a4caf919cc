//! Remembered approvals: `approvals.json`, which saves approvals for later calls.
//!
//! An approval covers one content hash and one digest of grants, host directories included. If either differs
//! it does not apply, and approval is requested again. The text of the grants is for people and decides nothing.

use crate::host::json_file;
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::document::{list, object, text, Document, FromJson};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::{APPROVALS_COUNT_MAX, APPROVALS_FILE_BYTES_MAX};
use crate::kernel::names::{self, is_visible_line};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::time::Timestamp;
use std::path::{Path, PathBuf};

object! {
    /// One remembered approval.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RememberedApproval: FromJson + ToJson {
        /// The package's id, for people; the content hash decides.
        pub package: String, text(names::is_id, "a package id");
        /// The package's content hash.
        pub content_hash: ContentHash;
        /// The digest of the approved grants.
        pub grants: String;
        /// The approved grants as they were shown, for people.
        pub capabilities: Vec<String>;
        /// The name of the person who approved.
        pub by: String, text(is_visible_line, "a name");
        /// The time of the approval.
        pub at: Timestamp;
    }
}

object! {
    struct ApprovalsFile: FromJson + ToJson {
        approvals: Vec<RememberedApproval> = Vec::new(), list(0..=APPROVALS_COUNT_MAX, RememberedApproval::read);
    }
}

// [CONS-32]
impl Document for ApprovalsFile {
    const FORMAT: &'static str = "mpp-approvals/1";
    const BYTES_MAX: usize = APPROVALS_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// The remembered approvals of one home directory.
#[derive(Clone, Debug)]
pub struct Approvals {
    path: PathBuf,
}

impl Approvals {
    /// Returns the approvals of this home directory.
    pub fn new(home: &Path) -> Self {
        Approvals { path: home.join("approvals.json") }
    }

    /// Reads all approvals, oldest first.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self) -> Result<Vec<RememberedApproval>, Error> {
        Ok(json_file::load::<ApprovalsFile>(&self.path)?.unwrap_or_default().approvals)
    }

    /// Returns who approved this package with exactly these grants, if anyone did.
    // [CONS-02]
    pub(crate) fn find(&self, request: &ApprovalRequest) -> Result<Option<String>, Error> {
        let wanted = (&request.content_hash, &request.grants);
        let found = self.all()?.into_iter().find(|one| (&one.content_hash, &one.grants) == wanted);
        Ok(found.map(|approval| format!("{} (remembered)", approval.by)))
    }

    /// Saves an approval. It replaces those of the same package for other contents or grants.
    pub(crate) fn add(
        &self,
        request: &ApprovalRequest,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let approval = RememberedApproval {
            package: request.package.clone(),
            content_hash: request.content_hash.clone(),
            grants: request.grants.clone(),
            capabilities: request.capabilities.clone(),
            by: by.to_owned(),
            at,
        };
        json_file::edit(&self.path, |file: &mut ApprovalsFile| {
            file.approvals.retain(|other| other.package != approval.package);
            file.approvals.push(approval);
            Ok(())
        })
    }

    /// Revokes the approvals of a package. Returns their number.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    // [CONS-04]
    pub fn revoke(&self, package: &str) -> Result<usize, Error> {
        json_file::edit(&self.path, |file: &mut ApprovalsFile| {
            let before = file.approvals.len();
            file.approvals.retain(|approval| approval.package != package);
            Ok(before.saturating_sub(file.approvals.len()))
        })
    }
}
