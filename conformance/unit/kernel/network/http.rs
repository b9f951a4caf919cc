//! Every refusal of the gate, and what it lets through.

use super::*;
use crate::kernel::limits::*;

/// The rule that adds a secret header to what is sent to a host.
fn secret(host: &str, name: &str, value: &str) -> Value {
    json!({ "host": host, "name": name, "value": value })
}

#[test]
fn what_was_not_granted_is_not_reached() {
    let network = fine();
    let mut world = reaching(
        &[
            "api.example.com",
            "printer.example.com:80",
            "inside.example.com",
            "rebound.example.com",
            "metadata.example.com",
            "mapped.example.com",
            "nothing.example.com",
            "unknown.example.com",
            "localhost",
            "localhost:8443",
            "localhost:9443",
        ],
        Arc::clone(&network),
    );
    // A rule for one port of a name is not one for another port.
    world.rules = json!({ "private_addresses": ["localhost:9443"] });
    for (url, code) in [
        ("https://other.example.com/", "http.undeclared"),
        ("https://example.com/", "http.undeclared"),
        ("https://a.api.example.com/", "http.undeclared"),
        ("https://api.example.com.evil.example/", "http.undeclared"),
        ("https://xapi.example.com/", "http.undeclared"),
        ("https://api.example.com:8443/", "http.undeclared"),
        ("https://api.example.com:80/", "http.undeclared"),
        ("https://localhost:8080/", "http.undeclared"),
        ("http://api.example.com/", "http.undeclared"),
        ("http://api.example.com:443/", "http.plain"),
        ("http://printer.example.com/", "http.plain"),
        ("https://inside.example.com/", "http.address"),
        ("https://rebound.example.com/", "http.address"),
        ("https://metadata.example.com/", "http.address"),
        ("https://mapped.example.com/", "http.address"),
        ("https://localhost/", "http.address"),
        ("https://localhost:8443/", "http.address"),
        ("https://nothing.example.com/", "http.no_address"),
        ("https://unknown.example.com/", "http.no_address"),
        ("https://user@api.example.com/", "http.url"),
        ("https://93.184.216.34/", "http.url"),
        ("https://[::1]/", "http.url"),
        ("https://api.example.com./", "http.url"),
        ("ftp://api.example.com/", "http.url"),
        ("file:///etc/passwd", "http.url"),
        ("//api.example.com/", "http.url"),
        ("/", "http.url"),
        ("", "http.url"),
    ] {
        let (answers, run) = world.ask_all(&[get(url)]);
        assert_eq!(answers[0]["error"]["code"], code, "{url}");
        let counted: Vec<_> = run.services.into_iter().collect();
        assert!(counted.contains(&(format!("http {code}"), 1)), "{counted:?}");
        assert!(!format!("{counted:?}").contains("evil"), "{counted:?}");
    }
    assert_eq!(network.seen(), Vec::<String>::new());
    assert_eq!(world.code(&get("https://localhost:9443/")), "");
}

#[test]
fn what_was_granted_is_reached_at_the_one_address_that_was_judged() {
    let network = fine();
    let hosts = ["api.example.com", "other.example.com", "localhost:8080"];
    let mut world = reaching(&hosts, Arc::clone(&network));
    let own = ["localhost:8080"];
    world.rules = json!({ "plain_http": own, "private_addresses": own });
    let post = json!({ "service": "http", "method": "POST", "url": "https://other.example.com/p?q=1#f",
        "headers": [["X-One", "1"], ["x-one", "2"]], "body_base64": "aGk=" });
    let (answers, run) = world.ask_all(&[
        get("HTTPS://API.example.com:443"),
        post,
        get("http://localhost:8080/x"),
        get("https://localhost:8080/x"),
    ]);
    assert_eq!(
        network.seen(),
        [
            "GET https://api.example.com:443/ at 93.184.216.34 []",
            "POST https://other.example.com:443/p?q=1 at 2606:2800:220:1::1 x-one=1 x-one=2 [hi]",
            "GET http://localhost:8080/x at ::1 []",
            "GET https://localhost:8080/x at ::1 []",
        ]
    );
    assert_eq!(network.looked_up.lock().unwrap().len(), 4);
    let expected = json!({ "ok": { "status": 200, "url": "https://api.example.com/",
        "headers": [["content-type", "text/plain"]], "body": "fine" } });
    assert_eq!(answers[0], expected);
    assert_eq!(answers[1]["ok"]["url"], "https://other.example.com/p?q=1");
    let counted: Vec<_> =
        run.services.iter().map(|(what, count)| format!("{what}: {count}")).collect();
    let expected = [
        "http 2xx: 4",
        "http api.example.com: 1",
        "http localhost:8080: 2",
        "http other.example.com: 1",
    ];
    assert_eq!(counted, expected);
}

