//! What a caller has left signals at. Ignored and blocked ones are inherited, and passed on to every program that is
//! started from here.

use std::fs;
use std::sync::Arc;

use nix::sys::signal::SigSet;
use signal_hook::consts::{FORBIDDEN, SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
use signal_hook::flag;

/// Those that stay as they are. Our own runtime ignores `SIGPIPE`, and sets it right in what it starts; a program of
/// the background that handled those of the terminal would try for ever what the terminal keeps from it.
const LEFT: [i32; 4] = [SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU];

/// Blocks no signal, and lets nothing that is started from here ignore one.
///
/// A signal that the caller has ignored is given a handler that does nothing. To this process that is the same, so
/// that `nohup` does what it is for; in a program that it starts, the system sets a handler back to what is usual.
/// `SIGCHLD` is handled in any case: where it is ignored, nobody is told how a child has ended.
pub(crate) fn take_back() {
    let _ = SigSet::empty().thread_set_mask();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for signal in ignored(&status).chain([SIGCHLD]) {
        if !LEFT.contains(&signal) && !FORBIDDEN.contains(&signal) {
            // One that can't be had, the C library keeps to itself.
            let _ = flag::register(signal, Arc::default());
        }
    }
}

/// The ignored signals, as the system says it of a process.
fn ignored(status: &str) -> impl Iterator<Item = i32> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    (1..=64).filter(move |signal| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ignored_ones_are_read() {
        let status = "Name:\tsandbook\nSigBlk:\t0000000000000001\nSigIgn:\t8000000000011001\n";
        assert_eq!(ignored(status).collect::<Vec<_>>(), [1, 13, 17, 64]);
        assert_eq!(ignored("").count(), 0);
        assert_eq!(ignored("SigIgn:\tnone\n").count(), 0);
    }
}
