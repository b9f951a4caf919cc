//! What a host keeps, and what it cannot keep.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::{all, custom, Keep, Kind, PrivacyFilterEngine, Replacement};
use crate::kernel::document::FromJson;
use crate::kernel::json::closed_object::Field;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::secrets::KnownSecret;
use serde_json::{json, Value};

fn keeping(engine: PrivacyFilterEngine, keep: Value) -> PrivacyFilterEngine {
    engine.with_keep(&Keep::read(&Field::new(&keep, "")).unwrap())
}

/// Filters each text, in which `«` and `»` enclose what is redacted; anything else stays.
fn filters(engine: &PrivacyFilterEngine, texts: &[&str]) {
    for text in texts {
        let (given, expected) = (text.replace(['«', '»'], ""), text);
        let (filtered, applied) = engine.redact_text(&given).unwrap();
        let mut rest = filtered.as_str();
        for (index, piece) in expected.split(['«', '»']).enumerate() {
            if index % 2 == 0 {
                rest = rest.strip_prefix(piece).unwrap_or_else(|| panic!("{text}: {filtered}"));
            } else {
                let (label, after) = rest.split_once(']').unwrap_or_else(|| panic!("{filtered}"));
                assert!(label.starts_with('[') && !label.contains(piece), "{text}: {filtered}");
                rest = after;
            }
        }
        assert_eq!(rest, "", "{text}: {filtered}");
        assert_eq!(applied.is_empty(), !text.contains('«'), "{text}");
    }
}

#[test]
fn a_value_is_kept_in_every_form_that_compares_equal_and_in_no_other() {
    let engine = keeping(
        all(),
        json!({ "values": ["+1 415 555 0132", "Help@b.example", "4012 8888 8888 1881", "10.0.0.1"] }),
    );
    filters(
        &engine,
        &[
            "call +1-415-555-0132 or +1 (415) 555-0132",
            "card 4012888888881881, 4012-8888-8888-1881",
            "help@b.example, HELP@B.EXAMPLE; host 10.0.0.1.",
            "call «+1-415-555-0133», «+1-415-555-0132 x5»",
            "«help@b.example.org» «xhelp@b.example» «help@b.example.evil.org» «help@bb.example»",
            "«10.0.0.11» «110.0.0.1» «10.0.0.1/24» «4111 1111 1111 1111»",
        ],
    );
    // Custom patterns and keys compare verbatim.
    let patterns = [custom("ID", "(?:ID|id)-?[0-9]+")];
    let engine = PrivacyFilterEngine::from_config(&["api-key".to_owned()], &patterns).unwrap();
    let engine = keeping(engine, json!({ "values": ["ID-12", "AKIAIOSFODNN7EXAMPLE"] }));
    filters(
        &engine,
        &["ID-12 AKIAIOSFODNN7EXAMPLE", "«id-12» «ID12» «ID-123» «ID-1» «AKIAIOSFODNN7EXAMPLF»"],
    );
}

#[test]
fn a_network_keeps_whole_addresses_and_nothing_longer() {
    let engine = keeping(
        all(),
        json!({ "networks": ["10.0.0.0/8", "192.168.1.0/24", "fd00::/8", "192.0.2.7/32"] }),
    );
    filters(
        &engine,
        &[
            "10.0.0.1, 10.255.255.255 192.168.1.9, １０.1.2.3 192.0.2.7",
            "fd00::1 FDFF::2 fd12:3456::/32 10.0.0.0/8 10.1.0.0/16 10.0.0.1/8",
            "«11.0.0.100» «110.0.0.1» «210.0.0.1» «192.168.2.1» «192.168.1.9/16» «192.0.2.8»",
            "«10.0.0.0/7» «fe80::1» «::ffff:10.0.0.1» «::10.0.0.1» «fd00::/7»",
        ],
    );
    let engine = keeping(all(), json!({ "networks": ["0.0.0.0/0"] }));
    filters(&engine, &["8.8.8.8 10.0.0.1/0", "«2001:db8::1»"]);
    let engine = keeping(all(), json!({ "networks": ["::/0"] }));
    filters(&engine, &["2001:db8::1 ::1", "«8.8.8.8»"]);
}

