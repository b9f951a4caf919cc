//! The `http` service of a guest on a network that the case scripts.

use super::case::Case;
use super::package::{manifest, Package};
use super::sandbox::{runtime, ID};
use super::script::Script;
use serde_json::{json, Value};

const SECRET: &str = "correct-horse-battery";

fn network_manifest(hosts: &[&str]) -> Value {
    let mut manifest = manifest();
    manifest["runtime"] = runtime();
    manifest["capabilities"] = json!({ "network": hosts });
    manifest
}

fn policy(network: Value) -> Value {
    json!({ "format": "mpp-policy/1", "trusted_packages": [ID], "network": network })
}

/// A line of a script for this request.
fn line(request: &str) -> String {
    format!("http \"{}\"", request.replace('\\', "\\x5c").replace('"', "\\x22"))
}

/// A guest that makes these requests and shows the reply of each, or its code.
fn requests(id: &str, requests: &[(String, Value)]) -> Case {
    let hosts = ["api.example.com", "other.example.com:8443", "plain.example.com:80", "wiki.corp"];
    let text: String =
        requests.iter().map(|(request, reply)| format!("{} => {reply}\n", line(request))).collect();
    let script = Script::new(&text);
    let package = Package::new().with_manifest(&network_manifest(&hosts));
    let package = package.with("tool.wasm", script.module()).bytes();
    let network = json!({ "network": {} });
    let bodies: Vec<&str> = requests.iter().map(|(request, _)| request.as_str()).collect();
    Case::call(&format!("services/{id}"), package)
        .with("policy", policy(json!({})))
        .with("guest", bodies)
        .with("host", network)
        .answers(json!({ "calls": [script.answer()] }))
}

fn get(url: &str) -> String {
    json!({ "service": "http", "url": url }).to_string()
}

fn with(members: Value) -> String {
    let mut request = json!({ "service": "http", "url": "https://api.example.com/x" });
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request.to_string()
}

fn ok(status: u16, url: &str, headers: Value, body: &str) -> Value {
    json!({ "ok": { "status": status, "url": url, "headers": headers, "body": body } })
}

/// Refused requests: nothing is looked up and nothing is sent.
fn refused(id: &str, title: &str, why: &str, spec: &str, rows: &[(String, &str)]) -> Case {
    let rows: Vec<_> = rows.iter().map(|(request, code)| (request.clone(), json!(code))).collect();
    let case = requests(id, &rows).says(title, why).spec(spec);
    case.also("sent", json!([])).also("lookups", json!([]))
}

fn sent(method: &str, url: &str, headers: Value, body: &str) -> Value {
    json!({ "method": method, "url": url, "address": "93.184.216.34", "headers": headers, "body": body })
}

pub fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(destinations());
    cases.extend(headers());
    cases.extend(redirects());
    cases.extend(responses());
    cases
}

