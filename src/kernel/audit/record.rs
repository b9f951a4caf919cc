//! The format of audit records: their members, writing and reading.
//!
//! The structs below are the format: they list the members in the order of the line. Writing and reading
//! both use [`body`], so that a line is accepted only if writing its record again gives the same bytes.

use crate::kernel::encoding::{hash_text, hmac_sha256, sha256_hex, unhex};
use crate::kernel::json::{self, canonical};
use crate::kernel::limits::{AUDIT_LIST_COUNT_MAX, AUDIT_TEXT_BYTES_MAX};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::KeyId;
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use serde_json::{Map, Number, Value};

/// `prev` of the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Separates the hashed part of a line from its hash.
const HASH_SUFFIX: &str = ",\"hash\":";

/// The one member that is left out if absent: most tools have one name.
// [AUD-25]
const LISTED_AS: &str = "listed_as";

/// Nesting of a record: the object, and a list or an object inside it.
const DEPTH_MAX: usize = 2;

/// The largest integer that every JSON reader represents exactly, 2^53 − 1.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The version of this format.
pub(super) const VERSION: u64 = 1;

/// Reserved for the marker after a truncated text.
const MARKER_BYTES_MAX: usize = 32;

/// Names of members in their order, each with the check of its value.
type Layout = Vec<(&'static str, fn(&Value) -> bool)>;

/// The value of a member.
trait Field {
    fn value(&self) -> Value;
    /// Returns `true` for a value that this type can write.
    fn is_valid(value: &Value) -> bool;
}

/// One member of a record, or several consecutive ones.
pub(super) trait Members {
    fn layout(name: &'static str, layout: &mut Layout);
    fn write(&self, name: &'static str, object: &mut Map<String, Value>);
}

impl<T: Field> Members for T {
    fn layout(name: &'static str, layout: &mut Layout) {
        layout.push((name, T::is_valid));
    }
    fn write(&self, name: &'static str, object: &mut Map<String, Value>) {
        object.insert(name.to_owned(), self.value());
    }
}

impl<A: Members, B: Members> Members for (A, B) {
    fn layout(name: &'static str, layout: &mut Layout) {
        A::layout(name, layout);
        B::layout(name, layout);
    }
    fn write(&self, name: &'static str, object: &mut Map<String, Value>) {
        self.0.write(name, object);
        self.1.write(name, object);
    }
}

/// Declares consecutive members. A field of a type declared here contributes the members of that type.
macro_rules! members {
    ($($(#[$doc:meta])* $visibility:vis struct $name:ident {
        $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $visibility struct $name {
            $($(#[$member_doc])* $visibility $member: $type,)*
        }

        impl Members for $name {
            fn layout(_: &'static str, layout: &mut Layout) {
                $(<$type as Members>::layout(stringify!($member), layout);)*
            }
            fn write(&self, _: &'static str, object: &mut Map<String, Value>) {
                $(self.$member.write(stringify!($member), object);)*
            }
        }
    )*};
}

members! {
    /// The first members of every record.
    // [AUD-05]
    struct Start {
        v: u64,
        seq: u64,
        prev: Hash,
        time: Timestamp,
        kind: &'static str,
    }

    /// The call of a record.
    // [AUD-23]
    pub(super) struct Call {
        call: u64,
    }

    /// What is known of a call before it runs.
    #[derive(Default)]
    pub struct Facts {
        /// Id of the package.
        package: Option<String>,
        /// Version of the package.
        version: Option<String>,
        /// Content hash, if the contents match it.
        content_hash: Option<ContentHash>,
        /// Name of the trusted publisher.
        publisher: Option<String>,
        /// Signing keys.
        signers: Vec<KeyId>,
        /// Name of the tool.
        tool: Option<String>,
        /// Keyed digest of the arguments, from [`LogKey::digest`](super::LogKey::digest).
        arguments: Option<KeyedDigest>,
    }

    /// The caller.
    #[derive(Default)]
    pub struct Caller {
        /// Name and version of the agent, if it stated them.
        agent: Option<String>,
        /// The agent's trace, if it sent one.
        traceparent: Option<String>,
        /// The name under which the agent called the tool, if that is another one.
        listed_as: Option<String>,
    }

    /// A call that is about to run, and its permission.
    // [AUD-20]
    pub struct Intent {
        /// The facts of the call, all known.
        facts: Facts,
        /// Risk level.
        risk: String,
        /// Granted capabilities, one line each, such as `connect to api.example.com`.
        capabilities: Vec<String>,
        /// The rule or approver that granted them.
        granted_by: String,
        /// Limit on linear memory.
        memory_bytes_max: u64,
        /// Fuel limit.
        fuel_max: u64,
        /// Wall-clock timeout.
        timeout_ms: u64,
        /// Limit on stdout.
        output_bytes_max: u64,
        /// The caller.
        caller: Caller,
        /// The proof of approval for exactly this call.
        attestation: Option<String>,
    }

    /// The end of a call.
    // [AUD-21]
    pub struct Outcome {
        /// The status.
        result: CallStatus,
        /// Fuel used.
        fuel_used: u64,
        /// Wall-clock time, in milliseconds.
        duration_ms: u64,
        /// Keyed digest of what the tool wrote to stdout, unfiltered.
        stdout: Option<KeyedDigest>,
        /// Keyed digest of the returned result, filtered.
        answer: Option<KeyedDigest>,
        /// Number of redactions by kind.
        privacy: BTreeMap<String, u64>,
        /// Number of host calls that were denied.
        denied: u64,
        /// Number of service calls by their result.
        services: BTreeMap<String, u64>,
        /// Number of changes by kind that were applied on the host, and of bytes written.
        changes: BTreeMap<String, u64>,
    }

    /// The reason of a refusal.
    pub(super) struct Reason {
        code: Code,
    }

    /// A call that was refused before anything ran, with what was known of it.
    // [AUD-22]
    #[derive(Default)]
    pub struct Refusal {
        /// What the package was read from, such as the path of a file.
        source: Option<String>,
        /// What is known of the call.
        facts: Facts,
        /// The caller.
        caller: Caller,
    }

    /// An incomplete line that was set aside.
    // [AUD-24]
    pub struct Torn {
        /// The name of the file that it was moved to.
        file: String,
        /// Its length.
        bytes: u64,
        /// Its SHA-256.
        sha256: Hash,
    }
}

/// Returns the first members of a record.
pub(super) fn start(
    seq: u64,
    prev: &str,
    time: Timestamp,
    kind: &'static str,
) -> Map<String, Value> {
    let mut object = Map::new();
    Start { v: VERSION, seq, prev: Hash(prev.to_owned()), time, kind }.write("", &mut object);
    object
}

/// Returns the members of a record of this kind, in their order.
fn layout(kind: &str) -> Option<Layout> {
    let mut layout = Layout::new();
    Start::layout("", &mut layout);
    match kind {
        "intent" => <(Call, Intent)>::layout("", &mut layout),
        "outcome" => <(Call, Outcome)>::layout("", &mut layout),
        "refused" => <(Reason, Refusal)>::layout("", &mut layout),
        "lost" => Call::layout("", &mut layout),
        "torn" => Torn::layout("", &mut layout),
        _ => return None,
    }
    Some(layout)
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// The tool returned a result.
    Ok,
    /// The tool reported an error.
    ToolError,
    /// The runtime ended the call with this code.
    Failed(Code),
}

impl CallStatus {
    fn as_str(&self) -> &'static str {
        match self {
            CallStatus::Ok => "ok",
            CallStatus::ToolError => "tool_error",
            CallStatus::Failed(code) => code.as_str(),
        }
    }
}

hash_text! {
    /// `hmac-sha256:` and 64 hexadecimal digits: a keyed digest that only a
    /// [`LogKey`](super::LogKey) makes. Without that key, short values cannot be found by trying.
    KeyedDigest, "hmac-sha256:", pub(super)
}

impl KeyedDigest {
    /// Returns the digest of bytes under the log's key.
    // [AUD-14]
    pub(super) fn keyed(key: &[u8; 32], bytes: &[u8]) -> Self {
        KeyedDigest::of(&hmac_sha256(key, bytes))
    }
}

/// 64 hexadecimal digits.
#[derive(Clone, Debug)]
pub struct Hash(String);

impl Hash {
    /// Returns the SHA-256 of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Hash(sha256_hex(bytes))
    }
}

// [AUD-12]
impl Field for u64 {
    fn value(&self) -> Value {
        Value::from((*self).min(INTEGER_MAX))
    }
    fn is_valid(value: &Value) -> bool {
        value.as_u64().is_some_and(|number| number <= INTEGER_MAX)
    }
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::value)
    }
    fn is_valid(value: &Value) -> bool {
        value.is_null() || T::is_valid(value)
    }
}

/// At most `AUDIT_LIST_COUNT_MAX` items; a marker replaces the rest.
// [AUD-13]
impl<T: Field> Field for Vec<T> {
    fn value(&self) -> Value {
        if self.len() <= AUDIT_LIST_COUNT_MAX {
            return self.iter().map(T::value).collect();
        }
        let count = AUDIT_LIST_COUNT_MAX.saturating_sub(1);
        let marker = format!("...[+{} items]", self.len().saturating_sub(count));
        self.iter().take(count).map(T::value).chain([Value::from(marker)]).collect()
    }
    fn is_valid(value: &Value) -> bool {
        let items = value.as_array().filter(|items| items.len() <= AUDIT_LIST_COUNT_MAX);
        items.is_some_and(|items| items.iter().all(T::is_valid))
    }
}

/// Counts by name. Names beyond the limits on length and number are counted together.
// [AUD-13]
impl Field for BTreeMap<String, u64> {
    fn value(&self) -> Value {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (n, (name, count)) in self.iter().enumerate() {
            let fits = n < AUDIT_LIST_COUNT_MAX.saturating_sub(1);
            let name = if fits { truncate(name) } else { "...".to_owned() };
            let sum = sums.entry(name).or_default();
            *sum = sum.saturating_add(*count);
        }
        sums.into_iter().map(|(name, sum)| (name, sum.value())).collect()
    }
    fn is_valid(value: &Value) -> bool {
        let counts = value.as_object().filter(|counts| counts.len() <= AUDIT_LIST_COUNT_MAX);
        let fits = |(name, n): (&String, &Value)| is_short(name) && u64::is_valid(n);
        counts.is_some_and(|counts| counts.iter().all(fits))
    }
}

/// Declares types that are written as texts, each with its conversion and the check of a text.
macro_rules! text_values {
    ($($type:ty: $text:expr, $is_valid:expr;)*) => {$(
        impl Field for $type {
            fn value(&self) -> Value {
                Value::from($text(self))
            }
            fn is_valid(value: &Value) -> bool {
                value.as_str().is_some_and($is_valid)
            }
        }
    )*};
}

text_values! {
    String: truncate, is_short;
    &'static str: |text: &&'static str| *text, is_identifier;
    Code: |code: &Code| code.as_str(), is_identifier;
    CallStatus: CallStatus::as_str, is_identifier;
    Hash: |hash: &Hash| hash.0.clone(), is_hash;
    KeyId: KeyId::as_str, is_hash;
    ContentHash: ContentHash::as_str, |text| ContentHash::parse(text).is_some();
    KeyedDigest: KeyedDigest::as_str, |text| KeyedDigest::parse(text).is_some();
    Timestamp: Timestamp::to_string, |text| Timestamp::parse(text).is_some();
}

fn is_short(text: &str) -> bool {
    text.len() <= AUDIT_TEXT_BYTES_MAX
}
fn is_hash(text: &str) -> bool {
    unhex::<32>(text).is_some()
}
fn is_identifier(text: &str) -> bool {
    let letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
    is_short(text) && !text.is_empty() && text.bytes().all(letter)
}

/// Appends the canonical text of a value.
pub(super) fn write(value: &Value, out: &mut String) {
    canonical::write(value, number_text, out);
}

/// Returns decimal digits for a number in integer notation. Any other is a double: the shortest digits that
/// read back as the same double, one of them before the point, always with an exponent. Only digested
/// arguments contain these.
// [AUD-12]
fn number_text(number: &Number) -> String {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(integer), _, _) => integer.to_string(),
        (_, Some(integer), _) => integer.to_string(),
        (_, _, double) => format!("{:e}", double.unwrap_or_default()),
    }
}

