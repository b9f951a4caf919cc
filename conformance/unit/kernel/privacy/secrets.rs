//! Secrets of programs, and numbers that states and professions give to people.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::super::detect::key_formats::{Alphabet, KEY_FORMATS, MARKED_FORMATS};
use super::detectors::{nothing, whole};
use super::found;

#[test]
fn keys_are_recognized_by_prefix_alphabet_and_length() {
    let body = |length: usize| "a1B2c3D4e5F6g7H8i9J0".repeat(20)[..length].to_owned();
    let hex = |length: usize| "0123456789abcdef".repeat(8)[..length].to_owned();
    // Prefix and length, stated apart from the code.
    for (prefix, length) in [
        ("ghp_", 36),
        ("gho_", 36),
        ("ghs_", 36),
        ("ya29.c.", 60),
        ("cfut_", 48),
        ("vcp_", 24),
        ("ddapp_", 34),
        ("github_pat_", 82),
        ("glpat-", 20),
        ("xoxb-", 50),
        ("sk_live_", 24),
        ("rk_test_", 24),
        ("AIza", 35),
        ("GOCSPX-", 28),
        ("npm_", 36),
        ("pypi-AgE", 150),
        ("hf_", 34),
        ("sk-ant-", 95),
        ("sk-proj-", 48),
        ("sk-", 48),
    ] {
        let key = format!("{prefix}{}", body(length));
        whole("api-key", &[&key]);
        for text in
            [format!("token={key}"), format!("\"{key}\""), format!("id_{key}"), format!("<{key}>")]
        {
            assert_eq!(found(&text), [format!("api-key:{key}")], "{text}");
        }
        nothing(&[&format!("x{key}"), &format!("{prefix}{}", body(9)), prefix]);
    }
    for (prefix, length) in [("shpat_", 32), ("dop_v1_", 64)] {
        whole("api-key", &[&format!("{prefix}{}", hex(length))]);
        nothing(&[
            &format!("{prefix}{}", hex(length - 1)),
            &format!("{prefix}{}", hex(length + 1)),
        ]);
    }
    whole("api-key", &["AKIAIOSFODNN7EXAMPLE", "ASIAABCDEFGHIJKLMNOP"]);
    assert_eq!(found("key AKIAIOSFODNN7EXAMPLE."), ["api-key:AKIAIOSFODNN7EXAMPLE"]);
    nothing(&[
        "AKIAIOSFODNN7EXAMPL",
        "AKIAIOSFODNN7EXAMPLES",
        "akiaiosfodnn7example",
        "npm_config_registry_of_this_very_machine",
        "hf_hub_download_with_a_long_tail_of_words",
        "sk-circle-fade-dot-one-two-three-four-five-six-seven",
        "pk_live_abcdefghijklmnopqrstuvwx",
        "SHPAT_0123456789abcdef0123456789abcdef",
        "3f786850e387550fdab836ed7e6dc881de23001b",
    ]);
}

#[test]
fn each_row_of_the_table_finds_a_key_and_nothing_shorter() {
    let sample = |alphabet: Alphabet, length: usize| -> String {
        let letters = "q7Rk2xZ9aB-_./+=~";
        let ordinary =
            letters.bytes().filter(|byte| alphabet.has(*byte) && byte.is_ascii_alphanumeric());
        let mixed: String = ordinary.chain([b'0']).map(char::from).collect();
        mixed.repeat(length)[..length].to_owned()
    };
    for (prefixes, alphabet, least, _, source) in KEY_FORMATS {
        for prefix in prefixes.split(' ') {
            let key = format!("{prefix}{}", sample(*alphabet, *least));
            assert_eq!(found(&format!("a {key} b")), [format!("api-key:{key}")], "{source}");
            assert_eq!(found(&format!("a {}: b", &key[..prefix.len() + 7])), [""; 0], "{source}");
        }
    }
    assert!(KEY_FORMATS.len() + MARKED_FORMATS.len() > 150);
}

