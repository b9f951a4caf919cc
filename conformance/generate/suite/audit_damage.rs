//! Audit logs with one kind of damage each.

use super::audit::{
    example, hash_of, intent, lines, lines_with, log, lost, outcome, refused, seal_text, set,
    Members, NO_HEAD,
};
use super::case::{parts_json, Case, Part};

const BROKEN: &str = "audit.broken";

pub fn cases() -> Vec<Case> {
    let mut cases = files();
    cases.extend(ends());
    cases.extend(chains());
    cases.extend(forms());
    cases.extend(values());
    cases.extend(records());
    cases
}

fn case(id: &str, title: &str, why: &str, spec: &str, log: impl Into<Vec<u8>>) -> Case {
    Case::audit(id, Some(log.into())).says(title, why).spec(spec).refused(BROKEN)
}

/// Damage to the bytes of a log, as an editor, a disk or a person leaves it.
fn files() -> Vec<Case> {
    let chain = lines(&example());
    let [one, two, three] = [&chain[0], &chain[1], &chain[2]];
    let whole = chain.concat();
    let why = "The chain shows any change, insertion, removal or reordering of records.";
    let of = |lines: &[&String]| lines.iter().map(|line| line.as_str()).collect::<String>();
    let changed = whole.replace("\"denied\":2", "\"denied\":0");
    let mut cases = Vec::new();
    for (id, title, spec, text) in [
        ("changed-value", "A changed value", "AUD-02", changed),
        (
            "changed-first",
            "A changed value in the first line",
            "AUD-02",
            whole.replacen("count_words", "count_lines", 1),
        ),
        (
            "changed-last",
            "A changed value in the last line",
            "AUD-02",
            whole.replace("evil.mpp", "good.mpp"),
        ),
        (
            "changed-hash",
            "A changed hash",
            "AUD-02",
            whole.replace(&hash_of(three), &hash_of(three).replace(&hash_of(three)[..2], "00")),
        ),
        (
            "hash-capital",
            "A hash in capital letters",
            "AUD-02",
            whole.replace(&hash_of(three), &hash_of(three).to_uppercase()),
        ),
        ("removed-first", "The first line removed", "AUD-61 AUD-03", of(&[two, three])),
        ("removed-middle", "A line removed", "AUD-61 AUD-03", of(&[one, three])),
        ("reordered", "Two lines exchanged", "AUD-61 AUD-03", of(&[one, three, two])),
        ("doubled", "A line twice", "AUD-61 AUD-03", of(&[one, two, two, three])),
        ("doubled-last", "The last line twice", "AUD-61 AUD-03", of(&[one, two, three, three])),
        ("joined", "Two lines without a line feed between them", "AUD-02", {
            whole.replacen("}\n{", "}{", 1)
        }),
        ("blank-line", "A blank line", "AUD-04", of(&[one, &"\n".to_owned(), two, three])),
        ("blank-first", "A blank line at the start", "AUD-04", format!("\n{whole}")),
        ("blank-last", "A blank line at the end", "AUD-04", format!("{whole}\n")),
        ("crlf", "Lines ended as on Windows", "AUD-04", whole.replace('\n', "\r\n")),
        ("mark", "A byte order mark", "AUD-04", format!("\u{feff}{whole}")),
        ("space-before", "A space before a line", "AUD-04 AUD-10", format!(" {whole}")),
        ("space-behind", "A space after a line", "AUD-02", whole.replace("}\n", "} \n")),
        ("text", "A line that is not JSON", "AUD-04", format!("{whole}hello\n")),
        ("array", "A line that is an array", "AUD-04", format!("{whole}[]\n")),
        ("object", "A line without a hash", "AUD-02", format!("{whole}{{}}\n")),
    ] {
        cases.push(case(id, title, why, spec, text));
    }
    let mut invalid = whole.clone().into_bytes();
    invalid[200] = 0xff;
    cases.push(case("not-utf8", "A byte that is not UTF-8", why, "AUD-04", invalid));
    let mut zeros = whole.clone().into_bytes();
    zeros[one.len()..one.len() + two.len() - 1].fill(0);
    cases.push(case("zeros", "Zeros in place of a line", why, "AUD-04", zeros));
    let head = "A head noted elsewhere shows that later records were removed.";
    let shorter = of(&[one, two]);
    cases.push(
        case("removed-last", "The last line removed", head, "AUD-65", shorter.clone())
            .with("expected_head", hash_of(three)),
    );
    cases.push(
        case("removed-all", "All lines removed", head, "AUD-65", Vec::new())
            .with("expected_head", hash_of(one)),
    );
    cases.push(
        Case::audit("head-form", Some(whole.clone().into_bytes()))
            .with("expected_head", hash_of(three).to_uppercase())
            .says(
                "An expected head in capital letters",
                "What cannot be the hash of a record is an error of who expects it.",
            )
            .spec("AUD-65")
            .refused("usage audit.broken"),
    );
    cases
}

