//! The error type of the crate, with stable reason codes.
//!
//! An [`Error`] has a [`Code`], a detail that states what is wrong and, if known, where, and the code's remedy, one
//! step that resolves it. The table below is the only list of codes: conformance vectors, exit statuses and
//! audit records use it. A released code never changes its meaning.

use crate::kernel::prelude::*;
use serde_json::Value;

/// Who has to act on an error. Determines the exit status of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The package, the request or the result was refused: nothing ran, or the result is withheld. Exit 1.
    Refused,
    /// The command line is invalid. Exit 2.
    Usage,
    /// The tool failed or exceeded a limit. Exit 3.
    Tool,
    /// The host failed, for example at a file or the clock. Exit 4.
    Host,
}

impl Class {
    /// Returns the exit status of the command line, 1 to 4.
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
        /// A stable reason code. Vectors, scripts and logs rely on `as_str`; the part before its dot names
        /// the stage that refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs)] // the table explains each variant by its remedy
        pub enum Code { $($variant),* }

        impl Code {
            /// All codes, in the order of the stages.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// Returns the stable text, such as `archive.extra_field`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// Returns who has to act.
            pub fn class(self) -> Class {
                match self { $(Code::$variant => Class::$class),* }
            }

            /// Returns one step that resolves the error, in the imperative.
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    // Check 1: the archive is the only encoding of its entries and within the limits.
    ArchiveTooLarge      "archive.too_large"      Refused "pack fewer or smaller files"
    ArchiveEndRecord     "archive.end_record"     Refused "download the file again, or run `mpp pack DIR`"
    ArchiveDirectory     "archive.directory"      Refused "rebuild the package with `mpp pack DIR`"
    ArchiveEntryCount    "archive.entry_count"    Refused "pack fewer files"
    ArchiveLocalHeader   "archive.local_header"   Refused "rebuild the package with `mpp pack DIR`"
    ArchiveMismatch      "archive.mismatch"       Refused "rebuild the package with `mpp pack DIR`"
    ArchiveField         "archive.field"          Refused "rebuild the package with `mpp pack DIR`"
    ArchiveExtraField    "archive.extra_field"    Refused "rebuild the package with `mpp pack DIR`"
    ArchiveFlags         "archive.flags"          Refused "rebuild the package with `mpp pack DIR`"
    ArchiveMethod        "archive.method"         Refused "rebuild the package with `mpp pack DIR`"
    ArchiveEntrySize     "archive.entry_size"     Refused "make the file smaller, or split it"
    ArchiveData          "archive.data"           Refused "download the file again, or run `mpp pack DIR`"
    ArchiveChecksum      "archive.checksum"       Refused "download the file again"
    ArchiveName          "archive.name"           Refused "rename the file: use letters, digits, `.`, `_` and `-`, and `/` between directories"
    ArchiveNameCollision "archive.name_collision" Refused "rename one of the two"
    ArchiveOrder         "archive.order"          Refused "rebuild the package with `mpp pack DIR`"

    // Check 2: required entries present, nothing unknown.
    StructureMissing     "structure.missing_entry" Refused "add manifest.json and one .wasm module, then run `mpp pack DIR`"
    StructureUnknown     "structure.unknown_entry" Refused "move the file into assets/ or remove it"

    // Check 3: the content hash is the recorded one.
    ContentRecord        "content.record_invalid" Refused "make signature.json again with `mpp pack DIR --key NAME.key -o FILE`"
    ContentHash          "content.hash_mismatch"  Refused "download the package again from its publisher"

    // Check 4: every signature over the content hash verifies.
    SignatureMissing     "signature.missing"       Refused "run `mpp sign FILE --key NAME.key`"
    SignatureCount       "signature.too_many"      Refused "remove signatures: at most eight"
    SignatureAlgorithm   "signature.algorithm"     Refused "sign again with `mpp sign`"
    SignatureEncoding    "signature.encoding"      Refused "sign again with `mpp sign`"
    SignatureKeyId       "signature.key_id"        Refused "sign again with `mpp sign`"
    SignatureKeyWeak     "signature.weak_key"      Refused "sign with another key, made by `mpp keygen NAME`"
    SignatureDuplicate   "signature.duplicate_key" Refused "use a different key for each signature"
    SignatureInvalid     "signature.invalid"       Refused "download the package again from its publisher"

