//! What is found and, above all, what is left alone, kind by kind.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::{all, found};
use crate::kernel::privacy::detect::{check_digits, iban};

/// Every text is one finding of `kind`, with nothing before or behind it.
pub(super) fn whole(kind: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(found(text), [format!("{kind}:{text}")], "{text:?}");
        let inside = format!("it: {text}, and so on");
        assert_eq!(found(&inside), [format!("{kind}:{text}")], "{inside:?}");
    }
}

pub(super) fn nothing(texts: &[&str]) {
    for text in texts {
        assert_eq!(found(text), Vec::<String>::new(), "{text:?}");
    }
}

/// The digits with their Luhn check digit behind them.
fn with_luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[test]
fn cards_are_found_by_issuer_length_and_check_digit() {
    // Prefix and allowed lengths, stated apart from the code.
    let issuers: &[(&str, &[usize])] = &[
        ("4929", &[13, 16, 19]),
        ("5105", &[16]),
        ("5555", &[16]),
        ("2221", &[16]),
        ("2720", &[16]),
        ("3456", &[15]),
        ("3782", &[15]),
        ("3056", &[14]),
        ("3600", &[14]),
        ("3852", &[14]),
        ("3530", &[16, 17, 18, 19]),
        ("1800", &[15]),
        ("2131", &[15]),
        ("6011", &[16, 17, 18, 19]),
        ("6500", &[16, 17, 18, 19]),
        ("6221", &[16, 17, 18, 19]),
        ("5018", &[16, 19]),
        ("6759", &[16, 19]),
        ("2200", &[16]),
        ("9792", &[16]),
        ("1234", &[]),
        ("7777", &[]),
        ("2721", &[]),
        ("3500", &[]),
    ];
    for (prefix, lengths) in issuers {
        for length in 12..=19 {
            let number = with_luhn(&format!("{prefix}{}", &"183702945138764"[..length - 5]));
            let card = found(&number) == [format!("credit-card:{number}")];
            assert_eq!(card, lengths.contains(&length), "{number}");
            // Next to a context word, each of them is a card.
            let named = format!("card {number}");
            assert_eq!(found(&named), [format!("credit-card:{number}")]);
            // With one digit changed none is a card, in any context.
            let last = one_off(&number);
            nothing(&[&format!("card: {last}")]);
        }
    }
}

/// The number with its check digit raised by one.
fn one_off(number: &str) -> String {
    let (head, last) = number.split_at(number.len() - 1);
    let digit = (last.parse::<u32>().unwrap() + 1) % 10;
    format!("{head}{digit}")
}

#[test]
fn cards_are_found_as_people_write_them() {
    whole(
        "credit-card",
        &[
            "4012-8888-8888-1881",
            "4012 8888 8888 1881",
            "4012.8888.8888.1881",
            "3714 496353 98431",
            "3056-930902-5904",
            "4012\u{A0}8888\u{A0}8888 1881",
        ],
    );
    let three = "4012888888881881 4012-8888-8888-1881 4012 8888 8888 1881";
    assert_eq!(found(three).len(), 3);
    assert_eq!(found("卡号4012888888881881。"), ["credit-card:4012888888881881"]);
    assert_eq!(found("card 40128888\n88881881 is"), ["credit-card:40128888\n88881881"]);
    assert_eq!(found("Visa 4012-88888888 1881"), ["credit-card:4012-88888888 1881"]);
    assert_eq!(found("4012-8888-8888-1881-123"), ["credit-card:4012-8888-8888-1881"]);
}

#[test]
fn numbers_that_only_pass_luhn_are_left_alone() {
    nothing(&[
        "0000000000000000",
        "0.4012888888881881",
        "12.4012888888881881",
        "4012888888881881.5",
        "a4012888888881881",
        "4012888888881881b",
        "4012888888881881000000",
        "550e8400-e29b-41d4-a716-501971701010",
        "4006381333931",
        "40128888\n88881881",
        "4453 869231 297",
        "1748503543012",
    ]);
}

