//! The fuzz targets: functions on bytes that hold an input against properties, not only against panics.
//!
//! Three drivers call them: libFuzzer (`fuzz_targets/`), a bounded mutator in `cargo test`, and the
//! replay of the corpus (both in `conformance/tests/fuzz.rs`). A target gives the reason code with
//! which the input was refused, if it was, so that a driver can see how deep it came.

use mpp::encoding::sha256_hex;
use mpp::package::archive::{self, Entry};
use mpp::package::key::{KeyId, PublicKey};
use mpp::package::manifest::{Manifest, Protocol};
use mpp::package::schema::Schema;
use mpp::package::signature::SignatureFile;
use mpp::package::writer::{write, Compression};
use mpp::policy::PolicyDecision;
use mpp::privacy::PrivacyFilterEngine;
use mpp::sandbox::Execution;
use mpp::storage::{self, StorageOwner};
use mpp::{gatekeeper as gate, limits, module as wasm};
use mpp::{AttestationResult, Code, Error, Gatekeeper, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::time::Duration;

/// What a target says of an input: the code it was refused with, if it was.
pub type Verdict = Option<Code>;

const AUTHOR_STORE: &[u8] = include_bytes!("../conformance/vectors/stores/author.json");
const PARENT: &[u8] = include_bytes!("../conformance/vectors/archive/accept-stored.mpp");

/// A target: its name, which is that of its folder in `corpus/`, and the function.
pub type Target = (&'static str, fn(&[u8]) -> Verdict);

/// Every target.
pub const ALL: &[Target] = &[
    ("archive", archive),
    ("manifest", manifest),
    ("gatekeeper", gatekeeper),
    ("module", module),
    ("signature_file", signature_file),
    ("schema", schema),
    ("json", json),
    ("trust", trust),
    ("policy", policy),
    ("answer", answer),
    ("privacy", privacy),
    ("audit_verify", audit_verify),
    ("storage", storage),
];

fn refused<T>(result: &Result<T, Error>) -> Verdict {
    result.as_ref().err().map(Error::code)
}

/// An archive that is read can be written again, and is read as the same entries; one whose entries
/// are all stored is the only archive of its contents, byte for byte.
pub fn archive(bytes: &[u8]) -> Verdict {
    let result = archive::read(bytes);
    let Ok(entries) = &result else { return refused(&result) };
    assert!(bytes.len() <= limits::ARCHIVE_BYTES_MAX);
    assert!((1..=limits::ENTRIES_COUNT_MAX).contains(&entries.len()));
    assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name), "entries out of order");
    for entry in entries {
        let safe = |part: &str| !part.is_empty() && !part.ends_with('.');
        assert!(entry.name.is_ascii() && entry.name.split('/').all(safe), "{:?}", entry.name);
        assert!(!entry.name.contains(['\\', ':', '\0']), "{:?}", entry.name);
    }
    let contents: BTreeMap<String, Vec<u8>> =
        entries.iter().map(|entry| (entry.name.to_owned(), entry.content.to_vec())).collect();
    assert_eq!(contents.len(), entries.len(), "two entries of one name");
    for compression in [Compression::Stored, Compression::Deflated] {
        let written = write(&contents, compression).expect("what was read can be written");
        let again = archive::read(&written).expect("what was written can be read");
        assert!(same(entries, &again), "written and read again it is another archive");
        let stored = entries.iter().all(|entry| matches!(entry.content, Cow::Borrowed(_)));
        if compression == Compression::Stored && stored {
            assert!(written == bytes, "two archives of the same stored entries");
        }
    }
    let shorter = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
    assert!(archive::read(shorter).is_err(), "the last byte can be left out");
    assert!(archive::read(&[bytes, &[0]].concat()).is_err(), "a byte can be added");
    None
}

fn same(left: &[Entry<'_>], right: &[Entry<'_>]) -> bool {
    let pair = |(a, b): (&Entry<'_>, &Entry<'_>)| a.name == b.name && a.content == b.content;
    left.len() == right.len() && left.iter().zip(right).all(pair)
}

