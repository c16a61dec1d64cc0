//! Which addresses may be connected to.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A range of addresses, `10.20.0.0/16`; a single address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    first: IpAddr,
    prefix: u8,
}

/// A text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of addresses such as `10.20.0.0/16`")]
pub struct IpRangeError(String);

impl IpRange {
    /// Reads `ADDRESS/PREFIX` or `ADDRESS`. Bits after the prefix don't matter.
    ///
    /// # Errors
    ///
    /// The text isn't that.
    pub fn parse(text: &str) -> Result<IpRange, IpRangeError> {
        let fault = || IpRangeError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| fault())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().map_err(|_| fault())?
            }
            Some(_) => return Err(fault()),
        };
        if prefix > most {
            return Err(fault());
        }
        Ok(IpRange { first, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ
                    .checked_shr(128 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }

    fn is_single(&self) -> bool {
        self.prefix == if self.first.is_ipv4() { 32 } else { 128 }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// An address may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is {class}, which this environment does not list under `network.private`")]
pub(crate) struct AddressRefused {
    address: IpAddr,
    class: &'static str,
}

/// The rule over addresses: public ones, and those that the environment lists.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    private: Vec<IpRange>,
}

const METADATA: &str = "a cloud's metadata service (it has to be listed by its own address)";

impl Addresses {
    pub(super) fn new(private: Vec<IpRange>) -> Addresses {
        Addresses { private }
    }

    /// Whether this address may be connected to.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), AddressRefused> {
        let class = match address {
            IpAddr::V4(address) => self.refused_v4(address),
            IpAddr::V6(address) => self.refused_v6(address),
        };
        class.map_or(Ok(()), |class| Err(AddressRefused { address, class }))
    }

    fn refused_v4(&self, address: Ipv4Addr) -> Option<&'static str> {
        class_v4(address).filter(|class| !self.lists(address.into(), class))
    }

    fn refused_v6(&self, address: Ipv6Addr) -> Option<&'static str> {
        let Some((form, inner)) = embedded(address) else {
            return class_v6(address).filter(|class| !self.lists(address.into(), class));
        };
        // A listed form opens the public addresses in it; a private one has to be listed itself.
        let opened = match class_v4(inner) {
            Some(class) => self.lists(inner.into(), class),
            None => self.lists(address.into(), form),
        };
        (!opened).then_some(form)
    }

    fn lists(&self, address: IpAddr, class: &'static str) -> bool {
        self.private
            .iter()
            .any(|range| range.contains(address) && (class != METADATA || range.is_single()))
    }
}

/// The form of a v6 address that stands for a v4 one, and that one.
fn embedded(address: Ipv6Addr) -> Option<(&'static str, Ipv4Addr)> {
    let segments = address.segments();
    let at = |high: usize| {
        let [a, b] = segments[high].to_be_bytes();
        let [c, d] = segments[high + 1].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, _, _] => Some(("a v4 address in v6 form", at(6))),
        [0, 0, 0, 0, 0xffff, 0, _, _] => Some(("a translated v4 address", at(6))),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(("a NAT64 address", at(6))),
        [0x2002, ..] => Some(("a 6to4 address", at(1))),
        [0x2001, 0, ..] => Some(("a Teredo address", Ipv4Addr::from_bits(!at(6).to_bits()))),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => {
            Some(("a v4-compatible address", at(6)))
        }
        _ => None,
    }
}

/// What kind of v4 address this is, unless it is a public one.
fn class_v4(address: Ipv4Addr) -> Option<&'static str> {
    let class = match address.octets() {
        [169, 254, 169, 254] | [100, 100, 100, 200] | [168, 63, 129, 16] => METADATA,
        [0, ..] => "an unspecified address",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [100, 64..=127, ..] => "a carrier's private address",
        [169, 254, ..] => "a link-local address",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "an address for documentation",
        [192, 0, 0, _] => "an address for protocols",
        [192, 88, 99, _] => "a 6to4 relay",
        [198, 18 | 19, ..] => "an address for benchmarks",
        [224..=239, ..] => "a multicast address",
        [255, 255, 255, 255] => "the broadcast address",
        [240..=255, ..] => "a reserved address",
        _ => return None,
    };
    Some(class)
}

