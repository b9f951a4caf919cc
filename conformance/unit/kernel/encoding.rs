use super::*;

#[test]
fn rfc_4648_vectors_agree_and_read_back() {
    for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    assert_eq!(unbase64::<1>("Zg=="), Some(*b"f"));
    assert_eq!(unbase64::<2>("Zm8="), Some(*b"fo"));
    assert_eq!(unbase64::<3>("Zm9v"), Some(*b"foo"));
}

#[test]
fn every_second_spelling_of_base64_is_rejected() {
    for text in
        ["Zh==", "Zg=", "Zg", "Zg===", " Zg==", "Zg==\n", "Z=g=", "====", "", "Zm9v", "Zg==Zg=="]
    {
        assert_eq!(unbase64::<1>(text), None, "{text:?}");
    }
}

#[test]
fn upper_case_odd_and_wrong_length_hex_is_rejected() {
    assert_eq!(unhex::<2>("0aff"), Some([10, 255]));
    for text in ["0AFF", "0af", "0aff0", "0aff00", "0a", "", "0x0a", "zz00"] {
        assert_eq!(unhex::<2>(text), None, "{text:?}");
    }
}

#[test]
fn what_is_not_all_hexadecimal_digits_or_too_many_is_no_number() {
    assert_eq!((hex_number(b"0aF"), hex_number(b"ffffffff")), (Some(0xaf), Some(u32::MAX)));
    for digits in [&b"+1"[..], b"0x1", b" 1", b"1g", "1\u{661}".as_bytes(), b"100000000"] {
        assert_eq!(hex_number(digits), None, "{digits:?}");
    }
}

#[test]
fn no_two_types_and_bodies_share_one_frame() {
    assert_eq!(pre_auth_encoding("a/b", "ä\n"), "MPPv1 3 a/b 3 ä\n".as_bytes());
    assert_ne!(pre_auth_encoding("a", "b 1 c"), pre_auth_encoding("a b", "1 c"));
    assert_ne!(pre_auth_encoding("a 1 b", ""), pre_auth_encoding("a", "b 0 "));
}

#[test]
fn hmac_agrees_with_openssl_for_a_key_of_32_bytes() {
    // printf 'what do ya want for nothing?' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b…0b
    assert_eq!(
        hex(&hmac_sha256(&[0x0b; 32], b"what do ya want for nothing?")),
        "c3f2649c34ea24e4d62a2c7e868bbea0233c9d4c2cc300794db76aa18d6822d8"
    );
}
