//! A range of IP addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of IP addresses, as `10.20.0.0/16` or `fd00::/8`; a single address is a range as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a text is not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrFault {
    /// The part before the slash is no IP address.
    #[error("`{0}` is not a range of addresses: write it as `10.20.0.0/16`")]
    Address(String),
    /// The part after the slash is no length of a prefix.
    #[error("`{text}` is not a range of addresses: the number after `/` is 0 to {most}")]
    Prefix {
        /// The text.
        text: String,
        /// The longest prefix of this kind of address.
        most: u8,
    },
    /// Bits behind the prefix are set.
    #[error("`{text}` has bits set behind its prefix: did you mean `{meant}`?")]
    HostBits {
        /// The text.
        text: String,
        /// The range that holds the address.
        meant: Cidr,
    },
}

impl Cidr {
    /// The first address of the range.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// How many leading bits all addresses of the range share.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

impl FromStr for Cidr {
    type Err = CidrFault;

    fn from_str(text: &str) -> Result<Cidr, CidrFault> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address
            .parse()
            .map_err(|_| CidrFault::Address(text.to_owned()))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let fault = || CidrFault::Prefix {
            text: text.to_owned(),
            most,
        };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| fault())?
            }
            Some(_) => return Err(fault()),
        };
        if prefix > most {
            return Err(fault());
        }
        let network = masked(address, prefix);
        let range = Cidr { network, prefix };
        if network == address {
            Ok(range)
        } else {
            Err(CidrFault::HostBits {
                text: text.to_owned(),
                meant: range,
            })
        }
    }
}

/// An address with the bits behind the prefix cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_shown() {
        for (text, shown) in [
            ("10.20.0.0/16", "10.20.0.0/16"),
            ("10.0.0.7", "10.0.0.7/32"),
            ("fd00::/8", "fd00::/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn faults_say_what_is_meant() {
        let said = |text: &str| text.parse::<Cidr>().unwrap_err().to_string();
        assert_eq!(
            said("10.20.1.1/16"),
            "`10.20.1.1/16` has bits set behind its prefix: did you mean `10.20.0.0/16`?"
        );
        assert_eq!(
            said("10.0.0.0/33"),
            "`10.0.0.0/33` is not a range of addresses: the number after `/` is 0 to 32"
        );
        assert_eq!(
            said("10.0.0.0/+8"),
            "`10.0.0.0/+8` is not a range of addresses: the number after `/` is 0 to 32"
        );
        assert!(said("ten").contains("write it as"));
    }
}
