//! The examples of the specification, each compared with what the program computes.

use crate::vectors::cases;
use mpp::encoding::hex;
use mpp::package::archive;
use mpp::package::content_hash::{checksum_list, ContentHash};
use mpp::package::key::PublicKey;
use mpp::package::signature::signing_payload;
use mpp::{Code, Timestamp};

const PAGE: &str = include_str!("../../spec/package.md");

/// The fenced blocks without a language.
fn blocks() -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if line == "```" {
                blocks.push(block.iter().map(|line| format!("{line}\n")).collect());
            }
        }
    }
    blocks
}

/// The texts in code marks of the paragraph that begins with this.
fn texts(beginning: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(beginning).unwrap();
    let paragraph = rest.split("\n\n").next().unwrap().split("\nTimes ").next().unwrap();
    paragraph.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_listing_its_hash_and_the_signed_bytes_are_those_of_the_page() {
    let case = cases().into_iter().find(|case| case.id == "archive/accept-asset").unwrap();
    let package = case.package();
    let entries = archive::read(&package).unwrap();
    let list = checksum_list(entries.iter().map(|entry| (entry.name, entry.content.as_ref())));
    let hash = ContentHash::from_checksum_list(&list);
    let [_picture, listing, signed, taken, refused] = blocks().try_into().unwrap();
    assert_eq!(listing, format!("{list}{hash}\n"));
    let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    assert_eq!(signed.replace('\n', ""), hex(&signing_payload(&hash, at)));
    assert!(PublicKey::from_pem(&taken).is_ok());
    assert_eq!(PublicKey::from_pem(&refused).unwrap_err().code(), Code::KeyInvalid);
    assert_eq!(taken, refused.replace("\n\n", "\n"));
}

#[test]
fn the_times_of_the_page_are_taken_and_refused() {
    let (taken, refused) = (texts("Times taken:"), texts("Times refused:"));
    assert_eq!((taken.len(), refused.len()), (3, 7));
    assert!(taken.iter().all(|text| Timestamp::parse(text).is_some()), "{taken:?}");
    assert!(refused.iter().all(|text| Timestamp::parse(text).is_none()), "{refused:?}");
}