/// Truncates a text from outside to `AUDIT_TEXT_BYTES_MAX`, with a marker that states how many bytes are
/// missing.
// [AUD-13]
pub(super) fn truncate(text: &str) -> String {
    if text.len() <= AUDIT_TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut length = AUDIT_TEXT_BYTES_MAX.saturating_sub(MARKER_BYTES_MAX);
    while !text.is_char_boundary(length) {
        length = length.saturating_sub(1);
    }
    let missing = text.len().saturating_sub(length);
    format!("{}...[+{missing} bytes]", text.get(..length).unwrap_or_default())
}

/// Returns the hashed part of a line: exactly the members of its kind, in their order.
// [AUD-04] [AUD-25] [AUD-26]
fn body(object: &Map<String, Value>) -> Result<String, String> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let layout = layout(kind).ok_or_else(|| format!("unknown kind {:?}", truncate(kind)))?;
    if object.get("v").and_then(Value::as_u64) != Some(VERSION) {
        return Err(format!("member \"v\" is not {VERSION}"));
    }
    // An intent has all facts.
    let mut known = Layout::new();
    if kind == "intent" {
        Facts::layout("", &mut known);
    }
    let mut text = String::new();
    for (key, is_valid) in layout {
        let value = object.get(key);
        if key == LISTED_AS && value.is_none_or(Value::is_null) {
            continue;
        }
        let value = value.ok_or_else(|| format!("member {key:?} is missing"))?;
        let lacks = value.is_null() && known.iter().any(|(known, _)| *known == key);
        if lacks || !is_valid(value) {
            return Err(format!("member {key:?} has an invalid value"));
        }
        text.push(if text.is_empty() { '{' } else { ',' });
        canonical::write_string(key, &mut text);
        text.push(':');
        write(value, &mut text);
    }
    Ok(text)
}

