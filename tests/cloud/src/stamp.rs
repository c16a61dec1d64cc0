//! Times and ids as the services write them. Ids are drawn from a counter, so that a world that is begun again hands out the
//! same ones.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// RFC 3339 in UTC, to the millisecond.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `time` and so much more; the end of time when there is no such time.
pub(crate) fn after(time: Timestamp, lapse: Duration) -> Timestamp {
    SignedDuration::try_from(lapse)
        .ok()
        .and_then(|lapse| time.checked_add(lapse).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The `n`th id of twelve characters.
pub(crate) fn short_id(n: u64) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = scatter(n);
    (0..12)
        .map(|place| char::from(DIGITS[(bits >> (place * 5) & 31) as usize]))
        .collect()
}

/// The `n`th id in the form of a UUID.
pub(crate) fn uuid(n: u64) -> String {
    let (high, low) = (scatter(n), scatter(!n));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

/// SplitMix64's finaliser.
fn scatter(n: u64) -> u64 {
    let mut bits = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
