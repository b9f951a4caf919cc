//! Calls through the whole pipeline: requests, faults of guests, and responses.

use super::case::Case;
use super::package::{manifest, Package};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(defaults());
    cases.extend(decisions());
    cases.extend(endings());
    cases.extend(answers());
    cases.extend(accepted());
    cases
}

/// The parent's manifest with limits that a small guest reaches soon.
fn small_limits() -> Value {
    let mut manifest = manifest();
    manifest["runtime"] = json!({
        "target": "wasm32-wasip1", "memory_limit_mb": 1, "fuel": 1_000_000, "output_limit_kb": 1,
    });
    manifest
}

/// A guest whose `_start` does this, with `text` at byte 1024 and what it may want to call.
pub fn guest(start: &str, text: &str) -> Vec<u8> {
    let data: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let module = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 1024) "{data}")
          (func (param i32 i32)
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (local.get 1))
            (drop (call 0 (local.get 0) (i32.const 0) (i32.const 1) (i32.const 8))))
          (func (call 3))
          (func (export "_start") {start}))"#
    );
    wat::parse_str(&module).unwrap_or_else(|error| panic!("{start}: {error}"))
}

/// A guest that writes this to stdout and ends.
pub fn saying(text: &str) -> Vec<u8> {
    guest(&format!("(call 2 (i32.const 1) (i32.const {}))", text.len()), text)
}

fn response(result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
}

pub fn text_block(text: &str) -> Value {
    json!([{ "type": "text", "text": text }])
}

pub fn run(id: &str, manifest: &Value, module: Vec<u8>) -> Case {
    let package = Package::new().with_manifest(manifest).with("tool.wasm", module);
    Case::run(&format!("run/{id}"), package.bytes())
}

fn requests() -> Vec<Case> {
    let mut strict = manifest();
    strict["tools"][0]["parameters"] = json!({
        "type": "object", "additionalProperties": false, "required": ["text"],
        "properties": { "text": { "type": "string", "maxLength": 5 } },
    });
    let call = |id: &str| run(id, &strict, saying(&response(&json!("fine"))));
    let before = "What the tool did not declare never reaches it.";
    let mut cases = vec![
        call("request-unknown-tool")
            .with("tool", "nope")
            .says("A tool that the package does not have", before)
            .spec("RUN-03")
            .refused("request.unknown_tool"),
        call("request-tool-case")
            .with("tool", "Echo")
            .says("A tool in another case", "Names are compared letter by letter.")
            .spec("RUN-03")
            .refused("request.unknown_tool"),
    ];
    for (id, title, arguments) in [
        ("missing", "Arguments without a required one", json!({})),
        ("unknown", "Arguments with one that is not declared", json!({ "text": "x", "path": "/" })),
        ("type", "An argument of another type", json!({ "text": 1 })),
        ("long", "An argument that is too long", json!({ "text": "longer" })),
        ("array", "Arguments that are not an object", json!(["text"])),
        ("null", "Null as arguments", Value::Null),
    ] {
        cases.push(
            call(&format!("request-arguments-{id}"))
                .with("arguments", arguments)
                .says(title, before)
                .spec("RUN-05 MAN-32")
                .refused("request.bad_arguments"),
        );
    }
    cases.extend(values());
    cases.push(
        run("request-too-large", &manifest(), saying(&response(&json!("fine"))))
            .with("fill", json!({ "member": "text", "letters": 16 << 20 }))
            .says(
                "Arguments of more than 16 MiB: a member `text` of that many letters x",
                "The memory that the host uses for one call has a limit.",
            )
            .spec("RUN-05 LIM-12")
            .refused("request.too_large"),
    );
    cases
}