/// Returns a whole line with its line feed, and its hash.
// [AUD-02] [AUD-03]
pub(super) fn seal(object: &Map<String, Value>) -> Result<(String, String), String> {
    let body = body(object)?;
    let hash = sha256_hex(body.as_bytes());
    let line = format!("{body}{HASH_SUFFIX}\"{hash}\"}}\n");
    Ok((line, hash))
}

/// A record as the chain verification needs it.
#[derive(Debug)]
pub struct Record {
    /// Number of the record.
    pub seq: u64,
    /// Hash of the record before it.
    pub prev: String,
    /// The kind.
    pub kind: String,
    /// The call of the record; 0 without one.
    pub call: u64,
    /// Hash of this record.
    pub hash: String,
    /// All members except `hash`.
    pub members: Map<String, Value>,
}

/// Reads one line, given without its line feed.
///
/// # Errors
/// What is wrong with it.
// [AUD-02] [AUD-03] [AUD-04] [AUD-26]
pub fn read(line: &[u8]) -> Result<Record, String> {
    let text = core::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let (hashed, end) = text.rsplit_once(HASH_SUFFIX).ok_or("member \"hash\" is missing")?;
    let value = json::parse(line, DEPTH_MAX)?;
    let Value::Object(mut object) = value else { return Err("not an object".to_owned()) };
    let hash = match object.remove("hash") {
        Some(Value::String(hash)) => hash,
        _ => return Err("\"hash\" is not a string".to_owned()),
    };
    let computed = sha256_hex(hashed.as_bytes());
    if computed != hash {
        return Err(format!("hash mismatch: computed {computed}, recorded {:?}", truncate(&hash)));
    }
    // `body` leaves out unknown members, so the comparison refuses them.
    if body(&object)? != hashed || end != format!("\"{hash}\"}}") {
        return Err("not canonical".to_owned());
    }
    let number = |key: &str| object.get(key).and_then(Value::as_u64).unwrap_or(0);
    let string = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let (prev, kind) = (string("prev"), string("kind"));
    let (seq, call) = (number("seq"), number("call"));
    Ok(Record { seq, prev, kind, call, hash, members: object })
}
