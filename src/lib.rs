//! `mpp`: a small, auditable runtime for signed AI-agent tools.
//!
//! ```text
//!  .mpp bytes ─► GATEKEEPER (7 checks) ─► AttestationResult ─► POLICY ─► CapabilityToken ─► SANDBOX ─► response
//!                                                                 │ approval            │ http service     │
//!  request ───────────────────────────────────────────────────────┘              result ◄─── PRIVACY ◄─────┘
//!  AUDIT: the intent record is on disk before a tool runs, and the outcome record before the result is returned
//! ```
//!
//! Each stage returns a value that only it can create, and the next stage requires it: code that skips the
//! Gatekeeper, the policy or the token does not compile.
//!
//! # The pipeline, stage by stage
//!
//! ```
//! use mpp::sandbox::{extract_approved_dirs, extract_approved_env_vars, tools_call_request};
//! use mpp::{Gatekeeper, PermissionPolicy, PolicyDecision, PrivacyFilterEngine, SandboxConfig, WasmSandbox};
//! use std::{path::Path, time::Duration};
//!
//! # let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/example");
//! # std::env::set_current_dir(&example).expect("the example's directory");
//! # std::env::set_var("MPP_HOME", example); // its trust.json has the publisher
//! // 1. Verify the package, which a publisher in MPP_HOME/trust.json signed
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
//!         println!("{security_level}: {capabilities:?}"); // ask an approver, then `policy.confirm`
//!     }
//!     PolicyDecision::Denied { reason } => println!("{reason}"),
//! }
//! # Ok::<(), mpp::Error>(())
//! ```
//!
//! These stages write no audit log. [`runtime::Runtime::call`] is the same pipeline with approvals, schemas of
//! arguments and results, and the audit log; the command line uses it. [`pipeline::call`] is that pipeline for any
//! other host: [`Host`] has the smallest example. [`mcp::Server`] serves installed packages to an agent.
//!
//! # In a debug build
//!
//! Without optimization the engine is fifty times slower, and calls time out before they reach their limits of
//! fuel and memory. Cargo ignores the profiles of a dependency, so add these lines to the `Cargo.toml` of the
//! program that embeds this crate:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! [profile.dev.package.wasmi]
//! debug-assertions = false
//! overflow-checks = false
//! ```
//!
//! # Kernel, host and rings
//!
//! ```text
//!            ┌───────────── kernel/: pure, no_std ─────────────┐
//!  bytes ──► │ gatekeeper ► policy ► sandbox ► privacy ► audit │ ──► filtered result
//!  request ► └───────────────────────┬─────────────────────────┘
//!                      one trait, Host: its only imports
//!            ┌───────────────────────▼─────────────────────────┐
//!            │ host/: clocks, files, network, approver, log    │  mcp/ and cli/ start it
//!            └─────────────────────────────────────────────────┘
//! ```
//!
//! `kernel/` opens no file, reads no clock and starts no thread: everything from outside comes through the [`Host`]
//! trait, which `host/` implements for an operating system. A ring says what a defect in a file can cause, and
//! tests verify that no file imports from a higher ring:
//!
//! | ring | files | worst defect |
//! |---|---|---|
//! | 0 | `kernel/` except the detectors, and `host/` except the files in ring 2 | sandbox escape, forgery, leaked key |
//! | 1 | `kernel/privacy/detect/`: text and context to spans | leaked personal data, or a wrongly changed result |
//! | 2 | `host/store.rs`, `host/pack.rs`, `host/question.rs`, `mcp/`, `cli/`, `sdk/` | inconvenience: they call ring 0 and decide nothing |
//!
//! # Start here: the spine
//!
//! Seventeen files, read in this order in one day, show whether the security claims are true.
//!
//! | file | claim |
//! |---|---|
//! | `kernel/pipeline.rs` | one function is the pipeline; without an audit record no tool runs and no result is returned |
//! | `kernel/host.rs` | a call has no other input, and a method that a host does not implement refuses |
//! | `kernel/gatekeeper.rs` | seven checks in sequence return an attestation result that no other code can create |
//! | `kernel/package/archive.rs` | an archive is unambiguous, and each of its bytes is checked |
//! | `kernel/package/content_hash.rs` | the content hash identifies a package |
//! | `kernel/package/key.rs` | keys are canonical points of prime order |
//! | `kernel/trust.rs` | a signature counts only within the publisher's namespaces, by a valid key that is not revoked |
//! | `kernel/policy/decide.rs` | requested capabilities are reduced to what the policy allows; what runs without approval |
//! | `kernel/policy/token.rs` | a token is for one package and expires, and only a policy decision creates one |
//! | `kernel/sandbox/token.rs` | an expired token or one for another package runs nothing |
//! | `kernel/sandbox/executor.rs` | a guest ends within its limits of fuel, memory and time |
//! | `kernel/network/http_broker.rs` | requests reach only granted hosts and ports, and each redirect is checked again |
//! | `kernel/network/address.rs` | requests reach no internal address that the policy does not allow |
//! | `host/directory_handle.rs` | directories are opened component by component, and no symbolic link is followed |
//! | `host/commit.rs` | files change after the call has succeeded, each atomically |
//! | `kernel/audit/chain.rs` | changed, added or removed records within the log are detected |
//! | `kernel/consent/attestation.rs` | a proof of approval is for one call, used once, and expires in minutes |
//!
//! Next, read what they depend on: [`error`] and [`limits`] (the tables of codes and limits), `names` and [`json`]
//! (lexical rules), [`package::manifest`] and [`package::schema`] (every declared member is checked), [`module`]
//! (validation before allocation), `kernel/sandbox/` (what a guest sees), [`storage`], [`secrets`], [`privacy`], `host/log/`
//! (crash safety). `spec/` states each rule with an id, which is in a comment above the line that enforces it.

