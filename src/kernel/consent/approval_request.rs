//! Approval requests: what an approver sees, what waits in a file, and what a proof is bound to.

use crate::kernel::document::{object, optional, text};
use crate::kernel::json;
use crate::kernel::limits::REQUEST_DEPTH_MAX;
use crate::kernel::names::is_tool_name;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::risk::SecurityLevel;
use crate::kernel::prelude::*;

object! {
    /// A request for the approval of one call.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ApprovalRequest: FromJson + ToJson {
        /// Id of the package.
        pub package: String;
        /// Version of the package.
        pub version: String;
        /// Display name of the package.
        pub name: String;
        /// Publisher, by its name in the trust store.
        pub publisher: String;
        /// Content hash of the package.
        pub content_hash: ContentHash;
        /// Name of the tool.
        pub tool: String;
        /// The name under which the agent called it, if that is another one.
        pub listed_as: Option<String> = None, optional(text(is_tool_name, "a tool's name"));
        /// Whether its effect cannot be undone, which requires a proof of approval for exactly this call.
        pub is_destructive: bool;
        /// Arguments: the text of a JSON value, which can be nested more deeply than a document.
        pub arguments: String, text(is_json, "the text of a JSON value");
        /// Keyed digest of the arguments, as in the audit record.
        pub arguments_digest: String;
        /// The calling agent (self-reported).
        pub agent: Option<String> = None;
        /// The capabilities to be granted, one line each.
        pub capabilities: Vec<String>;
        /// Digest of the capabilities to be granted.
        pub grants: String;
        /// Risk level of the package.
        pub security_level: SecurityLevel;
    }
}

/// Only the compact form is accepted: a line break between members could look like another line of the prompt.
fn is_json(text: &str) -> bool {
    json::parse(text.as_bytes(), REQUEST_DEPTH_MAX).is_ok_and(|value| format!("{value}") == text)
}

impl ApprovalRequest {
    /// Returns what a decision is bound to: these contents, this tool, these arguments and these grants.
    pub fn binding(&self) -> String {
        let ApprovalRequest { content_hash, tool, arguments_digest, grants, .. } = self;
        format!("{content_hash}\n{tool}\n{arguments_digest}\n{grants}")
    }
}