fn forms() -> Vec<Case> {
    let closed = "What a request does not say, a guest does not get.";
    let url = "A URL has one reading.";
    let deep = format!("{{\"service\":\"http\",\"x\":{}{}}}", "[".repeat(8), "]".repeat(8));
    let long = format!("https://api.example.com/{}", "x".repeat(8192));
    let mut cases = vec![
        refused(
            "request-form",
            "Requests that are not strict JSON, or not objects",
            closed,
            "DOOR-04 DOOR-06 DOOR-08",
            &[
                ("{".into(), "service.invalid"),
                ("".into(), "service.invalid"),
                ("{\"service\":\"http\",\"service\":\"http\"}".into(), "service.invalid"),
                ("{\"service\":\"http\",}".into(), "service.invalid"),
                (format!("{} x", get("https://api.example.com/")), "service.invalid"),
                (deep, "service.invalid"),
                ("[]".into(), "service.unknown"),
                ("1".into(), "service.unknown"),
                ("{}".into(), "service.unknown"),
                ("{\"service\":1}".into(), "service.unknown"),
                ("{\"service\":\"HTTP\"}".into(), "service.unknown"),
                ("{\"service\":\"file\",\"path\":\"/etc/passwd\"}".into(), "service.unknown"),
            ],
        ),
        refused(
            "request-members",
            "Members that are unknown, missing or of another type",
            closed,
            "DOOR-06 DOOR-31",
            &[
                ("{\"service\":\"http\"}".into(), "service.invalid"),
                (with(json!({ "proxy": "x" })), "service.invalid"),
                (with(json!({ "URL": "x" })), "service.invalid"),
                (with(json!({ "url": 1 })), "service.invalid"),
                (with(json!({ "headers": { "a": "b" } })), "service.invalid"),
                (with(json!({ "headers": [["a"]] })), "service.invalid"),
                (with(json!({ "headers": [["a", 1]] })), "service.invalid"),
                (with(json!({ "redirects": 11 })), "service.invalid"),
                (with(json!({ "redirects": -1 })), "service.invalid"),
                (with(json!({ "timeout_ms": 0 })), "service.invalid"),
                (with(json!({ "timeout_ms": 1.5 })), "service.invalid"),
                (with(json!({ "method": "POST", "body": 1 })), "service.invalid"),
                (
                    with(json!({ "method": "POST", "body": "a", "body_base64": "YQ==" })),
                    "service.invalid",
                ),
                (with(json!({ "method": "POST", "body_base64": "YQ" })), "service.invalid"),
                (with(json!({ "method": "POST", "body_base64": "Y-_=" })), "service.invalid"),
            ],
        ),
        refused(
            "request-method",
            "Other methods, and a body where none can be",
            "A request has one meaning for every server on the way.",
            "DOOR-30",
            &[
                (with(json!({ "method": "CONNECT" })), "http.method"),
                (with(json!({ "method": "TRACE" })), "http.method"),
                (with(json!({ "method": "get" })), "http.method"),
                (with(json!({ "method": "" })), "http.method"),
                (with(json!({ "method": "GET /x HTTP/1.1\r\nhost: y" })), "http.method"),
                (with(json!({ "body": "a" })), "http.method"),
                (with(json!({ "method": "HEAD", "body": "a" })), "http.method"),
            ],
        ),
        refused(
            "url-form",
            "URLs that two readers could read differently",
            url,
            "DOOR-20 DOOR-21",
            &[
                (get(""), "http.url"),
                (get("api.example.com"), "http.url"),
                (get("//api.example.com/"), "http.url"),
                (get("ftp://api.example.com/"), "http.url"),
                (get("file:///etc/passwd"), "http.url"),
                (get("https://api.example.com/a b"), "http.url"),
                (get("https://api.example.com\\@other.example.com/"), "http.url"),
                (get("https://api.example.com/\u{e9}"), "http.url"),
                (get("https://api.example.com/\r\nx: y"), "http.url"),
                (get("https://api.example.com/<>"), "http.url"),
                (get("https://user@api.example.com/"), "http.url"),
                (get("https://user:secret@api.example.com/"), "http.url"),
                (get("https://api.example.com./"), "http.url"),
                (get("https://127.0.0.1/"), "http.url"),
                (get("https://[::1]/"), "http.url"),
                (get("https://2130706433/"), "http.url"),
                (get("https://0x7f.1/"), "http.url"),
                (get("https://api.example.com:0/"), "http.url"),
                (get("https://api.example.com:/"), "http.url"),
                (get("https://api.example.com:0443/"), "http.url"),
                (get("https://api.example.com:65536/"), "http.url"),
                (get("https://api.example.com/../x"), "http.url"),
                (get("https://api.example.com/a/./b"), "http.url"),
                (get("https://api.example.com/a/.."), "http.url"),
                (get(&long), "http.url"),
            ],
        ),
    ];
    let replies = [
        ("https://API.example.com", "https://api.example.com/"),
        ("https://api.example.com:443/a%2e/B?q=/../#f", "https://api.example.com/a%2e/B?q=/../"),
        ("HTTPS://api.example.com/...", "https://api.example.com/..."),
        ("https://api.example.com?q", "https://api.example.com/?q"),
    ];
    let rows: Vec<_> = replies
        .iter()
        .map(|(url, spelled)| (get(url), ok(200, spelled, json!([]), "ok")))
        .collect();
    let to =
        |target: &str| sent("GET", &format!("https://api.example.com:443{target}"), json!([]), "");
    cases.push(
        requests("accept-url", &rows)
            .says("URLs with one spelling in the reply", url)
            .spec("DOOR-20 DOOR-22 DOOR-05 DOOR-03 DOOR-09")
            .with("host", json!({ "network": { "responses": vec![json!({ "body": "ok" }); 4] } }))
            .also("sent", json!([to("/"), to("/a%2e/B?q=/../"), to("/..."), to("/?q")])),
    );
    cases
}

