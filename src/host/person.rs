//! Whoever can be asked for consent.

use crate::kernel::consent::{Question, Reply};
use crate::kernel::sandbox::Changes;

/// Whoever can be asked for consent. An agent is not a person.
///
/// ```
/// use mpp::consent::{Person, Question, Reply};
///
/// /// The user of a program with a window.
/// struct Window;
/// impl Person for Window {
///     fn ask(&self, question: &Question) -> Reply {
///         let text = format!("{} wants {}", question.name, question.capabilities.join(", "));
///         match show(&text) {
///             Some(true) => Reply::Agreed("window:ann".to_owned()),
///             Some(false) => Reply::Declined,
///             None => Reply::Unanswered("nobody clicked".to_owned()),
///         }
///     }
/// }
/// # fn show(_: &str) -> Option<bool> { None }
/// ```
pub trait Person {
    /// Asks once.
    fn ask(&self, question: &Question) -> Reply;

    /// Shows what a tool that has succeeded would change on the host, before it is done. Whoever
    /// agreed to the directory has agreed to this, unless they want to see it.
    fn agrees_to_changes(&self, _changes: &Changes) -> bool {
        true
    }
}

/// Nobody: for pipelines and tests.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn ask(&self, _: &Question) -> Reply {
        Reply::Nobody
    }
}
