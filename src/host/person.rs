//! Whoever can be asked for consent.

use crate::kernel::consent::{Question, Reply};
use crate::kernel::sandbox::Changes;

/// Whoever can be asked for consent. An agent is not a person.
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
