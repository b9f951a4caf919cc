//! Secrets: what a value, a name and the file can be, and how values are found in texts.
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing)]

use super::*;
use crate::kernel::encoding::base64;
use crate::kernel::error::Code;
use crate::kernel::limits::{SECRETS_COUNT_MAX, SECRETS_FILE_BYTES_MAX};
use crate::kernel::privacy::PrivacyFilterEngine;
use crate::kernel::secrets::KnownSecret;
use crate::tests::support::TempDir;
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const VALUE: &str = "pa55-\"word\\/ of <Ann> & 100%+";

impl TempDir {
    fn put_secrets(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.join("secrets.json");
        fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        set_mode(&path, 0o600);
        path
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// The code of a refusal, whose text must not hold what was refused.
pub(super) fn refusal<T>(result: Result<T, Error>, value: &str) -> Code {
    let error = result.err().expect("refused");
    assert!(value.is_empty() || !error.to_string().contains(value), "{error}");
    assert!(value.is_empty() || !format!("{error:?}").contains(value), "{error:?}");
    error.code()
}

#[test]
fn a_value_is_one_line_of_printable_ascii_of_some_length() {
    for accepted in ["12345678", "a b c d e", VALUE, &"x".repeat(4096)] {
        assert_eq!(SecretValue::parse(accepted).ok().unwrap().reveal(), accepted);
    }
    let long = "x".repeat(4097);
    for bad in [
        "1234567",
        " 12345678",
        "12345678 ",
        "12345678\n",
        "1234\n5678",
        "1234\r5678",
        "1234\u{0}5678",
        "1234\t5678",
        "1234\u{1b}[5678",
        "p\u{e4}ssword1",
        "1234\u{7f}5678",
        &long,
    ] {
        assert_eq!(refusal(SecretValue::parse(bad), bad), Code::SecretInvalid, "{bad:?}");
    }
    assert_eq!(refusal(SecretValue::parse(""), ""), Code::SecretInvalid);
}

#[test]
fn what_is_no_name_is_refused_everywhere_and_not_shown() {
    let temp = TempDir::new("secrets");
    let file = FileSecretStore::new(&temp.0);
    let command = CommandSecretStore::new(vec!["/bin/echo".to_owned()]).unwrap();
    let long = "A".repeat(129);
    for name in ["", "-x", "--help", "../passwd", "a b", "1A", "A=B", "A\n", "s3cret!value", &long]
    {
        let value = SecretValue::parse("12345678").unwrap();
        assert_eq!(refusal(file.set(name, value), name), Code::SecretInvalid);
        assert_eq!(refusal(file.remove(name), name), Code::SecretInvalid);
        assert_eq!(refusal(file.value(name), name), Code::SecretInvalid);
        assert_eq!(refusal(command.value(name), name), Code::SecretInvalid);
    }
    assert!(!temp.0.join("secrets.json").exists());
}

#[test]
fn the_file_keeps_replaces_and_forgets_and_is_private() {
    let temp = TempDir::new("secrets");
    let file = FileSecretStore::new(&temp.0);
    assert!(file.names().unwrap().is_empty() && file.value("A").unwrap().is_none());
    let value = |text: &str| SecretValue::parse(text).unwrap();
    assert!(!file.set("B", value(VALUE)).unwrap());
    assert!(!file.set("A", value("12345678")).unwrap());
    assert!(file.set("A", value("87654321")).unwrap());
    assert_eq!(file.names().unwrap(), ["A", "B"]);
    assert_eq!(file.value("B").unwrap().unwrap().reveal(), VALUE);
    assert_eq!(file.value("A").unwrap().unwrap().reveal(), "87654321");
    assert!(file.value("a").unwrap().is_none());
    file.remove("A").unwrap();
    assert_eq!(refusal(file.remove("A"), ""), Code::SecretMissing);
    assert!(!format!("{file:?}").contains("pa55"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for entry in fs::read_dir(&temp.0).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_have_a_right_to_is_neither_read_nor_changed() {
    let temp = TempDir::new("secrets");
    let text = json!({ "format": "mpp-secrets/1", "secrets": { "A": "12345678" } }).to_string();
    let path = temp.put_secrets(text.as_bytes());
    let file = FileSecretStore::new(&temp.0);
    assert!(file.value("A").unwrap().is_some());
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777] {
        set_mode(&path, mode);
        assert_eq!(refusal(file.value("A"), "12345678"), Code::SecretExposed);
        assert_eq!(refusal(file.names(), "12345678"), Code::SecretExposed);
        assert_eq!(refusal(file.remove("A"), "12345678"), Code::SecretExposed);
        let value = SecretValue::parse("87654321").unwrap();
        assert_eq!(refusal(file.set("A", value), "87654321"), Code::SecretExposed);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_file_of_another_form_is_refused_whole_and_not_quoted() {
    let temp = TempDir::new("secrets");
    let file = FileSecretStore::new(&temp.0);
    let key = "s3cr3t-in-key";
    let with = |members: Value| json!({ "format": "mpp-secrets/1", "secrets": members });
    let many: serde_json::Map<_, _> =
        (0..=SECRETS_COUNT_MAX).map(|n| (format!("A{n}"), json!("12345678"))).collect();
    for document in [
        json!({ "format": "mpp-secrets/2", "secrets": {} }),
        json!({ "format": key, "secrets": {} }),
        json!({ "secrets": {} }),
        json!({ "format": "mpp-secrets/1" }),
        json!({ "format": "mpp-secrets/1", "secrets": {}, key: 1 }),
        with(json!([])),
        with(json!({ key: "12345678" })),
        with(json!({ "A": "short" })),
        with(json!({ "A": "s3cr3t-in-key\n" })),
        with(json!({ "A": 12_345_678 })),
        with(json!({ "A": { "value": "s3cr3t-in-key" } })),
        with(Value::Object(many)),
        json!(key),
    ] {
        temp.put_secrets(document.to_string().as_bytes());
        assert_eq!(refusal(file.value("A"), key), Code::SecretInvalid, "{document}");
        assert_eq!(refusal(file.remove("A"), key), Code::SecretInvalid);
    }
    let twice = r#"{"format":"mpp-secrets/1","secrets":{"A":"s3cr3t-in-key","A":"s3cr3t-in-key"}}"#;
    let long = vec![b' '; SECRETS_FILE_BYTES_MAX + 1];
    for bytes in [twice.as_bytes(), b"", b"s3cr3t-in-key", b"\xff\xfe", &long] {
        temp.put_secrets(bytes);
        assert_eq!(refusal(file.value("A"), key), Code::SecretInvalid);
    }
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let temp = TempDir::new("secrets");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let file = FileSecretStore::new(&temp.0);
            scope.spawn(move || {
                for number in 0..4 {
                    let value = SecretValue::parse(format!("value {thread} {number}")).unwrap();
                    file.set(&format!("A{thread}_{number}"), value).unwrap();
                }
            });
        }
    });
    assert_eq!(FileSecretStore::new(&temp.0).names().unwrap().len(), 32);
}

fn with_known_secrets(hidden: &[(&str, &str)]) -> PrivacyFilterEngine {
    let hidden: Vec<KnownSecret> =
        hidden.iter().filter_map(|(name, value)| KnownSecret::new(name, value)).collect();
    PrivacyFilterEngine::from_config(&["email".to_owned()], &[])
        .unwrap()
        .with_known_secrets(&hidden)
}

/// What a text becomes where [`VALUE`] is hidden.
fn filtered(text: &str) -> String {
    with_known_secrets(&[("KEY", VALUE)]).redact_text(text).unwrap().0
}

fn percent(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let coded = |byte: u8| match keep(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(coded).collect()
}

#[test]
fn a_known_secret_is_found_verbatim_and_in_the_escapes_of_its_characters() {
    let alnum = |byte: u8| byte.is_ascii_alphanumeric();
    let json_text = json!(VALUE).to_string();
    let inner = &json_text[1..json_text.len() - 1];
    let html = VALUE.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let units: String = VALUE.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    for form in [
        VALUE.to_owned(),
        inner.to_owned(),
        inner.replace('/', "\\/"),
        percent(VALUE, alnum),
        percent(VALUE, alnum).to_lowercase().replace("ann", "Ann"),
        percent(VALUE, |_| false),
        percent(VALUE, |byte| alnum(byte) || byte == b' ').replace(' ', "+"),
        html.clone(),
        html.replace('"', "&quot;"),
        html.replace('"', "&#34;").replace('/', "&#x2F;"),
        units.clone(),
        units.to_uppercase().replace("\\U", "\\u"),
    ] {
        assert_eq!(filtered(&form), "[SECRET:KEY]", "{form}");
        let long = format!("a{form}{form} b{form}");
        assert_eq!(filtered(&long), "a[SECRET:KEY][SECRET:KEY] b[SECRET:KEY]", "{form}");
    }
}

#[test]
fn a_known_secret_is_found_inside_base64_of_any_text_around_it() {
    for before in 0..10 {
        for behind in 0..10 {
            let whole = format!("{}{VALUE}{}", "u".repeat(before), "v".repeat(behind));
            let coded = base64(whole.as_bytes());
            for form in [coded.replace('+', "-").replace('/', "_"), coded.replace('=', ""), coded] {
                let text = format!("header: Basic {form}, and more");
                assert_eq!(filtered(&text), "header: Basic [SECRET:KEY], and more", "{form}");
            }
        }
    }
    // In the shortest secret as well.
    let engine = with_known_secrets(&[("KEY", "12345678")]);
    for before in 0..4 {
        let coded = base64(format!("{}12345678", "u".repeat(before)).as_bytes());
        assert_eq!(engine.redact_text(&coded).unwrap().0, "[SECRET:KEY]");
    }
}

#[test]
fn what_only_resembles_a_hidden_text_is_left_alone() {
    let engine = with_known_secrets(&[("KEY", "correct-horse")]);
    for text in [
        "correct-hors",
        "orrect-horse",
        "correct horse",
        "correct\nhorse",
        "Correct-Horse",
        "esroh-tcerroc",
        "%63orrect-hors%6",
        "%zzcorrect",
        "\\u00",
        "%",
        "&amp",
        "+",
    ] {
        assert_eq!(engine.redact_text(text).unwrap().0, text);
    }
    assert_eq!(with_known_secrets(&[("K", "short")]).redact_text("short").unwrap().0, "short");
}

#[test]
fn hidden_texts_go_out_of_keys_numbers_and_json_in_strings() {
    let document = r#"{"type":"account","mail":"ann@example.com","n":[1,2]}"#;
    let engine = with_known_secrets(&[("DOC", document), ("PIN", "1234567890"), ("KEY", VALUE)]);
    let quoted = json!({ "in": VALUE, VALUE: 1, "n": 12_345_678_901_u64 }).to_string();
    let value = json!({
        VALUE: { "deep": [VALUE, format!("<{VALUE}>")] },
        "number": 1_234_567_890,
        "float": 1_234_567_890.5,
        "document": document,
        "with": format!("{{\"a\": {document}}}"),
        "quoted": quoted,
        "layers": json!([quoted]).to_string(),
    });
    let (filtered, applied) = engine.try_redact_json(&value).unwrap();
    let text = filtered.to_string();
    for piece in ["pa55", "1234567890", "account", "ann@", "Ann"] {
        assert!(!text.contains(piece), "{piece} in {text}");
    }
    assert_eq!(filtered["[SECRET:KEY]"]["deep"][1], "<[SECRET:KEY]>");
    assert_eq!(filtered["number"], "[SECRET:PIN]");
    assert_eq!(filtered["float"], "[SECRET:PIN].5");
    assert_eq!(filtered["document"], "[SECRET:DOC]");
    assert!(applied.counts().all(|(kind, _)| kind == "secret"));
    assert!(!applied.to_json().to_string().contains("pa55"));
}

#[test]
fn a_secret_wins_over_the_kinds_and_custom_patterns_that_match_it() {
    let custom = crate::kernel::package::manifest::CustomPattern {
        name: "WORD".to_owned(),
        pattern: "[a-zA-Z0-9.@]+".to_owned(),
    };
    let hidden = [KnownSecret::new("KEY", "ann@example.com").unwrap()];
    let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &[custom]).unwrap();
    for replacement in crate::kernel::privacy::Replacement::ALL {
        let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &[])
            .unwrap()
            .with_replacement(replacement, [7; 32])
            .with_known_secrets(&hidden);
        assert_eq!(engine.redact_text("x ann@example.com y").unwrap().0, "x [SECRET:KEY] y");
    }
    let text = engine.with_known_secrets(&hidden).redact_text("ann@example.com").unwrap().0;
    assert_eq!(text, "[SECRET:KEY]");
}

#[test]
fn what_cannot_be_taken_out_does_not_leave() {
    // Part of a label: every replacement would show it again.
    let engine = with_known_secrets(&[("PASSWORDS", "PASSWORDS")]);
    assert_eq!(engine.redact_text("my PASSWORDS").unwrap_err().code(), Code::PrivacyResidue);
    assert!(engine.try_redact_json(&json!({ "a": "PASSWORDS" })).is_err());
    // Spread over a structure, it still appears in the whole response.
    let document = json!({ "type": "account", "number": "4711" });
    let engine = with_known_secrets(&[("DOC", &document.to_string())]);
    let error = engine.try_redact_json(&json!({ "content": [], "structured": document }));
    assert_eq!(error.unwrap_err().code(), Code::PrivacyResidue);
    let label = with_known_secrets(&[("KEY", "correct-horse")])
        .redact_text("[EMAIL:correct-horse]")
        .unwrap()
        .0;
    assert_eq!(label, "[EMAIL:[SECRET:KEY]]");
}

/// Every text that holds one of several secrets, in forms put together by chance, is clean afterwards.
#[test]
fn no_known_secret_is_left_in_any_text_around_it() {
    let values = ["12345678", "aaaaaaaa", "abcabcabc", "\"{[,]}\":1", "%41%42%43", "a+b c\\d/e"];
    let names = ["A", "B", "C", "D", "E", "F"];
    let pairs: Vec<(&str, &str)> = names.into_iter().zip(values).collect();
    let engine = with_known_secrets(&pairs);
    let around =
        ["", " ", "a", "abc", "\"", "\\", "%", "{\"a\":", "}", "[1,", "]", "+", "=", "&", "é"];
    let mut state = 1_u64;
    let mut draw = |most: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % most
    };
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..=draw(5) {
            let value = values[draw(values.len())];
            text.push_str(around[draw(around.len())]);
            text.push_str(&match draw(5) {
                0 => json!(value).to_string(),
                1 => percent(value, |_| false),
                2 => base64(value.as_bytes()),
                _ => value.to_owned(),
            });
            text.push_str(around[draw(around.len())]);
        }
        let value = json!({ text.clone(): [text.clone(), { "a": text.clone() }] });
        for left in [
            engine.redact_text(&text).map(|(text, _)| text),
            engine.try_redact_json(&value).map(|(value, _)| value.to_string()),
        ] {
            match left {
                Ok(left) => {
                    assert!(values.iter().all(|it| !left.contains(it)), "{text:?} {left:?}")
                }
                Err(error) => assert_eq!(error.code(), Code::PrivacyResidue, "{text:?}"),
            }
        }
    }
}

#[test]
fn the_largest_answers_are_looked_through_in_time() {
    let pairs: Vec<(String, String)> = (0..64)
        .map(|n| (format!("K{n}"), format!("{n:02}-correct-horse-battery-staple")))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let engine = with_known_secrets(&pairs);
    for piece in
        ["%", "00-correct-horse-battery-stapl", "\\", "MDAtY29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ"]
    {
        let text = piece.repeat((1 << 20) / piece.len());
        let began = Instant::now();
        let _ = engine.redact_text(&text);
        assert!(began.elapsed() < Duration::from_secs(30), "{piece}: {:?}", began.elapsed());
    }
}
