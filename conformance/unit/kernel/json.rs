#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]

use super::{parse, parse_values, Value};

fn refused(text: &str) -> String {
    match parse(text.as_bytes(), 4) {
        Ok(value) => panic!("{text:?} was read as {value}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_rfc_8259_does_not_know_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "NaN",
        "Infinity",
        "-Infinity",
        "+1",
        "01",
        "-01",
        ".5",
        "5.",
        "1e",
        "0x1",
        "1_0",
        "'a'",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "[1",
        "]",
        "// c\n1",
        "/* c */1",
        "#\n1",
        "\u{feff}1",
        "\u{a0}1",
        "\u{b}1",
        "\u{c}1",
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\'\"",
        "\"",
        "True",
        "1 2",
        "1,2",
        "{}{}",
        "1\0",
        "1e400",
        "-1e400",
        "{1:2}",
        "{null:2}",
    ] {
        refused(text);
    }
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc0\x80\"",
        b"\"\xed\xa0\x80\"",
        b"1\0",
        b"\xef\xbb\xbf1",
        b"\xff\xfe1\0",
    ] {
        assert!(parse(bytes, 4).is_err(), "{bytes:?}");
    }
}

#[test]
fn lone_surrogates_are_refused_and_pairs_are_one_character() {
    for text in
        [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\udc00\ud800""#, r#""\ud83dx""#]
    {
        refused(text);
    }
    assert_eq!(parse(br#""\ud83d\ude00""#, 0), Ok(Value::from("\u{1f600}")));
}

#[test]
fn a_second_member_of_one_name_is_refused_at_any_depth_and_however_it_is_written() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"[{"b":{"":1,"":2}}]"#,
        r#"{"\ud83d\ude00":1,"\uD83D\uDE00":1}"#,
    ] {
        assert!(refused(text).contains("duplicate key"), "{text}");
    }
    for text in [r#"{"a":1,"A":1}"#, r#"{"\u00e9":1,"e\u0301":1}"#, r#"[{"a":1},{"a":1}]"#] {
        assert!(parse(text.as_bytes(), 4).is_ok(), "{text}");
    }
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_not_one_deeper() {
    assert!(parse(b"1", 0).is_ok() && parse(b"[]", 0).is_err() && parse(b"{}", 0).is_err());
    for depth in [1, 2, 31, 127] {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(depth).as_bytes(), depth).is_ok(), "{depth}");
        assert!(parse(nested(depth + 1).as_bytes(), depth).is_err(), "{depth}");
    }
    assert!(parse("[".repeat(1 << 20).as_bytes(), 127).is_err());
}

#[test]
fn numbers_are_the_integer_or_the_nearest_double() {
    for text in ["0", "-1", "18446744073709551615", "-9223372036854775808"] {
        assert_eq!(parse(text.as_bytes(), 0).unwrap().to_string(), text);
    }
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "-0",
        "1.0",
        "1e2",
        "0.1",
        "51.24817837550540",
        "2.2250738585072014e-308",
        "9007199254740993.0",
        "1e-400",
        "93.3315220013420",
        "0.500000000000000166533453693773481063544750213623046875",
    ] {
        let double: f64 = text.parse().unwrap();
        let read = parse(text.as_bytes(), 0).unwrap();
        assert!(read.is_f64() && read.as_f64().unwrap().to_bits() == double.to_bits(), "{text}");
    }
}

#[test]
fn random_doubles_come_back_bit_for_bit() {
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(state ^ (state >> 29));
        if double.is_finite() {
            let read = parse(format!("{double:e}").as_bytes(), 0).unwrap();
            assert_eq!(read.as_f64().map(f64::to_bits), Some(double.to_bits()), "{double:e}");
        }
    }
}

#[test]
fn more_values_than_are_allowed_are_refused_however_short_the_text() {
    use crate::kernel::limits::JSON_VALUES_COUNT_MAX;
    let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
    let just_enough = list("0", JSON_VALUES_COUNT_MAX);
    assert!(parse(just_enough.as_bytes(), 2).is_ok());
    for text in [
        list("0", JSON_VALUES_COUNT_MAX + 1),
        list("{}", JSON_VALUES_COUNT_MAX / 17 + 1),
        list("{\"\":0}", JSON_VALUES_COUNT_MAX / 18 + 1),
    ] {
        assert!(parse(text.as_bytes(), 2).is_err_and(|error| error.contains("too many values")));
    }
}

#[test]
fn the_counted_example_of_the_page_holds_the_values_that_it_states() {
    let (_, rest) = include_str!("../../../spec/json.md").split_once("the root too: `").unwrap();
    let (text, rest) = rest.split_once("` counts ").unwrap();
    let count: usize = rest.split('.').next().unwrap().parse().unwrap();
    assert!(parse_values(text.as_bytes(), 4, count).is_ok());
    assert!(parse_values(text.as_bytes(), 4, count - 1).is_err());
}