/// A manifest that is read means the same when its JSON is written in another way.
pub fn manifest(bytes: &[u8]) -> Verdict {
    let result = Manifest::parse(bytes);
    assert_eq!(refused(&result), refused(&Manifest::parse(bytes)), "two readings of one text");
    let Ok(manifest) = &result else { return refused(&result) };
    let value: Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
    // Written with its members in another order, without white space, with other escapes.
    let text = value.to_string();
    if text.len() <= limits::MANIFEST_BYTES_MAX {
        let again = Manifest::parse(text.as_bytes());
        assert_eq!(again.as_ref(), Ok(manifest), "another spelling is another manifest");
    }
    let texts = [&manifest.id, &manifest.name, &manifest.description, &manifest.runtime.entry];
    let forbidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(texts.iter().all(|text| !text.is_empty() && !text.contains(forbidden)));
    assert!(!manifest.tools.is_empty() && manifest.tools.len() <= limits::TOOLS_COUNT_MAX);
    let runtime = &manifest.runtime;
    assert!((1..=limits::MEMORY_MB_MAX).contains(&runtime.memory_limit_mb));
    assert!((1..=limits::TIMEOUT_MS_MAX).contains(&runtime.timeout_ms));
    assert!((1..=limits::FUEL_MAX).contains(&runtime.fuel));
    assert!((1..=limits::OUTPUT_KB_MAX).contains(&runtime.output_limit_kb));
    None
}

fn author_store() -> &'static TrustStore {
    static STORE: OnceLock<TrustStore> = OnceLock::new();
    STORE.get_or_init(|| TrustStore::from_json(AUTHOR_STORE).expect("a valid store"))
}

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T00:00:00Z").expect("a valid time")
}

fn verify(trust: &TrustStore, bytes: &[u8]) -> Result<AttestationResult, Error> {
    Gatekeeper::new(trust.clone(), now()).verify(bytes)
}

/// Refusals that depend on whom this host trusts, and not on the package alone.
fn is_about_trust(code: Code) -> bool {
    let text = code.as_str();
    text.starts_with("publisher.")
        || [Code::ManifestNamespace, Code::ManifestDowngrade].contains(&code)
}

/// What passes has the content hash that anyone can rebuild; passes for nobody who trusts nobody, and
/// not where it is revoked; and is inspected alike. What is refused is refused alike by inspection.
pub fn gatekeeper(bytes: &[u8]) -> Verdict {
    let result = verify(author_store(), bytes);
    let inspected = gate::inspect(bytes);
    let attestation = match &result {
        Ok(attestation) => attestation,
        Err(error) => {
            let same = inspected.as_ref().is_err_and(|found| found.code() == error.code());
            assert!(same || is_about_trust(error.code()), "inspected: {inspected:?}");
            return Some(error.code());
        }
    };
    let hash = &attestation.content_hash;
    assert_eq!(inspected.as_ref().map(|found| &found.content_hash), Ok(hash));
    assert_eq!(attestation.manifest.content_hash(), hash);
    assert_eq!(attestation.manifest.publisher(), "Author");
    let entries = archive::read(bytes).expect("check 1 passed");
    let listing: String = entries
        .iter()
        .filter(|entry| entry.name != "signature.json")
        .map(|entry| format!("{}  {}\n", sha256_hex(&entry.content), entry.name))
        .collect();
    assert_eq!(hash.as_str(), format!("sha256:{}", sha256_hex(listing.as_bytes())));

    let mut revoking = author_store().clone();
    let nobody = verify(&TrustStore::empty(), bytes);
    assert_eq!(refused(&nobody), Some(Code::PublisherUnknown));
    revoking.revoke_content(hash.clone(), now(), "fuzzing").expect("a valid revocation");
    assert_eq!(refused(&verify(&revoking, bytes)), Some(Code::PublisherContent));
    one_byte_altered(bytes, hash.as_str());
    None
}

/// One byte, chosen by the input itself, is altered: refused, or the very same contents.
fn one_byte_altered(bytes: &[u8], hash: &str) {
    let digest = mpp::encoding::sha256(bytes);
    let number = digest.iter().take(4).fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    let mut altered = bytes.to_vec();
    let at = number % bytes.len();
    altered[at] ^= 1 << (digest[4] % 8);
    if let Ok(attestation) = verify(author_store(), &altered) {
        assert_eq!(attestation.content_hash.as_str(), hash, "byte {at} can be altered");
    }
}

