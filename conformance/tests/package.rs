//! The container: what is written reads back, and nothing altered is accepted.

use mpp::package::key::{PublicKey, SecretKey};
use mpp::package::pack::{countersign, pack};
use mpp::package::signature::{signing_payload, SignatureFile};
use mpp::package::writer::Compression;
use mpp::package::{archive, SIGNATURE_ENTRY};
use mpp::{gatekeeper, Code, Timestamp};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::support;

fn small() -> BTreeMap<String, Vec<u8>> {
    support::contents("org.example.small", support::SILENT_GUEST)
}

#[test]
fn each_byte_of_a_stored_archive_set_to_each_other_value_is_refused() {
    let package = pack(small(), &support::author(), support::now(), Compression::Stored).unwrap();
    gatekeeper::inspect(&package).unwrap();
    let mut altered = package.clone();
    for at in 0..package.len() {
        let original = package[at];
        for value in (0..=255).filter(|value| *value != original) {
            altered[at] = value;
            assert!(gatekeeper::inspect(&altered).is_err(), "byte {at} set to {value}");
        }
        altered[at] = original;
    }
}

#[test]
fn each_truncation_and_each_added_byte_is_refused() {
    for compression in [Compression::Stored, Compression::Deflated] {
        let package = pack(small(), &support::author(), support::now(), compression).unwrap();
        for length in 0..package.len() {
            assert!(archive::read(&package[..length]).is_err(), "cut to {length} bytes");
        }
        for at in 0..=package.len() {
            for value in [0, b'P', package.get(at).copied().unwrap_or(0xff)] {
                let mut longer = package.clone();
                longer.insert(at, value);
                assert!(gatekeeper::inspect(&longer).is_err(), "byte {value} put in at {at}");
            }
        }
        for at in 0..package.len() {
            let mut shorter = package.clone();
            shorter.remove(at);
            assert!(gatekeeper::inspect(&shorter).is_err(), "byte {at} taken out");
        }
    }
}

/// The one exception of the spec: another encoding of the same content.
#[test]
fn an_altered_deflated_archive_is_refused_or_has_the_same_contents() {
    let package = pack(small(), &support::author(), support::now(), Compression::Deflated).unwrap();
    let contents = archive::read(&package).unwrap();
    let mut altered = package.clone();
    for at in 0..package.len() {
        for bit in 0..8 {
            altered[at] ^= 1 << bit;
            if gatekeeper::inspect(&altered).is_ok() {
                assert_eq!(archive::read(&altered).unwrap(), contents, "byte {at} bit {bit}");
            }
            altered[at] ^= 1 << bit;
        }
    }
}

#[test]
fn packing_twice_gives_the_same_bytes_and_they_read_back() {
    for compression in [Compression::Stored, Compression::Deflated] {
        let first = pack(small(), &support::author(), support::now(), compression).unwrap();
        let second = pack(small(), &support::author(), support::now(), compression).unwrap();
        assert_eq!(first, second);
        let read: BTreeMap<_, _> = archive::read(&first)
            .unwrap()
            .into_iter()
            .filter(|entry| entry.name != SIGNATURE_ENTRY)
            .map(|entry| (entry.name.to_owned(), entry.content.into_owned()))
            .collect();
        assert_eq!(read, small());
    }
}