#[test]
fn loopback_keeps_loopback_and_unspecified_addresses_only() {
    let engine = keeping(all(), json!({ "loopback": true }));
    filters(
        &engine,
        &[
            "127.0.0.1:8080 http://127.1.2.3/ 0.0.0.0 [::1]:80 127.0.0.0/8",
            "«128.0.0.1» «126.255.255.255» «0.0.0.100» «1.0.0.0» «10.0.0.1» «fe80::2» «127.0.0.1/7»",
            "«::ffff:127.0.0.1» «::1/127» «0.0.0.0/0»",
        ],
    );
    filters(&all(), &["«127.0.0.1» «0.0.0.0» «::1»"]);
    filters(&keeping(all(), json!({ "loopback": false })), &["«127.0.0.1» «0.0.0.0» «::1»"]);
}

#[test]
fn a_mail_domain_is_kept_exactly_and_not_where_more_can_be_hidden() {
    let engine = keeping(all(), json!({ "mail_domains": ["example.com"] }));
    filters(
        &engine,
        &[
            "ann@example.com, <Bob@EXAMPLE.com> mailto:ann+x@example.com; ann%40example.com",
            "«x@example.com.evil.org» «x@evil-example.com» «x@sub.example.com» «x@example.co»",
            "«x@example.com-evil.org» «x@example.comm» «x@example.net»",
            "«ann@example.net», ann@example.com",
            // Another value within the address, or a password in front of a host.
            "«4012888888881881@example.com» «4111 1111 1111 1111@longexample.com»",
            "«ghp_16C7e42F292c6912E7710c838347Ae178B4a@example.com»",
            "https://bob:«hunter2»@example.com/x ftp:\\/\\/bob:«hunter2»@example.com //«me@example.com»",
        ],
    );
    let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &[custom("A", "ann")]);
    let engine = keeping(engine.unwrap(), json!({ "mail_domains": ["example.com"] }));
    filters(&engine, &["bob@example.com", "«ann@example.com»"]);
}

#[test]
fn a_value_that_overlaps_another_finding_is_kept_only_if_it_covers_it() {
    // Some of the digits of a card are a telephone number in other places.
    let engine = keeping(all(), json!({ "values": ["4111 1111 1111 1111"] }));
    filters(&engine, &["phone 4111 1111 1111 1111 now", "«4111 1111 1111 1111@b.example»"]);
    let patterns = [custom("A", "a-b"), custom("B", "b-c")];
    let engine = PrivacyFilterEngine::from_config(&[], &patterns).unwrap();
    let engine = keeping(engine, json!({ "values": ["a-b"] }));
    filters(&engine, &["a-b", "«a-b-c»", "«b-c»"]);
    let engine = PrivacyFilterEngine::from_config(&[], &patterns).unwrap();
    let engine = keeping(engine, json!({ "values": ["a-b", "b-c"] }));
    filters(&engine, &["a-b-c"]);
}

#[test]
fn a_known_secret_is_never_kept() {
    let secret = |text: &str| vec![KnownSecret::new("KEY", text).unwrap()];
    for (text, values) in [
        ("help@example.com", json!(["help@example.com"])),
        ("help@example", json!(["help@example.com"])),
        ("+14155550132", json!(["+14155550132"])),
        ("10.20.30.40", json!(["10.20.30.40"])),
        ("4012888888881881", json!(["4012888888881881"])),
        ("hunter2hunter2", json!(["hunter2hunter2"])),
    ] {
        let keep = json!({
            "values": values, "networks": ["0.0.0.0/0"], "mail_domains": ["example.com"],
        });
        for engine in [all(), PrivacyFilterEngine::from_config(&[], &[]).unwrap()] {
            let engine = keeping(engine, keep.clone()).with_known_secrets(&secret(text));
            for value in [json!(text), json!(values[0]), json!({ text: [text] })] {
                let filtered = engine.redact_json(&value).0.to_string();
                assert!(!filtered.contains(text), "{filtered}");
            }
            if let Ok(number) = text.trim_start_matches('+').parse::<u64>() {
                let filtered = engine.redact_json(&json!([number])).0;
                assert!(!filtered.to_string().contains(text));
                assert!(text.starts_with('+') || filtered == json!(["[SECRET:KEY]"]));
            }
        }
    }
}