/// Arguments checked against a schema: what JSON leaves to its readers.
fn values() -> Vec<Case> {
    let with = |id: &str, schema: Value, arguments: Value| {
        let mut manifest = manifest();
        manifest["tools"][0]["parameters"] =
            json!({ "type": "object", "properties": { "x": schema } });
        let case = run(&format!("value-{id}"), &manifest, saying(&response(&json!("fine"))));
        case.with("arguments", arguments)
    };
    let number = "A number is its value, in any notation.";
    let exact = "Two numbers that a double cannot tell apart are two numbers.";
    let equal = "Equal means of one type and the same value.";
    let mut cases = Vec::new();
    for (id, title, why, spec, schema, x) in [
        (
            "fraction",
            "1.5 where an integer is declared",
            number,
            "SCH-09",
            json!({ "type": "integer" }),
            json!(1.5),
        ),
        (
            "beyond-double",
            "2^53 + 1 where 2^53 is the most",
            exact,
            "SCH-10",
            json!({ "maximum": 9_007_199_254_740_992_u64 }),
            json!(9_007_199_254_740_993_u64),
        ),
        (
            "multiple",
            "2^53 + 1 where multiples of 2 are declared",
            exact,
            "SCH-10",
            json!({ "multipleOf": 2 }),
            json!(9_007_199_254_740_993_u64),
        ),
        (
            "length",
            "Three letters of four bytes where two are the most",
            "Lengths are code points, not bytes.",
            "SCH-10",
            json!({ "maxLength": 2 }),
            json!("\u{1f600}\u{1f600}\u{1f600}"),
        ),
        (
            "text-for-number",
            "A text where the number is declared",
            equal,
            "SCH-11",
            json!({ "const": 1 }),
            json!("1"),
        ),
        (
            "true-for-one",
            "True where 1 is declared",
            equal,
            "SCH-11",
            json!({ "enum": [1, 0] }),
            json!(true),
        ),
        (
            "composed",
            "A composed letter where the decomposed one is declared",
            equal,
            "SCH-11",
            json!({ "const": "e\u{301}" }),
            json!("\u{e9}"),
        ),
        (
            "unique",
            "1 and 1.0 where items differ",
            equal,
            "SCH-11",
            json!({ "uniqueItems": true }),
            json!([1, 1.0]),
        ),
        (
            "unique-objects",
            "Equal objects in another order where items differ",
            equal,
            "SCH-11",
            json!({ "uniqueItems": true }),
            json!([{ "a": 1, "b": 2 }, { "b": 2, "a": 1 }]),
        ),
    ] {
        cases.push(
            with(id, schema, json!({ "x": x }))
                .says(title, why)
                .spec(spec)
                .refused("request.bad_arguments"),
        );
    }
    cases.push(
        with("steps", json!({ "pattern": "^x*$" }), json!({}))
            .with("fill", json!({ "member": "x", "letters": 8 << 20 }))
            .says(
                "A text of 8 MiB against a pattern",
                "Checking a value is bounded, and this one takes more steps than are allowed, though it would match; who counts otherwise may accept it.",
            )
            .spec("SCH-12 LIM-19")
            .needs("patterns")
            .either("request.bad_arguments")
            .answers(json!({ "content": text_block("fine"), "is_error": false })),
    );
    for (id, title, why, spec, schema, x) in [
        (
            "accept-integer",
            "1.0 where an integer is declared",
            number,
            "SCH-09",
            json!({ "type": "integer" }),
            json!(1.0),
        ),
        (
            "accept-length",
            "Two letters of four bytes where two are the most",
            "Lengths are code points, not bytes.",
            "SCH-10",
            json!({ "maxLength": 2 }),
            json!("\u{1f600}\u{1f600}"),
        ),
        (
            "accept-object",
            "An object in another order than the declared one",
            equal,
            "SCH-11",
            json!({ "const": { "a": 1, "b": [2.0] } }),
            json!({ "b": [2], "a": 1.0 }),
        ),
        (
            "accept-nul",
            "U+0000 in an argument",
            "JSON allows it, and a tool may want it.",
            "JSON-07",
            json!({ "type": "string" }),
            json!("a\u{0}b"),
        ),
    ] {
        cases.push(
            with(id, schema, json!({ "x": x }))
                .says(title, why)
                .spec(spec)
                .answers(json!({ "content": text_block("fine"), "is_error": false })),
        );
    }
    cases
}