#[test]
fn social_security_numbers_follow_the_rules_of_their_parts() {
    whole("ssn", &["536-33-3955", "078-05-1123", "078 05 1123", "078.05.1123", "899-99-9999"]);
    whole("ssn", &["001-01-0001", "219-09-9998"]);
    nothing(&[
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "078-05-1120",
        "123-45-6789",
        "111-11-1111",
        "693-09.4444",
        "1536-33-3955",
        "536-33-39551",
        "536-33-3955-1",
        "1-536-33-3955",
        "a536-33-3955",
        "078051121",
        "536333955",
        "id 536333955",
        "53-633-3955",
    ]);
    assert_eq!(found("SSN: 536333955"), ["ssn:536333955"]);
    assert_eq!(found("\"social_security_number\":\"536333955\""), ["ssn:536333955"]);
    assert_eq!(found("my social security number is 536333955."), ["ssn:536333955"]);
}

/// The number of this country with the right check digits.
fn with_check_digits(country: &str, account: &str) -> String {
    let moved = format!("{account}{country}00");
    let remainder = moved.bytes().fold(0u32, |rest, byte| {
        let value = char::from(byte).to_digit(36).unwrap();
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    });
    format!("{country}{:02}{account}", 98 - remainder)
}

#[test]
fn every_country_has_its_own_length_of_account_numbers() {
    // From the registry of SWIFT, stated apart from the code.
    let registry =
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 \
        DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 \
        HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 \
        MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 \
        RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 \
        YE30";
    for entry in registry.split_whitespace() {
        let (country, length) = entry.split_at(2);
        let length: usize = length.parse().unwrap();
        assert_eq!(iban::length_of([entry.as_bytes()[0], entry.as_bytes()[1]]), Some(length));
        let number = with_check_digits(country, &"7A30B4001927365810442953710638"[..length - 4]);
        whole("iban", &[&number, &number.to_lowercase()]);
        let grouped: Vec<&str> =
            number.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
        whole("iban", &[&grouped.join(" "), &grouped.join("-")]);
        // A character less, with check digits that fit; a wrong check digit; glued letters.
        let short = with_check_digits(country, &"7A30B4001927365810442953710638"[..length - 5]);
        let wrong =
            format!("{}{}", &number[..length - 1], if number.ends_with('0') { 1 } else { 0 });
        nothing(&[&short, &wrong, &format!("x{number}"), &format!("{number}x")]);
    }
    nothing(&[
        &with_check_digits("ZZ", "30400192736581"),
        &with_check_digits("US", "3040019273658104"),
    ]);
}

#[test]
fn addresses_of_the_internet_are_parsed_whole() {
    whole(
        "ip-address",
        &[
            "10.0.0.1",
            "255.255.255.255",
            "192.168.1.0/24",
            "fe80::1",
            "fe80::1%eth0",
            "fe80::",
            "2001:db8::1",
            "2001:db8::/32",
            "2400:c401::5054:ff:fe1b:b031",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.0/96",
            "6e40:4041:c617:e898:c11:40d2:c669:2eb4",
            "0:0:0:0:0:FFFF:129.144.52.38",
        ],
    );
    assert_eq!(found("http://[2001:db8::1]:8080/x"), ["ip-address:2001:db8::1"]);
    assert_eq!(found("host=10.0.0.1:8080"), ["ip-address:10.0.0.1"]);
    assert_eq!(found("at 10.0.0.1."), ["ip-address:10.0.0.1"]);
    assert_eq!(found("10.0.0.0/123"), ["ip-address:10.0.0.0"]);
    assert_eq!(found("id_41.176.181.243_x"), ["ip-address:41.176.181.243"]);
}

#[test]
fn ipv4_inside_a_longer_dotted_number_is_left_alone() {
    nothing(&["1.2.3.4.5", "0.1.2.3.4", "1.3.6.1.4.1.311", "256.1.1.1", "1.2.3.256", "1.2.3.04"]);
}

