//! What one line of the log holds, member by member, and how it is sealed and read.
//!
//! The records below are the format: each names its members once, in the order in which they are written.
//! Writing and reading go through the same function, [`body`], so that a line is accepted only if
//! writing what was read gives the same bytes.

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

/// What stands between the hashed part of a line and its hash.
const HASH_SUFFIX: &str = ",\"hash\":";

/// Nesting of a record: the object, and a list or an object inside it.
const DEPTH_MAX: usize = 2;

/// The largest integer that every JSON reader holds exactly, 2^53 − 1.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The version of this format.
pub(super) const VERSION: u64 = 1;

/// Room for the marker that replaces what was cut off a text.
const MARKER_BYTES_MAX: usize = 32;

/// Names of members in their order, each with what may stand in it.
type Form = Vec<(&'static str, fn(&Value) -> bool)>;

/// The value of a member.
trait Field {
    fn value(&self) -> Value;
    /// Whether a value can have been written so.
    fn holds(value: &Value) -> bool;
}

/// One member of a record, or several that follow each other.
pub(super) trait Members {
    fn form(name: &'static str, form: &mut Form);
    fn write(&self, name: &'static str, object: &mut Map<String, Value>);
}

impl<T: Field> Members for T {
    fn form(name: &'static str, form: &mut Form) {
        form.push((name, T::holds));
    }
    fn write(&self, name: &'static str, object: &mut Map<String, Value>) {
        object.insert(name.to_owned(), self.value());
    }
}

impl<A: Members, B: Members> Members for (A, B) {
    fn form(name: &'static str, form: &mut Form) {
        A::form(name, form);
        B::form(name, form);
    }
    fn write(&self, name: &'static str, object: &mut Map<String, Value>) {
        self.0.write(name, object);
        self.1.write(name, object);
    }
}

/// Declares members that follow each other. A field whose type was declared so stands for its members.
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
            fn form(_: &'static str, form: &mut Form) {
                $(<$type as Members>::form(stringify!($member), form);)*
            }
            fn write(&self, _: &'static str, object: &mut Map<String, Value>) {
                $(self.$member.write(stringify!($member), object);)*
            }
        }
    )*};
}

members! {
    /// What every record begins with.
    // [AUD-05]
    struct Start {
        v: u64,
        seq: u64,
        prev: Hash,
        time: Timestamp,
        kind: &'static str,
    }

    /// The call that a record is about.
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
        /// Identity of its contents, where those match it.
        content_hash: Option<ContentHash>,
        /// Name of the trusted publisher.
        publisher: Option<String>,
        /// Keys that signed it.
        signers: Vec<KeyId>,
        /// Name of the tool.
        tool: Option<String>,
        /// Digest of the arguments, from [`LogKey::digest`](super::LogKey::digest).
        arguments: Option<Digest>,
    }

    /// Who asks.
    #[derive(Default)]
    pub struct Caller {
        /// Name and version of the agent, where it gave them.
        agent: Option<String>,
        /// The agent's trace, where it gave one.
        traceparent: Option<String>,
    }

    /// What is about to run, and who allowed it.
    // [AUD-20]
    pub struct Intent {
        /// What is known of the call: everything.
        facts: Facts,
        /// Risk level, as the policy names it.
        risk: String,
        /// Capabilities granted, one text each, such as `reach api.example.com`.
        capabilities: Vec<String>,
        /// The rule or person that granted them.
        granted_by: String,
        /// Linear memory of the call.
        memory_bytes_max: u64,
        /// Fuel of the call.
        fuel_max: u64,
        /// Wall-clock time of the call.
        timeout_ms: u64,
        /// What the call may write to stdout.
        output_bytes_max: u64,
        /// Who asks.
        caller: Caller,
        /// The one-time proof that a person agreed to exactly this call.
        attestation: Option<String>,
    }

    /// What came of a call.
    // [AUD-21]
    pub struct Outcome {
        /// How it ended.
        result: CallStatus,
        /// Fuel used.
        fuel_used: u64,
        /// Wall-clock time, in milliseconds.
        duration_ms: u64,
        /// Digest of what the tool wrote to stdout, unfiltered.
        stdout: Option<Digest>,
        /// Digest of the answer that leaves, filtered.
        answer: Option<Digest>,
        /// How many spans of each kind the privacy filter took out.
        privacy: BTreeMap<String, u64>,
        /// How often the tool tried what it may not do.
        denied: u64,
        /// How often it asked for what at the door, and what came of it.
        services: BTreeMap<String, u64>,
        /// How many changes of each kind were carried out on the host, and how many bytes were written.
        changes: BTreeMap<String, u64>,
    }

    /// The reason of a refusal.
    pub(super) struct Reason {
        code: Code,
    }

    /// What was refused before anything ran, with as much of it as was known by then.
    // [AUD-22]
    #[derive(Default)]
    pub struct Refusal {
        /// What the host was asked for, such as a file's path.
        source: Option<String>,
        /// What is known of the call.
        facts: Facts,
        /// Who asked.
        caller: Caller,
    }

    /// An incomplete line that was set aside.
    // [AUD-24]
    pub struct Torn {
        /// The name of the file that has it now.
        file: String,
        /// How long it is.
        bytes: u64,
        /// The SHA-256 of it.
        sha256: Hash,
    }
}