#[test]
fn a_call_reaches_no_host_that_its_configuration_leaves_out() {
    let world = reaching(&["api.example.com", "other.example.com"], fine());
    let hosts = ["other.example.com".to_owned()];
    let token = world.token(&world.tool(FORWARDER)).narrowed(
        &BTreeMap::new(),
        &[],
        &hosts,
        0,
        Duration::ZERO,
    );
    let flag = CancelFlag::default();
    let sandbox = WasmSandbox::new().unwrap().with_services(world.services.clone());
    let stage = sandbox.host(&flag);
    let mut services = ServiceBroker::new(&token, &stage);
    let deadline = Deadline::new(&flag, Duration::from_secs(9));
    let mut ask = |url: &str| {
        let answer = services.handle(get(url).to_string().as_bytes(), &deadline);
        String::from_utf8(answer).unwrap()
    };
    let refused = ask("https://api.example.com/");
    assert!(refused.contains("http.undeclared"));
    assert!(refused.contains("api.example.com is not in `capabilities.network`"), "{refused}");
    assert!(ask("https://other.example.com/").contains("fine"));
}

#[test]
fn headers_that_are_the_transports_or_hold_a_second_one_are_refused() {
    let network = fine();
    let world = reaching(&["api.example.com"], Arc::clone(&network));
    let with = |name: &str, value: &str| {
        let mut request = get("https://api.example.com/");
        request["headers"] = json!([[name, value]]);
        world.code(&request)
    };
    let long = "n".repeat(HTTP_HEADERS_BYTES_MAX);
    for (name, value) in [
        ("x", "a\r\nhost: evil"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x", "\u{e9}"),
        ("x", "a\tb"),
        ("x", " a"),
        ("x", "a "),
        ("x\r\ny", "a"),
        ("x y", "a"),
        ("x:", "a"),
        (":authority", "a"),
        ("", "a"),
        ("\u{e9}", "a"),
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "x"),
        ("keep-alive", "x"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("proxy-authorization", "x"),
        ("Proxy-Connection", "x"),
        ("via", "x"),
        ("x", &long),
    ] {
        assert_eq!(with(name, value), "http.header", "{name:?}: {value:?}");
    }
    let mut many = get("https://api.example.com/");
    many["headers"] = vec![json!(["x", "y"]); HTTP_HEADERS_COUNT_MAX + 1].into();
    assert_eq!(world.code(&many), "http.header");
    assert_eq!(network.seen(), Vec::<String>::new());
    for (name, value) in [("Authorization", "Bearer x"), ("cookie", "a=b; c=\"d\""), ("x", "")] {
        assert_eq!(with(name, value), "", "{name}");
    }
}

#[test]
fn unknown_methods_and_bodies_of_methods_without_one_are_refused() {
    let network = fine();
    let world = reaching(&["api.example.com"], Arc::clone(&network));
    let with = |method: &str, body: Option<&str>| {
        let mut request = get("https://api.example.com/");
        request["method"] = method.into();
        if let Some(body) = body {
            request["body"] = body.into();
        }
        world.code(&request)
    };
    for method in ["CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1\r\n", "PROPFIND"] {
        assert_eq!(with(method, None), "http.method", "{method:?}");
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(with(method, Some("x")), "http.method", "{method}");
    }
    assert_eq!(network.seen(), Vec::<String>::new());
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_eq!(with(method, Some("x")), "", "{method}");
    }
}