/// What runs where no rule says anything, and what the two rules about levels change.
fn defaults() -> Vec<Case> {
    let asking = |capabilities: Value| {
        let mut manifest = manifest();
        manifest["capabilities"] = capabilities;
        manifest
    };
    let reading = asking(json!({ "filesystem": { "read": ["/data"] } }));
    let variable = asking(json!({ "environment": ["API_KEY"] }));
    let mut writing = manifest();
    writing["tools"][0]["sensitivity"] = json!("write");
    let default =
        "Without a rule only packages that request nothing run; without an approver the rest is denied.";
    let mut cases = Vec::new();
    let none = Value::Null;
    for (id, title, spec, manifest, policy, code) in [
        (
            "default-directory",
            "A package that reads a directory, without a policy",
            "POLICY-15 POLICY-17",
            &reading,
            &none,
            "policy.confirmation_required",
        ),
        (
            "default-directory-empty",
            "A package that reads a directory, and a policy without rules",
            "POLICY-15 POLICY-17",
            &reading,
            &json!({}),
            "policy.confirmation_required",
        ),
        (
            "default-storage",
            "A package that stores data, without a policy",
            "POLICY-15",
            &asking(json!({ "storage": { "limit_kb": 1 } })),
            &none,
            "policy.confirmation_required",
        ),
        (
            "default-variable",
            "A package that requests a variable that the policy does not set",
            "POLICY-15",
            &variable,
            &none,
            "policy.confirmation_required",
        ),
        (
            "default-write",
            "A package without capabilities whose tool changes something, without a policy",
            "POLICY-15",
            &writing,
            &none,
            "policy.confirmation_required",
        ),
        (
            "default-non-interactive",
            "A package that reads a directory, under a non-interactive policy",
            "POLICY-06 POLICY-15",
            &reading,
            &json!({ "non_interactive": true }),
            "policy.denied",
        ),
        (
            "default-denied",
            "A package that requests nothing, with an id that the policy denies",
            "POLICY-03 POLICY-15",
            &manifest(),
            &json!({ "deny": { "packages": ["*"] } }),
            "policy.denied",
        ),
        (
            "auto-approve-low-medium",
            "A package of medium risk, where the policy approves low risk",
            "POLICY-05",
            &variable,
            &json!({ "auto_approve_low": true }),
            "policy.confirmation_required",
        ),
        (
            "ask-always",
            "A package that requests nothing, where the policy requires approval for everything",
            "POLICY-16",
            &manifest(),
            &json!({ "ask_always": true }),
            "policy.confirmation_required",
        ),
        (
            "ask-always-non-interactive",
            "A package that requests nothing, under a non-interactive policy that requires approvals",
            "POLICY-06 POLICY-16",
            &manifest(),
            &json!({ "ask_always": true, "non_interactive": true }),
            "policy.denied",
        ),
    ] {
        let mut case = run(&format!("policy-{id}"), manifest, saying(&response(&json!("fine"))));
        if !policy.is_null() {
            case = case.with("policy", with_format(policy));
        }
        cases.push(case.says(title, default).spec(spec).refused(code));
    }
    for (id, title, spec, manifest, policy) in [
        (
            "default-non-interactive",
            "A package that requests nothing, under a non-interactive policy",
            "POLICY-06 POLICY-15",
            &manifest(),
            json!({ "non_interactive": true }),
        ),
        (
            "auto-approve-low",
            "A package that reads a directory, where the policy approves low risk",
            "POLICY-05",
            &reading,
            json!({ "auto_approve_low": true }),
        ),
        (
            "ask-always-trusted",
            "A trusted package, where the policy requires approval for everything else",
            "POLICY-05 POLICY-16",
            &variable,
            json!({ "ask_always": true, "trusted_packages": ["org.example.echo"] }),
        ),
    ] {
        cases.push(
            run(&format!("accept-{id}"), manifest, saying(&response(&json!("fine"))))
                .with("policy", with_format(&policy))
                .says(title, "No approver is available, and none is needed.")
                .spec(spec)
                .answers(json!({ "content": text_block("fine"), "is_error": false })),
        );
    }
    cases
}

fn with_format(policy: &Value) -> Value {
    let mut policy = policy.clone();
    policy["format"] = "mpp-policy/1".into();
    policy
}

