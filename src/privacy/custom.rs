//! Room: patterns of publishers and hosts, by regex-lite. They see the text as it is, unfolded.
//! regex-lite takes time linear in text and pattern, but much of it, so both are capped.

use super::scan::{Hit, Tag};
use crate::limits::{
    PRIVACY_CUSTOM_COUNT_MAX, PRIVACY_PATTERN_BYTES_MAX, PRIVACY_PROGRAM_BYTES_MAX,
};
use crate::package::manifest::CustomPattern;
use crate::{Code, Error};
use regex_lite::{Regex, RegexBuilder};

/// A custom pattern, compiled.
pub(crate) struct Custom {
    pub(crate) name: String,
    expression: Regex,
}

/// Compiles every pattern.
///
/// # Errors
/// `privacy.pattern`.
pub(crate) fn compile(patterns: &[CustomPattern]) -> Result<Vec<Custom>, Error> {
    // [PRIV-91]
    if patterns.len() > PRIVACY_CUSTOM_COUNT_MAX {
        let detail = format!("more than {PRIVACY_CUSTOM_COUNT_MAX} custom privacy patterns");
        return Err(Error::new(Code::PrivacyPattern, detail));
    }
    patterns.iter().map(compile_one).collect()
}

fn compile_one(custom: &CustomPattern) -> Result<Custom, Error> {
    let CustomPattern { name, pattern } = custom;
    let refuse = |why: &str| {
        let name: String = name.chars().take(32).collect();
        Err(Error::new(Code::PrivacyPattern, format!("custom privacy pattern {name:?} {why}")))
    };
    // [PRIV-90]
    if !is_name(name) {
        return refuse("has a name that is not 1 to 32 of A-Z, 0-9 and `_`, a letter first");
    }
    // [PRIV-91]
    if pattern.len() > PRIVACY_PATTERN_BYTES_MAX {
        return refuse("is too long");
    }
    let compiled = RegexBuilder::new(pattern).size_limit(PRIVACY_PROGRAM_BYTES_MAX).build();
    let expression = match compiled {
        Ok(expression) => expression,
        // [PRIV-92]
        Err(error) => return refuse(&format!("does not compile: {error}")),
    };
    // [PRIV-93]
    if expression.is_match("") {
        return refuse("matches the empty text");
    }
    Ok(Custom { name: name.clone(), expression })
}

fn is_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= 32
        && name.bytes().next().is_some_and(|first| first.is_ascii_uppercase())
        && name.bytes().all(rest)
}

/// Adds the matches of every pattern that touch none of the `labels`, which are ranges in order.
// [PRIV-94] [PRIV-95]
pub(crate) fn find(
    text: &str,
    patterns: &[Custom],
    labels: &[(usize, usize)],
    hits: &mut Vec<Hit>,
) {
    for (index, custom) in patterns.iter().enumerate() {
        for found in custom.expression.find_iter(text).filter(|found| !found.is_empty()) {
            let behind = labels.partition_point(|label| label.1 <= found.start());
            let touches = labels.get(behind).is_some_and(|label| label.0 < found.end());
            if !touches {
                let (start, end) = (found.start(), found.end());
                hits.push(Hit { start, end, tag: Tag::Custom(index) });
            }
        }
    }
}
