use std::net::IpAddr;

/// An address or a block as Azure writes it: `192.0.2.1` is `192.0.2.1/32`. `None`: it is neither.
pub(crate) fn block(text: &str) -> Option<String> {
    let (address, prefix) = match text.trim().split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(longest);
    (prefix <= longest).then(|| format!("{address}/{prefix}"))
}

/// The same for what a rule holds, which may be several with commas between them, or a service's tag: that is left as it is.
pub(crate) fn blocks(text: &str) -> String {
    text.split(',')
        .map(|part| block(part).unwrap_or_else(|| part.trim().to_owned()))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_block_of_its_own() {
        assert_eq!(block("192.0.2.1").as_deref(), Some("192.0.2.1/32"));
        assert_eq!(block(" 10.0.0.0/8 ").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(block("2400:CB00:0::/32").as_deref(), Some("2400:cb00::/32"));
        assert_eq!(blocks("10.0.0.1, 10.0.0.2/32"), "10.0.0.1/32,10.0.0.2/32");
        assert_eq!(blocks("AzureFrontDoor.Backend"), "AzureFrontDoor.Backend");
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none() {
        for text in [
            "",
            "office",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.1/",
        ] {
            assert_eq!(block(text), None, "{text}");
        }
    }
}
