//! The policy file: the spec's own example, every fault, and hostile bytes.

use super::*;
use crate::tests::support::TempDir;
use serde_json::Value;

/// The example of the spec, which uses every member there is.
pub(super) fn example() -> Value {
    let spec = include_str!("../../../../spec/policy.md");
    let text =
        spec.split_once("```json\n").expect("an example").1.split_once("```").expect("end").0;
    serde_json::from_str(text).expect("the example is JSON")
}

fn read(value: &Value) -> Result<PermissionPolicy, crate::kernel::error::Error> {
    PermissionPolicy::from_json(value.to_string().as_bytes())
}

#[test]
fn the_example_of_the_spec_is_read_member_by_member() {
    let read = read(&example()).expect("valid");
    let set = |items: &[&str]| owned(items).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(read.trusted_packages, set(&["org.acme.weather"]));
    assert_eq!(read.trusted_publishers, set(&["Acme"]));
    assert_eq!((read.auto_approve_low, read.ask_always, read.non_interactive), (true, false, true));
    assert_eq!((read.real_clock, read.real_random), (false, false));
    assert_eq!((read.signers_required(), read.token_lifetime_s), (2, 60));
    assert_eq!(read.deny.packages, set(&["org.evil"]));
    assert_eq!(read.deny.capabilities, BTreeSet::from([CapabilityKind::Destructive]));
    assert_eq!(read.deny.hosts, BTreeSet::from([HostPattern::from_text("tracker.example:8443")]));
    let Ceilings { memory_limit_mb, timeout_ms, fuel, output_limit_kb } = read.ceilings;
    assert_eq!((memory_limit_mb, timeout_ms), (256, 10_000));
    assert_eq!((fuel, output_limit_kb), (5_000_000_000, 512));
    let directories: Vec<_> = (read.directories.iter())
        .map(|it| (&*it.guest, &*it.host, it.read_only, &it.packages.0))
        .collect();
    let (acme, all) = (owned(&["org.acme"]), Vec::new());
    let expected = [("/data", "/srv/data", true, &acme), ("/out", "/srv/out", false, &all)];
    assert_eq!(directories, expected);
    assert_eq!(read.secrets_command(), Some(&owned(&["/usr/bin/pass", "show"])[..]));
    let [key, password] = &read.environment[..] else { panic!("two variables") };
    assert_eq!((&*key.name, &*key.source.text, &key.packages.0), ("API_KEY", "change-me", &acme));
    assert_eq!(
        (&*password.name, password.source.secret.as_deref()),
        ("MAIL_PASSWORD", Some("MAIL_PASSWORD"))
    );
    assert_eq!(read.network.plain_http, set(&["printer.lan:80"]));
    assert_eq!(read.network.private_addresses, set(&["printer.lan:80", "wiki.corp"]));
    let [literal, secret] = &read.network.headers[..] else { panic!("two headers") };
    assert_eq!((&*literal.host, &*literal.name), ("api.example.com", "authorization"));
    assert_eq!((&*literal.source.text, &literal.packages.0), ("Bearer change-me", &acme));
    assert_eq!((&*secret.host, &secret.packages.0), ("weather.example.com", &all));
    let expected = ValueSource { text: "Bearer ".into(), secret: Some("WEATHER_KEY".into()) };
    assert!(secret.source == expected);
    let FilterRules { always, keep, except } = &read.privacy_filters;
    assert_eq!(always.patterns, ["email"]);
    let custom = &always.custom;
    assert_eq!((&*custom[0].name, &*custom[0].pattern), ("EMPLOYEE_ID", "EMP-[0-9]{6}"));
    assert_eq!(keep.values, set(&["+1 415 555 0132"]));
    assert_eq!((keep.networks.len(), keep.loopback), (2, true));
    assert_eq!(keep.mail_domains, set(&["example.com"]));
    assert_eq!(except[0].kinds, set(&["phone"]));
    assert_eq!(except[0].packages.0, ["org.acme.phonebook"]);
    assert_eq!(read.privacy_replacement, Replacement::Numbered);
    assert_eq!(read.listed_name("org.acme.md", "search"), Some("md_search"));
    assert!(read.hides("org.acme.md", "delete") && !read.hides("org.acme.md", "search"));
    assert_eq!(read.agents[0].names, set(&["claude-code"]));
    assert_eq!(read.agents[0].packages.0, ["org.acme.finance"]);
    let elicitation = Some(SecurityLevel::Low);
    assert_eq!(read.consent, ConsentRules { wait_s: 55, elicitation, remember: true });
    assert_eq!(read.file, None);
    assert!(!format!("{read:?}").contains("change-me"));
}

