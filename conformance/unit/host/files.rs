use super::*;
use crate::tests::support::TempDir;

#[test]
fn reading_stops_one_byte_past_the_limit() {
    let temp = TempDir::new("files-read");
    let path = temp.0.join("file");
    fs::write(&path, [7; 100]).unwrap();
    let length = |most| read(&path, Links::Followed, most).unwrap().len();
    assert_eq!([0, 10, 99, 100, 101, usize::MAX].map(length), [1, 11, 100, 100, 100, 100]);
}

#[test]
fn a_missing_file_is_none_and_is_not_created() {
    let temp = TempDir::new("files-none");
    let path = temp.0.join("file");
    assert_eq!(optional(read(&path, Links::Refused, 9)).unwrap(), None);
    assert!(open_own(&path, false).unwrap().is_none() && !path.exists());
}

#[cfg(unix)]
#[test]
fn a_pipe_a_directory_or_a_device_in_place_of_a_file_is_refused_at_once() {
    let temp = TempDir::new("files-pipe");
    let pipe = temp.0.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&pipe, &temp.0, Path::new("/dev/null")] {
        for links in [Links::Followed, Links::Refused] {
            assert!(read(path, links, 9).is_err(), "{}", path.display());
        }
        assert!(open_own(path, true).is_err() && lock_file(path, &|| false).is_err());
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_only_where_it_may_be() {
    let temp = TempDir::new("files-link");
    let (file, link) = (temp.0.join("file"), temp.0.join("link"));
    fs::write(&file, "text").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(read(&link, Links::Followed, 9).unwrap(), b"text");
    assert!(read(&link, Links::Refused, 9).is_err());
    assert!(open_own(&link, true).is_err() && create_new(&link).is_err());
    let dangling = temp.0.join("dangling");
    std::os::unix::fs::symlink(temp.0.join("nothing"), &dangling).unwrap();
    assert!(open_own(&dangling, true).is_err() && lock_file(&dangling, &|| false).is_err());
    assert!(!temp.0.join("nothing").exists());
}

#[test]
fn waiting_for_a_lock_that_is_never_released_ends() {
    let temp = TempDir::new("files-lock");
    let path = temp.0.join("lock");
    let held = lock_file(&path, &|| false).unwrap();
    let other = open_own(&path, false).unwrap().unwrap();
    assert!(wait_for_lock(|| other.try_lock(), &|| false, LOCK_POLL_INTERVAL).is_err());
    assert!(wait_for_lock(|| other.try_lock_shared(), &|| false, LOCK_POLL_INTERVAL).is_err());
    drop(held);
    assert!(lock_shared(&other).is_ok() && lock_within(&other, LOCK_TIMEOUT, &|| false).is_ok());
}

#[test]
fn a_lock_is_not_waited_for_once_the_call_has_ended() {
    let temp = TempDir::new("files-deadline");
    let path = temp.0.join("lock");
    let held = lock_file(&path, &|| false).unwrap();
    let other = open_own(&path, false).unwrap().unwrap();
    let looks = std::cell::Cell::new(3);
    let ended = || looks.replace(looks.get() - 1) == 0;
    let refused = lock_within(&other, LOCK_TIMEOUT, &ended).unwrap_err();
    assert!(refused.to_string().contains("the call has ended"), "{refused}");
    drop(held);
}

#[test]
fn new_content_replaces_the_old_and_the_remains_of_a_crash() {
    let temp = TempDir::new("files-replace");
    let path = temp.0.join("file");
    fs::write(sibling_path(&path, ".new"), "half of").unwrap();
    for (content, flush) in [("old", true), ("new", false)] {
        replace(&path, content.as_bytes(), flush).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    assert_eq!(fs::read_dir(&temp.0).unwrap().count(), 1);
    // What cannot be put in its place leaves the old content.
    fs::create_dir(sibling_path(&path, ".new")).unwrap();
    assert!(replace(&path, b"newer", true).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}
