//! Child process guard: kills and reaps a child when it is dropped.

use std::process::Child;

/// A child that does not outlive its owner and leaves no zombie.
pub(super) struct KillOnDrop(pub(super) Child);

impl Drop for KillOnDrop {
    // [NET-10]
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