/// The end of a log: what a writer that died leaves, and what it cannot have left.
fn ends() -> Vec<Case> {
    let chain = lines(&example());
    let whole = chain.concat();
    let why = "A writer that dies can leave the start of a line, which the next one sets aside.";
    let half = format!("{}{}", chain[0], &chain[1][..90]);
    let mut cases = Vec::new();
    for (id, title, text) in [
        ("torn", "Half of the last line", half.clone()),
        ("torn-feed", "The last line without its line feed", whole.trim_end().to_owned()),
        ("torn-first", "Half of the only line", chain[0][..100].to_owned()),
        ("torn-byte", "One byte after the last line", format!("{whole}x")),
    ] {
        cases.push(case(id, title, why, "AUD-66 AUD-44", text.into_bytes()).refused("audit.torn"));
    }
    let large = "No writer leaves more of a line than a line can have.";
    for (id, title, count, code) in [
        ("torn-longest", "The start of the longest line", (512 << 10) - 1, "audit.torn"),
        ("torn-too-long", "More than a line can have", 512 << 10, BROKEN),
    ] {
        let parts = vec![Part::once(whole.as_bytes()), Part { bytes: b"x".to_vec(), times: count }];
        cases.push(
            Case::audit(id, None)
                .with("file", parts_json(&parts))
                .says(title, large)
                .spec("AUD-06 LIM-52")
                .refused(code),
        );
    }
    let only = "Damage that a writer cannot have left is not repaired by the next append.";
    cases.push(case(
        "torn-and-broken",
        "A changed value, and half of the last line",
        only,
        "AUD-66",
        half.replace("count_words", "count_lines"),
    ));
    cases.push(
        case(
            "torn-and-head",
            "Half of the last line, whose head is expected",
            only,
            "AUD-66",
            half,
        )
        .with("expected_head", hash_of(&chain[2])),
    );
    cases.push(
        case(
            "torn-in-directory",
            "The last line without its line feed, and a head that is its end",
            only,
            "AUD-66 AUD-73",
            whole.trim_end(),
        )
        .with(
            "directory",
            serde_json::json!({
                "audit.head": format!("{} {}\n", whole.len(), hash_of(&chain[2])),
            }),
        ),
    );
    cases
}

