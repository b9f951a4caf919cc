use super::{DIGITS_MAX, DIGITS_MIN, DIGIT_FORMATS, LETTERS_MAX, LETTER_FORMATS};

#[test]
fn the_fewest_and_the_most_digits_are_those_of_the_rows() {
    assert_eq!(DIGIT_FORMATS.iter().map(|row| *row.1.start()).min(), Some(DIGITS_MIN));
    assert_eq!(LETTER_FORMATS.iter().map(|row| row.1.len()).max(), Some(LETTERS_MAX));
    assert_eq!(DIGIT_FORMATS.iter().map(|row| *row.1.end()).max(), Some(DIGITS_MAX));
}
