//! Secrets from a command.
#![cfg(unix)]

use super::super::tests::refusal;
use super::*;

fn shell(script: &str) -> CommandSecretStore {
    let words = ["/bin/sh", "-c", script, "sh"].map(str::to_owned);
    CommandSecretStore::new(words.to_vec()).unwrap()
}

#[test]
fn a_command_gives_one_line_and_sees_nothing_of_this_process() {
    let value =
        |script: &str| shell(script).value("MY_KEY").map(|it| it.unwrap().reveal().to_owned());
    assert_eq!(value("echo value-of-$1").unwrap(), "value-of-MY_KEY");
    assert_eq!(value("printf %s value-of-$1").unwrap(), "value-of-MY_KEY");
    assert_eq!(value("echo value-of-$1; echo 's3cr3t' >&2").unwrap(), "value-of-MY_KEY");
    // No shell reads the name or the words.
    let echo = CommandSecretStore::new(["/bin/echo", "$HOME;", "`id`"].map(str::to_owned).to_vec());
    assert_eq!(echo.unwrap().value("A").unwrap().unwrap().reveal(), "$HOME; `id` A");
    // A shell sets some variables of its own.
    let names = value("env | sed 's/=.*//' | sort | tr '\\n' ' ' | sed 's/ $//'").unwrap();
    let own = ["HOME", "PATH", "PWD", "OLDPWD", "SHLVL", "_"];
    assert!(names.split(' ').all(|name| own.contains(&name)), "{names}");
    assert_eq!(value("cat; echo nothing-to-read").unwrap(), "nothing-to-read");
    assert!(shell("true").value("A").unwrap().is_none());
    assert!(shell("echo").value("A").unwrap().is_none());
}

#[test]
fn a_command_that_does_anything_else_is_refused_without_its_words() {
    for (script, code) in [
        ("echo s3cr3t-value; exit 1", Code::SecretCommand),
        ("echo s3cr3t-value >&2; exit 3", Code::SecretCommand),
        ("echo s3cr3t-value; kill -9 $$", Code::SecretCommand),
        ("yes s3cr3t-value", Code::SecretCommand),
        ("head -c 4098 /dev/zero | tr '\\0' x", Code::SecretCommand),
        ("printf 's3cr3t-value\\377'", Code::SecretCommand),
        ("echo s3cr3t-value; echo second", Code::SecretInvalid),
        ("echo s3cr3t-value; echo", Code::SecretInvalid),
        ("printf 's3cr3t-value\\r\\n'", Code::SecretInvalid),
        ("echo s3cr3t", Code::SecretInvalid),
        ("head -c 4097 /dev/zero | tr '\\0' x", Code::SecretInvalid),
    ] {
        assert_eq!(refusal(shell(script).value("A"), "s3cr3t"), code, "{script}");
    }
    let absent = CommandSecretStore::new(vec!["/nowhere/pass".to_owned()]).unwrap();
    assert_eq!(refusal(absent.value("A"), ""), Code::SecretCommand);
    for words in [&[][..], &["pass"], &["./pass"], &["/bin/a\u{0}b"], &["/bin/a", "\u{0}"]] {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(refusal(CommandSecretStore::new(words), ""), Code::SecretInvalid);
    }
}

#[test]
fn a_command_that_hangs_is_ended() {
    let began = Instant::now();
    let limit = Duration::from_millis(300);
    for script in [
        "exec sleep 60",
        "echo s3cr3t-value; exec sleep 60",
        "echo s3cr3t-value; exec >&-; exec sleep 60",
        // What it leaves behind holds its stdout open.
        "sleep 20 & echo s3cr3t-value",
    ] {
        let command = CommandSecretStore { timeout: limit, ..shell(script) };
        let result = command.value("A");
        assert_eq!(refusal(result, "s3cr3t"), Code::SecretCommand, "{script}");
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
