//! For authors of tools: new projects, what is wrong with one, and what it answers, before it is signed.

pub mod cases;
pub mod check;
pub mod dev;
mod entries;
pub mod finding;
pub mod lints;
mod manifest;
mod place;
pub mod project;