#[test]
fn what_only_looks_like_an_ip_address_is_left_alone() {
    nothing(&[
        "v1.2.3.4",
        "version 1.2.3.4",
        "\"version\":\"1.2.3.4\"",
        "Chrome/120.0.0.0",
        "IP192.168.1.1x",
        "12:34:56",
        "2024-01-15T12:34:56",
        "aa:bb:cc:dd:ee:ff",
        "std::cout",
        "de::ed",
        "a[::2]",
        "f(x)[::1]",
        "1:2:3:4",
        "::",
        ":::",
        "2001::db8::1",
        "gggg::1",
        "fe80::1text",
        "12345:db8::1",
        "::ffff:256.0.0.1",
        "1.2.3",
        "{\"a\":1,\"b\":2}",
        "00:11:22:33:44:55:66:77:88:99:aa:bb",
    ]);
}

#[test]
fn mail_addresses_end_where_they_end() {
    whole(
        "email",
        &[
            "a@b.co",
            "first.last+tag@sub.example.museum",
            "o'brien@example.com",
            "x_y%z@ex-ample.org",
            "user@xn--80ak6aa92e.com",
            "a@xn--d1acufc.xn--p1ai",
            "jörg@müller.example",
            "1@163.com",
        ],
    );
    assert_eq!(found("<ann@b.example>"), ["email:ann@b.example"]);
    assert_eq!(found("mailto:ann@b.example?x=1"), ["email:ann@b.example"]);
    assert_eq!(found("**ann@b.example**"), ["email:ann@b.example"]);
    assert_eq!(found("(ann@b.example)."), ["email:ann@b.example"]);
    assert_eq!(found("'ann@b.example'"), ["email:ann@b.example"]);
    assert_eq!(found("请联系ann@b.example谢谢"), ["email:ann@b.example"]);
    nothing(&["https://user:secret@host.example/x"]);
    nothing(&[
        "a@b",
        "@b.example",
        "a@.example",
        "a@b.",
        "a@b.c",
        "a@b.12",
        "a @b.example",
        "icon@2x.png",
        "serde@1.0.219-beta.next",
        "@types/node",
        "@media",
        "a@@b.example",
        "x@-.example",
    ]);
}

#[test]
fn documents_and_birthdays_are_found_only_where_named() {
    for (words, value, kind) in [
        ("passport number: ", "C01X00T47", "passport"),
        ("Passport ", "123456789", "passport"),
        ("driver's license number is ", "U62928788557186", "drivers-license"),
        ("driving licence ", "2270-66-1551", "drivers-license"),
        ("\"driversLicense\": \"", "A1234567", "drivers-license"),
        ("born on ", "12 March 1985", "date-of-birth"),
        ("date of birth: ", "1985-03-12", "date-of-birth"),
        ("DOB ", "3/12/1985", "date-of-birth"),
        ("\"birthDate\":\"", "12.03.1985", "date-of-birth"),
        ("birthday is ", "March 12th, 1985", "date-of-birth"),
        ("born ", "12-MAR-85", "date-of-birth"),
    ] {
        assert_eq!(found(&format!("{words}{value}")), [format!("{kind}:{value}")]);
        nothing(&[value, &format!("created {value}"), &format!("license key {value}")]);
    }
    nothing(&["born 1985-13-12", "born 30.02.1985", "passport photo 35 x 45", "born in 1985"]);
}

#[test]
fn overlapping_findings_become_one() {
    assert_eq!(found("4155550132@mail.example"), ["email:4155550132@mail.example"]);
    assert_eq!(found("tel +1 415 555 0132@x.example"), ["email:0132@x.example"]);
    assert_eq!(all().find("2001:db8::10.0.0.1").unwrap().len(), 1);
}

#[test]
fn luhn_of_known_numbers_holds() {
    assert_eq!(with_luhn("7992739871"), "79927398713");
    assert!(check_digits::luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
    assert!(!check_digits::luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 4]));
}