    // Check 5: the signers are trusted, and their keys valid and not revoked.
    PublisherUnknown     "publisher.unknown"         Refused "verify the key id with the publisher, then run `mpp trust add KEY.pub --name NAME --namespace ID`"
    PublisherKeyRevoked  "publisher.key_revoked"     Refused "ask the publisher for a package signed with a new key"
    PublisherContent     "publisher.content_revoked" Refused "ask the publisher for a newer version"
    PublisherValidity    "publisher.not_valid_now"   Refused "ask the publisher for a valid key, or renew this one with `mpp trust add`"
    PublisherQuorum      "publisher.too_few_signers" Refused "have another trusted publisher run `mpp sign`"

    // Check 6: the manifest.
    ManifestSyntax       "manifest.syntax"        Refused "fix the JSON of manifest.json"
    ManifestUnknownKey   "manifest.unknown_key"   Refused "remove the member from manifest.json, or correct its name"
    ManifestMissingKey   "manifest.missing_key"   Refused "add the member to manifest.json; `mpp new NAME` writes an example"
    ManifestType         "manifest.wrong_type"    Refused "change the member in manifest.json to the stated type"
    ManifestValue        "manifest.bad_value"     Refused "change the member in manifest.json as stated"
    ManifestSchema       "manifest.schema_unsupported" Refused "remove the keyword from the tool's `parameters` or `returns`"
    ManifestPattern      "manifest.privacy_pattern" Refused "use a built-in kind, or fix the custom pattern"
    ManifestEntry        "manifest.entry_missing" Refused "set `runtime.entry` to the name of the package's .wasm module"
    ManifestApproval     "manifest.not_approved"  Refused "ask an approver of the id to run `mpp sign`"
    ManifestNamespace    "manifest.namespace"     Refused "change `id` in manifest.json, or run the stated `mpp trust add` command"
    ManifestDowngrade    "manifest.downgrade"     Refused "use the newer version, or accept this one with `mpp install FILE --downgrade` (or its id, if installed)"

    // Check 7: the module.
    ModuleTooLarge       "module.too_large"       Refused "make the module smaller, for example without debug sections"
    ModuleInvalid        "module.invalid"         Refused "rebuild for wasm32-wasip1: a core module without SIMD, threads or tail calls"
    ModuleLimit          "module.limit"           Refused "reduce the module's functions, tables or nesting"
    ModuleImport         "module.unknown_import"  Refused "link only against WASI preview 1 (`wasi_snapshot_preview1`)"
    ModuleExport         "module.missing_export"  Refused "build a WASI command, not a reactor: export `memory` and `_start`"
    ModuleMemory         "module.memory"          Refused "increase `runtime.memory_limit_mb` in manifest.json, or reduce the initial memory"

    // Registries: image layouts and what moves them.
    RegistryNotFound     "registry.not_found"     Refused "pass the directory of an image layout, as `mpp publish` writes it"
    RegistryLayout       "registry.layout"        Refused "use a layout as `mpp publish`, skopeo, oras or crane write it"
    RegistryLink         "registry.link"          Refused "use a layout without links: copy it with `cp -rL`"
    RegistryTooLarge     "registry.too_large"     Refused "use a layout with smaller files and fewer packages"
    RegistryMissingBlob  "registry.missing_blob"  Refused "move the layout again: a copy was interrupted"
    RegistrySize         "registry.size"          Refused "move the layout again: a blob was cut or replaced"
    RegistryDigest       "registry.digest"        Refused "move the layout again: a blob was changed"
    RegistryMediaType    "registry.media_type"    Refused "use an artifact that `mpp publish` made"
    RegistryTag          "registry.tag"           Refused "run `mpp list --from oci:DIR` to see the tags"
    RegistryMismatch     "registry.mismatch"      Refused "report this to who runs the registry: a tag or annotation states another version"
    RegistryInvalid      "registry.invalid"       Refused "fix the stated member of registries.json in MPP_HOME"
    RegistryPublisher    "registry.publisher"     Refused "verify who publishes this id, then change `publishers` in registries.json"
    RegistryTransfer     "registry.transfer"      Host "run `skopeo copy` by itself to see why, or install skopeo"

    LockInvalid          "lock.invalid"           Refused "restore mpp.lock, or delete it and install with --lock"
    LockMissing          "lock.missing"           Refused "run `mpp install FILE --lock`, after a review, to pin the package"
    LockMismatch         "lock.mismatch"          Refused "report it, or install with --lock to pin what is there now"

