use super::*;
use crate::tests::support::TempDir;

#[test]
fn the_home_is_the_one_named_or_else_in_the_users() {
    let home = |named: &str, users: &str| home_of(Some(named.into()), Some(users.into()));
    assert_eq!(home("/m", "/home/a"), Ok("/m".into()));
    assert_eq!(home("", "/home/a"), Ok("/home/a/.mpp".into()));
    assert_eq!(home("", "").unwrap_err().code(), Code::HostFile);
    assert_eq!(home_of(None, None).unwrap_err().code(), Code::HostFile);
}

#[test]
fn a_home_that_is_not_absolute_is_refused_with_an_example() {
    for named in ["~", "~/.mpp", "${HOME}/.mpp", "$HOME/.mpp", ".", ".mpp", "a/../b"] {
        let refused = home_of(Some(named.into()), Some("/home/a".into())).unwrap_err();
        assert_eq!(refused.code(), Code::HostFile);
        for part in [named, "set MPP_HOME", "/home/me/.mpp"] {
            assert!(refused.detail().contains(part), "{refused}");
        }
    }
    let refused = home_of(None, Some("users".into())).unwrap_err();
    assert!(refused.detail().contains("users/.mpp"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_changed_file_keeps_its_mode_and_a_new_one_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = TempDir::new("home");
    let path = temp.0.join("made/trust.json");
    let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
    let write = || update_file(&path, 100, |_| Ok((Some(b"x".to_vec()), ()))).unwrap();
    write();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    write();
    assert_eq!(mode(), 0o644);
}
