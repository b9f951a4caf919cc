//! Floor 3: a person's word: how it is asked for, kept, proved and spent.
//!
//! The policy says when a person has to agree. Then `Consent::obtain` looks for a word given before
//! ([`approvals`]), and asks a [`Person`] if there is none. A destructive tool is asked about each time,
//! and needs a proof made for exactly this call ([`attestation`]). A server has nobody at its terminal: it
//! leaves the question where a person finds it ([`pending`]). Nothing that an agent sends reaches any of
//! these files.

pub mod approvals;
pub mod attestation;
pub mod pending;
#[cfg(test)]
mod tests;

use crate::agent::Agent;
use crate::audit::Digest;
use crate::error::{Code, Error};
use crate::gatekeeper::VerifiedManifest;
use crate::package::listing::ContentHash;
use crate::policy::{Capability, ConsentRules, SecurityLevel};
use crate::sandbox::Changes;
use crate::time::Timestamp;
use crate::trust::is_label;
use approvals::Approvals;
use attestation::EphemeralAttestation;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What a person is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The package: name, version, publisher, content hash.
    pub manifest: &'a VerifiedManifest,
    /// The tool that is to run.
    pub tool: &'a str,
    /// Whether its effect can't be undone, so that a proof for exactly this call is needed.
    pub is_destructive: bool,
    /// What it is called with.
    pub arguments: &'a Value,
    /// Their digest, as the record will have it.
    pub arguments_digest: &'a Digest,
    /// Who asks for the call, by its own word.
    pub agent: Option<&'a Agent>,
    /// What would be granted.
    pub capabilities: &'a [Capability],
    /// How much harm that can do.
    pub security_level: SecurityLevel,
}

impl Question<'_> {
    /// What a proof of consent is about.
    #[must_use]
    pub fn matter(&self) -> Matter<'_> {
        let content_hash = self.manifest.content_hash();
        Matter { content_hash, tool: self.tool, arguments: self.arguments_digest.as_str() }
    }

    /// The capabilities as they are shown, which is also what a remembered word is bound to.
    #[must_use]
    pub fn capability_lines(&self) -> Vec<String> {
        self.capabilities.iter().map(Capability::to_string).collect()
    }
}

/// One call, as a proof of consent names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matter<'a> {
    /// The package.
    pub content_hash: &'a ContentHash,
    /// The tool.
    pub tool: &'a str,
    /// The keyed digest of the arguments.
    pub arguments: &'a str,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes, for this call. The text says who, for the record. Not enough for a destructive tool.
    Agreed(String),
    /// Yes, and for every later call of this package, while contents and capabilities stay as they are.
    AgreedForLater(String),
    /// Yes, with the proof that a destructive tool needs.
    Attested(EphemeralAttestation),
    /// No.
    Declined,
    /// There is nobody to ask, which means no.
    Nobody,
    /// Nobody answered, which means no; the text says what was tried.
    Unanswered(String),
}

/// Whoever can be asked for consent. An agent is not a person.
pub trait Person {
    /// Asks once.
    fn ask(&self, question: &Question<'_>) -> Reply;

    /// Shows what a tool that has succeeded would change on the host, before it is done. Whoever
    /// agreed to the directory has agreed to this, unless they want to see it.
    fn agrees_to_changes(&self, _changes: &Changes) -> bool {
        true
    }
}

/// Nobody: for pipelines and tests.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn ask(&self, _: &Question<'_>) -> Reply {
        Reply::Nobody
    }
}

/// A word that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// By whom.
    pub(crate) by: String,
    /// The proof, for the record.
    pub(crate) attestation: Option<String>,
}

/// Where the words of one host are kept.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    home: PathBuf,
}

impl Consent {
    pub(crate) fn new(home: &Path) -> Self {
        Consent { home: home.to_owned() }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A person's word for a call, from before or asked for now. It is kept only if `look_again` finds, once
    /// it was given, that the package may still run.
    ///
    /// # Errors
    /// `policy.declined`, `policy.confirmation_required`, `policy.attestation`, `consent.invalid`,
    /// `host.file`, and what `look_again` gives.
    // [RUN-04] [CONS-01] [CONS-02] [CONS-05]
    pub(crate) fn obtain(
        &self,
        question: &Question<'_>,
        rules: ConsentRules,
        person: &dyn Person,
        clock: &dyn Fn() -> Timestamp,
        look_again: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Word, Error> {
        let Question { manifest, security_level, .. } = question;
        let id = &manifest.id;
        let approvals = Approvals::new(&self.home);
        if rules.remember && !question.is_destructive {
            if let Some(by) = approvals.find(manifest, &question.capability_lines())? {
                return Ok(Word { by, attestation: None });
            }
        }
        let unanswered = |why: &str| {
            let detail = format!("{id} needs consent at level {security_level}{why}");
            Err(Error::new(Code::PolicyConfirmation, detail))
        };
        let reply = person.ask(question);
        // Only now: a person takes time.
        let now = clock();
        match reply {
            Reply::Attested(proof) => {
                let attestation = Some(proof.spend(&self.home, &question.matter(), now)?);
                Ok(Word { by: proof.by().to_owned(), attestation })
            }
            // [CONS-03]
            Reply::Agreed(_) | Reply::AgreedForLater(_) if question.is_destructive => {
                let detail = format!("{} of {id} came without proof of consent", question.tool);
                Err(Error::new(Code::PolicyAttestation, detail))
            }
            Reply::Agreed(by) => Ok(Word { by, attestation: None }),
            Reply::AgreedForLater(by) => {
                if rules.remember && is_label(&by) {
                    look_again()?;
                    approvals.add(manifest, question.capability_lines(), &by, now)?;
                }
                Ok(Word { by, attestation: None })
            }
            Reply::Declined => Err(Error::new(Code::PolicyDeclined, format!("{id} may not run"))),
            Reply::Nobody => unanswered(""),
            Reply::Unanswered(why) => unanswered(&format!(", and {why}")),
        }
    }
}