fn destinations() -> Vec<Case> {
    let granted = "A guest reaches the hosts that its manifest names, and no others.";
    let mut cases = vec![
        refused(
            "host-other",
            "Hosts that the package did not request",
            granted,
            "DOOR-23 DOOR-60",
            &[
                (get("https://example.com/"), "http.undeclared"),
                (get("https://x.api.example.com/"), "http.undeclared"),
                (get("https://api.example.com.evil.example/"), "http.undeclared"),
                (get("https://api.example.com:8443/"), "http.undeclared"),
                (get("https://other.example.com/"), "http.undeclared"),
                (get("http://api.example.com/"), "http.undeclared"),
                (get("https://localhost/"), "http.undeclared"),
            ],
        )
        .also("services", json!([{ "http http.undeclared": 7 }])),
        refused(
            "plain",
            "HTTP without TLS where the policy does not allow it",
            "Others on the way could read and change it.",
            "DOOR-24",
            &[
                (get("http://plain.example.com/"), "http.plain"),
                (get("http://api.example.com:443/"), "http.plain"),
            ],
        ),
        requests(
            "accept-plain",
            &[
                (
                    get("http://plain.example.com/"),
                    ok(200, "http://plain.example.com/", json!([]), "ok"),
                ),
                (get("http://other.example.com:8443/"), json!("http.plain")),
            ],
        )
        .says(
            "HTTP without TLS where the policy allows it, and at another port",
            "A rule holds for exactly its host and port.",
        )
        .spec("DOOR-24 POLICY-12")
        .with("policy", policy(json!({ "plain_http": ["plain.example.com:80"] })))
        .with("host", json!({ "network": { "responses": [{ "body": "ok" }] } }))
        .also("sent", json!([sent("GET", "http://plain.example.com:80/", json!([]), "")])),
    ];
    let private =
        ["10.0.0.1", "100.64.0.1", "127.0.0.1", "172.31.255.255", "192.168.0.1", "::1", "fd12::1"];
    let never = [
        "0.0.0.0",
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.19.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
        "fd00:42::1",
        "fd00:c1::1",
        "fd00:ec2::254",
        "fd20:ce::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "::",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1",
        "ff02::1",
    ];
    for (id, title, spec, list, allowed, code) in [
        (
            "address-private",
            "A name with an address of a private network",
            "DOOR-25 DOOR-26",
            &private[..],
            false,
            true,
        ),
        (
            "address-never",
            "A name with an address that no policy allows",
            "DOOR-25 DOOR-27",
            &never[..],
            true,
            true,
        ),
        (
            "accept-address-private",
            "A private address where the policy allows it",
            "DOOR-26 POLICY-12",
            &private[..],
            true,
            false,
        ),
    ] {
        for address in list {
            let reply = match code {
                true => json!("http.address"),
                false => ok(200, "https://wiki.corp/", json!([]), "ok"),
            };
            let rules = json!({ "private_addresses": if allowed { json!(["wiki.corp"]) } else { json!([]) } });
            let name = address.replace([':', '.'], "-");
            let case = requests(&format!("{id}-{name}"), &[(get("https://wiki.corp/"), reply)])
                .says(
                    &format!("{title}: {address}"),
                    "A name is only a name: who owns it decides where it leads.",
                )
                .spec(spec)
                .with("policy", policy(rules))
                .with(
                    "host",
                    json!({ "network": {
                    "addresses": { "wiki.corp": [address] }, "responses": [{ "body": "ok" }] } }),
                )
                .also("lookups", json!(["wiki.corp"]));
            cases.push(match code {
                true => case.also("sent", json!([])),
                false => case,
            });
        }
    }
    cases.extend([
        requests("address-one-of", &[(get("https://api.example.com/"), json!("http.address"))])
            .says("A name with a public and then a private address", "Another look-up could give the other.")
            .spec("DOOR-25")
            .with("host", json!({ "network": {
                "addresses": { "api.example.com": ["93.184.216.34", "127.0.0.1"] }, "responses": [{}] } }))
            .also("sent", json!([])),
        requests("address-rule-of-another", &[(get("https://api.example.com/"), json!("http.address"))])
            .says("A private address where the policy allows those of another host", "A rule holds for exactly its host and port.")
            .spec("DOOR-26 POLICY-12")
            .with("policy", policy(json!({ "private_addresses": ["wiki.corp", "api.example.com:8443"] })))
            .with("host", json!({ "network": {
                "addresses": { "api.example.com": ["10.0.0.1"] }, "responses": [{}] } }))
            .also("sent", json!([])),
        requests(
            "accept-address-first",
            &[
                (get("https://api.example.com/a"), ok(200, "https://api.example.com/a", json!([]), "a")),
                (get("https://api.example.com/b"), ok(200, "https://api.example.com/b", json!([]), "b")),
            ],
        )
        .says("A name with two addresses", "One look-up for each exchange, and the first address.")
        .spec("DOOR-25 DOOR-28")
        .with("host", json!({ "network": {
            "addresses": { "api.example.com": ["2606:2800::1", "93.184.216.34"] },
            "responses": [{ "body": "a" }, { "body": "b" }] } }))
        .also("lookups", json!(["api.example.com", "api.example.com"]))
        .also("sent", json!(["/a", "/b"].map(|it| json!({
            "method": "GET", "url": format!("https://api.example.com:443{it}"), "address": "2606:2800::1",
            "headers": [], "body": "" })))),
    ]);
    cases
}