/// Chains whose hashes are right and whose order is not.
fn chains() -> Vec<Case> {
    let why = "Who changes a record and its hash has to change every later one as well.";
    let text = |edit: &dyn Fn(usize, &mut Members)| lines_with(&example(), edit).concat();
    let only = |at: usize, name: &'static str, value: &str| {
        let value = value.to_owned();
        text(&move |seq, record| {
            if seq == at {
                set(record, name, value.clone());
            }
        })
    };
    let chain = lines(&example());
    let other = lines_with(&example(), |seq, record| {
        if seq == 2 {
            set(record, "denied", "0");
        }
    });
    let zeros = format!("\"{NO_HEAD}\"");
    let ones = format!("\"{}\"", NO_HEAD.replace('0', "1"));
    let mut cases = Vec::new();
    for (id, title, spec, log) in [
        (
            "chain-forged",
            "A record with another value and the hash of that",
            "AUD-62 AUD-03",
            format!("{}{}{}", chain[0], other[1], chain[2]),
        ),
        (
            "chain-spliced",
            "Records of another log from the third on",
            "AUD-62 AUD-03",
            format!("{}{}{}", chain[0], chain[1], other[2]),
        ),
        ("chain-first", "A first record after another", "AUD-62 AUD-03", only(1, "prev", &ones)),
        ("chain-restart", "A second start", "AUD-62 AUD-03", only(2, "prev", &zeros)),
        ("seq-zero", "A first record with number 0", "AUD-61 AUD-03", only(1, "seq", "0")),
        ("seq-gap", "A number left out", "AUD-61 AUD-03", only(3, "seq", "4")),
        ("seq-twice", "A number twice", "AUD-61 AUD-03", only(3, "seq", "2")),
        (
            "intent-call",
            "An intent of another call than its number",
            "AUD-63",
            only(1, "call", "2"),
        ),
    ] {
        cases.push(case(id, title, why, spec, log));
    }
    let ends = "Every call has at most one end, after its intent.";
    for (id, title, records) in [
        ("outcome-first", "An outcome without an intent", vec![outcome(1)]),
        ("outcome-own", "An outcome of itself", vec![intent(1), outcome(2)]),
        ("outcome-later", "An outcome before its intent", vec![outcome(2), intent(2)]),
        ("outcome-zero", "An outcome of call 0", vec![intent(1), outcome(0)]),
        ("outcome-twice", "Two outcomes of one call", vec![intent(1), outcome(1), outcome(1)]),
        ("lost-twice", "A call that is lost twice", vec![intent(1), lost(1), lost(1)]),
        (
            "lost-ended",
            "A call that is lost after its outcome",
            vec![intent(1), outcome(1), lost(1)],
        ),
        ("outcome-lost", "An outcome of a lost call", vec![intent(1), lost(1), outcome(1)]),
        ("outcome-refused", "An outcome of a refused call", vec![refused(), outcome(1)]),
    ] {
        cases.push(case(id, title, ends, "AUD-64", log(&records)));
    }
    cases
}

/// Lines of another form, whose hashes and chain are right.
fn forms() -> Vec<Case> {
    let why = "One record has one text, so that its hash means one thing.";
    let chain = lines(&example());
    // The body of the third line, changed, with the right hash.
    let body =
        chain[2].rsplit_once(",\"hash\":").map(|(body, _)| body.to_owned()).unwrap_or_default();
    let with = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        format!("{}{}{}", chain[0], chain[1], seal_text(&body.replacen(from, to, 1)).0)
    };
    let (end, hash) = seal_text(&body);
    let ending = |tail: &str| format!("{}{}{body}{tail}\n", chain[0], chain[1]);
    assert!(end.contains(&hash));
    let mut cases = Vec::new();
    for (id, title, spec, log) in [
        ("space", "A space after a comma", "AUD-10", with(",\"kind\"", ", \"kind\"")),
        ("space-colon", "A space after a colon", "AUD-10", with("\"kind\":", "\"kind\": ")),
        ("space-start", "A space in front", "AUD-10", with("{\"v\"", "{ \"v\"")),
        (
            "order",
            "Two members exchanged",
            "AUD-10 AUD-25",
            with("\"tool\":null,\"arguments\":null", "\"arguments\":null,\"tool\":null"),
        ),
        (
            "order-start",
            "The number before the version",
            "AUD-05 AUD-10",
            with("\"v\":1,\"seq\":3", "\"seq\":3,\"v\":1"),
        ),
        (
            "member-unknown",
            "A member that its kind does not have",
            "AUD-26",
            with("\"traceparent\":null", "\"traceparent\":null,\"note\":null"),
        ),
        (
            "member-null",
            "A name of a tool on its host that is null, and not left out",
            "AUD-25",
            with("\"traceparent\":null", "\"traceparent\":null,\"listed_as\":null"),
        ),
        (
            "member-before",
            "A name of a tool on its host before its place",
            "AUD-25",
            with("\"traceparent\":null", "\"listed_as\":\"a\",\"traceparent\":null"),
        ),
        ("member-missing", "A member left out", "AUD-25", with(",\"traceparent\":null", "")),
        (
            "member-twice",
            "A member twice",
            "AUD-04",
            with("\"tool\":null", "\"tool\":null,\"tool\":null"),
        ),
        ("kind", "Another kind", "AUD-26", with("\"refused\"", "\"note\"")),
        ("kind-missing", "No kind", "AUD-05", with(",\"kind\":\"refused\"", "")),
        ("version-2", "Version 2", "AUD-05", with("\"v\":1", "\"v\":2")),
        ("version-text", "The version as a text", "AUD-05", with("\"v\":1", "\"v\":\"1\"")),
        ("version-fraction", "Version 1.0", "AUD-12", with("\"v\":1", "\"v\":1.0")),
        ("version-missing", "No version", "AUD-05", with("\"v\":1,", "")),
        ("solidus", "An escaped solidus", "AUD-11", with("downloads/", "downloads\\/")),
        ("letter-escaped", "A letter written as escape", "AUD-11", with("evil", "\\u0065vil")),
        (
            "letter-literal",
            "A letter beyond ASCII, not escaped",
            "AUD-11",
            with("evil", "\u{e9}vil"),
        ),
        ("escape-capital", "An escape with capital digits", "AUD-11", with("evil", "\\u00E9vil")),
        ("escape-short", "A line feed as `\\n`", "AUD-11", with("evil", "evil\\n")),
        ("escape-lone", "Half of a surrogate pair", "AUD-11", with("evil", "\\ud83d")),
        ("delete-literal", "U+007F, not escaped", "AUD-11", with("evil", "\u{7f}")),
        ("name-escaped", "An escape in a name", "AUD-11", with("\"tool\"", "\"\\u0074ool\"")),
        ("hash-number", "A number as hash", "AUD-02", ending(",\"hash\":1}")),
        (
            "hash-space",
            "A space before the hash",
            "AUD-02",
            ending(&format!(",\"hash\": \"{hash}\"}}")),
        ),
        (
            "hash-not-last",
            "A member after the hash",
            "AUD-02",
            ending(&format!(",\"hash\":\"{hash}\",\"x\":1}}")),
        ),
        (
            "hash-sum",
            "A hash with the name of its function",
            "AUD-02",
            ending(&format!(",\"hash\":\"sha256:{hash}\"}}")),
        ),
        (
            "hash-whole",
            "The hash of the whole line",
            "AUD-02",
            ending(&format!(",\"hash\":\"{}\"}}", super::crypto::sha256_hex(chain[2].as_bytes()))),
        ),
    ] {
        cases.push(case(&format!("form-{id}"), title, why, spec, log));
    }
    cases
}