fn decisions() -> Vec<Case> {
    let mut asking = manifest();
    asking["capabilities"] = json!({ "network": ["api.example.com"] });
    let mut destructive = manifest();
    destructive["tools"][0]["sensitivity"] = json!("destructive");
    let say = || saying(&response(&json!("fine")));
    let denied = "What the administrator denies, no person and no package can allow.";
    let asked = "A call that requires approval is denied without an approver.";
    vec![
        run("policy-denied-package", &manifest(), say())
            .with("policy", with_format(&json!({ "deny": { "packages": ["org.example"] } })))
            .with("person", "agrees")
            .says("A package that the policy denies, even if a person approves", denied)
            .spec("POLICY-03")
            .refused("policy.denied"),
        run("policy-denied-capability", &asking, say())
            .with("policy", with_format(&json!({ "deny": { "capabilities": ["network"] } })))
            .with("person", "agrees")
            .says("A capability that the policy denies", denied)
            .spec("POLICY-03")
            .refused("policy.denied"),
        run("policy-denied-host", &asking, say())
            .with("policy", with_format(&json!({ "deny": { "hosts": ["example.com"] } })))
            .with("person", "agrees")
            .says("A host below one that the policy denies", denied)
            .spec("POLICY-03 POLICY-04")
            .refused("policy.denied"),
        run("policy-non-interactive", &asking, say())
            .with("policy", with_format(&json!({ "non_interactive": true })))
            .with("person", "agrees")
            .says("A package that requires approval, under a non-interactive policy", denied)
            .spec("POLICY-06")
            .refused("policy.denied"),
        run("policy-nobody", &asking, say())
            .with("policy", with_format(&json!({})))
            .says("A package that requires approval, without an approver", asked)
            .spec("RUN-04 POLICY-07")
            .refused("policy.confirmation_required"),
        run("policy-destructive", &destructive, say())
            .with("policy", with_format(&json!({ "trusted_packages": ["org.example.echo"] })))
            .says("A destructive tool of a trusted package, without an approver", asked)
            .spec("RUN-04 POLICY-05")
            .refused("policy.confirmation_required"),
        run("policy-attestation", &destructive, say())
            .with("policy", with_format(&json!({})))
            .with("person", "agrees")
            .says(
                "A destructive tool, and a person who says yes without a proof",
                "What cannot be undone needs a signed yes for exactly this call.",
            )
            .spec("CONS-03")
            .refused("policy.attestation"),
        run("policy-declined", &asking, say())
            .with("policy", with_format(&json!({})))
            .with("person", "declines")
            .says("A person who says no", "No is no.")
            .spec("POLICY-07")
            .refused("policy.declined"),
        run("accept-person-agrees", &asking, say())
            .with("policy", with_format(&json!({})))
            .with("person", "agrees")
            .says("A person who says yes", "Consent is what the policy waits for.")
            .spec("POLICY-07 POLICY-08")
            .answers(json!({ "content": text_block("fine"), "is_error": false })),
    ]
}