fn secret_policy() -> Value {
    policy(json!({ "headers": [
        { "host": "api.example.com", "name": "authorization", "secret": "SERVICE", "prefix": "Bearer " },
    ] }))
}

fn headers() -> Vec<Case> {
    let wire = "A guest does not decide what goes over the wire besides its request.";
    let hidden = "A secret reaches its own server and nothing else.";
    let header = |name: &str, value: &str| with(json!({ "headers": [[name, value]] }));
    let forbidden = [
        "connection",
        "content-length",
        "expect",
        "host",
        "Host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "proxy-authorization",
        "Proxy-Connection",
    ];
    let rows: Vec<_> = forbidden.iter().map(|name| (header(name, "x"), "http.header")).collect();
    let many: Vec<_> = (0..101).map(|it| json!([format!("x-{it}"), ""])).collect();
    let bearer = json!([["authorization", format!("Bearer {SECRET}")]]);
    let secrets = json!({ "SERVICE": SECRET });
    let mut cases = vec![
        refused("header-names", "Headers that belong to the connection", wire, "DOOR-32", &rows),
        refused(
            "header-form",
            "Names and values that are none",
            wire,
            "DOOR-32 DOOR-33 DOOR-34",
            &[
                (header("", "x"), "http.header"),
                (header("a b", "x"), "http.header"),
                (header("a:", "x"), "http.header"),
                (header("a\r\nb", "x"), "http.header"),
                (header("\u{e9}", "x"), "http.header"),
                (header("a", "x\r\ny: z"), "http.header"),
                (header("a", " x"), "http.header"),
                (header("a", "x "), "http.header"),
                (header("a", "x\ty"), "http.header"),
                (header("a", "\u{e9}"), "http.header"),
                (header("a", "x\u{0}"), "http.header"),
                (with(json!({ "headers": many })), "http.header"),
                (header("a", &"x".repeat(32 << 10)), "http.header"),
            ],
        ),
        refused(
            "header-secret-name",
            "A header that the policy sets, and headers that hide a secret in the response",
            hidden,
            "DOOR-35 DOOR-38",
            &[
                (header("authorization", "x"), "http.header"),
                (header("Authorization", "x"), "http.header"),
                (header("accept-encoding", "gzip"), "http.header"),
                (header("range", "bytes=1-"), "http.header"),
                (header("If-Range", "x"), "http.header"),
            ],
        )
        .with("policy", secret_policy())
        .with("host", json!({ "secrets": secrets, "network": {} })),
        requests(
            "accept-secret-header",
            &[(
                header("accept", "text/plain"),
                ok(200, "https://api.example.com/x", json!([]), "ok"),
            )],
        )
        .says("A secret header, which the host adds", hidden)
        .spec("DOOR-35 SECRET-03 POLICY-13")
        .with("policy", secret_policy())
        .with("host", json!({ "secrets": secrets, "network": { "responses": [{ "body": "ok" }] } }))
        .with("watch", json!([SECRET]))
        .also("seen", json!([]))
        .also(
            "sent",
            json!([sent(
                "GET",
                "https://api.example.com:443/x",
                json!([["accept", "text/plain"], ["authorization", format!("Bearer {SECRET}")]]),
                ""
            )]),
        ),
        requests(
            "secret-header-elsewhere",
            &[(
                get("https://other.example.com:8443/"),
                ok(200, "https://other.example.com:8443/", json!([]), "ok"),
            )],
        )
        .says("A request to another host than that of the secret header", hidden)
        .spec("DOOR-35 POLICY-13")
        .with("policy", secret_policy())
        .with("host", json!({ "secrets": secrets, "network": { "responses": [{ "body": "ok" }] } }))
        .also("sent", json!([sent("GET", "https://other.example.com:8443/", json!([]), "")])),
        requests(
            "secret-header-plain",
            &[(
                get("http://plain.example.com/"),
                ok(200, "http://plain.example.com/", json!([]), "ok"),
            )],
        )
        .says("A secret header for a host that is reached without TLS", hidden)
        .spec("DOOR-36")
        .with(
            "policy",
            policy(json!({ "plain_http": ["plain.example.com:80"], "headers": [
            { "host": "plain.example.com:80", "name": "x-key", "secret": "SERVICE" } ] })),
        )
        .with("host", json!({ "secrets": secrets, "network": { "responses": [{ "body": "ok" }] } }))
        .also("sent", json!([sent("GET", "http://plain.example.com:80/", json!([]), "")])),
    ];
    let away = |status: u16, to: &str| json!({ "status": status, "headers": [["location", to]] });
    cases.push(
        requests(
            "secret-header-redirect",
            &[(get("https://api.example.com/x"), ok(200, "https://api.example.com/z", json!([]), "ok"))],
        )
        .says("A redirect to another origin and back", "Who redirects chooses the request that the secret would be sent with.")
        .spec("DOOR-36 DOOR-40 DOOR-41")
        .with("policy", secret_policy())
        .with("host", json!({ "secrets": secrets, "network": { "responses": [
            away(302, "https://other.example.com:8443/y"), away(302, "https://api.example.com/z"), { "body": "ok" } ] } }))
        .also("sent", json!([
            sent("GET", "https://api.example.com:443/x", bearer, ""),
            sent("GET", "https://other.example.com:8443/y", json!([]), ""),
            sent("GET", "https://api.example.com:443/z", json!([]), ""),
        ])),
    );
    let base64 = super::crypto::base64(format!("x{SECRET}").as_bytes());
    let doubled: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (id, title, spec, response) in [
        (
            "body",
            "A response that repeats the secret",
            "DOOR-37 SECRET-21",
            json!({ "body": format!("you sent Bearer {SECRET}!") }),
        ),
        (
            "case",
            "A response that repeats the secret in capitals",
            "DOOR-37",
            json!({ "body": SECRET.to_uppercase() }),
        ),
        (
            "value",
            "A header whose value has the secret",
            "DOOR-37",
            json!({ "headers": [["x", SECRET]] }),
        ),
        (
            "name",
            "A header whose name has the secret",
            "DOOR-37",
            json!({ "headers": [[SECRET, "x"]] }),
        ),
        (
            "base64",
            "A response with the secret in base64",
            "DOOR-37 SECRET-21",
            json!({ "body": base64 }),
        ),
        (
            "percent",
            "A response with the secret in percent-encoding",
            "DOOR-37 SECRET-21",
            json!({ "body": doubled }),
        ),
        ("partial", "A part of a response", "DOOR-38", json!({ "status": 206, "body": "x" })),
        (
            "encoded",
            "A compressed response",
            "DOOR-38",
            json!({ "headers": [["content-encoding", "gzip"]], "body": "x" }),
        ),
    ] {
        cases.push(
            requests(
                &format!("secret-echo-{id}"),
                &[(get("https://api.example.com/x"), json!("http.secret"))],
            )
            .says(title, "A server that shows a request would show the guest the secret.")
            .spec(spec)
            .with("policy", secret_policy())
            .with("host", json!({ "secrets": secrets, "network": { "responses": [response] } })),
        );
    }
    cases
}

