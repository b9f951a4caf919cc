//! For authors of packages: what is wrong with one, and what it answers, before it is signed.

pub mod attempt;
pub mod cases;
pub mod check;
pub mod dev;
mod entries;
pub mod finding;
pub mod lints;
mod manifest;
mod place;
mod web;