fn endings() -> Vec<Case> {
    let limit = "A tool that exceeds a limit is ended, and its response is withheld.";
    let mut cases = Vec::new();
    for (id, title, spec, start, code) in [
        ("trap-unreachable", "An unreachable instruction", "BOX-21", "unreachable", "tool.trap"),
        (
            "trap-memory",
            "A load beyond the memory",
            "BOX-21",
            "(drop (i32.load (i32.const 65536)))",
            "tool.trap",
        ),
        (
            "trap-division",
            "A division by zero",
            "BOX-21",
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "tool.trap",
        ),
        ("stack", "A recursion without end", "BOX-36 BOX-21", "(call 3)", "tool.stack_exhausted"),
        ("fuel", "A loop without end", "BOX-30", "(loop (br 0))", "tool.fuel_exhausted"),
        (
            "fuel-fill",
            "A loop that fills the memory",
            "BOX-31",
            "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0))",
            "tool.fuel_exhausted",
        ),
        (
            "memory",
            "A memory that grows without end, and a trap",
            "BOX-22",
            "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
            "tool.memory_exhausted",
        ),
        (
            "memory-denied-last",
            "A growth that is granted, one that is denied, and a trap",
            "BOX-22",
            "(drop (memory.grow (i32.const 7))) (drop (memory.grow (i32.const 60))) unreachable",
            "tool.memory_exhausted",
        ),
        (
            "memory-granted-last",
            "A growth that is denied, one that is granted, and a trap",
            "BOX-22",
            "(drop (memory.grow (i32.const 60))) (drop (memory.grow (i32.const 10))) unreachable",
            "tool.trap",
        ),
        (
            "stdout",
            "More output than the manifest allows",
            "BOX-44",
            "(loop (call 2 (i32.const 1) (i32.const 512)) (br 0))",
            "tool.output_limit",
        ),
        (
            "stdout-next",
            "One byte more than the manifest allows",
            "BOX-44",
            "(call 2 (i32.const 1) (i32.const 1024)) (call 2 (i32.const 1) (i32.const 1))",
            "tool.output_limit",
        ),
        (
            "stderr",
            "More than 64 KiB on stderr",
            "BOX-44 LIM-38",
            "(loop (call 2 (i32.const 2) (i32.const 32768)) (br 0))",
            "tool.stderr_limit",
        ),
        ("exit-1", "Status 1", "BOX-20", "(call 1 (i32.const 1))", "tool.exit_status"),
        ("exit-255", "Status 255", "BOX-20", "(call 1 (i32.const 255))", "tool.exit_status"),
        (
            "exit-after-answer",
            "A good answer, and then status 1",
            "BOX-20",
            "(call 2 (i32.const 1) (i32.const 41)) (call 1 (i32.const 1))",
            "tool.exit_status",
        ),
    ] {
        let module = guest(start, r#"{"jsonrpc":"2.0","id":1,"result":"fine!"}"#);
        cases.push(
            run(&format!("tool-{id}"), &small_limits(), module)
                .says(title, limit)
                .spec(spec)
                .refused(code),
        );
    }
    let mut slow = manifest();
    slow["runtime"] = json!({
        "target": "wasm32-wasip1", "memory_limit_mb": 1, "timeout_ms": 1,
        "fuel": 1_000_000_000_000_u64,
    });
    cases.push(
        run("tool-timeout", &slow, guest("(loop (br 0))", ""))
            .says("A loop with more fuel than a millisecond can use", limit)
            .spec("BOX-38 MAN-18")
            .refused("tool.timeout"),
    );
    cases
}

fn answers() -> Vec<Case> {
    let one = response(&json!("fine"));
    let why = "A tool writes one response to its request; a response that two readers could read differently is refused.";
    let mut cases = Vec::new();
    for (id, title, spec, text, code) in [
        ("none", "Nothing on stdout", "BOX-71", String::new(), "tool.no_answer"),
        ("blank", "White space on stdout", "BOX-71", " \r\n\t".into(), "tool.no_answer"),
        ("form-feed", "A form feed on stdout", "BOX-71", "\u{c}\n".into(), "tool.bad_answer"),
        ("two", "Two answers", "BOX-71", format!("{one}{one}"), "tool.two_answers"),
        (
            "two-lines",
            "Two answers on two lines",
            "BOX-71",
            format!("{one}\n{one}\n"),
            "tool.two_answers",
        ),
        ("text", "Text that is not JSON", "BOX-71", "hello\n".into(), "tool.bad_answer"),
        (
            "log-line",
            "A line of a log before the answer",
            "BOX-71",
            format!("started\n{one}"),
            "tool.bad_answer",
        ),
        ("half", "Half an answer", "BOX-71", one[..20].to_owned(), "tool.bad_answer"),
        (
            "duplicate-key",
            "Two results in one answer",
            "BOX-71 JSON-02",
            one.replace("\"result\"", "\"result\":1,\"result\""),
            "tool.bad_answer",
        ),
        (
            "too-deep",
            "An answer nested 65 deep",
            "BOX-71 LIM-13",
            one.replace("\"fine\"", &format!("{}{}", "[".repeat(64), "]".repeat(64))),
            "tool.bad_answer",
        ),
        (
            "version",
            "Another version of JSON-RPC",
            "BOX-72",
            one.replace("2.0", "1.0"),
            "tool.bad_answer",
        ),
        (
            "id",
            "The answer to another request",
            "BOX-72",
            one.replace("\"id\":1", "\"id\":2"),
            "tool.bad_answer",
        ),
        (
            "id-text",
            "The id as a text",
            "BOX-72",
            one.replace("\"id\":1", "\"id\":\"1\""),
            "tool.bad_answer",
        ),
        ("array", "A batch", "BOX-72", format!("[{one}]"), "tool.bad_answer"),
        (
            "neither",
            "Neither result nor error",
            "BOX-72",
            r#"{"jsonrpc":"2.0","id":1}"#.into(),
            "tool.bad_answer",
        ),
        (
            "both",
            "Both result and error",
            "BOX-72",
            one.replace("\"result\"", "\"error\":{\"code\":1,\"message\":\"x\"},\"result\""),
            "tool.bad_answer",
        ),
        (
            "error-text",
            "An error that is a text",
            "BOX-72",
            r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#.into(),
            "tool.bad_answer",
        ),
    ] {
        cases.push(
            run(&format!("answer-{id}"), &small_limits(), saying(&text))
                .says(title, why)
                .spec(spec)
                .refused(code),
        );
    }
    let mut promising = manifest();
    promising["tools"][0]["returns"] = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let why = "An agent relies on what a tool says that it returns.";
    for (id, title, result) in [
        ("missing", "No structured content where one is promised", json!({ "content": [] })),
        ("type", "A member of another type than promised", json!({ "n": "1" })),
        ("member", "A promised member is missing", json!({ "m": 1 })),
        ("text", "A text where an object is promised", json!("1")),
    ] {
        cases.push(
            run(&format!("return-{id}"), &promising, saying(&response(&result)))
                .says(title, why)
                .spec("RUN-06 MAN-33")
                .refused("tool.return_schema"),
        );
    }
    cases.push(
        run("accept-return", &promising, saying(&response(&json!({ "n": 1 }))))
            .says("What was promised", why)
            .spec("RUN-06 BOX-74")
            .answers(json!({ "content": text_block("{\"n\":1}"), "structured_content": { "n": 1 }, "is_error": false })),
    );
    cases
}

fn accepted() -> Vec<Case> {
    let mut filtered = manifest();
    filtered["privacy_filters"] = json!({ "patterns": ["email"] });
    let error = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32000, "message": "no such town" } });
    vec![
        run("accept-text", &small_limits(), saying(&response(&json!("fine"))))
            .says("A result that is a text", "It is the parent of the faults in this directory.")
            .spec("BOX-70 BOX-71 BOX-74")
            .answers(json!({ "content": text_block("fine"), "is_error": false })),
        run(
            "accept-content",
            &small_limits(),
            saying(&response(&json!({ "content": text_block("fine"), "isError": true }))),
        )
        .says(
            "A result in the shape of MCP, which says that the tool failed",
            "The tool itself reports the error, and that is a response.",
        )
        .spec("BOX-73")
        .answers(json!({ "content": text_block("fine"), "is_error": true })),
        run("accept-error", &small_limits(), saying(&error.to_string()))
            .says("An error of JSON-RPC", "It becomes an answer that says that the tool failed.")
            .spec("BOX-75")
            .answers(json!({ "content": text_block("no such town"), "is_error": true })),
        run(
            "accept-exit-0",
            &small_limits(),
            guest(
                "(call 2 (i32.const 1) (i32.const 40)) (call 1 (i32.const 0))",
                &response(&json!("fine")),
            ),
        )
        .says("An answer and status 0", "A program may say that it ended well.")
        .spec("BOX-20")
        .answers(json!({ "content": text_block("fine"), "is_error": false })),
        run("accept-filtered", &filtered, saying(&response(&json!("ask ann@example.com"))))
            .says(
                "An address in the answer, which the manifest wants filtered",
                "Every response is filtered.",
            )
            .spec("RUN-02 BOX-74")
            .answers(json!({ "content": text_block("ask [EMAIL]"), "is_error": false })),
    ]
}
