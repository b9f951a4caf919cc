//! What tools keep.

use super::*;
