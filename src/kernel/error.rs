//! Room: one error type for the whole crate, with stable reason codes.
//!
//! An [`Error`] says three things: *what* was wrong (the [`Code`]), *where* (the detail, written by
//! the line that refused), and *what to do* (the code's remedy). The table below is the only list of
//! codes; the conformance vectors, the exit status of the command line and the audit records are all
//! derived from it. A code's text never changes its meaning once released.

use crate::kernel::prelude::*;
use serde_json::Value;

/// Who has to act on a refusal. Decides the exit status of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The package, the policy or the request was refused; nothing ran, or nothing left. Exit 1.
    Refused,
    /// The command or the call was put wrongly. Exit 2.
    Usage,
    /// The tool ran and failed, or broke a limit. Exit 3.
    Tool,
    /// The host could not do its part: a file, a disk, a clock. Exit 4.
    Host,
}

impl Class {
    /// The exit status of the command line for this class, 1 to 4.
    pub fn exit_status(self) -> u8 {
        match self {
            Class::Refused => 1,
            Class::Usage => 2,
            Class::Tool => 3,
            Class::Host => 4,
        }
    }
}

macro_rules! codes {
    ($($variant:ident $text:literal $class:ident $remedy:literal)*) => {
        /// A stable reason code. `as_str` is the word that vectors, scripts and logs rely on; its
        /// part before the dot names the stage that refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs)] // each variant is explained by its remedy, in the table
        pub enum Code { $($variant),* }

        impl Code {
            /// Every code, in the order of the stages.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable text, such as `archive.extra_field`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// Who has to act.
            pub fn class(self) -> Class {
                match self { $(Code::$variant => Class::$class),* }
            }

            /// What the person who meets this refusal can do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    // Check 1: the ZIP has one reading and stays within the limits.
    ArchiveTooLarge      "archive.too_large"      Refused "make the package smaller; the limits are in spec/limits.md"
    ArchiveEndRecord     "archive.end_record"     Refused "the file is cut short, has bytes added, or is no ZIP; fetch it again or run `mpp pack DIR`"
    ArchiveDirectory     "archive.directory"      Refused "the central directory does not describe this file; run `mpp pack DIR`"
    ArchiveEntryCount    "archive.entry_count"    Refused "pack fewer files; the limits are in spec/limits.md"
    ArchiveLocalHeader   "archive.local_header"   Refused "bytes are missing, added or shared between entries; run `mpp pack DIR`"
    ArchiveMismatch      "archive.mismatch"       Refused "the two headers of an entry disagree; run `mpp pack DIR`"
    ArchiveField         "archive.field"          Refused "a field that carries nothing has another value than the one allowed; run `mpp pack DIR`"
    ArchiveExtraField    "archive.extra_field"    Refused "this archive was not made by `mpp pack`; run `mpp pack DIR`"
    ArchiveFlags         "archive.flags"          Refused "encryption, streaming and other flags are not allowed; run `mpp pack DIR`"
    ArchiveMethod        "archive.method"         Refused "only methods 0 (stored) and 8 (deflate) are allowed; run `mpp pack DIR`"
    ArchiveEntrySize     "archive.entry_size"     Refused "make the entry smaller; the limits are in spec/limits.md"
    ArchiveData          "archive.data"           Refused "the entry's data is damaged or has bytes hidden behind it; fetch it again or run `mpp pack DIR`"
    ArchiveChecksum      "archive.checksum"       Refused "the entry's data is damaged; fetch the package again"
    ArchiveName          "archive.name"           Refused "rename the file: letters, digits, `.`, `_`, `-`, folders with `/`"
    ArchiveNameCollision "archive.name_collision" Refused "two entries would be one file on some system; rename one"
    ArchiveOrder         "archive.order"          Refused "entries are sorted by name in a package; run `mpp pack DIR`"

    // Check 2: required entries present, nothing unknown.
    StructureMissing     "structure.missing_entry" Refused "a package needs manifest.json, one .wasm module, and the signature.json that `mpp pack` makes"
    StructureUnknown     "structure.unknown_entry" Refused "move the file under assets/ or leave it out"

    // Check 3: the listing's hash equals the recorded content hash.
    ContentRecord        "content.record_invalid" Refused "signature.json does not follow its schema; sign the package again with `mpp pack`"
    ContentHash          "content.hash_mismatch"  Refused "the contents are not the ones that were signed; fetch the package again from its publisher"

    // Check 4: every signature verifies over the content hash.
    SignatureMissing     "signature.missing"       Refused "the package is unsigned; sign it with `mpp sign FILE.mpp --key NAME.key`"
    SignatureCount       "signature.too_many"      Refused "a package carries at most eight signatures"
    SignatureAlgorithm   "signature.algorithm"     Refused "only Ed25519 is allowed; sign again with `mpp sign`"
    SignatureEncoding    "signature.encoding"      Refused "a key, signature or time is not written the one allowed way; sign again with `mpp sign`"
    SignatureKeyId       "signature.key_id"        Refused "the key id is not the SHA-256 of the key; sign again with `mpp sign`"
    SignatureKeyWeak     "signature.weak_key"      Refused "the key is not of prime order; make another with `mpp keygen`"
    SignatureDuplicate   "signature.duplicate_key" Refused "each signature needs a key of its own"
    SignatureInvalid     "signature.invalid"       Refused "the package was altered or signed by another key; fetch it again from its publisher"

    // Check 5: the signers are trusted, unrevoked and in their time.
    PublisherUnknown     "publisher.unknown"         Refused "compare the fingerprint with the publisher's, then `mpp trust add KEY.pub --name NAME --namespace NS`"
    PublisherKeyRevoked  "publisher.key_revoked"     Refused "do not use this package; ask the publisher for one signed with a new key"
    PublisherContent     "publisher.content_revoked" Refused "do not use this package; ask the publisher for a newer version"
    PublisherValidity    "publisher.not_valid_now"   Refused "the key's time has not begun or is over; ask the publisher, or renew with `mpp trust add`"
    PublisherQuorum      "publisher.too_few_signers" Refused "the policy asks for more trusted signatures; have it countersigned with `mpp sign`"

    // Check 6: the manifest.
    ManifestSyntax       "manifest.syntax"        Refused "manifest.json is not strict JSON"
    ManifestUnknownKey   "manifest.unknown_key"   Refused "remove the key; spec/manifest.md lists those that exist"
    ManifestMissingKey   "manifest.missing_key"   Refused "add the key; spec/manifest.md says what it means"
    ManifestType         "manifest.wrong_type"    Refused "give the value the type that spec/manifest.md states"
    ManifestValue        "manifest.bad_value"     Refused "give a value that spec/manifest.md allows"
    ManifestSchema       "manifest.schema_unsupported" Refused "use only the JSON Schema keywords of spec/manifest.md, so that everything declared is checked"
    ManifestPattern      "manifest.privacy_pattern" Refused "name built-in kinds from spec/privacy.md, and custom patterns that compile"
    ManifestEntry        "manifest.entry_missing" Refused "`runtime.entry` names the package's one .wasm module"
    ManifestNamespace    "manifest.namespace"     Refused "the signer may not publish under this id; check the id, or widen the publisher's namespaces in the trust store"
    ManifestDowngrade    "manifest.downgrade"     Refused "a newer version was seen before; use it, or lower the mark in the trust store"

    // Check 7: the module.
    ModuleTooLarge       "module.too_large"       Refused "make the module smaller; the limits are in spec/limits.md"
    ModuleInvalid        "module.invalid"         Refused "compile for wasm32-wasip1 without the features that spec/sandbox.md leaves out"
    ModuleLimit          "module.limit"           Refused "the module has more functions, tables or nesting than spec/limits.md allows"
    ModuleImport         "module.unknown_import"  Refused "link against WASI preview 1 only; spec/sandbox.md lists what exists"
    ModuleExport         "module.missing_export"  Refused "build a command, not a reactor: it exports `memory` and `_start`"
    ModuleMemory         "module.memory"          Refused "raise `runtime.memory_limit_mb` or start with less memory"

    // The trust store and keys.
    KeyInvalid           "key.invalid"            Refused "give an Ed25519 key in PEM, as `mpp keygen` or `openssl genpkey -algorithm ed25519` writes it"
    KeyWeak              "key.weak"               Refused "the key is not of prime order; make another with `mpp keygen`"
    TrustInvalid         "trust.invalid"          Refused "spec/trust.md says what a trust store can hold"

    // Policy and request.
    PolicyInvalid        "policy.invalid"         Refused "mend the policy file; spec/policy.md has its schema"
    PolicyDenied         "policy.denied"          Refused "the policy does not allow this; ask its administrator"
    PolicyConfirmation   "policy.confirmation_required" Refused "a person has to agree: run in a terminal, or give --yes after reading `mpp inspect`"
    PolicyAttestation    "policy.attestation"     Refused "a destructive tool runs only with a fresh proof of consent for exactly this call; call it again and have a person agree"
    PolicyDeclined       "policy.declined"        Refused "the person asked said no"
    RequestTool          "request.unknown_tool"   Refused "`mpp inspect` lists the tools of the package"
    RequestArguments     "request.bad_arguments"  Refused "give arguments that the tool's `parameters` schema allows; `mpp inspect` shows it"
    RequestTooLarge      "request.too_large"      Refused "send less; the limits are in spec/limits.md"

    // Sandbox: what the host asked for that the token does not hold.
    SandboxToken         "sandbox.no_token"       Refused "put the token of the policy decision into `SandboxConfig::capability_token`"
    SandboxTokenOther    "sandbox.token_mismatch" Refused "the token was granted for another package; evaluate the policy for this one"
    SandboxTokenExpired  "sandbox.token_expired"  Refused "evaluate the policy again"
    SandboxNotGranted    "sandbox.not_granted"    Refused "ask only for what the token holds, and map another directory than the one named"

    // What a tool can do wrong.
    ToolTrap             "tool.trap"              Tool "the tool broke off; its author can see where in the detail"
    ToolStack            "tool.stack_exhausted"   Tool "the tool recursed too deeply"
    ToolFuel             "tool.fuel_exhausted"    Tool "raise `runtime.fuel` in the manifest, or ask for less work"
    ToolTimeout          "tool.timeout"           Tool "raise `runtime.timeout_ms` in the manifest, or ask for less work"
    ToolMemory           "tool.memory_exhausted"  Tool "raise `runtime.memory_limit_mb` in the manifest"
    ToolOutput           "tool.output_limit"      Tool "raise `runtime.output_limit_kb` in the manifest, or answer with less"
    ToolErrorOutput      "tool.stderr_limit"      Tool "the tool writes too much to stderr"
    ToolCancelled        "tool.cancelled"         Tool "the call was cancelled"
    ToolExit             "tool.exit_status"       Tool "the tool ended with a non-zero status; its stderr may say why"
    ToolLeftLink         "tool.left_link"         Tool "the tool made a symbolic link in a granted directory and left it there; have it make a copy instead"
    ToolNoAnswer         "tool.no_answer"         Tool "the tool has to write one JSON-RPC response to stdout"
    ToolBadAnswer        "tool.bad_answer"        Tool "the tool wrote something else than one JSON-RPC 2.0 response; spec/sandbox.md shows it"
    ToolTwoAnswers       "tool.two_answers"       Tool "the tool has to write exactly one response"
    ToolBadReturn        "tool.return_schema"     Tool "the answer does not follow the tool's `returns` schema"

    // Privacy.
    PrivacyPattern       "privacy.pattern"        Refused "name built-in kinds from spec/privacy.md, and custom patterns that compile"
    PrivacyResidue       "privacy.residue"        Refused "something was still found after redaction, so nothing left; report this as a defect"
    PrivacyLimit         "privacy.limit"          Refused "the answer is too large or nested too deeply to be filtered, so nothing left"

    // Audit.
    AuditUnavailable     "audit.unavailable"      Host "the call did not run, or its answer was withheld, since it could not be recorded; free the disk or mend the rights"
    AuditBroken          "audit.broken"           Refused "the log was altered or cut; compare with a copy kept elsewhere"
    AuditTorn            "audit.torn"             Refused "a writer died or the disk was full; the next call sets the piece aside and records that"

    // The host and the person at the command line.
    StoreInvalid         "store.invalid"          Refused "mend or remove installed.json in the home folder; packages can be installed again"
    StoreNotInstalled    "store.not_installed"    Refused "`mpp list` shows what is installed"
    StoreCollision       "store.name_collision"   Refused "clients would confuse the two; remove the other package first"
    ConsentInvalid       "consent.invalid"        Refused "mend or remove the file that the detail names; what people agreed to has to be asked again"
    ConsentNoQuestion    "consent.no_question"    Refused "`mpp pending` shows which questions wait; this one was answered, or nobody waits any more"
    SecretInvalid        "secret.invalid"         Refused "spec/secrets.md says what a secret can be; set it again with `mpp secret set NAME`"
    SecretExposed        "secret.exposed"         Refused "take the rights of others away (`chmod 600`), and change the secrets where they are used: somebody may know them"
    SecretMissing        "secret.missing"         Refused "set it with `mpp secret set NAME`, or have the policy's `secrets_command` give it"
    CommandSecretStore        "secret.command"         Host "run the policy's `secrets_command` by hand; it has to print the value alone, on one line, and end with status 0"
    HostEngine           "host.engine"            Host "build the crate wasmi at opt-level 2 or 3 without debug assertions, or mpp with the feature `portable-dispatch`"
    HostUnsupported      "host.unsupported"       Host "run the tool on a host that has what the detail names"
    HostPatterns         "host.patterns"          Host "run the tool on a host whose build can match regular expressions, as every one with an operating system does"
    HostFile             "host.file"              Host "check the path, the rights and the space on the disk"
    HostCommit           "host.commit"            Host "see what the detail says was written; free space or mend permissions, then call again"
    StorageNone          "storage.none"           Refused "this host keeps nothing for packages, or nothing for one whose publisher's key it does not know; give its runtime a storage"
    StorageConflict      "storage.conflict"       Host "another call has changed what this package keeps since this one began; call again"
    StorageDamaged       "storage.damaged"        Host "what the package keeps was altered outside of it; put back a copy, or remove it and what it holds"
    StorageQuota         "storage.quota"          Tool "raise `capabilities.storage` in the manifest, or keep less"
    Usage                "usage"                  Usage "`mpp --help` and `mpp COMMAND --help` say how it is used"
}

/// As [`Code::as_str`].
impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A refusal or failure, as a value.
///
/// ```
/// use mpp::{Code, Error};
/// let error = Error::new(Code::ArchiveExtraField, "extra field in entry manifest.json at byte 41");
/// assert_eq!(error.code().as_str(), "archive.extra_field");
/// assert_eq!(error.code().to_string(), "archive.extra_field");
/// assert_eq!(
///     error.to_string(),
///     "extra field in entry manifest.json at byte 41: \
///      this archive was not made by `mpp pack`; run `mpp pack DIR`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    detail: String,
    input_required: Option<Box<Value>>,
}

impl Error {
    /// `detail` says what was wrong and where, in lower case and without a full stop.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Error { code, detail: detail.into(), input_required: None }
    }

    /// The same refusal of a call that may be made again with an answer to this.
    pub(in crate::kernel) fn requiring(self, input: Value) -> Self {
        Error { input_required: Some(Box::new(input)), ..self }
    }

    /// What a call that was refused has to bring along when it is made again, if it may be: the value of
    /// [`ApprovalDecision::InputRequired`](crate::kernel::consent::ApprovalDecision::InputRequired).
    pub fn input_required(&self) -> Option<&Value> {
        self.input_required.as_deref()
    }

    /// The stable reason.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What was wrong and where, without the remedy. May hold text taken from the input.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The same, with where it was before its detail.
    pub fn context(self, place: impl fmt::Display) -> Self {
        Error { detail: format!("{place}: {}", self.detail), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.detail, self.code.remedy())
    }
}

impl core::error::Error for Error {}
