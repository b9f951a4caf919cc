//! Agreements that are kept for later calls: "this package, as it is now, may do this".
//!
//! An approval holds for one content hash and one digest of grants, directories of the host included.
//! Where either differs it does not apply, and the question is asked anew. How a grant was put into words
//! is kept for people and decides nothing.

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
    /// One agreement that was kept.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RememberedApproval: FromJson + ToJson {
        /// The package's id, for people: what counts is the content hash.
        pub package: String, text(names::is_id, "a package id");
        /// The package.
        pub content_hash: ContentHash;
        /// The digest of what it may do.
        pub grants: String;
        /// What it may do, as it was shown: for people.
        pub capabilities: Vec<String>;
        /// Who agreed.
        pub by: String, text(is_visible_line, "a name");
        /// When.
        pub at: Timestamp;
    }
}

object! {
    struct ApprovalsFile: FromJson + ToJson {
        approvals: Vec<RememberedApproval> = Vec::new(), list(0..=APPROVALS_COUNT_MAX, RememberedApproval::read);
    }
}

impl Document for ApprovalsFile {
    const FORMAT: &'static str = "mpp-approvals/1";
    const BYTES_MAX: usize = APPROVALS_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// The approvals of one home folder.
#[derive(Clone, Debug)]
pub struct Approvals {
    path: PathBuf,
}

impl Approvals {
    /// Those in this home folder.
    pub fn new(home: &Path) -> Self {
        Approvals { path: home.join("approvals.json") }
    }

    /// All of them, in the order in which they were given.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self) -> Result<Vec<RememberedApproval>, Error> {
        Ok(json_file::load::<ApprovalsFile>(&self.path)?.unwrap_or_default().approvals)
    }

    /// Who agreed to this package with exactly these grants.
    // [CONS-02]
    pub(crate) fn find(&self, question: &ApprovalRequest) -> Result<Option<String>, Error> {
        let wanted = (&question.content_hash, &question.grants);
        let found = self.all()?.into_iter().find(|one| (&one.content_hash, &one.grants) == wanted);
        Ok(found.map(|approval| format!("{} (remembered)", approval.by)))
    }

    /// Keeps an agreement. One package has one: a newer one takes the place of those for other contents or
    /// grants.
    pub(crate) fn add(
        &self,
        question: &ApprovalRequest,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let approval = RememberedApproval {
            package: question.package.clone(),
            content_hash: question.content_hash.clone(),
            grants: question.grants.clone(),
            capabilities: question.capabilities.clone(),
            by: by.to_owned(),
            at,
        };
        json_file::edit(&self.path, |kept: &mut ApprovalsFile| {
            kept.approvals.retain(|other| other.package != approval.package);
            kept.approvals.push(approval);
            Ok(())
        })
    }

    /// Takes back what was kept for a package. Gives how many agreements that were.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    // [CONS-04]
    pub fn revoke(&self, package: &str) -> Result<usize, Error> {
        json_file::edit(&self.path, |kept: &mut ApprovalsFile| {
            let before = kept.approvals.len();
            kept.approvals.retain(|approval| approval.package != package);
            Ok(before.saturating_sub(kept.approvals.len()))
        })
    }
}