/// What kind of v6 address this is, unless it is a public one.
fn class_v6(address: Ipv6Addr) -> Option<&'static str> {
    let class = match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => METADATA,
        [0, 0, 0, 0, 0, 0, 0, 0] => "the unspecified address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "a site-local address",
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "an address for documentation",
        [0x2001, 2, 0, ..] => "an address for benchmarks",
        [0x2001, 0..=0x1ff, ..] => "an address for protocols",
        [0x64, 0xff9b, 1, ..] => "a private NAT64 address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    };
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(private: &[&str]) -> Addresses {
        Addresses::new(
            private
                .iter()
                .map(|text| IpRange::parse(text).unwrap())
                .collect(),
        )
    }

    fn check(private: &[&str], address: &str) -> Result<(), AddressRefused> {
        addresses(private).check(address.parse().unwrap())
    }

    #[test]
    fn every_class_that_is_not_public_is_refused() {
        for (address, class) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "carrier"),
            ("100.127.255.255", "carrier"),
            ("169.254.1.1", "link-local"),
            ("169.254.169.254", "metadata"),
            ("100.100.100.200", "metadata"),
            ("168.63.129.16", "metadata"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("240.0.0.1", "reserved"),
            ("192.0.2.1", "documentation"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("198.18.0.1", "benchmarks"),
            ("198.19.255.255", "benchmarks"),
            ("192.0.0.8", "protocols"),
            ("192.88.99.1", "6to4 relay"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("fc00::1", "private"),
            ("fdff::1", "private"),
            ("fd00:ec2::254", "metadata"),
            ("fd20:ce::254", "metadata"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "documentation"),
            ("3fff::1", "documentation"),
            ("2001:2::1", "benchmarks"),
            ("2001:20::1", "protocols"),
            ("100::1", "reserved"),
            ("5f00::1", "reserved"),
            ("4000::1", "reserved"),
            ("::ffff:127.0.0.1", "v6 form"),
            ("::ffff:8.8.8.8", "v6 form"),
            ("::127.0.0.1", "v4-compatible"),
            ("::2", "v4-compatible"),
            ("::ffff:0:127.0.0.1", "translated"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b::808:808", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("2002:7f00:1::1", "6to4"),
            ("2001:0:1:2:3:4:5:6", "Teredo"),
        ] {
            let refused = check(&[], address).expect_err(address);
            assert!(refused.class.contains(class), "{address}: {refused}");
        }
    }

    #[test]
    fn public_addresses_are_open() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "223.255.255.255",
            "192.0.3.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            check(&[], address).expect(address);
        }
    }

    #[test]
    fn a_listed_range_is_open_and_nothing_beside_it() {
        check(&["10.20.0.0/16"], "10.20.255.1").unwrap();
        check(&["10.20.0.0/16"], "10.21.0.1").unwrap_err();
        check(&["0.0.0.0/0"], "127.0.0.1").unwrap();
        check(&["fd12::/16"], "fd12::1").unwrap();
        check(&["fd12::/16"], "fd13::1").unwrap_err();
        check(&["127.0.0.1"], "127.0.0.1").unwrap();
        check(&["127.0.0.1"], "127.0.0.2").unwrap_err();
    }

    #[test]
    fn an_embedded_address_needs_itself_to_be_listed() {
        check(&["10.20.0.0/16"], "::ffff:10.20.0.1").unwrap();
        check(&["10.20.0.0/16"], "64:ff9b::0a14:1").unwrap();
        check(&["10.20.0.0/16"], "::ffff:8.8.8.8").unwrap_err();
        check(&["64:ff9b::/96"], "64:ff9b::808:808").unwrap();
        check(&["64:ff9b::/96"], "64:ff9b::7f00:1").unwrap_err();
        check(&["127.0.0.0/8"], "2002:7f00:1::1").unwrap();
        check(&["192.168.0.0/16"], "2001:0:1:2:3:4:3f57:fefe").unwrap();
    }

    #[test]
    fn the_metadata_service_is_opened_by_its_own_address_only() {
        check(&["169.254.0.0/16"], "169.254.169.254").unwrap_err();
        check(&["169.254.169.254"], "169.254.169.254").unwrap();
        check(&["169.254.0.0/16"], "::ffff:169.254.169.254").unwrap_err();
        check(&["fd00::/8"], "fd00:ec2::254").unwrap_err();
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "host/8",
            "10.0.0.0/8/8",
        ] {
            IpRange::parse(text).unwrap_err();
        }
        assert_eq!(
            IpRange::parse("10.20.0.0/16").unwrap().to_string(),
            "10.20.0.0/16"
        );
    }
}
