//! Replacements of values.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::{all, custom, PrivacyFilterEngine, Replacement};
use crate::kernel::encoding::{hex, hmac_sha256};
use serde_json::json;

const KEY: [u8; 32] = [7; 32];

fn by(replacement: Replacement) -> PrivacyFilterEngine {
    all().with_replacement(replacement, KEY)
}

#[test]
fn equal_values_have_equal_numbers_in_every_copy_however_they_are_written() {
    let answer = json!({
        "content": [{ "type": "text", "text": "{\"card\":4012888888881881,\"to\":\"Ann@b.example\"}" }],
        "structuredContent": {
            "card": "4012 8888 8888 1881", "other": 4111111111111111_u64,
            "to": ["bob@b.example", "ann@b.example"], "ann@b.example": 1,
        },
    });
    let (filtered, applied) = by(Replacement::Numbered).redact_json(&answer);
    assert_eq!(
        filtered,
        json!({
            "content": [{ "type": "text", "text": "{\"card\":\"[CREDIT_CARD:1]\",\"to\":\"[EMAIL:1]\"}" }],
            "structuredContent": {
                "card": "[CREDIT_CARD:1]", "other": "[CREDIT_CARD:2]",
                "to": ["[EMAIL:2]", "[EMAIL:1]"], "[EMAIL:1]": 1,
            },
        })
    );
    assert_eq!(applied.total(), 7);
    let text = by(Replacement::Numbered).redact_text("10.0.0.1 1.0.0.10 10.0.0.1").unwrap().0;
    assert_eq!(text, "[IP_ADDRESS:1] [IP_ADDRESS:2] [IP_ADDRESS:1]");
}

#[test]
fn only_cards_keep_their_last_four_digits() {
    let text = "4012-8888-8888-1881 536-33-3955 GB29NWBK60161331926819 +14155550132";
    let filtered = by(Replacement::LastFour).redact_text(text).unwrap().0;
    assert_eq!(filtered, "[CREDIT_CARD:1881] [US_SSN] [IBAN] [PHONE]");
    let number = by(Replacement::LastFour).redact_json(&json!({ "n": -4012888888881881_i64 })).0;
    assert_eq!(number, json!({ "n": "[CREDIT_CARD:1881]" }));
}

#[test]
fn pseudonyms_depend_on_value_kind_and_key_and_on_nothing_else() {
    let pseudonym = |key: [u8; 32], text: &str| {
        all().with_replacement(Replacement::Pseudonym, key).redact_text(text).unwrap().0
    };
    let first = pseudonym(KEY, "Ann@b.example");
    let digest = hex(&hmac_sha256(&KEY, b"EMAIL\0ann@b.example"));
    let letters: String = digest[..16]
        .bytes()
        .map(|digit| {
            char::from(b'A' + u8::from_str_radix(&char::from(digit).to_string(), 16).unwrap())
        })
        .collect();
    assert_eq!(first, format!("[EMAIL:{letters}]"));
    assert_eq!(first, pseudonym(KEY, "ann@B.example"));
    assert_ne!(first, pseudonym([8; 32], "ann@b.example"));
    assert_ne!(first, pseudonym(KEY, "bob@b.example"));
}

#[test]
fn no_label_of_any_form_is_a_value_or_hints_at_one() {
    let words =
        ["", "phone ", "passport: ", "driver license ", "dob ", "ssn ", "card ", "12 ", "+"];
    for replacement in Replacement::ALL {
        assert_eq!(Replacement::parse(replacement.as_str()), Some(replacement));
        let engine = by(replacement);
        for value in ["4012888888881881", "a@b.example", "10.0.0.1", "536-33-3955", "+14155550132"]
        {
            let label = engine.redact_text(value).unwrap().0;
            for word in words {
                for behind in ["", " 1234567", "-1234", " 85 office", ":8"] {
                    let text = format!("{word}{label}{behind}");
                    let found = engine.find(&text).unwrap();
                    let label = word.len()..word.len() + label.len();
                    let touched =
                        found.iter().any(|hit| hit.start < label.end && hit.end > label.start);
                    assert!(!touched, "{text}: {found:?}");
                }
            }
        }
    }
    assert_eq!(Replacement::parse("hash"), None);
}

#[test]
fn the_label_of_a_secret_is_valid_for_every_name() {
    let engine = PrivacyFilterEngine::from_config(&[], &[custom("WORD", "[a-z_]{3,}")]).unwrap();
    let text = format!("[SECRET:phone_key] 92 34 70 [SECRET:{}]", "a".repeat(128));
    assert_eq!(engine.redact_text(&text).unwrap().0, text);
    assert_eq!(all().redact_text(&text).unwrap().0, text);
    assert_eq!(all().redact_text("[phone] 92 34 70").unwrap().0, "[phone] [PHONE]");
}

#[test]
fn custom_patterns_leave_labels_alone_in_every_form() {
    let patterns = [custom("WORD", "[A-Za-z0-9:_]{3,}")];
    for replacement in Replacement::ALL {
        let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &patterns).unwrap();
        let engine = engine.with_replacement(replacement, KEY);
        let (once, _) = engine.redact_text("ann@b.example abc, abc [OTHER:1]").unwrap();
        let (twice, applied) = engine.redact_text(&once).unwrap();
        assert_eq!((once, applied.total()), (twice, 0));
    }
}