/// A record as it begins.
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

/// The members of a record of this kind, in their order.
fn form(kind: &str) -> Option<Form> {
    let mut form = Form::new();
    Start::form("", &mut form);
    match kind {
        "intent" => <(Call, Intent)>::form("", &mut form),
        "outcome" => <(Call, Outcome)>::form("", &mut form),
        "refused" => <(Reason, Refusal)>::form("", &mut form),
        "lost" => Call::form("", &mut form),
        "torn" => Torn::form("", &mut form),
        _ => return None,
    }
    Some(form)
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// The tool answered.
    Ok,
    /// The tool answered that it failed.
    ToolError,
    /// The runtime ended the call for this reason.
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
    /// [`LogKey`](super::LogKey) makes. Without the host's audit key nobody can find a short value by
    /// trying.
    Digest, "hmac-sha256:", pub(super)
}

impl Digest {
    /// Of bytes, under the log's key.
    // [AUD-14]
    pub(super) fn keyed(key: &[u8; 32], bytes: &[u8]) -> Self {
        Digest::of(&hmac_sha256(key, bytes))
    }
}

/// 64 hexadecimal digits.
#[derive(Clone, Debug)]
pub struct Hash(String);

impl Hash {
    /// The SHA-256 of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Hash(sha256_hex(bytes))
    }
}

// [AUD-12]
impl Field for u64 {
    fn value(&self) -> Value {
        Value::from((*self).min(INTEGER_MAX))
    }
    fn holds(value: &Value) -> bool {
        value.as_u64().is_some_and(|number| number <= INTEGER_MAX)
    }
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::value)
    }
    fn holds(value: &Value) -> bool {
        value.is_null() || T::holds(value)
    }
}

/// At most `AUDIT_LIST_COUNT_MAX` items, the last then a marker.
// [AUD-13]
impl<T: Field> Field for Vec<T> {
    fn value(&self) -> Value {
        if self.len() <= AUDIT_LIST_COUNT_MAX {
            return self.iter().map(T::value).collect();
        }
        let kept = AUDIT_LIST_COUNT_MAX.saturating_sub(1);
        let marker = format!("...[+{} items]", self.len().saturating_sub(kept));
        self.iter().take(kept).map(T::value).chain([Value::from(marker)]).collect()
    }
    fn holds(value: &Value) -> bool {
        let items = value.as_array().filter(|items| items.len() <= AUDIT_LIST_COUNT_MAX);
        items.is_some_and(|items| items.iter().all(T::holds))
    }
}

/// Counts by name. Names beyond the length and the number allowed are counted together.
// [AUD-13]
impl Field for BTreeMap<String, u64> {
    fn value(&self) -> Value {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (n, (name, count)) in self.iter().enumerate() {
            let fits = n < AUDIT_LIST_COUNT_MAX.saturating_sub(1);
            let name = if fits { cut(name) } else { "...".to_owned() };
            let sum = sums.entry(name).or_default();
            *sum = sum.saturating_add(*count);
        }
        sums.into_iter().map(|(name, sum)| (name, sum.value())).collect()
    }
    fn holds(value: &Value) -> bool {
        let counts = value.as_object().filter(|counts| counts.len() <= AUDIT_LIST_COUNT_MAX);
        let fits = |(name, n): (&String, &Value)| is_short(name) && u64::holds(n);
        counts.is_some_and(|counts| counts.iter().all(fits))
    }
}

/// Values that are texts: how each is written, and which texts it can be.
macro_rules! texts {
    ($($type:ty: $text:expr, $holds:expr;)*) => {$(
        impl Field for $type {
            fn value(&self) -> Value {
                Value::from($text(self))
            }
            fn holds(value: &Value) -> bool {
                value.as_str().is_some_and($holds)
            }
        }
    )*};
}

texts! {
    String: cut, is_short;
    &'static str: |text: &&'static str| *text, is_word;
    Code: |code: &Code| code.as_str(), is_word;
    CallStatus: CallStatus::as_str, is_word;
    Hash: |hash: &Hash| hash.0.clone(), is_hash;
    KeyId: KeyId::as_str, is_hash;
    ContentHash: ContentHash::as_str, |text| ContentHash::parse(text).is_some();
    Digest: Digest::as_str, |text| Digest::parse(text).is_some();
    Timestamp: Timestamp::to_string, |text| Timestamp::parse(text).is_some();
}