/// A member of a record with a value that its type does not have.
fn values() -> Vec<Case> {
    let why = "Every member has the type that the page gives it.";
    let with = |at: usize, name: &'static str, value: &str| {
        let value = value.to_owned();
        let edit = move |seq: usize, record: &mut Members| {
            if seq == at {
                set(record, name, value.clone());
            }
        };
        lines_with(&example(), edit).concat()
    };
    let hash = |prefix: &str, letter: &str| format!("\"{prefix}{}\"", letter.repeat(64));
    let list = format!("[{}]", vec!["\"x\""; 257].join(","));
    let long = format!("\"{}\"", "x".repeat(257));
    let wide = format!("\"{}\"", "\\u00e9".repeat(129));
    let mut cases = Vec::new();
    for (id, title, spec, at, name, value) in [
        ("integer-negative", "A negative integer", "AUD-12", 2, "denied", "-1"),
        ("integer-fraction", "A fraction", "AUD-12", 2, "denied", "1.5"),
        ("integer-exponent", "An exponent", "AUD-12", 2, "denied", "1e0"),
        ("integer-zero", "A leading zero", "AUD-12", 2, "denied", "01"),
        ("integer-minus-zero", "Minus zero", "AUD-12", 2, "denied", "-0"),
        ("integer-large", "The integer 2^53", "AUD-12", 2, "denied", "9007199254740992"),
        ("integer-text", "A text as integer", "AUD-12", 2, "denied", "\"2\""),
        ("integer-null", "Null as integer", "AUD-21", 2, "denied", "null"),
        ("text-long", "A text of 257 bytes", "AUD-13 LIM-50", 3, "source", &long),
        ("text-wide", "A text of 129 letters of two bytes", "AUD-13 LIM-50", 3, "source", &wide),
        ("text-number", "A number as text", "AUD-22", 3, "source", "1"),
        ("text-null", "Null as text of an intent", "AUD-20", 1, "package", "null"),
        ("list-long", "A list of 257 items", "AUD-13 LIM-51", 1, "capabilities", &list),
        ("list-number", "A number in a list of texts", "AUD-20", 1, "capabilities", "[1]"),
        ("list-null", "Null as list", "AUD-22", 3, "signers", "null"),
        ("list-object", "An object as list", "AUD-20", 1, "capabilities", "{}"),
        ("signer", "A signer that is not a hash", "AUD-20", 1, "signers", "[\"author\"]"),
        ("word-capital", "A result with a capital letter", "AUD-21", 2, "result", "\"Ok\""),
        ("word-empty", "An empty result", "AUD-21", 2, "result", "\"\""),
        ("word-space", "A code with a space", "AUD-22", 3, "code", "\"signature invalid\""),
        ("word-null", "Null as code", "AUD-22", 3, "code", "null"),
        (
            "time-fraction",
            "A time with a fraction",
            "AUD-05",
            3,
            "time",
            "\"2026-01-01T12:00:09.5Z\"",
        ),
        (
            "time-offset",
            "A time with an offset",
            "AUD-05",
            3,
            "time",
            "\"2026-01-01T12:00:09+00:00\"",
        ),
        ("time-day", "A day that does not exist", "AUD-05", 3, "time", "\"2026-02-30T12:00:09Z\""),
        ("time-number", "A number as time", "AUD-05", 3, "time", "1767268809"),
        (
            "digest-plain",
            "Arguments instead of their digest",
            "AUD-14",
            1,
            "arguments",
            "\"hello\"",
        ),
        ("digest-sum", "A digest without a key", "AUD-14", 1, "arguments", &hash("sha256:", "a")),
        (
            "digest-capital",
            "A digest in capitals",
            "AUD-14",
            1,
            "arguments",
            &hash("hmac-sha256:", "A"),
        ),
        ("digest-short", "A short digest", "AUD-14", 2, "stdout", "\"hmac-sha256:00\""),
        (
            "content-hash",
            "A content hash without its function",
            "AUD-20",
            1,
            "content_hash",
            &hash("", "a"),
        ),
        (
            "counts-order",
            "Counts out of order",
            "AUD-10",
            2,
            "privacy",
            "{\"email\":1,\"address\":1}",
        ),
        ("counts-twice", "A count twice", "AUD-04", 2, "privacy", "{\"email\":1,\"email\":1}"),
        ("counts-text", "A text as count", "AUD-21", 2, "privacy", "{\"email\":\"1\"}"),
        ("counts-list", "A list as counts", "AUD-21", 2, "privacy", "[]"),
        ("counts-deep", "An object as count", "AUD-21", 2, "changes", "{\"bytes\":{}}"),
    ] {
        cases.push(case(&format!("value-{id}"), title, why, spec, with(at, name, value)));
    }
    cases
}

