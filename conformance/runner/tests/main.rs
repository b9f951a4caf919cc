//! The tests of the program as a whole.

mod endings;
mod schemas;
mod support;
