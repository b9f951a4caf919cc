//! One case: its text, its files, and the JSON that any implementation reads.

use super::crypto::{hex, sha256_hex};
use serde_json::{json, Value};

/// When every case happens unless it says otherwise.
pub const NOW: &str = "2026-06-01T00:00:00Z";

#[derive(Clone, Debug)]
pub struct Case {
    /// Directory and name, such as `archive/prefix-junk`.
    pub id: String,
    pub op: &'static str,
    /// Which of the seven checks it is about; only for `verify`.
    pub check: Option<u8>,
    pub title: String,
    pub why: String,
    pub spec: Vec<String>,
    /// Features without which an implementation cannot answer: the table in `runner/PROTOCOL.md`.
    pub needs: Vec<&'static str>,
    /// Members of `input`, in order.
    pub input: Vec<(&'static str, Value)>,
    pub verdict: &'static str,
    /// The check that refuses; only for `verify`.
    pub refused_by: Option<u8>,
    /// Any of these is right; the first is this project's.
    pub codes: Vec<String>,
    /// The response, for an accepted `run` or `filter`.
    pub answer: Option<Value>,
    /// Files that belong to this case, by their path below `vectors/`.
    pub files: Vec<(String, Vec<u8>)>,
}

/// A package as the case file gives it: bytes of its own file, or parts to be joined, for those that
/// are large but dull.
pub enum Bytes {
    File(Vec<u8>),
    PackageParts(Vec<Part>),
}

/// Bytes that are repeated this number of times.
#[derive(Clone)]
pub struct Part {
    pub bytes: Vec<u8>,
    pub times: usize,
}

impl Part {
    pub fn once(bytes: impl Into<Vec<u8>>) -> Self {
        Part { bytes: bytes.into(), times: 1 }
    }
}

/// Parts as a case file gives them.
pub fn parts_json(parts: &[Part]) -> Value {
    let list = parts.iter().map(|part| match part.times {
        1 => json!({ "hex": hex(&part.bytes) }),
        times => json!({ "hex": hex(&part.bytes), "times": times }),
    });
    Value::Array(list.collect())
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::File(bytes)
    }
}

impl From<Vec<Part>> for Bytes {
    fn from(parts: Vec<Part>) -> Self {
        Bytes::PackageParts(parts)
    }
}

impl Case {
    fn new(op: &'static str, id: &str) -> Self {
        Case {
            id: id.to_owned(),
            op,
            check: None,
            title: String::new(),
            why: String::new(),
            spec: Vec::new(),
            needs: Vec::new(),
            input: Vec::new(),
            verdict: "accept",
            refused_by: None,
            codes: Vec::new(),
            answer: None,
            files: Vec::new(),
        }
    }

    /// A package that goes through the Gatekeeper.
    pub fn verify(check: u8, id: &str, package: impl Into<Bytes>) -> Self {
        let mut case = Case::new("verify", id);
        case.check = Some(check);
        match package.into() {
            Bytes::File(bytes) => case.file("package", "mpp", bytes),
            Bytes::PackageParts(parts) => {
                let repeated: Vec<_> = parts.iter().map(|p| p.bytes.repeat(p.times)).collect();
                let whole = repeated.concat();
                case.input.push(("package", parts_json(&parts)));
                case.input.push(("sha256", sha256_hex(&whole).into()));
            }
        }
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case.input.push(("now", NOW.into()));
        case
    }

    /// A call of a tool, through the whole pipeline.
    pub fn run(id: &str, package: Vec<u8>) -> Self {
        let mut case = Case::new("run", id);
        case.file("package", "mpp", package);
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case.input.push(("tool", "echo".into()));
        case.input.push(("arguments", json!({})));
        case
    }

    /// An audit log that is read, if there is one.
    pub fn audit(id: &str, log: Option<Vec<u8>>) -> Self {
        Case::new("audit", &format!("audit/{id}")).with_log(log)
    }

    /// What a call of a tool adds to an audit log.
    pub fn record(id: &str, package: Vec<u8>, log: Option<Vec<u8>>) -> Self {
        let mut case = Case::run(&format!("record/{id}"), package);
        case.op = "record";
        case.with_log(log)
    }

    /// One exchange of the transport with a server.
    pub fn exchange(id: &str) -> Self {
        Case::new("exchange", id)
    }

    /// What a server writes for these lines.
    pub fn mcp(id: &str, lines: Value, show: &[&str]) -> Self {
        let mut case = Case::new("mcp", &format!("mcp/{id}"));
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case.with("lines", lines).with("show", show)
    }

    /// What is done with installed packages.
    pub fn store(id: &str) -> Self {
        let mut case = Case::new("store", &format!("store/{id}"));
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case
    }

    /// Adds a package to the list `packages`. Equal packages of several cases have one file, named here.
    pub fn package(mut self, name: &str, bytes: &[u8]) -> Self {
        let path = format!("{name}.mpp");
        match self.input.iter_mut().find(|(member, _)| *member == "packages") {
            Some((_, Value::Array(list))) => list.push(path.clone().into()),
            _ => self.input.push(("packages", json!([path]))),
        }
        self.files.push((path, bytes.to_vec()));
        self
    }

    /// Adds a file that a member names.
    pub fn with_member_file(mut self, member: &'static str, extension: &str, bytes: &[u8]) -> Self {
        let path = format!("{}.{extension}", self.id);
        self.input.push((member, path.clone().into()));
        self.files.push((path, bytes.to_vec()));
        self
    }

    fn with_log(mut self, log: Option<Vec<u8>>) -> Self {
        if let Some(log) = log {
            self = self.with_member_file("file", "jsonl", &log);
        }
        self
    }

