//! `mpp`: a small, auditable runtime for signed AI-agent tools.
//!
//! ```text
//!  .mpp bytes ─► GATEKEEPER (7 checks) ─► AttestationResult ─► POLICY ─► CapabilityToken ─► SANDBOX ─► raw answer
//!                                                                 │ asks a person       │ DOOR: http       │
//!  request ───────────────────────────────────────────────────────┘              answer ◄─── PRIVACY ◄─────┘
//!  and the AUDIT log has the intent on disk before anything runs, and the outcome before anything leaves
//! ```
//!
//! Each stage returns a value that only it can make, and the next one does not start without it:
//! skipping the Gatekeeper, the policy or the token does not compile.
//!
//! # The pipeline, stage by stage
//!
//! ```
//! use mpp::sandbox::{extract_approved_dirs, extract_approved_env_vars, tools_call_request};
//! use mpp::{Gatekeeper, PermissionPolicy, PolicyDecision, PrivacyFilterEngine, SandboxConfig, WasmSandbox};
//! use std::{path::Path, time::Duration};
//!
//! # let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/example");
//! # std::env::set_current_dir(&example).expect("the example's folder");
//! # std::env::set_var("MPP_HOME", example); // whose trust.json knows the publisher
//! // 1. Verify the package: one of the README's first command, by a publisher whom this user's home trusts
//! let result = Gatekeeper::verify_file(Path::new("text_stats.mpp"))?;
//!
//! // 2. Evaluate permissions
//! let policy = PermissionPolicy::new()
//!     .trust_package("org.mycompany.internal-tool")
//!     .auto_approve_low(true);
//!
//! match policy.evaluate(&result.manifest) {
//!     PolicyDecision::Granted(token) => {
//!         // 3. Execute in sandbox
//!         let arguments = serde_json::json!({"text": "Ann: ann@example.com", "containing": "Ann"});
//!         let request_bytes = tools_call_request("extract_lines", &arguments);
//!         let config = SandboxConfig {
//!             memory_limit_bytes: result.manifest.runtime.memory_limit_mb as u64 * 1024 * 1024,
//!             timeout: Duration::from_millis(result.manifest.runtime.timeout_ms as u64),
//!             stdin_data: request_bytes,
//!             env_vars: extract_approved_env_vars(&token),
//!             dir_mappings: extract_approved_dirs(&token),
//!             capability_token: Some(token),
//!             allowed_network_domains: result.manifest.capabilities.network.clone(),
//!         };
//!         let sandbox = WasmSandbox::new()?;
//!         let output = sandbox.execute(&result.wasm_binary, config)?;
//!         let response = output.response()?;
//!
//!         // 4. Apply privacy filters
//!         let custom_patterns = result.manifest.privacy_filters.custom.clone();
//!         let engine = PrivacyFilterEngine::from_config(
//!             &result.manifest.privacy_filters.patterns,
//!             &custom_patterns,
//!         )?;
//!         let (filtered, applied) = engine.redact_json(&response.result.content);
//!         assert_eq!(filtered[0]["text"], "Ann: [EMAIL]");
//!         assert_eq!(applied.total(), 1);
//!     }
//!     PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
//!         println!("{security_level}: {capabilities:?}"); // ask a person, then `policy.confirm`
//!     }
//!     PolicyDecision::Denied { reason } => println!("{reason}"),
//! }
//! # Ok::<(), mpp::Error>(())
//! ```
//!
//! These stages keep no record. [`runtime::Runtime::call`] is the same pipeline with the person's
//! consent, argument and answer schemas, and the audit log in their places; the command line uses it.
//! [`call::call`] is that pipeline for any other host: [`Host`] shows the smallest one.
//! [`mcp::Server`] offers installed packages to an agent by the same call.
//!
//! # In a debug build
//!
//! The engine needs its optimisation: without it a tool runs fifty times slower, and ends of fuel and memory
//! come out as time-outs. Profiles of a dependency don't count, so these lines belong in the `Cargo.toml`
//! of the program that embeds this crate:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! [profile.dev.package.wasmi]
//! debug-assertions = false
//! overflow-checks = false
//! ```
//!
//! # Reading order
//!
//! Lower rooms know nothing of higher ones. A reviewer who reads in this order meets nothing that was
//! not explained before.
//!
//! | | read | and find that |
//! |---|---|---|
//! | 1 | [`runtime`] | one function is the picture above; nothing runs or leaves without a record |
//! | 2 | [`gatekeeper`] | seven functions in a row end in an attestation that nothing else can make |
//! | 3 | [`error`], [`limits`] | every reason code and every fixed limit stands in one table each |
//! | 4 | [`package::archive`], `names` | an archive has one reading, and every byte of it is accounted for |
//! | 5 | [`package::listing`], [`package::signature`], [`package::key`] | what the identity is, which bytes are signed, which keys count |
//! | 6 | [`json`], `document`, [`package::manifest`], [`package::schema`] | nothing declared goes unread; arguments are held against their schema |
//! | 7 | [`trust`], [`home`], `files` | whose signatures count for which ids, until when; one way to read, change and lock a file |
//! | 8 | [`agent`] | who asks is a claim: it is recorded, and can only narrow what runs |
//! | 9 | [`policy`] | what was asked for, cut to what the host allows; what runs unasked; a published risk table |
//! | 10 | [`secrets`] | where values come from that nobody may see, and how they are found |
//! | 11 | [`module`] | what a module may be is settled before anything of it is allocated |
//! | 12 | [`sandbox`] | a guest sees what its token holds, and ends within its limits, the same everywhere |
//! | 13 | [`door`], [`storage`] | the one way out: hosts and ports that were granted, at addresses that were judged; what a package keeps is whole, and its own |
//! | 14 | [`privacy`] | what the filter knows is found in every copy, or nothing leaves |
//! | 15 | [`audit`] | records are chained, survive crashes, and hold no values |
//! | 16 | [`consent`] | a person's word is for one package as it is, or for one call; no agent can give it |
//! | 17 | [`store`] | the installed set changes in one step, and is no proof of anything |
//! | 18 | [`mcp`] | whatever an agent sends ends in [`runtime`] or in an error |
//! | 19 | [`package::pack`], `package::writer` | making packages; nothing here decides anything |
//!
//! Floors, the lowest last:
//!
//! ```text
//!  5  the command line (with curl for the door), mcp      what people and agents start
//!  4  runtime                                             one call, from bytes to its answer
//!  3  consent, store, audit                               who said yes, what is installed, what happened
//!  2  gatekeeper, policy, module, sandbox, door, storage  what may run, and what it may touch
//!  1  package, trust, privacy, secrets, agent             whose package, what must not leave, who asks
//!  0  error, limits, names, json, document, pattern, files,
//!     encoding, text, time, deadline, home               what all of them use
//! ```
//!
//! [`encoding`], [`time`] and [`package::version`] are tools that all of them use. `spec/` states
//! every rule with an id, which stands above the line that enforces it.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code, unused_must_use)]
#![deny(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;

#[cfg(all(test, feature = "std"))]
#[path = "../conformance/unit/after_guest.rs"]
mod after_guest;
#[cfg(feature = "std")]
mod host;
#[cfg(feature = "runtime")]
mod kernel;
#[cfg(feature = "std")]
pub mod mcp;

#[cfg(feature = "runtime")]
mod public;
#[cfg(feature = "runtime")]
pub use public::*;