fn redirects() -> Vec<Case> {
    let again = "A redirect reaches nothing that the guest could not have asked for.";
    let less = "What was meant for one server is not for another.";
    let to = |status: u16, location: &str| json!({ "status": status, "headers": [["location", location]] });
    let mut cases = Vec::new();
    for (id, title, spec, location, code) in [
        (
            "undeclared",
            "A redirect to a host that was not requested",
            "DOOR-41",
            "https://evil.example/",
            "http.undeclared",
        ),
        (
            "plain",
            "A redirect to a host without TLS",
            "DOOR-41",
            "http://plain.example.com/",
            "http.plain",
        ),
        ("scheme", "A redirect to a file", "DOOR-42", "file:///etc/passwd", "http.redirect"),
        (
            "form",
            "A redirect to what is not a URL",
            "DOOR-42",
            "https://user@api.example.com/",
            "http.redirect",
        ),
        (
            "address",
            "A redirect to a host with a private address",
            "DOOR-41 DOOR-25",
            "https://wiki.corp/",
            "http.address",
        ),
    ] {
        cases.push(
            requests(&format!("redirect-{id}"), &[(get("https://api.example.com/x"), json!(code))])
                .says(title, again)
                .spec(spec)
                .with("host", json!({ "network": {
                    "addresses": { "wiki.corp": ["10.0.0.1"] }, "responses": [to(302, location), { "body": "ok" }] } }))
                .also("sent", json!([sent("GET", "https://api.example.com:443/x", json!([]), "")])),
        );
    }
    let follows = |id: &str,
                   title: &str,
                   why: &str,
                   spec: &str,
                   request: String,
                   reply: Value,
                   responses: Value,
                   wire: Value| {
        requests(&format!("redirect-{id}"), &[(request, reply)])
            .says(title, why)
            .spec(spec)
            .with("host", json!({ "network": { "responses": responses } }))
            .also("sent", wire)
    };
    let api = |target: &str| format!("https://api.example.com:443{target}");
    let post = with(json!({ "method": "POST", "body": "b", "redirects": 1,
        "headers": [["x-own", "1"], ["content-type", "text/plain"], ["accept", "a"], ["cookie", "c"]] }));
    let all =
        json!([["x-own", "1"], ["content-type", "text/plain"], ["accept", "a"], ["cookie", "c"]]);
    let done = |url: &str| ok(200, url, json!([]), "ok");
    cases.extend([
        follows(
            "none",
            "A redirect where none is to be followed",
            "The next one is the reply.",
            "DOOR-40",
            with(json!({ "redirects": 0 })),
            ok(302, "https://api.example.com/x", json!([["location", "/y"]]), ""),
            json!([to(302, "/y"), { "body": "ok" }]),
            json!([sent("GET", &api("/x"), json!([]), "")]),
        ),
        follows(
            "relative",
            "Relative locations",
            "`Location` is relative to the request.",
            "DOOR-42 DOOR-40",
            get("https://api.example.com/a/b?q"),
            done("https://api.example.com/d?r"),
            json!([to(301, "c"), to(307, "../d?r"), { "body": "ok" }]),
            json!([
                sent("GET", &api("/a/b?q"), json!([]), ""),
                sent("GET", &api("/a/c"), json!([]), ""),
                sent("GET", &api("/d?r"), json!([]), "")
            ]),
        ),
        follows(
            "post-302",
            "A `POST` that is redirected with 302",
            "It becomes `GET`, without what belonged to the body.",
            "DOOR-43 DOOR-44",
            post.clone(),
            done("https://api.example.com/y"),
            json!([to(302, "/y"), { "body": "ok" }]),
            json!([
                sent("POST", &api("/x"), all.clone(), "b"),
                sent(
                    "GET",
                    &api("/y"),
                    json!([["x-own", "1"], ["accept", "a"], ["cookie", "c"]]),
                    ""
                )
            ]),
        ),
        follows(
            "post-307",
            "A `POST` that is redirected with 307",
            "Method and body stay.",
            "DOOR-43",
            post.clone(),
            done("https://api.example.com/y"),
            json!([to(307, "/y"), { "body": "ok" }]),
            json!([
                sent("POST", &api("/x"), all.clone(), "b"),
                sent("POST", &api("/y"), all.clone(), "b")
            ]),
        ),
        follows(
            "put-303",
            "A `PUT` that is redirected with 303, and a `PUT` with 302",
            "After 303 every method but `HEAD` becomes `GET`, after 302 only `POST`.",
            "DOOR-43",
            with(json!({ "method": "PUT", "body": "b" })),
            done("https://api.example.com/z"),
            json!([to(302, "/y"), to(303, "/z"), { "body": "ok" }]),
            json!([
                sent("PUT", &api("/x"), json!([]), "b"),
                sent("PUT", &api("/y"), json!([]), "b"),
                sent("GET", &api("/z"), json!([]), "")
            ]),
        ),
        follows(
            "origin",
            "A redirect to another origin",
            less,
            "DOOR-45",
            post,
            done("https://other.example.com:8443/y"),
            json!([to(307, "https://other.example.com:8443/y"), { "body": "ok" }]),
            json!([
                sent("POST", &api("/x"), all, "b"),
                sent(
                    "POST",
                    "https://other.example.com:8443/y",
                    json!([["content-type", "text/plain"], ["accept", "a"]]),
                    "b"
                )
            ]),
        ),
        follows(
            "status",
            "A `Location` with another status",
            "It is not a redirect.",
            "DOOR-40",
            get("https://api.example.com/x"),
            ok(201, "https://api.example.com/x", json!([["location", "/y"]]), ""),
            json!([to(201, "/y"), { "body": "ok" }]),
            json!([sent("GET", &api("/x"), json!([]), "")]),
        ),
    ]);
    cases
}

