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
//! # What may touch what
//!
//! ```text
//!            ┌───────────── kernel/: pure, no_std ─────────────┐
//!  bytes ──► │ gatekeeper ► policy ► sandbox ► privacy ► record │ ──► filtered answer
//!  request ► └───────────────────────┬─────────────────────────┘
//!                   one trait, Host: what it needs from outside
//!            ┌───────────────────────▼─────────────────────────┐
//!            │ host/: clocks, files, network, people, the log    │  mcp/ and cli/ start it
//!            └─────────────────────────────────────────────────┘
//! ```
//!
//! `kernel/` is a function of bytes: it opens no file, reads no clock, starts no thread. [`Host`] is all that enters a
//! call, and `host/` is the ordinary computer behind it. Tests keep the rings apart:
//!
//! | ring | what | a defect in it is |
//! |---|---|---|
//! | 0 | `kernel/` but for the detectors, and each file of `host/` that is not in ring 2 | an escape, a forgery, a leak of a key |
//! | 1 | `kernel/privacy/detect/`: text and context in, spans out | personal data that leaks, or an answer altered wrongly |
//! | 2 | `host/store.rs`, `host/pack.rs`, `mcp/`, `cli/` | a bug of convenience: they ask ring 0 and decide nothing |
//!
//! # The spine
//!
//! Seventeen files that a reviewer reads in one day, in this order, and then knows whether the promises hold.
//!
//! | file | find that |
//! |---|---|
//! | `kernel/call.rs` | one function is the picture above; nothing runs or leaves without a record |
//! | `kernel/host.rs` | nothing else enters a call, and what a host leaves out refuses |
//! | `kernel/gatekeeper.rs` | seven functions in a row end in an attestation that nothing else can make |
//! | `kernel/package/archive.rs` | an archive has one reading, and every byte of it is accounted for |
//! | `kernel/package/content_hash.rs` | what the identity of a package is |
//! | `kernel/package/key.rs` | which keys count: canonical, of prime order |
//! | `kernel/trust.rs` | whose signatures count for which ids, until when |
//! | `kernel/policy/decide.rs` | what was asked for is cut to what the host allows; what runs unasked |
//! | `kernel/policy/token.rs` | a token holds grants for one package and a time, and only a decision makes one |
//! | `kernel/sandbox/grants.rs` | a token of another package, or one that is over, runs nothing |
//! | `kernel/sandbox/executor.rs` | a guest ends within its fuel, memory and time |
//! | `kernel/network/http.rs` | the one way out: hosts and ports that were granted, each redirect judged anew |
//! | `kernel/network/address.rs` | which addresses a name may lead to |
//! | `host/directory_handle.rs` | a directory is walked name by name, and no link is followed |
//! | `host/commit.rs` | files change one by one, each in one step, after the call has succeeded |
//! | `kernel/audit/chain.rs` | a record can't be changed, added or left out in the middle |
//! | `kernel/consent/attestation.rs` | a person's yes is for one call, once, for minutes |
//!
//! Then read what they rest on: [`error`] and [`limits`] (every code and every limit in one table each), `names` and
//! [`json`] (every lexical rule, and one reading of a text), [`package::manifest`] and [`package::schema`] (nothing declared
//! goes unread), [`module`] (what a module may be, before anything of it is allocated), `kernel/sandbox/` (what a guest
//! sees), [`storage`], [`secrets`], [`privacy`], `host/log/` (the record survives crashes). `spec/` states every rule with an
//! id, which stands above the line that enforces it.

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

#[cfg(feature = "std")]
mod host;
#[cfg(feature = "runtime")]
mod kernel;
#[cfg(feature = "std")]
pub mod mcp;
#[cfg(all(test, feature = "std"))]
#[path = "../conformance/unit/mod.rs"]
mod tests;

#[cfg(feature = "runtime")]
mod public;
#[cfg(feature = "runtime")]
pub use public::*;