    // The trust store and keys.
    KeyInvalid           "key.invalid"            Refused "use an Ed25519 key in PEM, as `mpp keygen NAME` writes it"
    KeyWeak              "key.weak"               Refused "generate another key with `mpp keygen NAME`"
    KeyCommand           "key.command"            Host "run the command by itself: message on stdin, signature on stdout"
    RotationInvalid      "rotation.invalid"       Refused "ask the publisher for the statement that `mpp trust rotation` wrote"
    RotationSignature    "rotation.signature"     Refused "verify the new key id with the publisher, then run `mpp trust add KEY.pub`"
    BundleInvalid        "bundle.invalid"         Refused "ask the administrator for the bundle that `mpp bundle make` wrote"
    BundleSignatures     "bundle.signatures"      Refused "have enough holders of the root's keys run `mpp bundle sign`"
    BundleExpired        "bundle.expired"         Refused "ask the administrator for a new bundle, then run `mpp bundle import FILE`"
    BundleRollback       "bundle.rollback"        Refused "use the newest bundle of the organisation"
    BundleMissing        "bundle.missing"         Refused "run `mpp bundle import FILE` as administrator"
    OrganisationInvalid  "organisation.invalid"   Refused "write the administrator's file organisation.json, as `mpp bundle root` does"
    TrustInvalid         "trust.invalid"          Refused "fix the stated member of trust.json, or pass another value to `mpp trust add`"

    // Policy and request.
    PolicyInvalid        "policy.invalid"         Refused "fix or remove the stated member of policy.json"
    PolicyWider          "policy.wider"           Refused "remove the named member from policy.json, or the option that sets it"
    PolicyDenied         "policy.denied"          Refused "remove the rule from policy.json, or ask its administrator to"
    PolicyConfirmation   "policy.confirmation_required" Refused "run in a terminal, or review with `mpp inspect FILE` and pass --yes"
    PolicyAttestation    "policy.attestation"     Refused "retry and approve: each call of a destructive tool needs it"
    PolicyDeclined       "policy.declined"        Refused "retry to request approval again"
    RequestTool          "request.unknown_tool"   Refused "run `mpp inspect FILE` to see the tools"
    RequestArguments     "request.bad_arguments"  Refused "run `mpp inspect FILE` to see the parameters schema"
    RequestTooLarge      "request.too_large"      Refused "pass smaller arguments"

    // Sandbox: what the token does not grant.
    SandboxToken         "sandbox.no_token"       Refused "set `SandboxConfig::capability_token` to the token of the policy decision"
    SandboxTokenOther    "sandbox.token_mismatch" Refused "evaluate the policy for this package"
    SandboxTokenExpired  "sandbox.token_expired"  Refused "evaluate the policy again"
    SandboxNotGranted    "sandbox.not_granted"    Refused "map another directory, or request only what the token grants"

    // Failures of the tool.
    ToolTrap             "tool.trap"              Tool "report the message and the arguments to the tool's author"
    ToolStack            "tool.stack_exhausted"   Tool "reduce the input, or report the message to the tool's author"
    ToolFuel             "tool.fuel_exhausted"    Tool "increase `runtime.fuel` in manifest.json, or reduce the input"
    ToolTimeout          "tool.timeout"           Tool "increase `runtime.timeout_ms` in manifest.json, or reduce the input"
    ToolMemory           "tool.memory_exhausted"  Tool "increase `runtime.memory_limit_mb` in manifest.json, or reduce the input"
    ToolOutput           "tool.output_limit"      Tool "increase `runtime.output_limit_kb` in manifest.json, or return less"
    ToolErrorOutput      "tool.stderr_limit"      Tool "write less to stderr"
    ToolCancelled        "tool.cancelled"         Tool "call the tool again"
    ToolExit             "tool.exit_status"       Tool "read the tool's stderr for the reason"
    ToolLeftLink         "tool.left_link"         Tool "copy the file instead of linking to it"
    ToolNoAnswer         "tool.no_answer"         Tool "write one JSON-RPC response to stdout"
    ToolBadAnswer        "tool.bad_answer"        Tool "write only a JSON-RPC 2.0 response to stdout, and logs to stderr"
    ToolTwoAnswers       "tool.two_answers"       Tool "write exactly one response"
    ToolBadReturn        "tool.return_schema"     Tool "return structured content that the tool's `returns` schema allows"