#[test]
fn each_failure_of_a_transport_has_its_code_and_none_returns_a_part() {
    let text = || "why".to_owned();
    for (error, code) in [
        (TransportError::NoAddress, "http.no_address"),
        (TransportError::Unreachable(text()), "http.unreachable"),
        (TransportError::Tls(text()), "http.tls"),
        (TransportError::TooLarge, "http.too_large"),
        (TransportError::TimedOut, "http.timeout"),
        (TransportError::Cancelled, "http.cancelled"),
        (TransportError::Malformed(text()), "http.malformed"),
        (TransportError::Host(text()), "http.transport"),
    ] {
        let network = Network::new(NAMES, move |_, _| Err(error.clone()));
        let answer = reaching(&["api.example.com"], network).ask(&get("https://api.example.com/"));
        assert_eq!(answer["error"]["code"], code);
        assert!(answer.get("ok").is_none());
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(code != "http.transport" || !message.contains(&text()), "{message}");
    }
    let mut world = reaching(&["api.example.com"], fine());
    world.services.http = None;
    assert_eq!(world.code(&get("https://api.example.com/")), "http.no_transport");
}

/// A transport keeps to the limits that it is given; the gate does not rely on it.
#[test]
fn responses_beyond_the_limits_are_refused_whole() {
    let ask = |response: HttpResponse| {
        let network = Network::new(NAMES, move |exchange, _| {
            assert_eq!(exchange.response_bytes_max, HTTP_RESPONSE_BYTES_MAX);
            Ok(response.clone())
        });
        reaching(&["api.example.com"], network).ask(&get("https://api.example.com/"))
    };
    let body = |length: usize| response(200, &[], &vec![b'a'; length]);
    assert_eq!(ask(body(HTTP_RESPONSE_BYTES_MAX + 1))["error"]["code"], "http.too_large");
    let whole = ask(body(HTTP_RESPONSE_BYTES_MAX));
    assert_eq!(whole["ok"]["body"].as_str().unwrap().len(), HTTP_RESPONSE_BYTES_MAX);
    let many = vec![("a", "b"); HTTP_HEADERS_COUNT_MAX + 1];
    assert_eq!(ask(response(200, &many, b""))["error"]["code"], "http.too_large");
    let long = "x".repeat(HTTP_HEADERS_BYTES_MAX);
    assert_eq!(ask(response(200, &[("a", &long)], b""))["error"]["code"], "http.too_large");
}

#[test]
fn a_response_reaches_the_guest_without_cookies_and_without_what_is_the_connections() {
    let network = Network::new(NAMES, |exchange, _| {
        let headers = [
            ("Content-Type", "image/png"),
            ("set-cookie", "session=1"),
            ("Set-Cookie2", "session=1"),
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("proxy-authenticate", "x"),
            ("content-length", "2"),
            ("x y", "no token"),
            ("etag", "\"\u{e9}\""),
        ];
        let body: &[u8] =
            if exchange.target == "/text" { "\u{e9}\u{1f600}".as_bytes() } else { &[0xff, 0] };
        Ok(response(404, &headers, body))
    });
    let world = reaching(&["api.example.com"], network);
    let answer = world.ask(&get("https://api.example.com/"));
    let headers =
        json!([["content-type", "image/png"], ["content-length", "2"], ["etag", "\"\u{e9}\""]]);
    let expected = json!({ "status": 404, "url": "https://api.example.com/", "headers": headers,
        "body_base64": "/wA=" });
    assert_eq!(answer["ok"], expected);
    assert_eq!(world.ask(&get("https://api.example.com/text"))["ok"]["body"], "\u{e9}\u{1f600}");
    let head = json!({ "service": "http", "method": "HEAD", "url": "https://api.example.com/" });
    assert_eq!(world.ask(&head)["ok"]["body"], "");
}