#[test]
fn the_shortest_file_is_a_new_policy() {
    let policy = PermissionPolicy::from_json(br#"{"format":"mpp-policy/1"}"#).expect("valid");
    assert_eq!(format!("{policy:?}"), format!("{:?}", PermissionPolicy::new()));
}

/// Every object in a document, by JSON pointer.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(at.to_owned());
            members.iter().for_each(|(key, inner)| objects(inner, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            let places = items.iter().enumerate();
            places.for_each(|(n, inner)| objects(inner, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

#[test]
fn an_unknown_member_is_refused_in_every_object() {
    let mut places = Vec::new();
    objects(&example(), "", &mut places);
    // The members of `names` are tools.
    places.retain(|at| at != "/names");
    assert_eq!(places.len(), 18);
    for at in places {
        let mut value = example();
        value.pointer_mut(&at).expect(&at)["extra"] = json!(null);
        let error = read(&value).expect_err(&at);
        assert_eq!(error.code(), Code::PolicyInvalid);
        assert_eq!(error.detail(), format!("{at}/extra: unknown key"));
    }
}

#[test]
fn every_value_that_could_never_apply_is_refused_with_its_place() {
    for (at, value) in [
        ("/format", json!("mpp-policy/2")),
        ("/format", json!(1)),
        ("/trusted_packages", json!("org.acme")),
        ("/trusted_packages/0", json!("*")),
        ("/trusted_packages/0", json!("org.Acme")),
        ("/trusted_packages/0", json!("org.a_b")),
        ("/trusted_packages/0", json!("org..acme")),
        ("/trusted_packages/0", json!("")),
        ("/trusted_publishers/0", json!(" Acme")),
        ("/auto_approve_low", json!("true")),
        ("/ask_always", json!("true")),
        ("/ask_always", json!(0)),
        ("/ask_always", json!(null)),
        ("/ask_always", json!(true)), // beside auto_approve_low
        ("/non_interactive", json!(1)),
        ("/signers_required", json!(0)),
        ("/signers_required", json!(9)),
        ("/token_lifetime_s", json!(0)),
        ("/token_lifetime_s", json!(86_401)),
        ("/token_lifetime_s", json!(1.5)),
        ("/deny", json!([])),
        ("/deny/packages/0", json!("org.evil.")),
        ("/deny/packages/0", json!("org.*")),
        ("/deny/capabilities/0", json!("Network")),
        ("/deny/capabilities/0", json!("filesystem")),
        ("/deny/hosts/0", json!("https://evil.example")),
        ("/deny/hosts/0", json!("*.evil.example")),
        ("/deny/hosts/0", json!(".evil.example")),
        ("/deny/hosts/0", json!("evil.example/")),
        ("/deny/hosts/0", json!("evil.example:")),
        ("/deny/hosts/0", json!("evil.example:0443")),
        ("/deny/hosts/0", json!("evil.example:65536")),
        ("/deny/hosts/0", json!("évil.example")),
        ("/deny/hosts/0", json!("10.0.0.1")),
        ("/deny/hosts/0", json!("[::1]:80")),
        ("/deny/hosts/0", json!("evil_host.example")),
        ("/deny/hosts/0", json!("")),
        ("/ceilings/memory_limit_mb", json!(0)),
        ("/ceilings/memory_limit_mb", json!(4_294_967_296_u64)),
        ("/ceilings/timeout_ms", json!(-1)),
        ("/ceilings/fuel", json!("all")),
        ("/ceilings/output_limit_kb", json!(null)),
        ("/directories/0/guest", json!("data")),
        ("/directories/0/guest", json!("//")),
        ("/directories/0/guest", json!("/...")),
        ("/directories/0/guest", json!("/a b")),
        ("/directories/0/guest", json!("/data/")),
        ("/directories/0/guest", json!("/data/../etc")),
        ("/directories/0/guest", json!("//data")),
        ("/directories/0/host", json!("srv/data")),
        ("/directories/0/host", json!("/srv\u{0}")),
        ("/directories/0/packages", json!([])),
        ("/directories/0/packages/0", json!("org.Acme")),
        ("/environment/0/name", json!("A=B")),
        ("/environment/0/name", json!("")),
        ("/environment/0/value", json!("a\u{0}b")),
        ("/environment/0/packages", json!([])),
        ("/privacy_filters/patterns/0", json!("")),
        ("/privacy_filters/custom/0/name", json!(1)),
        ("/privacy_filters/keep", json!([])),
        ("/privacy_filters/keep/values/0", json!("")),
        ("/privacy_filters/keep/values/0", json!(" a")),
        ("/privacy_filters/keep/values/0", json!("a\nb")),
        ("/privacy_filters/keep/values/0", json!(14155550132_u64)),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.1/8")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0/33")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0/08")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0/+8")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0/")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0/8")),
        ("/privacy_filters/keep/networks/0", json!("10.0.0.0/8/8")),
        ("/privacy_filters/keep/networks/0", json!("::1/127")),
        ("/privacy_filters/keep/networks/0", json!("::/129")),
        ("/privacy_filters/keep/networks/0", json!("[::1]/128")),
        ("/privacy_filters/keep/networks/0", json!("localhost/8")),
        ("/privacy_filters/keep/mail_domains/0", json!("ann@example.com")),
        ("/privacy_filters/keep/mail_domains/0", json!("@example.com")),
        ("/privacy_filters/keep/mail_domains/0", json!("Example.com")),
        ("/privacy_filters/keep/mail_domains/0", json!("*.example.com")),
        ("/privacy_filters/keep/mail_domains/0", json!(".example.com")),
        ("/privacy_filters/keep/mail_domains/0", json!("example.com.")),
        ("/privacy_filters/keep/mail_domains/0", json!("example.com:25")),
        ("/privacy_filters/keep/mail_domains/0", json!("localhost")),
        ("/privacy_filters/keep/mail_domains/0", json!("")),
        ("/privacy_filters/keep/loopback", json!("true")),
        ("/privacy_filters/except", json!({})),
        ("/privacy_filters/except/0/kinds", json!([])),
        ("/privacy_filters/except/0/kinds", json!("phone")),
        ("/privacy_filters/except/0/kinds/0", json!("PHONE")),
        ("/privacy_filters/except/0/kinds/0", json!("secret")),
        ("/privacy_filters/except/0/kinds/0", json!("EMPLOYEE_ID")),
        ("/privacy_filters/except/0/packages", json!([])),
        ("/privacy_filters/except/0/packages/0", json!("*.acme")),
        ("/privacy_replacement", json!("hash")),
        ("/privacy_replacement", json!(1)),
        ("/agents/0/names", json!([])),
        ("/agents/0/names/0", json!(" claude-code")),
        ("/agents/0/packages", json!([])),
        ("/consent/wait_s", json!(3_601)),
        ("/consent/elicitation", json!("Low")),
        ("/consent/remember", json!(1)),
        ("/budgets/guest_memory_mb", json!(0)),
        ("/budgets/code_mb", json!(4_294_967_296_u64)),
        ("/budgets/descriptors", json!("many")),
    ] {
        let mut changed = example();
        *changed.pointer_mut(at).expect(at) = value.clone();
        let error = read(&changed).expect_err(&format!("{at} {value}"));
        assert_eq!(error.code(), Code::PolicyInvalid);
        assert!(error.detail().starts_with(&format!("{at}: ")), "{at}: {}", error.detail());
    }
}

#[test]
fn a_pattern_that_does_not_exist_or_compile_is_refused() {
    for (at, value, why) in [
        ("/privacy_filters/patterns/0", "e-mail", "unknown privacy pattern"),
        ("/privacy_filters/custom/0/pattern", "(", "does not compile"),
        ("/privacy_filters/custom/0/pattern", "a*", "matches the empty text"),
    ] {
        let mut changed = example();
        *changed.pointer_mut(at).expect(at) = json!(value);
        let error = read(&changed).expect_err(at);
        assert_eq!(error.code(), Code::PolicyInvalid);
        assert!(error.detail().contains(why), "{}", error.detail());
    }
}

#[test]
fn a_required_member_that_is_absent_is_refused() {
    for (object, key) in [
        ("", "format"),
        ("/directories/0", "guest"),
        ("/directories/0", "host"),
        ("/environment/0", "name"),
        ("/environment/0", "value"),
        ("/agents/0", "names"),
        ("/privacy_filters/except/0", "kinds"),
        ("/privacy_filters/custom/0", "name"),
        ("/privacy_filters/custom/0", "pattern"),
    ] {
        let mut changed = example();
        let members = changed.pointer_mut(object).and_then(Value::as_object_mut).expect(object);
        members.remove(key).expect(key);
        let error = read(&changed).expect_err(key);
        assert_eq!(error.code(), Code::PolicyInvalid);
        assert_eq!(error.detail(), format!("{object}/{key}: missing required key"));
    }
}

#[test]
fn a_scoped_secret_reaches_only_the_packages_it_is_for() {
    let policy = read(&json!({
        "format": "mpp-policy/1",
        "environment": [{"name": "KEY", "value": "v", "packages": ["org.acme"]}],
        "directories": [{"guest": "/data", "host": "/srv", "packages": ["org.acme.tool"]}],
    }))
    .expect("valid");
    let token = |id: &str| {
        let mut manifest = sees(&["KEY"]);
        manifest.capabilities.filesystem.read = owned(&["/data"]);
        manifest.id = id.into();
        confirmed(&policy, manifest)
    };
    for (id, keys, directories) in
        [("org.acme.tool", 1, 1), ("org.acme", 1, 0), ("org.acmecorp", 0, 0), ("org.other", 0, 0)]
    {
        let token = token(id);
        assert_eq!((token.environment().len(), token.directories().len()), (keys, directories));
    }
}

#[test]
fn a_duplicate_key_deep_nesting_and_too_many_bytes_are_refused() {
    let deep = format!(r#"{{"format":"mpp-policy/1","deny":{}{}}}"#, "[".repeat(9), "]".repeat(9));
    let long = " ".repeat(crate::kernel::limits::POLICY_FILE_BYTES_MAX + 1);
    for text in [
        r#"{"format":"mpp-policy/1","non_interactive":true,"non_interactive":false}"#,
        &deep,
        &long,
        "",
        "null",
        "[]",
        "\u{feff}{}",
        r#"{"format":"mpp-policy/1"} x"#,
    ] {
        let error = PermissionPolicy::from_json(text.as_bytes()).expect_err("refused");
        assert_eq!(error.code(), Code::PolicyInvalid);
    }
}

#[test]
fn no_altered_or_shortened_file_panics() {
    let bytes = example().to_string().into_bytes();
    for end in 0..bytes.len() {
        assert!(PermissionPolicy::from_json(&bytes[..end]).is_err());
    }
    for n in 0..bytes.len() {
        for byte in [0, b'"', b'{', b']', b',', b'9', b'-', 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[n] = byte;
            if let Err(error) = PermissionPolicy::from_json(&changed) {
                assert_eq!(error.code(), Code::PolicyInvalid);
            }
        }
    }
}

#[test]
fn a_policy_file_that_is_not_there_is_no_empty_policy() {
    let temp = TempDir::new("policy");
    let path = temp.0.join("policy.json");
    let error = PermissionPolicy::load(&path).expect_err("missing");
    assert_eq!(error.code(), Code::HostFile);
    std::fs::write(&path, "{").expect("written");
    let error = PermissionPolicy::load(&path).expect_err("broken");
    assert_eq!(error.code(), Code::PolicyInvalid);
    assert!(error.detail().contains("policy.json"));
}
