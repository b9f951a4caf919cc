//! For authors of tools: new projects, what is wrong with one, what it answers before it is signed,
//! and manifests for tools that exist.

pub mod attempt;
pub mod cases;
pub mod check;
pub mod dev;
mod entries;
pub mod finding;
pub mod lints;
mod manifest;
pub mod migrate;
mod place;
pub mod project;
mod web;