fn is_short(text: &str) -> bool {
    text.len() <= AUDIT_TEXT_BYTES_MAX
}
fn is_hash(text: &str) -> bool {
    unhex::<32>(text).is_some()
}
fn is_word(text: &str) -> bool {
    let letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
    is_short(text) && !text.is_empty() && text.bytes().all(letter)
}

/// Appends the canonical text of a value.
pub(super) fn write(value: &Value, out: &mut String) {
    canonical::write(value, number_text, out);
}

/// Decimal digits for what was written as an integer. Anything else is a double: the shortest
/// digits that read back as the same double, one of them before the point, and always an exponent.
/// Records hold integers only; arguments, which are digested in this form, may hold others.
// [AUD-12]
fn number_text(number: &Number) -> String {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(integer), _, _) => integer.to_string(),
        (_, Some(integer), _) => integer.to_string(),
        (_, _, double) => format!("{:e}", double.unwrap_or_default()),
    }
}

/// A text that came from outside, at most `AUDIT_TEXT_BYTES_MAX` long, the end replaced by a marker
/// that says how many bytes are missing.
// [AUD-13]
pub(super) fn cut(text: &str) -> String {
    if text.len() <= AUDIT_TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut kept_bytes = AUDIT_TEXT_BYTES_MAX.saturating_sub(MARKER_BYTES_MAX);
    while !text.is_char_boundary(kept_bytes) {
        kept_bytes = kept_bytes.saturating_sub(1);
    }
    let missing = text.len().saturating_sub(kept_bytes);
    format!("{}...[+{missing} bytes]", text.get(..kept_bytes).unwrap_or_default())
}

/// The hashed part of a line: the members of its kind, all of them, no others, in their order.
// [AUD-04] [AUD-25] [AUD-26]
fn body(object: &Map<String, Value>) -> Result<String, String> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let form = form(kind).ok_or_else(|| format!("unknown kind {:?}", cut(kind)))?;
    if object.get("v").and_then(Value::as_u64) != Some(VERSION) {
        return Err(format!("member \"v\" is not {VERSION}"));
    }
    // Of what runs every fact is known.
    let mut known = Form::new();
    if kind == "intent" {
        Facts::form("", &mut known);
    }
    let mut text = String::new();
    for (key, holds) in form {
        let value = object.get(key).ok_or_else(|| format!("member {key:?} is missing"))?;
        let lacks = value.is_null() && known.iter().any(|(known, _)| *known == key);
        if lacks || !holds(value) {
            return Err(format!("member {key:?} is not what it has to be"));
        }
        text.push(if text.is_empty() { '{' } else { ',' });
        canonical::write_string(key, &mut text);
        text.push(':');
        write(value, &mut text);
    }
    Ok(text)
}

/// A whole line with its line feed, and its hash. The limits on members keep it within the limit on
/// lines; a test writes the largest.
// [AUD-02] [AUD-03]
pub(super) fn seal(object: &Map<String, Value>) -> Result<(String, String), String> {
    let body = body(object)?;
    let hash = sha256_hex(body.as_bytes());
    let line = format!("{body}{HASH_SUFFIX}\"{hash}\"}}\n");
    Ok((line, hash))
}

/// What the chain needs to know of a record that was read.
#[derive(Debug)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// Hash of the record before it.
    pub prev: String,
    /// Its kind.
    pub kind: String,
    /// The call that the record is about; 0 if it is about none.
    pub call: u64,
    /// Its own hash.
    pub hash: String,
    /// All of it, but for the hash.
    pub members: Map<String, Value>,
}

/// Reads one line, given without its line feed.
///
/// # Errors
/// A text that says what is wrong with it.
// [AUD-02] [AUD-03] [AUD-04] [AUD-26]
pub fn read(line: &[u8]) -> Result<Record, String> {
    let text = core::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let (hashed, end) = text.rsplit_once(HASH_SUFFIX).ok_or("no \"hash\" at its end")?;
    let value = json::parse(line, DEPTH_MAX)?;
    let Value::Object(mut object) = value else { return Err("not an object".to_owned()) };
    let hash = match object.remove("hash") {
        Some(Value::String(hash)) => hash,
        _ => return Err("\"hash\" is not a string".to_owned()),
    };
    let computed = sha256_hex(hashed.as_bytes());
    if computed != hash {
        return Err(format!("hashes to {computed}, but says {:?}", cut(&hash)));
    }
    // A member that the kind does not have is missing from `body`, so it is refused here too.
    if body(&object)? != hashed || end != format!("\"{hash}\"}}") {
        return Err("not written in the one allowed way".to_owned());
    }
    let number = |key: &str| object.get(key).and_then(Value::as_u64).unwrap_or(0);
    let string = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let (prev, kind) = (string("prev"), string("kind"));
    let (seq, call) = (number("seq"), number("call"));
    Ok(Record { seq, prev, kind, call, hash, members: object })
}