#![cfg_attr(not(any(feature = "std", feature = "sdk")), no_std)]
#![forbid(unused_must_use)]
// The exception: in a tool, which is compiled to WebAssembly, `sdk/` calls the two functions of DOOR-01.
#![cfg_attr(not(all(target_arch = "wasm32", feature = "sdk")), forbid(unsafe_code))]
#![cfg_attr(all(target_arch = "wasm32", feature = "sdk"), deny(unsafe_code))]
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
// `sdk/mod.rs` names `serde`, which a tool has for its derive. The traits are those of serde_core.
#[cfg(feature = "sdk")]
extern crate serde_core as serde;

#[cfg(feature = "std")]
mod host;
#[cfg(feature = "runtime")]
mod kernel;
#[cfg(feature = "std")]
pub mod mcp;
/// For authors of tools. An example, which runs in a native program:
///
/// ```
/// use mpp::sdk::{tool_handler, Answer, Call, Failure, Handler};
/// use std::collections::BTreeMap;
///
/// // Any type with serde's `Deserialize` will do; a tool derives it.
/// fn count(arguments: BTreeMap<String, String>, call: &Call) -> Result<Answer, Failure> {
///     let text = arguments.get("text").ok_or_else(|| Failure::arguments("text is missing"))?;
///     let agent = call.agent().map_or("an agent", |agent| &agent.name);
///     let words = text.split_whitespace().count();
///     Ok((format!("{words} words for {agent}"), serde_json::json!({ "words": words })).into())
/// }
///
/// fn tools() -> Handler {
///     tool_handler().tool("count", count) // `main` is: tools().run()
/// }
///
/// let answer = tools().call("count", serde_json::json!({ "text": "a b c" }))?;
/// assert_eq!(answer.structure["words"], 3);
/// let refused = tools().call("count", serde_json::json!({ "text": 3 }));
/// assert!(matches!(refused, Err(Failure::Arguments(_))));
/// let request = br#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
/// assert!(tools().answer(request).contains("-32601"));
/// # Ok::<(), Failure>(())
/// ```
#[cfg(feature = "sdk")]
// Debian 12 has this Rust with a standard library for WASI.
#[clippy::msrv = "1.63"]
pub mod sdk;
#[cfg(all(test, feature = "std"))]
#[path = "../conformance/unit/mod.rs"]
mod tests;

#[cfg(feature = "runtime")]
mod public;
#[cfg(feature = "runtime")]
pub use public::*;