#[test]
fn time_is_the_requests_own_and_never_more_than_the_calls() {
    let slow = || {
        Network::new(NAMES, |exchange, is_cancelled| {
            let started = Instant::now();
            while started.elapsed() < exchange.timeout {
                if is_cancelled() {
                    return Err(TransportError::Cancelled);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TransportError::TimedOut)
        })
    };
    let mut world = reaching(&["api.example.com"], slow());
    let mut request = get("https://api.example.com/");
    request["timeout_ms"] = 30.into();
    assert_eq!(world.code(&request), "http.timeout");
    // Without a time of its own it takes all that the call has, and the call ends with it.
    world.timeout_ms = 60;
    let run = world.run(&format!("{}\n", get("https://api.example.com/")));
    assert_eq!(run.outcome.unwrap_err().code(), Code::ToolTimeout);
    world.timeout_ms = 60_000;
    let cancel = world.cancel.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    let run = world.run(&format!("{}\n", get("https://api.example.com/")));
    stopper.join().unwrap();
    assert_eq!(run.outcome.unwrap_err().code(), Code::ToolCancelled);
    assert!(run.duration < Duration::from_secs(20));
}

/// A server that redirects as the first component of the path says: `/302/` and where to.
fn redirecting() -> Arc<Network> {
    Network::new(NAMES, |exchange, _| {
        let mut parts = exchange.target.splitn(3, '/').skip(1);
        match (parts.next().unwrap().parse::<u16>(), parts.next()) {
            (Ok(status), Some(to)) => Ok(response(status, &[("location", to)], b"")),
            _ => Ok(response(200, &[], b"arrived")),
        }
    })
}

#[test]
fn a_redirect_reaches_nothing_that_the_guest_could_not_ask_for() {
    let hosts =
        ["api.example.com", "other.example.com", "inside.example.com", "rebound.example.com"];
    let network = redirecting();
    let world = reaching(&hosts, Arc::clone(&network));
    for (to, code) in [
        ("https://evil.example/", "http.undeclared"),
        ("//evil.example/", "http.undeclared"),
        ("https://api.example.com:8443/", "http.undeclared"),
        ("http://api.example.com/", "http.undeclared"),
        ("https://inside.example.com/", "http.address"),
        ("https://rebound.example.com/", "http.address"),
        ("https://user@other.example.com/", "http.redirect"),
        ("https://127.0.0.1/", "http.redirect"),
        ("https://[::1]/", "http.redirect"),
        ("ftp://api.example.com/", "http.redirect"),
        ("javascript:alert(1)", "http.redirect"),
        ("https:other.example.com", "http.redirect"),
        ("https://other.example.com\\@evil.example/", "http.url"),
    ] {
        assert_eq!(world.code(&get(&format!("https://api.example.com/302/{to}"))), code, "{to}");
    }
    assert!(network
        .seen()
        .iter()
        .all(|line| line.starts_with("GET https://api.example.com:443/302/")));
    for (to, arrives) in [
        ("https://other.example.com/a?b", "https://other.example.com/a?b"),
        ("HTTPS://OTHER.example.com:443", "https://other.example.com/"),
        ("//other.example.com/x", "https://other.example.com/x"),
        ("/b", "https://api.example.com/b"),
    ] {
        let answer = world.ask(&get(&format!("https://api.example.com/307/{to}")));
        assert_eq!(answer["ok"]["url"], arrives);
        assert_eq!(answer["ok"]["body"], "arrived");
    }
}

#[test]
fn redirects_end_after_as_many_as_are_allowed() {
    let endless = Network::new(NAMES, |_, _| Ok(response(302, &[("location", "/")], b"")));
    let world = reaching(&["api.example.com"], Arc::clone(&endless));
    for (most, exchanges) in [(None, HTTP_REDIRECTS_COUNT_MAX + 1), (Some(0), 1), (Some(2), 3)] {
        endless.seen.lock().unwrap().clear();
        let mut request = get("https://api.example.com/");
        if let Some(most) = most {
            request["redirects"] = most.into();
        }
        let answer = world.ask(&request);
        assert_eq!(answer["ok"]["status"], 302);
        assert_eq!(answer["ok"]["headers"], json!([["location", "/"]]));
        assert_eq!(endless.seen().len(), exchanges);
    }
    for status in [200, 201, 300, 304, 305, 306, 309, 404] {
        let network =
            Network::new(NAMES, move |_, _| Ok(response(status, &[("location", "/")], b"")));
        let answer = reaching(&["api.example.com"], network).ask(&get("https://api.example.com/"));
        assert_eq!(answer["ok"]["status"], status);
    }
}

#[test]
fn the_method_and_the_body_change_as_rfc_9110_says() {
    for (status, method, becomes) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
        (303, "GET", "GET"),
    ] {
        let network = redirecting();
        let world = reaching(&["api.example.com"], Arc::clone(&network));
        let mut request = get(&format!("https://api.example.com/{status}//x"));
        request["method"] = method.into();
        request["headers"] =
            json!([["content-type", "a/b"], ["content-language", "de"], ["x", "y"]]);
        if !matches!(method, "GET" | "HEAD") {
            request["body"] = "body".into();
        }
        world.ask(&request);
        let rest = match becomes {
            "GET" if method != "GET" => " x=y []",
            "GET" | "HEAD" => " content-type=a/b content-language=de x=y []",
            _ => " content-type=a/b content-language=de x=y [body]",
        };
        let expected = format!("{becomes} https://api.example.com:443/x at {PUBLIC}{rest}");
        assert_eq!(network.seen()[1], expected, "{status} {method}");
    }
}

