//! What people do with the record of calls: read it, ship it, and sum it up. Nothing here writes to the log.

pub mod calls;
pub mod export;
pub mod follow;
pub mod html;