    /// Calls on a scripted host.
    pub fn call(id: &str, package: Vec<u8>) -> Self {
        let mut case = Case::new("call", id);
        case.file("package", "mpp", package);
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case.input.push(("now", NOW.into()));
        case.input.push(("calls", json!([{ "tool": "echo" }])));
        case
    }

    /// A decision about a package.
    pub fn decide(id: &str, package: Vec<u8>) -> Self {
        let mut case = Case::new("decide", id);
        case.file("package", "mpp", package);
        case.input.push(("trust", super::publisher::store_path("author").into()));
        case.input.push(("now", NOW.into()));
        case
    }

    /// A further package of the case.
    pub fn with_file(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.push((format!("{}-{name}", self.id), bytes));
        self
    }

    /// A statement about a key, or a bundle of an organisation.
    pub fn statement(op: &'static str, id: &str) -> Self {
        Case::new(op, &format!("{op}/{id}")).with("now", NOW)
    }

    /// A value that goes through the privacy filter, with every kind on.
    pub fn filter(id: &str, value: Value) -> Self {
        Case::new("filter", id).with("value", value)
    }

    /// A file of the host: `key`, `trust` or `policy`.
    pub fn host(op: &'static str, id: &str, extension: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let mut case = Case::new(op, id);
        case.file("file", extension, bytes.into());
        case
    }

    /// A file of the host in parts.
    pub fn large(op: &'static str, id: &str, parts: Value) -> Self {
        Case::new(op, id).with("file", parts)
    }

    fn file(&mut self, member: &'static str, extension: &str, bytes: Vec<u8>) {
        let path = format!("{}.{extension}", self.id);
        self.input.push((member, path.clone().into()));
        self.input.push(("sha256", sha256_hex(&bytes).into()));
        self.files.push((path, bytes));
    }

    /// Sets a member of `input`.
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        match self.input.iter_mut().find(|(name, _)| *name == member) {
            Some((_, old)) => *old = value,
            None => self.input.push((member, value)),
        }
        self
    }

    /// Sets the title and the reason of the case.
    pub fn says(mut self, title: &str, why: &str) -> Self {
        (self.title, self.why) = (title.to_owned(), why.to_owned());
        self
    }

    /// Sets the response of a `run` or `filter`; a member that is null must be absent.
    pub fn answers(mut self, mut answer: Value) -> Self {
        if self.op == "run" && answer.get("structured_content").is_none() {
            answer["structured_content"] = Value::Null;
        }
        self.answer = Some(answer);
        self
    }

    /// Adds a member to the answer.
    pub fn also(mut self, member: &str, value: Value) -> Self {
        self.answer.get_or_insert_with(|| json!({}))[member] = value;
        self
    }

    pub fn spec(mut self, ids: &str) -> Self {
        self.spec = ids.split_whitespace().map(str::to_owned).collect();
        self
    }

    /// Adds the features that a case needs whose tool has directories or a network.
    pub fn needs_of_its_host(&mut self) {
        let host = self.input.iter().find(|(name, _)| *name == "host").map(|(_, host)| host);
        let has = |member: &str| host.is_some_and(|host| host.get(member).is_some());
        let needs = [("files", has("directories")), ("network", has("network"))];
        self.needs.extend(needs.into_iter().filter(|(_, it)| *it).map(|(feature, _)| feature));
    }

    /// Adds a feature that the case needs.
    pub fn needs(mut self, feature: &'static str) -> Self {
        self.needs.push(feature);
        self
    }

    pub fn refused(self, codes: &str) -> Self {
        self.ends("refuse", codes)
    }

    /// Two careful implementations may differ: the package passes, or is refused with this code.
    pub fn either(self, codes: &str) -> Self {
        self.ends("either", codes)
    }

    fn ends(mut self, verdict: &'static str, codes: &str) -> Self {
        self.verdict = verdict;
        self.codes = codes.split_whitespace().map(str::to_owned).collect();
        self.refused_by =
            self.codes.first().filter(|_| self.op == "verify").map(|code| check(code));
        self
    }

    pub fn to_json(&self) -> String {
        let mut members: Vec<(&str, Value)> = vec![
            ("id", self.id.clone().into()),
            ("since", super::VERSION.into()),
            ("op", self.op.into()),
        ];
        members.extend(self.check.map(|check| ("check", check.into())));
        members.push(("title", self.title.clone().into()));
        members.push(("why", self.why.clone().into()));
        members.push(("spec", self.spec.clone().into()));
        if !self.needs.is_empty() {
            members.push(("needs", self.needs.clone().into()));
        }
        let mut expect = vec![("verdict", self.verdict.into())];
        expect.extend(self.refused_by.map(|check| ("check", check.into())));
        if !self.codes.is_empty() {
            expect.push(("codes", self.codes.clone().into()));
        }
        expect.extend(self.answer.clone().map(|answer| ("answer", answer)));
        let (input, expect) = (object(&self.input, 2), object(&expect, 2));
        let head = object(&members, 1);
        let head = head.trim_end_matches("\n}");
        format!("{head},\n  \"input\": {input},\n  \"expect\": {expect}\n}}\n")
    }
}

/// Returns the check that a code belongs to.
pub fn check(code: &str) -> u8 {
    let stages =
        ["archive", "structure", "content", "signature", "publisher", "manifest", "module"];
    let stage = code.split('.').next().unwrap_or_default();
    let place = stages.iter().position(|known| *known == stage);
    place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
}

/// An object with its members in this order, one a line.
fn object(members: &[(&str, Value)], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let lines: Vec<String> =
        members.iter().map(|(name, value)| format!("{indent}\"{name}\": {value}")).collect();
    format!("{{\n{}\n{}}}", lines.join(",\n"), "  ".repeat(depth - 1))
}