/// A manifest that leaves a module all it can ask for.
fn generous_manifest() -> &'static Manifest {
    static MANIFEST: OnceLock<Manifest> = OnceLock::new();
    MANIFEST.get_or_init(|| {
        let text = json!({
            "mpp_version": "1.0", "id": "org.example.fuzz", "version": "1.0.0", "name": "Fuzz",
            "description": "For fuzzing", "runtime": { "target": "wasm32-wasip1" },
            "tools": [{ "name": "run", "description": "Runs", "sensitivity": "read",
                        "parameters": { "type": "object" } }],
        });
        Manifest::parse(text.to_string().as_bytes()).expect("a valid manifest")
    })
}

/// A module that passes starts within its memory and imports nothing twice.
pub fn module(bytes: &[u8]) -> Verdict {
    let manifest = generous_manifest();
    let result = wasm::Module::validate(bytes, manifest);
    let Ok(module) = &result else {
        let code = refused(&result);
        assert!(code.is_some_and(|code| code.as_str().starts_with("module.")));
        return code;
    };
    assert!(bytes.starts_with(b"\0asm\x01\0\0\0"));
    assert!(module.memory_bytes() <= u64::from(manifest.runtime.memory_limit_mb) << 20);
    let imports = module.imports();
    assert!(imports.windows(2).all(|pair| pair[0] < pair[1]), "{imports:?}");
    None
}

/// A record that is read is read the same when it is written, and its signatures hold or fail alike.
pub fn signature_file(bytes: &[u8]) -> Verdict {
    let result = SignatureFile::parse(bytes);
    let Ok(file) = &result else { return refused(&result) };
    let again = SignatureFile::parse(file.to_json().as_bytes());
    if file.to_json().len() <= limits::SIGNATURE_FILE_BYTES_MAX {
        assert_eq!(again.as_ref(), Ok(file));
    }
    let verified = file.verify();
    assert_eq!(verified, file.verify());
    if let Ok(signers) = &verified {
        assert!((1..=limits::SIGNATURES_COUNT_MAX).contains(&signers.len()));
        for (signer, record) in signers.iter().zip(&file.signatures) {
            assert_eq!(signer.key_id.as_str(), sha256_hex(&signer.public_key.to_bytes()));
            assert!(PublicKey::from_bytes(signer.public_key.to_bytes()).is_ok());
            assert_eq!(signer.signed_at.to_string(), record.signed_at);
        }
    }
    refused(&verified)
}

/// The input is `[schema, value]`. A schema inside `allOf` says the same, and inside `not` the opposite.
pub fn schema(bytes: &[u8]) -> Verdict {
    let Ok(Value::Array(pair)) = mpp::json::parse(bytes, 40) else { return None };
    let [source, value] = pair.as_slice() else { return None };
    let Ok(schema) = Schema::read(source, "") else { return Some(Code::ManifestSchema) };
    assert_eq!(schema.source(), source);
    let verdict = schema.validate(value);
    assert_eq!(verdict, schema.validate(value), "two verdicts on one value");
    let inside = |keyword: &str, inner: Value| {
        Schema::read(&json!({ "type": "object", keyword: inner }), "")
    };
    // Only the root may hold definitions; and only an object can be valid at the root.
    let is_plain = ["$defs", "$schema"].iter().all(|key| source.get(key).is_none());
    let spent = |violation: &mpp::package::schema::Violation| violation.what.contains("steps");
    let counted = verdict.as_ref().is_err_and(spent);
    if is_plain && value.is_object() && !counted {
        if let Ok(all) = inside("allOf", json!([source])) {
            let found = all.validate(value);
            assert!(found.is_ok() == verdict.is_ok() || found.as_ref().is_err_and(spent));
        }
        if let Ok(not) = inside("not", source.clone()) {
            let found = not.validate(value);
            assert!(found.is_ok() != verdict.is_ok() || found.as_ref().is_err_and(spent));
        }
    }
    verdict.err().map(|_| Code::RequestArguments)
}