    // Privacy.
    PrivacyPattern       "privacy.pattern"        Refused "use a built-in kind, or fix the custom pattern"
    PrivacyResidue       "privacy.residue"        Refused "report this as a bug"
    PrivacyLimit         "privacy.limit"          Refused "return a smaller or less nested response"

    // Audit.
    AuditUnavailable     "audit.unavailable"      Host "free disk space or fix permissions, then call again"
    AuditBroken          "audit.broken"           Refused "run `mpp audit verify` on a trusted copy, or move MPP_HOME/audit away to start a new log"
    AuditTorn            "audit.torn"             Refused "call any tool: the next call repairs the log"

    // The home directory, the host and the command line.
    StoreInvalid         "store.invalid"          Refused "fix or delete `installed.json` in MPP_HOME, then install again"
    StoreNotInstalled    "store.not_installed"    Refused "run `mpp list` to see installed packages"
    StoreCollision       "store.name_collision"   Refused "use `--prefix`, such as `--prefix md_`, or remove the other package"
    StorePrefix          "store.prefix"           Refused "use letters, digits, `_` and `-`, a letter first, and at most 64 with the name of each tool"
    ConsentInvalid       "consent.invalid"        Refused "fix the file, or delete it and approve again"
    ConsentNoQuestion    "consent.no_question"    Refused "run `mpp pending` or `mpp approvals` to see what exists"
    SecretInvalid        "secret.invalid"         Refused "run `mpp secret set NAME` and enter one line of 8 to 4096 printable ASCII characters"
    SecretExposed        "secret.exposed"         Refused "run `chmod 600 FILE` and replace its secrets"
    SecretMissing        "secret.missing"         Refused "run `mpp secret set NAME`, or have `secrets_command` print the value"
    SecretCommand        "secret.command"         Host "have `secrets_command` print only the value, on one line, and exit with 0"
    HostEngine           "host.engine"            Host "build wasmi at opt-level 2 or 3 without debug assertions, or mpp with the feature `portable-dispatch`"
    HostUnsupported      "host.unsupported"       Host "run the tool on a host that supports it"
    HostPatterns         "host.patterns"          Host "build mpp with the feature `std`"
    HostBusy             "host.busy"              Host "call the tool again later"
    HostBudget           "host.budget"            Refused "increase the member of `budgets` in the policy file, or `ulimit -n` for open files"
    HostMemory           "host.memory"            Host "free memory on this computer, or lower `budgets.guest_memory_mb` in the policy file"
    HostFile             "host.file"              Host "check the path, its permissions and free disk space"
    HostCommit           "host.commit"            Host "check which files were written, free disk space or fix permissions"
    StorageNone          "storage.none"           Refused "configure storage for this runtime, and a trusted key for the package"
    StorageConflict      "storage.conflict"       Host "call the tool again"
    StorageDamaged       "storage.damaged"        Host "restore the storage file from a backup, or delete it"
    StorageQuota         "storage.quota"          Tool "increase `capabilities.storage` in manifest.json, or store less"
    Usage                "usage"                  Usage "run `mpp --help` or `mpp COMMAND --help`"
}

/// As [`Code::as_str`].
impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A refusal or failure. `Display` writes the detail and the remedy.
///
/// ```
/// use mpp::{Code, Error};
/// let error = Error::new(Code::ArchiveExtraField, "extra field in entry manifest.json at byte 41");
/// assert_eq!(error.code().as_str(), "archive.extra_field");
/// assert_eq!(error.code().to_string(), "archive.extra_field");
/// assert_eq!(
///     error.to_string(),
///     "extra field in entry manifest.json at byte 41: \
///      rebuild the package with `mpp pack DIR`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    detail: String,
    input_required: Option<Box<Value>>,
}

impl Error {
    /// Creates an error. `detail` states what is wrong and where, in lower case, without a full stop.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Error { code, detail: detail.into(), input_required: None }
    }

    /// Attaches what the caller has to supply to repeat the call.
    pub(in crate::kernel) fn requiring(self, input: Value) -> Self {
        Error { input_required: Some(Box::new(input)), ..self }
    }

    /// Returns what the caller has to supply to repeat the call, if it can be repeated: the value of
    /// [`ApprovalDecision::InputRequired`](crate::kernel::consent::ApprovalDecision::InputRequired).
    pub fn input_required(&self) -> Option<&Value> {
        self.input_required.as_deref()
    }

    /// Returns the stable reason code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns what is wrong and where, without the remedy. Can contain text from untrusted input.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Prefixes the detail with a place.
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