fn responses() -> Vec<Case> {
    let mut cases = Vec::new();
    for (failure, code) in [
        ("no_transport", "http.no_transport"),
        ("no_address", "http.no_address"),
        ("unreachable", "http.unreachable"),
        ("tls", "http.tls"),
        ("too_large", "http.too_large"),
        ("timeout", "http.timeout"),
        ("malformed", "http.malformed"),
        ("transport", "http.transport"),
    ] {
        cases.push(
            requests(
                &format!("transport-{}", failure.replace('_', "-")),
                &[(get("https://api.example.com/x"), json!(code))],
            )
            .says(
                &format!("A transport that fails: {code}"),
                "A guest learns why, and nothing of the host.",
            )
            .spec("DOOR-53 DOOR-60")
            .with("host", json!({ "network": { "responses": [{ "fails": failure }] } }))
            .also("services", json!([{ "http api.example.com": 1, format!("http {code}"): 1 }])),
        );
    }
    let many: Vec<_> = (0..101).map(|it| json!([format!("x-{it}"), ""])).collect();
    for (id, title, spec, code, response) in [
        ("no-address", "A name without addresses", "DOOR-53", "http.no_address", Value::Null),
        (
            "many-headers",
            "A response with more headers than allowed",
            "DOOR-34",
            "http.too_large",
            json!({ "headers": many }),
        ),
        (
            "status-100",
            "A response that is not final",
            "DOOR-53",
            "http.malformed",
            json!({ "status": 100 }),
        ),
        (
            "large",
            "A response that is too large",
            "DOOR-50",
            "http.too_large",
            json!({ "body": { "zeros": 16_777_217 } }),
        ),
    ] {
        let addresses =
            if response.is_null() { json!({ "api.example.com": [] }) } else { json!({}) };
        cases.push(
            requests(&format!("response-{id}"), &[(get("https://api.example.com/x"), json!(code))])
                .says(title, "What a server sends is bounded.")
                .spec(spec)
                .with(
                    "host",
                    json!({ "network": { "addresses": addresses, "responses": [response] } }),
                ),
        );
    }
    cases.push(
        requests(
            "response-headers",
            &[(
                get("https://api.example.com/x"),
                ok(404, "https://api.example.com/x", json!([["b", "2"], ["a", "1"], ["b", "3"], ["content-length", "2"]]), "no"),
            )],
        )
        .says("Headers of a response that a guest does not get", "They belong to the connection, or are for a browser.")
        .spec("DOOR-51 DOOR-60")
        .with("host", json!({ "network": { "responses": [{ "status": 404, "body": "no", "headers": [
            ["b", "2"], ["connection", "close"], ["a", "1"], ["set-cookie", "x=y"], ["set-cookie2", "x"], ["b", "3"],
            ["transfer-encoding", "chunked"], ["content-length", "2"], ["a b", "x"], ["proxy-x", "y"],
        ] }] } }))
        .also("services", json!([{ "http 4xx": 1, "http api.example.com": 1 }])),
    );
    cases.push(
        requests(
            "response-bytes",
            &[
                (get("https://api.example.com/x"), json!({ "ok": { "status": 200, "url": "https://api.example.com/x", "headers": [], "body_base64": "/wA=" } })),
                (with(json!({ "method": "HEAD" })), ok(200, "https://api.example.com/x", json!([]), "")),
            ],
        )
        .says("A body that is not a text, and one where none can be", "A reply is JSON.")
        .spec("DOOR-52 DOOR-50")
        .with("host", json!({ "network": { "responses": [{ "body": { "hex": "ff00" } }, { "body": "x" }] } })),
    );
    cases.push(
        requests("cancelled", &[(get("https://api.example.com/x"), json!("x"))])
            .says("A call that is cancelled during an exchange", "It ends, and nothing of it is returned.")
            .spec("DOOR-53 DOOR-07")
            .with("host", json!({ "network": { "responses": [{ "fails": "cancelled" }] } }))
            .answers(json!({ "calls": [{ "code": "tool.cancelled" }], "records": ["intent", "outcome tool.cancelled"] })),
    );
    cases.push(
        requests("deadline", &[(get("https://api.example.com/x"), json!("x"))])
            .says("A reply that comes after the call's time", "The call ends, and nothing of it is returned.")
            .spec("DOOR-07 BOX-38")
            .with("host", json!({ "network": { "responses": [{ "body": "late", "takes_ms": 10_000_000 }] } }))
            .answers(json!({ "calls": [{ "code": "tool.timeout" }], "records": ["intent", "outcome tool.timeout"] })),
    );
    // Ten milliseconds are left, and growing a file by so much takes longer at a gigabyte a second.
    let mut near = network_manifest(&["api.example.com"]);
    near["runtime"]["timeout_ms"] = json!(1000);
    near["capabilities"]["storage"] = json!({ "limit_kb": 16384 });
    let script = Script::new(&format!(
        "path_open 3 0 \"a\" CREAT READ|WRITE 0 0 #4 => [0,4]
         fd_filestat_set_size 4 16000000
         {} => {}
         fd_filestat_set_size 4 0
         fd_filestat_set_size 4 16000000",
        line(&get("https://api.example.com/x")),
        ok(200, "https://api.example.com/x", json!([]), ""),
    ));
    cases.push(
        Case::call(
            "services/deadline-near",
            Package::new().with_manifest(&near).with("tool.wasm", script.module()).bytes(),
        )
        .with("policy", policy(json!({})))
        .with("guest", script.lines.clone())
        .says(
            "A file that grows by 16 MB, and again when ten milliseconds are left",
            "What is not interrupted must not start if it would end too late.",
        )
        .spec("BOX-39")
        .with("host", json!({ "network": { "responses": [{ "takes_ms": 990 }] } }))
        .answers(json!({ "calls": [{ "code": "tool.timeout" }], "storage": [] })),
    );
    let late = || with(json!({ "timeout_ms": 100 }));
    cases.push(
        requests("timeout-second", &[(with(json!({ "timeout_ms": 100, "redirects": 1 })), json!("http.timeout")), (late(), ok(200, "https://api.example.com/x", json!([]), "ok"))])
            .says("A redirect after the time of a request has passed", "The look-up and each exchange get the time that is left.")
            .spec("DOOR-29 DOOR-31")
            .with("host", json!({ "network": { "responses": [
                { "status": 302, "headers": [["location", "/y"]], "takes_ms": 200 }, { "body": "ok" } ] } }))
            .also("lookups", json!(["api.example.com", "api.example.com"])),
    );
    // Without a granted host there is no service, and no function of it.
    let script = Script::new(&format!("{} => \"x\"", line(&get("https://api.example.com/"))));
    let mut none = manifest();
    none["runtime"] = runtime();
    cases.push(
        Case::call("services/not-requested", Package::new().with_manifest(&none).with("tool.wasm", script.module()).bytes())
            .with("guest", json!([get("https://api.example.com/")]))
            .says("A module that imports the service of a package without hosts", "What was not requested does not exist.")
            .spec("DOOR-01 DOOR-02 DOOR-08")
            .answers(json!({ "calls": [{ "code": "module.unknown_import" }], "records": ["refused module.unknown_import"] })),
    );
    let mut memory = network_manifest(&["api.example.com"]);
    memory["runtime"] = runtime();
    let end = 80 * 65536;
    let script = Script::new(&format!(
        "request {end} 1 => -1
         request -1 1 => -1
         request {} 2 => -1
         response 1024 0 => -1
         response 1024 2 => -1
         request 1024 {end} => -1",
        end - 1
    ));
    cases.push(
        Case::call(
            "services/memory",
            Package::new().with_manifest(&memory).with("tool.wasm", script.module()).bytes(),
        )
        .with("policy", policy(json!({})))
        .with("guest", script.lines.clone())
        .says(
            "Requests outside the memory, and a reply that is not there",
            "It has no effect but its charge.",
        )
        .spec("DOOR-03 DOOR-09")
        .answers(json!({ "calls": [script.answer()], "sent": [], "services": [{}] })),
    );
    cases
}