/// What is read is what serde_json reads, and is read the same when it is written.
pub fn json(bytes: &[u8]) -> Verdict {
    match mpp::json::parse(bytes, 32) {
        Ok(value) => {
            let plain: Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
            assert_eq!(plain, value, "another reader sees another document");
            assert_eq!(mpp::json::parse(value.to_string().as_bytes(), 32).as_ref(), Ok(&value));
            assert_eq!(
                mpp::json::parse(bytes, 127).as_ref(),
                Ok(&value),
                "depth changes the value"
            );
            None
        }
        Err(error) => {
            let strict = ["duplicate key", "nested too deeply"];
            let is_ours = strict.iter().any(|what| error.to_string().contains(what));
            let plain = serde_json::from_slice::<Value>(bytes);
            assert!(is_ours || plain.is_err(), "refused without a reason: {error}");
            Some(Code::ManifestSyntax)
        }
    }
}

/// A store that is read is written and read as the same store.
pub fn trust(bytes: &[u8]) -> Verdict {
    let result = TrustStore::from_json(bytes);
    let Ok(store) = &result else { return refused(&result) };
    let text = store.to_json();
    if text.len() <= limits::TRUST_FILE_BYTES_MAX {
        let again = TrustStore::from_json(text.as_bytes());
        assert_eq!(again.as_ref(), Ok(store));
        assert_eq!(again.map(|again| again.revision()), Ok(store.revision()));
    }
    for (_, key) in store.keys() {
        let id = &key.public_key.id();
        assert_eq!(id, &key.key_id);
        assert!(PublicKey::from_bytes(key.public_key.to_bytes()).is_ok());
        let hash = mpp::package::content_hash::ContentHash::from_checksum_list("");
        let judged = store.evaluate_signers(std::slice::from_ref(id), &hash, now(), 1);
        let revoked = store.revoked_keys().any(|revoked| revoked.key_id == *id);
        assert!(!revoked || judged.is_err(), "a revoked key is trusted");
        assert!(
            store.evaluate_signers(&[id.clone(), id.clone()], &hash, now(), 2).is_err(),
            "one is two"
        );
    }
    None
}

/// A policy that is read decides, always alike; and never asks where it says that nobody can be asked.
pub fn policy(bytes: &[u8]) -> Verdict {
    let result = PermissionPolicy::from_json(bytes);
    let Ok(policy) = &result else { return refused(&result) };
    static ATTESTATION: OnceLock<AttestationResult> = OnceLock::new();
    let attestation =
        ATTESTATION.get_or_init(|| verify(author_store(), PARENT).expect("a valid package"));
    let value: Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
    let is = |member: &str| value.get(member) == Some(&Value::Bool(true));
    let decision = policy.evaluate(&attestation.manifest);
    let again = policy.evaluate(&attestation.manifest);
    assert_eq!(std::mem::discriminant(&decision), std::mem::discriminant(&again));
    match decision {
        PolicyDecision::Granted(_) => {
            // The package asks for nothing.
            let trusted = value.get("trusted_packages").is_some()
                || value.get("trusted_publishers").is_some();
            assert!(trusted || !is("ask_always"), "granted without a rule");
        }
        PolicyDecision::RequiresConfirmation { .. } => {
            assert!(is("ask_always") && !is("non_interactive"), "asked without a rule");
        }
        PolicyDecision::Denied { reason } => {
            assert!(!reason.is_empty());
            let confirmed = policy.confirm(&attestation.manifest, "somebody");
            assert!(confirmed.is_err(), "a person allowed what is denied");
        }
    }
    None
}

