//! What others cannot foresee.

use std::hash::{BuildHasher, RandomState};
use std::process;

/// Returns 64 bits that other programs and peers do not know, and that are not drawn again.
pub(crate) fn bits() -> u64 {
    // A keyed hash: std takes the keys from the system's randomness and uses none twice. A
    // child that was forked off has the same keys, but another process id.
    RandomState::new().hash_one(process::id())
}

/// Returns 128 such bits as hexadecimal digits.
pub(crate) fn digits() -> String {
    format!("{:016x}{:016x}", bits(), bits())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_drawn_twice_on_any_thread() {
        let draw = || (0..1000).map(|_| digits()).collect::<Vec<_>>();
        let other = thread::spawn(draw);
        let mut all: Vec<_> = draw();
        all.extend(other.join().unwrap());
        assert!(all.iter().all(|digits| digits.len() == 32));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
