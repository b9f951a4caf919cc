//! What a person is asked: shown, kept in a file while it waits, and named by a proof.

use crate::kernel::document::{object, text};
use crate::kernel::json;
use crate::kernel::limits::REQUEST_DEPTH_MAX;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::risk::SecurityLevel;
use crate::kernel::prelude::*;

object! {
    /// What a person is asked.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ApprovalRequest: FromJson + ToJson {
        /// The package: its id.
        pub package: String;
        /// Its version.
        pub version: String;
        /// Its name, for people.
        pub name: String;
        /// Its publisher, as the trust store has it.
        pub publisher: String;
        /// Its contents.
        pub content_hash: ContentHash;
        /// The tool that is to run.
        pub tool: String;
        /// Whether its effect can't be undone, so that a proof for exactly this call is needed.
        pub is_destructive: bool;
        /// What it is called with: the text of a JSON value, which may be nested deeper than a document.
        pub arguments: String, text(is_json, "the text of a JSON value");
        /// Their keyed digest, as the record will have it.
        pub arguments_digest: String;
        /// Who asks for the call, by its own word.
        pub agent: Option<String> = None;
        /// What would be granted, one line each.
        pub capabilities: Vec<String>;
        /// The digest of what would be granted.
        pub grants: String;
        /// How much harm that can do.
        pub security_level: SecurityLevel;
    }
}

/// Only as it is written here: a line break between two members would look like another row.
fn is_json(text: &str) -> bool {
    json::parse(text.as_bytes(), REQUEST_DEPTH_MAX).is_ok_and(|value| format!("{value}") == text)
}

impl ApprovalRequest {
    /// What an answer holds for, and nothing else: these contents, this tool, these arguments, these grants.
    pub fn scope(&self) -> String {
        let ApprovalRequest { content_hash, tool, arguments_digest, grants, .. } = self;
        format!("{content_hash}\n{tool}\n{arguments_digest}\n{grants}")
    }
}