#[test]
fn the_report_counts_what_was_kept_and_never_holds_it() {
    let engine =
        keeping(all(), json!({ "mail_domains": ["b.example"], "values": ["4012888888881881"] }));
    let answer = json!({
        "to": "ann@b.example, bob@c.example, eve@b.example", "card": 4012888888881881_u64,
        "ann@b.example": "{\"n\": 4012888888881881, \"m\": \"ann@b.example\"}",
        "other": 4111111111111111_u64,
    });
    let (filtered, applied) = engine.redact_json(&answer);
    let mut expected = answer.clone();
    expected["to"] = json!("ann@b.example, [EMAIL], eve@b.example");
    expected["other"] = json!("[CREDIT_CARD]");
    assert_eq!(filtered, expected);
    assert_eq!(
        applied.to_json(),
        json!({
            "credit-card": { "count": 1, "at": ["/other"] }, "email": { "count": 1, "at": ["/to"] },
            "kept": { "credit-card": 2, "email": 4 },
        })
    );
    assert_eq!(applied.total(), 2);
    assert_eq!(applied.kept().collect::<Vec<_>>(), [("credit-card", 2), ("email", 4)]);
    let (same, applied) = engine.redact_json(&filtered);
    assert_eq!((same, applied.total()), (filtered, 0));
    let kept_only = engine.redact_text("ann@b.example").unwrap().1;
    assert!(kept_only.is_empty() && kept_only.counts().next().is_none());
    assert_eq!(kept_only.to_json(), json!({ "kept": { "email": 1 } }));
    assert_eq!(all().redact_text("nothing").unwrap().1.to_json(), json!({}));
}

#[test]
fn what_is_kept_is_not_found_and_has_no_number() {
    let engine = keeping(all(), json!({ "mail_domains": ["b.example"] }));
    assert!(engine.find("ann@b.example").unwrap().is_empty());
    let engine = engine.with_replacement(Replacement::Numbered, [0; 32]);
    let text = engine.redact_text("a@b.example a@c.example a@b.example a@d.example").unwrap().0;
    assert_eq!(text, "a@b.example [EMAIL:1] a@b.example [EMAIL:2]");
}

#[test]
fn an_exception_is_for_its_kinds_and_packages_only() {
    let policy = PermissionPolicy::from_json(
        br#"{"format":"mpp-policy/1","privacy_filters":{"patterns":["phone","email"],"except":[
            {"kinds":["phone"],"packages":["org.acme.phonebook"]},
            {"kinds":["iban"]}, {"kinds":["email","ssn"],"packages":["org.other","com.mail"]}]}}"#,
    )
    .unwrap();
    let text = "ann@b.example, +14155550132, GB29NWBK60161331926819, 4012888888881881";
    let (phone, email, card) =
        ("ann@b.example, [PHONE], ", "[EMAIL], +14155550132, ", "GB29NWBK60161331926819, ");
    for (id, start) in [
        ("org.acme.phonebook", email.to_owned()),
        ("org.acme.phonebook.sub", email.to_owned()),
        ("org.acme.phonebooks", "[EMAIL], [PHONE], ".to_owned()),
        ("org.acme", "[EMAIL], [PHONE], ".to_owned()),
        ("org.other.tool", phone.to_owned()),
        ("com.mail", phone.to_owned()),
        ("com.mailer", "[EMAIL], [PHONE], ".to_owned()),
    ] {
        for requested in [json!([]), json!(["phone", "email", "iban"])] {
            let filters = json!({ "patterns": requested });
            let filters = FromJson::read(&Field::new(&filters, "")).unwrap();
            let filtered = policy.privacy_filter(id, &filters).unwrap().redact_text(text).unwrap();
            assert_eq!(filtered.0, format!("{start}{card}4012888888881881"), "{id}");
        }
    }
    // What does not exist is refused, whether or not it is excepted.
    let filters = json!({ "patterns": ["phones"] });
    let filters = FromJson::read(&Field::new(&filters, "")).unwrap();
    assert!(policy.privacy_filter("org.acme.phonebook", &filters).is_err());
    assert!(Kind::from_name("phones").is_none());
}
