//! Agreements that are kept for later calls: "this package, as it is now, may do this".
//!
//! An approval holds for one content hash and one digest of grants, directories of the host included.
//! Where either differs it does not apply, and the question is asked anew. How a grant was put into words
//! is kept for people and decides nothing.

use super::Question;
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{list, parsed, read_document, texts};
use crate::json::object::{Fault, Member};
use crate::limits::{APPROVALS_COUNT_MAX, APPROVALS_FILE_BYTES_MAX};
use crate::package::listing::ContentHash;
use crate::package::manifest::rules;
use crate::time::Timestamp;
use crate::trust::is_label;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "approvals.json";
const FORMAT: &str = "mpp-approvals/1";

/// One agreement that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The package's id, for people: what counts is the content hash.
    pub package: String,
    /// The package.
    pub content_hash: ContentHash,
    /// The digest of what it may do.
    pub grants: String,
    /// What it may do, as it was shown: for people.
    pub capabilities: Vec<String>,
    /// Who agreed.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The approvals of one home folder.
#[derive(Clone, Debug)]
pub struct Approvals {
    path: PathBuf,
}

impl Approvals {
    /// Those in this home folder.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Approvals { path: home.join(FILE_NAME) }
    }

    /// All of them, in the order in which they were given.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self) -> Result<Vec<Approval>, Error> {
        read(home::read_file(&self.path, APPROVALS_FILE_BYTES_MAX)?)
    }

    /// Who agreed to this package with exactly these grants.
    // [CONS-02]
    pub(super) fn find(&self, question: &Question) -> Result<Option<String>, Error> {
        let wanted = (&question.content_hash, &question.grants);
        let found = self.all()?.into_iter().find(|one| (&one.content_hash, &one.grants) == wanted);
        Ok(found.map(|approval| format!("{} (remembered)", approval.by)))
    }

    /// Keeps an agreement. One package has one: a newer one takes the place of those for other contents or
    /// grants.
    pub(super) fn add(&self, question: &Question, by: &str, at: Timestamp) -> Result<(), Error> {
        let approval = Approval {
            package: question.package.clone(),
            content_hash: question.content_hash.clone(),
            grants: question.grants.clone(),
            capabilities: question.capabilities.clone(),
            by: by.to_owned(),
            at,
        };
        home::edit_file(&self.path, APPROVALS_FILE_BYTES_MAX, |bytes| {
            let mut all = read(bytes)?;
            all.retain(|other| other.package != approval.package);
            all.push(approval);
            if all.len() > APPROVALS_COUNT_MAX {
                let detail = format!("more than {APPROVALS_COUNT_MAX} approvals");
                return Err(Error::new(Code::ConsentInvalid, detail));
            }
            Ok((Some(written(&all)), ()))
        })
    }

    /// Takes back what was kept for a package. Gives how many agreements that were.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    // [CONS-04]
    pub fn revoke(&self, package: &str) -> Result<usize, Error> {
        home::edit_file(&self.path, APPROVALS_FILE_BYTES_MAX, |bytes| {
            let mut all = read(bytes)?;
            let before = all.len();
            all.retain(|approval| approval.package != package);
            let gone = before.saturating_sub(all.len());
            Ok(((gone > 0).then(|| written(&all)), gone))
        })
    }
}

fn written(all: &[Approval]) -> Vec<u8> {
    let approval = |one: &Approval| {
        json!({
            "package": one.package, "content_hash": one.content_hash.as_str(),
            "grants": one.grants, "capabilities": one.capabilities, "by": one.by,
            "at": one.at.to_string(),
        })
    };
    let all: Vec<Value> = all.iter().map(approval).collect();
    (json!({ "format": FORMAT, "approvals": all }).to_string() + "\n").into_bytes()
}

fn read(bytes: Option<Vec<u8>>) -> Result<Vec<Approval>, Error> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    read_document(&bytes, APPROVALS_FILE_BYTES_MAX, Code::ConsentInvalid, |root| {
        parsed(&root.required("format")?, FORMAT, |text| (text == FORMAT).then_some(()))?;
        list(root.optional("approvals"), read_approval)
    })
    .map_err(|error| Error::new(error.code(), format!("{FILE_NAME}: {}", error.detail())))
}

fn read_approval(member: &Member<'_>) -> Result<Approval, Fault> {
    member.object(|one| {
        Ok(Approval {
            package: parsed(&one.required("package")?, "a package id", |text| {
                rules::is_id(text).then(|| text.to_owned())
            })?,
            content_hash: parsed(&one.required("content_hash")?, "a hash", ContentHash::parse)?,
            grants: one.required("grants")?.text()?.to_owned(),
            capabilities: texts(Some(one.required("capabilities")?), "a text", |_| true)?,
            by: parsed(&one.required("by")?, "a name", |text| {
                is_label(text).then(|| text.to_owned())
            })?,
            at: parsed(&one.required("at")?, "a time", Timestamp::parse)?,
        })
    })
}