#[test]
fn a_key_with_a_mark_inside_is_found_whole() {
    let hex = "0123456789abcdef".repeat(4);
    let mixed = "aB3".repeat(30);
    whole(
        "api-key",
        &[
            &format!("{}-us12", &hex[..32]),
            &format!("abcdefghij1234.atlasv1.{}", &mixed[..64]),
            &format!("aBcDeFgHiJ1234.atlasv1.{}", &mixed[..67]),
            &format!("a.b8Q~{}", &mixed[..34]),
            &format!("sha256~{}", &mixed[..43]),
            &format!("ghs_{}.{}.{}", &mixed[..36], &mixed[..40], &mixed[..43]),
            "key-3ax6xnjp29jd6fds4gc373sgvjxteol0",
            &format!("patAbCdEfGh123456.{hex}"),
            &format!("M{}.{}.{}", &mixed[..23], &mixed[..6], &mixed[..27]),
            &format!("{}8Q~{}", &mixed[..3], &mixed[..34]),
        ],
    );
    let bot = "6612588116:AAysqqMEWWIPii4AvSWOhAaRA_ML-e-u2DS";
    assert_eq!(found(&format!("/bot{bot}/getMe")), [format!("api-key:{bot}")]);
    nothing(&[
        &format!("{}-us123", &hex[..32]),
        &format!("{}-us12", &hex[..31]),
        &format!("patAbCdEfGh12345.{hex}"),
        &format!("M{}.{}.{}", &mixed[..23], &mixed[..5], &mixed[..27]),
        "x = abcdefghij1234.atlasv1.short",
    ]);
}

#[test]
fn a_private_key_is_found_in_all_spellings_and_cut_off() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    for text in [
        format!("-----BEGIN PRIVATE KEY----- {body} {body}"),
        format!("-----BEGIN EC PRIVATE KEY-----\n    {body}\n    {body}=="),
        format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,7536AE\n\n{body}"),
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\\n{body}\\n-----END OPENSSH PRIVATE KEY-----"),
        format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"dev\"\n{body}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----"),
    ] {
        whole("private-key", &[&text]);
    }
    nothing(&["---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQDAAAAB3NzaC1y\n---- END SSH2 PUBLIC KEY ----"]);
}