/// Each member of each kind left out, or null.
fn records() -> Vec<Case> {
    let why = "A record has all members of its kind.";
    let mut cases = Vec::new();
    let kinds = [
        ("lost", vec![intent(1), lost(1)], "AUD-23", "call"),
        ("torn", vec![super::audit::torn(1)], "AUD-24", "sha256"),
        ("outcome", vec![intent(1), outcome(1)], "AUD-21", "changes"),
        ("intent", vec![intent(1)], "AUD-20", "attestation"),
    ];
    for (kind, records, spec, member) in kinds {
        let last = records.len();
        let without = lines_with(&records, |seq, record| {
            if seq == last {
                record.retain(|(name, _)| name != member);
            }
        });
        let more = lines_with(&records, |seq, record| {
            if seq == last {
                set(record, "source", "null");
            }
        });
        let title = format!("The kind `{kind}` without `{member}`");
        let spec = format!("{spec} AUD-25");
        cases.push(case(&format!("{kind}-less"), &title, why, &spec, without.concat()));
        let title = format!("The kind `{kind}` with `source`");
        cases.push(case(&format!("{kind}-more"), &title, why, "AUD-26", more.concat()));
    }
    for (id, title, name, value) in [
        ("torn-hash", "A line set aside, with a hash that is none", "sha256", "\"\""),
        ("torn-length", "A line set aside, of a length that is none", "bytes", "null"),
        ("torn-file", "A line set aside in no file", "file", "null"),
    ] {
        let mut record = super::audit::torn(1);
        set(&mut record, name, value);
        cases.push(case(id, title, why, "AUD-24", log(&[record])));
    }
    cases
}