#[test]
fn contents_that_no_field_can_hold_are_refused_with_the_code_of_their_limit() {
    let long = BTreeMap::from([("a".repeat(65_537), Vec::new())]);
    let many = (0..65_537).map(|n| (format!("assets/{n:05}"), Vec::new())).collect();
    for (contents, code) in [(long, Code::ArchiveName), (many, Code::ArchiveEntryCount)] {
        let refused = mpp::package::writer::write(&contents, Compression::Stored).unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[test]
fn a_second_signature_by_another_key_verifies_and_by_the_same_key_is_refused() {
    let (author, approver) = (support::author(), support::approver());
    let package = pack(small(), &author, support::now(), Compression::Stored).unwrap();
    let both = countersign(&package, &approver, support::now()).unwrap();
    let signers = gatekeeper::inspect(&both).unwrap().signers;
    let ids: Vec<_> = signers.iter().map(|signer| signer.key_id.clone()).collect();
    assert_eq!(ids, [author.public().id(), approver.public().id()]);
    let again = countersign(&both, &author, support::now()).unwrap_err();
    assert_eq!(again.code(), Code::SignatureDuplicate);
}

#[test]
fn signing_a_package_that_was_altered_is_refused() {
    let mut contents = small();
    let package =
        pack(contents.clone(), &support::author(), support::now(), Compression::Stored).unwrap();
    let signature = archive::read(&package)
        .unwrap()
        .into_iter()
        .find(|entry| entry.name == SIGNATURE_ENTRY)
        .map(|entry| entry.content.into_owned())
        .unwrap();
    contents.insert("README.md".into(), b"other".to_vec());
    contents.insert(SIGNATURE_ENTRY.into(), signature);
    let package = mpp::package::writer::write(&contents, Compression::Stored).unwrap();
    let refused = countersign(&package, &support::approver(), support::now()).unwrap_err();
    assert_eq!(refused.code(), Code::ContentHash);
}

fn openssl(arguments: &[&str]) -> Option<std::process::Output> {
    Command::new("openssl").args(arguments).stdin(Stdio::null()).output().ok()
}

#[test]
fn openssl_verifies_our_signature_and_we_read_and_write_its_keys() {
    let folder = support::Folder::new("openssl");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    if openssl(&["genpkey", "-algorithm", "ed25519", "-out", &path("their.key")]).is_none() {
        eprintln!("openssl is not on this machine: nothing compared");
        return;
    }
    let theirs = std::fs::read_to_string(path("their.key")).unwrap();
    let key = SecretKey::from_pem(&theirs).unwrap();
    assert_eq!(key.to_pem(), theirs);
    openssl(&["pkey", "-in", &path("their.key"), "-pubout", "-out", &path("their.pub")]).unwrap();
    let theirs = std::fs::read_to_string(path("their.pub")).unwrap();
    assert_eq!(PublicKey::from_pem(&theirs).unwrap(), key.public());
    assert_eq!(key.public().to_pem(), theirs);

    let package = pack(small(), &key, support::now(), Compression::Stored).unwrap();
    let entries = archive::read(&package).unwrap();
    let file = entries.iter().find(|entry| entry.name == SIGNATURE_ENTRY).unwrap();
    let file = SignatureFile::parse(&file.content).unwrap();
    let record = &file.signatures[0];
    let at = Timestamp::parse(&record.signed_at).unwrap();
    std::fs::write(path("message"), signing_payload(&file.content_hash, at)).unwrap();
    let signature = mpp::encoding::unbase64::<64>(&record.signature).unwrap();
    std::fs::write(path("signature"), signature).unwrap();
    let verify = |message: &str| {
        let keys = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &path("their.pub")];
        let files = ["-in", &path(message), "-sigfile", &path("signature")];
        openssl(&[&keys[..], &files[..]].concat()).unwrap().status.success()
    };
    assert!(verify("message"));
    std::fs::write(path("other"), signing_payload(&file.content_hash, Timestamp::now())).unwrap();
    assert!(!verify("other"));
}

#[test]
fn a_private_key_with_its_public_half_is_read_and_one_with_another_half_is_rejected() {
    let (key, other) = (support::author(), support::approver());
    let pem = |head: &[u8], tag: &[u8], public: &[u8]| {
        let rest = [2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let der = [head, &rest, &key.to_seed(), tag, public].concat();
        let body = mpp::encoding::base64(&der);
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    };
    let (rfc, ring) = (&[0x81, 0x21, 0][..], &[0xa1, 0x23, 3, 0x21, 0][..]);
    let (mine, theirs) = (key.public().to_bytes(), other.public().to_bytes());
    for text in [pem(&[48, 0x51], rfc, &mine), pem(&[48, 0x53], ring, &mine)] {
        assert_eq!(SecretKey::from_pem(&text).unwrap().public(), key.public());
        let lines = text.replace("gSEA", "gSEA\n");
        assert_eq!(SecretKey::from_pem(&lines).unwrap().public(), key.public());
    }
    for text in [
        pem(&[48, 0x51], rfc, &theirs),
        pem(&[48, 0x53], ring, &theirs),
        pem(&[48, 0x53], rfc, &mine),
        pem(&[48, 0x51], ring, &mine),
        pem(&[48, 0x51], rfc, &mine[..31]),
        pem(&[48, 0x51], rfc, &[&mine[..], &[0]].concat()),
        pem(&[48, 0x52], rfc, &mine),
    ] {
        assert_eq!(SecretKey::from_pem(&text).unwrap_err().code(), Code::KeyInvalid, "{text}");
    }
}

#[test]
fn a_key_file_with_anything_else_in_it_is_rejected() {
    let secret = support::author().to_pem();
    let public = support::author().public().to_pem();
    for text in [
        String::new(),
        "no key".into(),
        format!("{secret}{secret}"),
        format!("text\n{secret}"),
        format!("{secret}text"),
        public.clone(),
        secret.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        secret.replace("MC4C", "MC4D"),
        secret.get(..60).unwrap().into(),
    ] {
        assert_eq!(SecretKey::from_pem(&text).unwrap_err().code(), Code::KeyInvalid, "{text:?}");
    }
    let ended_twice = format!("{public}garbage\n-----END PUBLIC KEY-----");
    for text in [secret, format!("{public}{public}"), public.replace("MCow", "MCox"), ended_twice] {
        assert_eq!(PublicKey::from_pem(&text).unwrap_err().code(), Code::KeyInvalid, "{text:?}");
    }
}

#[test]
fn keys_of_small_mixed_or_no_order_are_rejected() {
    // The neutral element; a point of order 2; of order 8; a non-canonical y; a mixed-order point
    // (the base point plus one of order 8); all from the curve's equation, RFC 8032 §5.1.
    for text in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        support::MIXED_ORDER_KEY,
    ] {
        let bytes = mpp::encoding::unhex::<32>(text).unwrap();
        assert_eq!(PublicKey::from_bytes(bytes).unwrap_err().code(), Code::KeyWeak, "{text}");
    }
}