#[test]
fn no_credential_goes_along_to_another_origin() {
    let network = redirecting();
    let mut world = reaching(&["api.example.com", "other.example.com"], Arc::clone(&network));
    let mut request = get("https://api.example.com/307/https://other.example.com/");
    request["method"] = "POST".into();
    request["body"] = "b".into();
    request["headers"] = json!([
        ["authorization", "A"],
        ["cookie", "C"],
        ["x-api-key", "K"],
        ["content-type", "t"],
        ["accept", "a"],
        ["user-agent", "u"],
        ["accept-language", "l"]
    ]);
    world.ask(&request);
    let kept = "content-type=t accept=a user-agent=u accept-language=l [b]";
    assert!(network.seen()[1].ends_with(&format!("1::1 {kept}")), "{}", network.seen()[1]);

    // Neither host's secrets are sent where a redirect leads, and both are where the guest asks.
    world.rules = json!({ "headers": [
        secret("api.example.com", "x-one", "first-secret"),
        secret("other.example.com", "x-two", "second-secret"),
    ] });
    network.seen.lock().unwrap().clear();
    world.ask(&get(
        "https://api.example.com/302/https://other.example.com/302/https://api.example.com/x",
    ));
    world.ask(&get("https://api.example.com/302//x"));
    let sent: Vec<bool> = network.seen().iter().map(|line| line.contains("first-secret")).collect();
    assert_eq!(sent, [true, false, false, true, true]);
    assert!(!network.seen().iter().any(|line| line.contains("second-secret")));
}

#[test]
fn a_secret_header_is_sent_and_never_seen() {
    let network = Network::new(NAMES, |exchange, _| {
        let echo = exchange.headers.iter().map(|(_, value)| value.clone()).collect::<String>();
        Ok(match exchange.target {
            "/echo" => response(200, &[], echo.as_bytes()),
            "/part" => response(200, &[], b"{\"token\":\"s3cr3t-value\"}"),
            "/header" => response(200, &[("x-debug", &echo)], b""),
            "/name" => response(200, &[("s3cr3t-value", "1")], b""),
            "/Name" => response(200, &[("S3cr3t-Value", "1")], b""),
            "/host" => response(302, &[("location", "https://S3CR3T-VALUE.example/")], b""),
            "/body" => response(200, &[], b"{\"S3cr3T-value\":[]}"),
            "/url" => response(200, &[], b"https%3a%2f%2fS3CR3T%2dVALUE"),
            _ => response(200, &[], b"fine"),
        })
    });
    let mut world = reaching(&["api.example.com", "api.example.com:80"], Arc::clone(&network));
    let bearer = |host: &str| secret(host, "authorization", "Bearer s3CR3t-value");
    let headers = ["api.example.com", "api.example.com:80"].map(bearer);
    world.rules = json!({ "plain_http": ["api.example.com:80"], "headers": headers });
    assert_eq!(world.code(&get("https://api.example.com/")), "");
    assert!(network.seen()[0].contains("authorization=Bearer s3CR3t-value"));
    for path in ["echo", "part", "header", "name", "Name", "host", "body", "url"] {
        let answer = world.ask(&get(&format!("https://api.example.com/{path}")));
        assert_eq!(answer["error"]["code"], "http.secret", "{path}");
        assert!(!answer.to_string().to_lowercase().contains("s3cr3t"), "{answer}");
    }
    // Nor is it sent in the clear, nor can the guest find out by setting it itself.
    assert_eq!(world.code(&get("http://api.example.com/")), "");
    assert!(!network.seen().last().unwrap().contains("s3cr3t"));
    let mut own = get("https://api.example.com/");
    own["headers"] = json!([["Authorization", "Bearer mine"]]);
    assert_eq!(world.code(&own), "http.header");
}

