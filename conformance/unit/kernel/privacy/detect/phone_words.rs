use super::{FIRST, UNSPACED, WORDS};

#[test]
fn words_are_sorted_and_begin_with_their_letter_and_none_is_hidden_by_a_shorter_one() {
    assert!(WORDS.is_sorted_by_key(|row| row.0));
    for (first, words, _) in WORDS {
        let words: Vec<&str> = words.split(' ').collect();
        for (index, word) in words.iter().enumerate() {
            assert!(word.starts_with(*first) && *first > FIRST && word.len() >= 4, "{word}");
            let hidden = words[..index].iter().any(|earlier| word.starts_with(earlier));
            assert!(*first < UNSPACED || !hidden, "{word}");
        }
    }
}