/// What counts as an answer, by whatever protocol, has content blocks, and an object as its structured
/// content.
pub fn answer(bytes: &[u8]) -> Verdict {
    let run = Execution {
        outcome: Ok(()),
        exit_status: Some(0),
        denied: 0,
        services: Default::default(),
        stdout: bytes.to_vec(),
        values_max: usize::MAX,
        stderr: Vec::new(),
        changes: mpp::sandbox::Changes::default(),
        fuel_used: 0,
        duration: Duration::ZERO,
    };
    let [json_rpc, mcp, command] = [Protocol::JsonRpc, Protocol::Mcp, Protocol::Command]
        .map(|protocol| run.tool_result(protocol, None));
    assert!(command.is_ok(), "a program that ended has answered");
    for result in [&json_rpc, &mcp, &command] {
        let Ok(result) = result else {
            let code = refused(result);
            assert!(code.is_some_and(|code| code.as_str().starts_with("tool.")));
            continue;
        };
        let blocks = result.content.as_array().expect("content is an array");
        assert!(blocks.iter().all(|block| block.get("type").is_some_and(Value::is_string)));
        assert!(result.structured_content.as_ref().is_none_or(Value::is_object));
    }
    refused(&json_rpc)
}

fn filter() -> &'static PrivacyFilterEngine {
    static ENGINE: OnceLock<PrivacyFilterEngine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let kinds = ["credit-card", "iban", "ssn", "email", "ip-address", "phone"];
        let kinds: Vec<String> = kinds.map(str::to_owned).to_vec();
        PrivacyFilterEngine::from_config(&kinds, &[]).expect("kinds that exist")
    })
}

/// Nothing is found in what was filtered, and an address that was planted does not survive. Text is
/// filtered as the string that it is; JSON with every value, key and nested document in it.
pub fn privacy(bytes: &[u8]) -> Verdict {
    const PLANTED: &str = "planted.address@example.com";
    let text = String::from_utf8_lossy(bytes);
    let planted = format!("{text}\n{PLANTED}\n");
    let value = match mpp::json::parse(bytes, 32) {
        Ok(value) => json!({ "answer": value, "planted": planted }),
        Err(_) => json!({ "answer": text, "planted": planted }),
    };
    let result = filter().try_redact_json(&value);
    let Ok((filtered, applied)) = &result else { return refused(&result) };
    assert!(!filtered.to_string().contains(PLANTED), "the planted address survives");
    assert!(applied.total() > 0);
    let (twice, again) = filter().try_redact_json(filtered).expect("what was filtered is filtered");
    assert_eq!(&twice, filtered, "filtering again finds more: {:?}", again.to_json());
    for finding in filter().find(&text).into_iter().flatten() {
        assert!(text.get(finding.start..finding.end).is_some_and(|found| !found.is_empty()));
    }
    None
}

/// A log that verifies does so up to its head, and not when one byte of it is altered.
pub fn audit_verify(bytes: &[u8]) -> Verdict {
    // A file for each use: several threads of one process may be here at once.
    static USES: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), USES.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(format!("mpp-fuzz-audit-{process}-{number}"));
    let check = |bytes: &[u8], head: Option<&str>| {
        std::fs::write(&path, bytes).expect("a temporary file");
        let report = mpp::audit::verify(&path, head);
        std::fs::remove_file(&path).expect("the same file");
        report
    };
    let result = check(bytes, None);
    let Ok(report) = &result else { return refused(&result) };
    let pinned = check(bytes, Some(&report.head)).expect("its own head");
    assert_eq!(pinned.records_after_expected, Some(0));
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(u64::try_from(lines), Ok(report.records));
    if !bytes.is_empty() {
        let digest = mpp::encoding::sha256(bytes);
        let number = digest.iter().take(4).fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let mut altered = bytes.to_vec();
        altered[number % bytes.len()] ^= 1 << (digest[4] % 8);
        assert!(check(&altered, Some(&report.head)).is_err(), "a byte can be altered");
    }
    None
}

/// A snapshot that is read is the only one of its entries, byte for byte, and of its owner.
pub fn storage(bytes: &[u8]) -> Verdict {
    let owner = |package: &str| StorageOwner {
        package: package.to_owned(),
        publisher_key: KeyId::parse(&"ab".repeat(32)).expect("a key's id"),
    };
    let notes = owner("org.example.notes");
    let result = storage::decode(&notes, bytes);
    let Ok(entries) = &result else { return refused(&result) };
    assert_eq!(storage::encode(&notes, entries), bytes);
    assert!(
        storage::decode(&owner("org.example.other"), bytes).is_err(),
        "it is another's as well"
    );
    None
}