#[test]
fn no_part_and_no_compressed_form_of_a_response_to_a_secret_reaches_the_guest() {
    let network = Network::new(NAMES, |exchange, _| {
        Ok(match exchange.target {
            "/part" => response(206, &[("content-range", "bytes 0-2/9")], b"s3c"),
            "/gzip" => response(200, &[("Content-Encoding", "gzip")], b"\x1f\x8b"),
            "/both" => response(200, &[("content-encoding", "identity, br")], b"x"),
            "/echo" => response(200, &[], b"s3cr3t-value"),
            _ => response(200, &[("content-encoding", "Identity")], b"fine"),
        })
    });
    let hosts = ["api.example.com", "api.example.com:80", "other.example.com"];
    let mut world = reaching(&hosts, Arc::clone(&network));
    let headers = ["api.example.com", "api.example.com:80"];
    let headers = headers.map(|host| secret(host, "x-key", "s3cr3t-value"));
    world.rules = json!({ "plain_http": ["api.example.com:80"], "headers": headers });
    assert_eq!(world.code(&get("https://api.example.com/")), "");
    for name in ["Accept-Encoding", "range", "IF-Range"] {
        let mut request = get("https://api.example.com/");
        request["headers"] = json!([[name, "bytes=0-2"]]);
        assert_eq!(world.code(&request), "http.header", "{name}");
        request["url"] = "https://other.example.com/".into();
        assert_eq!(world.code(&request), "", "{name}");
    }
    for path in ["part", "gzip", "both", "echo"] {
        assert_eq!(world.code(&get(&format!("https://api.example.com/{path}"))), "http.secret");
        // Without a secret there is nothing to withhold.
        for origin in ["https://other.example.com", "http://api.example.com"] {
            assert_eq!(world.code(&get(&format!("{origin}/{path}"))), "", "{origin}");
        }
    }
}

#[test]
fn a_guest_can_push_nothing_out_of_the_record() {
    let network = Network::new(NAMES, |exchange, _| {
        let number: u16 = exchange.target.trim_start_matches('/').parse().unwrap();
        match number {
            0 => Err(TransportError::TimedOut),
            1 => Err(TransportError::Unreachable(String::new())),
            2 => Err(TransportError::TooLarge),
            status => Ok(response(status, &[], b"")),
        }
    });
    let world = reaching(&["api.example.com", "other.example.com"], network);
    let mut requests = Vec::new();
    for host in ["api.example.com", "other.example.com"] {
        requests.extend((0..3).chain(200..600).map(|n: u16| get(&format!("https://{host}/{n}"))));
    }
    for number in 0..300 {
        requests.push(get(&format!("https://{number}.example.com/")));
        requests.push(json!({ "service": format!("{number}") }));
        requests.push(json!({ "service": "http", "url": number }));
    }
    let (_, run) = world.ask_all(&requests);
    assert_eq!(run.outcome, Ok(()));
    assert_eq!(run.services["http other.example.com"], 403);
    let (hosts, results) = (2, run.services.len() - 2);
    assert_eq!(hosts, run.services.keys().filter(|name| name.ends_with(".example.com")).count());
    assert!(
        results + crate::kernel::limits::LIST_COUNT_MAX
            < crate::kernel::limits::AUDIT_LIST_COUNT_MAX / 2
    );
}

#[test]
fn debug_output_of_exchanges_and_responses_has_names_and_lengths_only() {
    let network = Network::new(NAMES, |exchange, _| {
        Ok(response(200, &[("x-said", "s3cr3t-value")], format!("{exchange:?}").as_bytes()))
    });
    let world = reaching(&["api.example.com"], network);
    let mut request = get("https://api.example.com/s3cr3t-value");
    request["method"] = "POST".into();
    request["headers"] = json!([["x-key", "s3cr3t-value"]]);
    request["body"] = "s3cr3t-value".into();
    let answer = world.ask(&request);
    let shown = answer["ok"]["body"].as_str().unwrap();
    assert!(shown.contains("[\"x-key\"]") && shown.contains("body_bytes: 12"), "{shown}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let shown = format!("{:?}", response(200, &[("x-said", "s3cr3t-value")], b"s3cr3t-value"));
    assert_eq!(shown, "HttpResponse { status: 200, headers: [\"x-said\"], body_bytes: 12 }");
}