#[test]
fn a_web_token_has_a_header_that_names_its_algorithm() {
    let signed =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
    whole("jwt", &[signed, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0"]);
    assert_eq!(found(&format!("Authorization: Bearer {signed}")), [format!("jwt:{signed}")]);
    nothing(&[
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJ0ZXN0IjoxfQ.eyJzdWIiOiIxIn0.abc",
        "eyJhbGciOiJIUzI1NiJ.eyJzdWIiOiIxIn0.abc",
        "xeyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.abc",
        "eyJhbGciOiJub25lIn0..abc",
        "eyJ.eyJ.eyJ",
    ]);
}

#[test]
fn a_private_key_is_taken_whole_and_other_armour_is_left() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKj";
    let headed = format!(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{body}\n-----END RSA PRIVATE KEY-----"
    );
    whole("private-key", &[&headed]);
    for label in
        ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
    {
        let block = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
        assert_eq!(found(&format!("see {block}\nbye 1")), [format!("private-key:{block}")]);
        // In a JSON text, and truncated.
        let line = block.replace('\n', "\\n");
        assert_eq!(found(&line), [format!("private-key:{line}")]);
        let torn = format!("-----BEGIN {label}-----\n{body}");
        assert_eq!(found(&format!("{torn} and so on")), [format!("private-key:{torn}")]);
    }
    nothing(&[
        "it begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----",
        &format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"),
        &format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"),
        &format!("------BEGIN PRIVATE KEY-----\n{body}"),
    ]);
}

#[test]
fn numbers_of_persons_need_their_check_and_their_name() {
    for (words, number, wrong, kind) in [
        ("ITIN ", "912-70-1234", "912-69-1234", "itin"),
        ("taxpayer id: ", "912-99-1234", "812-99-1234", "itin"),
        ("Aadhaar no. ", "2341 2341 2346", "2341 2341 2345", "aadhaar"),
        ("\"aadhaarNumber\":\"", "234123412346", "134123412346", "aadhaar"),
        ("NHS number: ", "943 476 5919", "943 476 5918", "nhs-number"),
        ("nhs_no=", "9434765919", "9434765991", "nhs-number"),
        ("NPI ", "1234567893", "1234567894", "npi"),
        ("social insurance number ", "046 454 286", "046 454 287", "sin"),
        ("SIN: ", "130-692-544", "130-692-545", "sin"),
        ("routing number ", "021000021", "021000022", "aba-routing"),
        ("ABA ", "1210-0035-8", "1210-0035-9", "aba-routing"),
        ("CPF nº ", "52998224725", "52998224735", "cpf"),
        ("cpf: ", "529 982 247 25", "529 982 247 26", "cpf"),
        ("CNPJ ", "11222333000181", "11222333000182", "cnpj"),
        ("CNPJ: ", "12.ABC.345/01DE-35", "12.ABC.345/01DE-36", "cnpj"),
        ("cnpj ", "12ABC34501DE35", "12ABD34501DE35", "cnpj"),
        ("NI number: ", "AB 12 34 56 C", "BG 12 34 56 C", "nino"),
        ("national insurance no. ", "AB123456C", "AB123456E", "nino"),
        ("NINO ", "ab123456d", "aq123456o", "nino"),
        ("D.N.I. ", "12.345.678-Z", "12.345.678-A", "dni"),
        ("NIF ", "12345678Z", "12345679Z", "dni"),
        ("NIE: ", "X-1234567-L", "X-1234567-T", "nie"),
        ("\"nie\":\"", "y1234567x", "z1234567x", "nie"),
        ("PESEL ", "44051401359", "44051401358", "pesel"),
        ("pesel: ", "02270803624", "02330803623", "pesel"),
        ("BSN ", "111222333", "111222334", "bsn"),
        ("burgerservicenummer ", "1112.22.333", "1112.22.334", "bsn"),
        ("Steuer-ID: ", "86 095 742 719", "86 095 742 718", "steuer-id"),
        ("personnummer ", "811228-9874", "811228-9875", "personnummer"),
        ("Pers.nr ", "198112289874", "168112289874", "personnummer"),
        ("samordningsnummer ", "811288-9871", "811295-9872", "personnummer"),
        ("PAN ", "ABCPE1234F", "ABCDE1234F", "india-pan"),
        ("pan card ", "abcpe-1234-f", "abcpe-1234-5", "india-pan"),
        ("NIR ", "255081416802538", "255081416802539", "nir"),
        ("sécurité sociale : ", "2 55 08 2A 168 025 97", "2 55 08 2A 168 025 86", "nir"),
        ("AHV-Nr. ", "7569217076985", "7569217076984", "ahv"),
        ("henkilötunnus ", "131052-308T", "131052-308U", "hetu"),
        ("HETU ", "010203A1230", "321303A1230", "hetu"),
    ] {
        assert_eq!(found(&format!("{words}{number}")), [format!("{kind}:{number}")], "{words}");
        for text in
            [format!("{words}{wrong}"), format!("row {number}"), format!("{words}a{number}")]
        {
            assert!(!found(&text).iter().any(|hit| hit.starts_with(kind)), "{text}");
        }
    }
    nothing(&["ITIN pages 912701234", "sin 000000000", "nhs 1111111111", "aadhaar 222222222222"]);
}

#[test]
fn numbers_with_marks_and_check_digits_of_their_own_need_no_name() {
    for (kind, number, wrong) in [
        ("cpf", "529.982.247-25", "529.982.247-26"),
        ("cpf", "529.982.247-25", "529-982-247-25"),
        ("cnpj", "11.222.333/0001-81", "11.222.333/0001-82"),
        ("cnpj", "11.222.333/0001-81", "11.222.333.0001-81"),
        ("ahv", "756.9217.0769.85", "756.9217.0769.84"),
        ("ahv", "756.9217.0769.85", "757.9217.0769.82"),
        ("nir", "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
        ("codice-fiscale", "RSSMRA85M01H501Q", "RSSMRA85M01H501R"),
        ("codice-fiscale", "rssmra85m01h501q", "rssmra85g01h501n"),
        ("ssn", "536-33-3955", "123-45-6789"),
    ] {
        assert_eq!(found(&format!("row {number}, 7")), [format!("{kind}:{number}")]);
        let texts = [wrong.to_owned(), format!("x{number}"), format!("{number}x")];
        for text in texts.into_iter().chain([format!("{number}-1")]) {
            assert!(!found(&text).iter().any(|hit| hit.starts_with(kind)), "{text}");
        }
    }
    nothing(&["a 7 529.982.247-25-1", "1.529.982.247-25", "756.9217.0769.85.1"]);
    // A name changes what is needed.
    for text in ["SSN 123-45-6789", "ssn: 078051120", "{\"ssn\":\"123-45-6789\"}"] {
        assert_eq!(found(text).len(), 1, "{text}");
    }
    nothing(&["SSN 123-45-0000", "ssn 666-45-6789", "ssns in a table of 123 456 789 rows"]);
}

#[test]
fn the_data_of_a_magnetic_stripe_are_found_with_what_follows_the_number() {
    let track = "4012888888881881^DOE/JO ^2806226";
    assert_eq!(found(&format!("%B{track}?")), [format!("credit-card:{track}")]);
    assert_eq!(found(";4012888888881881=2806226?"), ["credit-card:4012888888881881=2806226"]);
    assert_eq!(found("4012888888881881=12"), ["credit-card:4012888888881881"]);
    nothing(&[
        "%B4012888888881882^DOE/JO ^2806226?",
        "%B4012888888881881^DOE",
        "B4012888888881881^D^1234",
    ]);
    nothing(&["%B^^1234", "%B4012888888881881"]);
}

#[test]
fn account_and_card_numbers_are_read_through_wide_gaps_and_from_statements() {
    let number = "DE89 3704 0044 0532 0130 00";
    for gap in ["  ", ".", "_", "\t", "-", "--"] {
        let spread = number.replace(' ', gap);
        assert_eq!(found(&format!("IBAN {spread} x")), [format!("iban:{spread}")]);
    }
    assert_eq!(found("DE 89 3704 0044 0532 0130 00"), ["iban:DE 89 3704 0044 0532 0130 00"]);
    for text in ["IBAN#", "?31#?32", "#EUR", "#BIC:X", "x #"] {
        let number = "DE89370400440532013000";
        assert_eq!(found(&text.replace('#', number)), [format!("iban:{number}")], "{text}");
        assert!(found(&text.replace('#', "DE89370400440532013001")).is_empty(), "{text}");
    }
    for text in ["x#", "31#", "?3#", "#EURO", "#Eur", "#12", "#EU", "De#"] {
        assert!(found(&text.replace('#', "DE89370400440532013000")).is_empty(), "{text}");
    }
    for gap in ["  ", "_", "\t", " -"] {
        let spread = "4012 8888 8888 1881".replace(' ', gap);
        assert_eq!(found(&format!("card {spread}")), [format!("credit-card:{spread}")]);
        assert!(found(&format!("row {spread}")).is_empty(), "{spread}");
        assert!(found(&format!("card {spread}2")).is_empty(), "{spread}");
    }
}

#[test]
fn telephone_words_of_other_scripts_are_context_and_only_as_words() {
    for text in [
        "Телефон: 84955550123",
        "ТЕЛ. 84955550123",
        "τηλέφωνο 2105550123",
        "الهاتف: 0501234567",
        "טלפון: 0501234567",
        "मोबाइल: 9876543210",
        "手机号码13000001234已验证",
        "電話番号は0300001234",
        "휴대폰 01012345678",
        "โทร 0812345678",
        "Số điện thoại: 0900001234",
    ] {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(found(text), [format!("phone:{digits}")], "{text}");
    }
    nothing(&["тело 84955550123", "отел 84955550123", "телевизор 84955550123", "电 84955550123"]);
    nothing(&["טלה 0501234567", "номер 84955550123", "手 13000001234"]);
}

#[test]
fn a_value_with_a_line_break_in_it_is_found_where_it_is_named_or_has_marks() {
    for (text, hit) in [
        ("at 106.31\n.73.20 it", "ip-address:106.31\n.73.20"),
        ("at 48.90.\n248.226 it", "ip-address:48.90.\n248.226"),
        ("460-89-\n9847", "ssn:460-89-\n9847"),
        ("on 905-67\n4-3793.", "phone:905-67\n4-3793"),
        ("+1-984-\r\n182-0190", "phone:+1-984-\r\n182-0190"),
        ("ssn 460-8\n9-9847", "ssn:460-8\n9-9847"),
        ("SSN: 460-89-\n9847", "ssn:460-89-\n9847"),
        ("call 905-67\n4-3793.", "phone:905-67\n4-3793"),
        ("tel 905-67\r\n4-3793.", "phone:905-67\r\n4-3793"),
        ("Phone: 0490 7\n5 40 81", "phone:0490 7\n5 40 81"),
        ("781 \n1704 office", "phone:781 \n1704"),
        ("4012-8888-88\n88-1881", "credit-card:4012-8888-88\n88-1881"),
        ("NHS no. 943 47\n6 5919", "nhs-number:943 47\n6 5919"),
        ("card 4012 8888 88\n88 1881", "credit-card:4012 8888 88\n88 1881"),
    ] {
        assert_eq!(found(text), [hit], "{text:?}");
    }
    // Two numbers on two lines stay two.
    assert_eq!(found("tel 415-555-0132\n415-555-0133").len(), 2);
    nothing(&[
        "1.2\n3.4.5",
        "ip 1.2\n3.4.5",
        "2-\n(12) 34-5\n6-789",
        "7-40128888\n88881881",
        "see (10) 12-15\n16-20",
        "3.1.2\n2.1",
        "01.02.24\n03.04.24",
        "01-02-24\n03-04-24",
        "01-02\n03-04-24",
        "01-02-2024\n03-04-2024",
        "01-02-2024\n13-04-2024",
        "01/02/24\n03/04/24",
        "012-345\n678-901",
        "0.125\n0.345",
        "01.25\n01.34",
        "2.1.3-1\n10.2.3",
        "10:20-11:30\n12:30-13:40",
        "1-2345\n2-3456",
        "12-345-67\n13-456-78",
        "123-45\n124-56",
        "2024-01-15\n2024-01-16",
        "4155\n550132",
        "415 55\n5 0132",
        "12345678\n12345678",
        "in 2024.\n2025 was",
        "- 123\n- 4567890",
        "tel 4155\n\n550132",
        "phones\n12\n34\n56\n78\n90",
    ]);
}

#[test]
fn a_birthday_is_read_in_several_languages() {
    for text in [
        "geboren am |3. März 1985",
        "nacido el |31 de diciembre de 1990",
        "date de naissance: |12 août 1985",
        "born on the |31st of December 1990",
        "geb. |31.12.1990",
        "D.O.B. |12/31/1990",
        "\"dob\": \"|19850312",
    ] {
        let (words, date) = text.split_once('|').unwrap();
        assert_eq!(found(&format!("{words}{date}")), [format!("date-of-birth:{date}")], "{text}");
        nothing(&[date, &format!("made {date}")]);
    }
    nothing(&["\"dob\": 19851312", "born 20 minutes after 1985", "born 12 monkeys 1985"]);
}

#[test]
fn keys_in_any_notation_hint() {
    for key in [
        "phoneNumber",
        "phone_number",
        "PHONE-NUMBER",
        "userPhone2",
        "contact_no",
        "cellNumber",
        "teléfono",
    ] {
        assert_eq!(found(&format!("{{\"{key}\": \"9876543210\"}}")).len(), 1, "{key}");
    }
    for key in ["phone_verified_at", "phoneCount", "contact_id", "call_id", "iPhone", "microphone"]
    {
        nothing(&[&format!("{{\"{key}\": \"1705322096\"}}")]);
    }
    for key in ["userDOB", "DOBYear", "birth_date", "fechaDeNacimiento", "Geburtsdatum"] {
        assert_eq!(found(&format!("{{\"{key}\": \"12.03.1985\"}}")).len(), 1, "{key}");
    }
}
