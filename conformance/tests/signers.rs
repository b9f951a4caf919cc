//! Keys that stay where they are: `--sign-with` gives the bytes of a key file, or nothing is written.

use crate::cli::{Place, Ran};
use crate::support;
use std::fs;
use std::path::Path;

/// The options of a shell command that signs, and the key `me` in its own form.
const OPENSSL: &str =
    "cat > message && openssl pkeyutl -sign -rawin -inkey locked.key -passin pass:open -in message";

fn place(name: &str) -> Place {
    let place = Place::new(name);
    place.folder("pkg", &support::manifest("org.example.pkg"), support::SILENT_GUEST);
    place.mpp(&["pack", "pkg", "--key", "me.key", "-o", "by-file.mpp"]).exits(0);
    place
}

fn pack_with(place: &Place, command: &str) -> Ran {
    let options = ["--sign-with", command, "--public-key", "me.pub", "-o", "by-command.mpp"];
    place.mpp(&[&["pack", "pkg"], &options[..]].concat())
}

fn assert_same_package(place: &Place) {
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(read("by-file.mpp"), read("by-command.mpp"));
    place.mpp(&["verify", "by-command.mpp"]).exits(0);
}

/// The base64 signature in a package whose entries are stored.
fn signature_in(place: &Place, name: &str) -> String {
    let package = String::from_utf8_lossy(&fs::read(place.path(name)).unwrap()).into_owned();
    let rest = package.split("\"signature\": \"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn a_command_that_returns_base64_or_bytes_gives_the_package_of_the_key_file() {
    let place = place("signers-forms");
    let base64 = signature_in(&place, "by-file.mpp");
    for command in [
        format!("cat > message && echo {base64}"),
        format!("printf '{base64}\\r\\n'"),
        format!("printf {base64} | base64 -d"),
    ] {
        let _ = fs::remove_file(place.path("by-command.mpp"));
        pack_with(&place, &command).exits(0);
        assert_same_package(&place);
    }
    let message = fs::read_to_string(place.path("message")).unwrap();
    assert!(message.starts_with("MPPv1 32 application/vnd.mpp.signature.v1 "), "{message}");
}

#[cfg(unix)]
#[test]
fn a_command_that_does_not_sign_these_bytes_with_this_key_writes_nothing() {
    let place = place("signers-refused");
    let right = signature_in(&place, "by-file.mpp");
    let other_time = ["--signed-at", "2026-01-01T00:00:00Z"];
    place.mpp(&[&["pack", "pkg", "--key", "me.key", "-o", "other.mpp"], &other_time[..]].concat());
    let wrong = signature_in(&place, "other.mpp");
    for (command, says) in [
        ("exit 3".to_owned(), "failed: exit status: 3"),
        (format!("echo {right}; exit 1"), "failed: exit status: 1"),
        (format!("echo {right}; kill -9 $$"), "failed: signal: 9"),
        ("true".to_owned(), "wrote 0 bytes"),
        ("no-such-signer".to_owned(), "failed: exit status: 127"),
        (format!("echo {wrong}"), "did not sign with the key"),
        (format!("echo {}", right.replace('=', "")), "neither 64 bytes nor base64"),
        (format!("echo ' {right}'"), "neither 64 bytes nor base64"),
        (format!("echo {right}; echo"), "neither 64 bytes nor base64"),
        ("head -c 64 /dev/zero".to_owned(), "did not sign with the key"),
        ("cat /dev/zero".to_owned(), "wrote more than 90 bytes"),
    ] {
        let ran = pack_with(&place, &command).exits(4).says(&["key.command", says]);
        assert!(!place.path("by-command.mpp").exists(), "{command}: {}", ran.out);
    }
}

#[cfg(unix)]
#[test]
fn a_second_signature_by_a_command_that_fails_leaves_the_package_as_it_was() {
    let place = place("signers-second");
    place.mpp(&["keygen", "other"]).exits(0);
    let before = fs::read(place.path("by-file.mpp")).unwrap();
    let sign = ["sign", "by-file.mpp", "--sign-with", "head -c 64 /dev/zero"];
    place.mpp(&[&sign[..], &["--public-key", "other.pub"]].concat()).exits(4);
    assert_eq!(fs::read(place.path("by-file.mpp")).unwrap(), before);
}

#[test]
fn no_key_two_keys_and_half_a_command_are_usage_errors() {
    let place = place("signers-usage");
    let all = ["--key", "me.key", "--sign-with", "true", "--public-key", "me.pub"];
    for options in
        [&all[..0], &all[..], &all[..4], &all[2..4], &all[4..], &[all[0], all[1], all[4], all[5]]]
    {
        let ran = place.mpp(&[&["pack", "pkg", "-o", "none.mpp"], options].concat());
        ran.exits(2).says(&["pass --key FILE, or --sign-with COMMAND and --public-key FILE"]);
        place.mpp(&[&["sign", "fine.mpp"], options].concat()).exits(2);
    }
    assert!(!place.path("none.mpp").exists());
}

#[cfg(unix)]
#[test]
#[ignore = "needs openssl"]
fn an_encrypted_key_of_openssl_signs_the_bytes_of_the_key_file_and_openssl_verifies_both() {
    let place = place("signers-openssl");
    let shell =
        |line: &str| Ran::of(place.program("sh", &["-ec", line]).output().unwrap()).exits(0);
    shell("openssl pkcs8 -topk8 -in me.key -passout pass:open -out locked.key");
    assert!(fs::read_to_string(place.path("locked.key")).unwrap().contains("ENCRYPTED"));
    pack_with(&place, OPENSSL).exits(0);
    assert_same_package(&place);
    for name in ["by-file.mpp", "by-command.mpp"] {
        fs::write(place.path("signature"), signature_in(&place, name)).unwrap();
        shell("base64 -d signature > bytes; openssl pkeyutl -verify -rawin -pubin -inkey me.pub -in message -sigfile bytes");
    }
    let wrong = OPENSSL.replace("pass:open", "pass:shut");
    let _ = fs::remove_file(place.path("by-command.mpp"));
    pack_with(&place, &wrong).exits(4).says(&["key.command"]);
    assert!(!place.path("by-command.mpp").exists());
}

#[cfg(unix)]
#[test]
#[ignore = "needs ssh-agent, openssl and python3"]
fn a_key_in_an_ssh_agent_signs_and_openssl_verifies() {
    let place = place("signers-agent");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/signers/ssh-agent");
    let mpp = env!("CARGO_BIN_EXE_mpp");
    let script = format!(
        "ssh-keygen -q -t ed25519 -N '' -f agent
         '{0}' --pem agent.pub > me.pub
         ssh-agent sh -ec 'ssh-add -q agent && rm agent
           \"{mpp}\" pack pkg --sign-with \"tee message | {0} agent.pub\" --public-key me.pub -o by-command.mpp'
         \"{mpp}\" inspect by-command.mpp",
        program.display()
    );
    Ran::of(place.program("sh", &["-ec", &script]).output().unwrap()).exits(0);
    fs::write(place.path("signature"), signature_in(&place, "by-command.mpp")).unwrap();
    let verify = "base64 -d signature > bytes
        openssl pkeyutl -verify -rawin -pubin -inkey me.pub -in message -sigfile bytes";
    Ran::of(place.program("sh", &["-ec", verify]).output().unwrap()).exits(0);
}
