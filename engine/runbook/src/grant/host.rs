//! Which hosts a grant means.

use std::fmt;

use url::{Host, Url};

/// One host, or all hosts below a domain.
///
/// Hosts are kept and compared in the `url` crate's canonical form: lower case, punycode, addresses
/// written one way. A host that ends in a dot is in no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum HostPattern {
    /// Exactly this one: a domain or an address.
    Exactly(Host<String>),
    /// Every domain that is this one with one label or more in front of it.
    Below(String),
}

/// Why a text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostFault {
    /// The `url` crate doesn't take it.
    Malformed,
    /// It ends in a dot.
    TrailingDot,
    /// `*.` stands in front of an address.
    WildcardAddress,
}

impl HostPattern {
    /// Reads a host that is to be matched exactly.
    pub(super) fn exactly(text: &str) -> Result<HostPattern, HostFault> {
        host(text).map(HostPattern::Exactly)
    }

    /// Reads the domain that `*.` stands in front of.
    pub(super) fn below(text: &str) -> Result<HostPattern, HostFault> {
        match host(text)? {
            Host::Domain(domain) => Ok(HostPattern::Below(domain)),
            Host::Ipv4(_) | Host::Ipv6(_) => Err(HostFault::WildcardAddress),
        }
    }

    /// Whether it is a domain, not an address.
    pub(super) fn is_domain(&self) -> bool {
        matches!(
            self,
            HostPattern::Exactly(Host::Domain(_)) | HostPattern::Below(_)
        )
    }

    pub(super) fn permits(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (HostPattern::Exactly(Host::Domain(own)), Host::Domain(asked)) => own == asked,
            (HostPattern::Exactly(Host::Ipv4(own)), Host::Ipv4(asked)) => own == asked,
            (HostPattern::Exactly(Host::Ipv6(own)), Host::Ipv6(asked)) => own == asked,
            (HostPattern::Below(own), Host::Domain(asked)) => is_below(asked, own),
            _ => false,
        }
    }

    /// Whether every host that the other permits is permitted here.
    pub(super) fn covers(&self, other: &HostPattern) -> bool {
        match (self, other) {
            (HostPattern::Below(own), HostPattern::Below(others)) => {
                own == others || is_below(others, own)
            }
            (HostPattern::Exactly(_), HostPattern::Below(_)) => false,
            (_, HostPattern::Exactly(host)) => self.permits(&borrowed(host)),
        }
    }

    /// Whether there is a host that both permit: of two patterns that share one, one covers the other.
    pub(super) fn overlaps(&self, other: &HostPattern) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Exactly(host) => host.fmt(f),
            HostPattern::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

/// The canonical form of a host, by way of a URL, so that the rules are those that requests follow.
fn host(text: &str) -> Result<Host<String>, HostFault> {
    if text.ends_with('.') {
        return Err(HostFault::TrailingDot);
    }
    // A default port would vanish in the URL, and it takes a `*` for a letter.
    // An encoded host is refused in requests too.
    if text.contains(['*', '%'])
        || text.contains(':') && !(text.starts_with('[') && text.ends_with(']'))
    {
        return Err(HostFault::Malformed);
    }
    let url = Url::parse(&format!("http://{text}/")).map_err(|_| HostFault::Malformed)?;
    let only_host = url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    match url.host() {
        // A letter of another script may have become a `*`: in the canonical line it would be a wildcard.
        Some(Host::Domain(domain)) if domain.contains('*') => Err(HostFault::Malformed),
        // Or a dot at the end.
        Some(Host::Domain(domain)) if domain.ends_with('.') => Err(HostFault::TrailingDot),
        Some(host) if only_host => Ok(host.to_owned()),
        _ => Err(HostFault::Malformed),
    }
}

fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(domain) => Host::Domain(domain),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn is_below(domain: &str, above: &str) -> bool {
    domain
        .strip_suffix(above)
        .and_then(|front| front.strip_suffix('.'))
        .is_some_and(|labels| !labels.is_empty() && !labels.split('.').any(str::is_empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(pattern: &HostPattern, host: &str) -> bool {
        pattern.permits(
            &Url::parse(&format!("https://{host}/"))
                .unwrap()
                .host()
                .unwrap(),
        )
    }

    #[test]
    fn a_host_is_compared_in_its_canonical_form() {
        let pattern = HostPattern::exactly("API.Bücher.example").unwrap();
        assert_eq!(pattern.to_string(), "api.xn--bcher-kva.example");
        assert!(permits(&pattern, "api.BÜCHER.example"));
        assert!(!permits(&pattern, "api.xn--bcher-kva.example."));
        assert!(!permits(&pattern, "x.api.xn--bcher-kva.example"));
    }

    #[test]
    fn a_wildcard_is_one_label_or_more() {
        let pattern = HostPattern::below("azurewebsites.net").unwrap();
        assert!(permits(&pattern, "east.azurewebsites.net"));
        assert!(permits(&pattern, "a.b.azurewebsites.net"));
        assert!(!permits(&pattern, "azurewebsites.net"));
        assert!(!permits(&pattern, "evilazurewebsites.net"));
        assert!(!permits(&pattern, "east.azurewebsites.net."));
        assert!(!permits(&pattern, "east.azurewebsites.net.evil.example"));
        assert!(!permits(&pattern, ".azurewebsites.net"));
    }

    #[test]
    fn addresses_are_hosts_of_their_own() {
        let pattern = HostPattern::exactly("127.0.0.1").unwrap();
        assert!(permits(&pattern, "0x7f.1"));
        assert!(!permits(&pattern, "[::ffff:127.0.0.1]"));
        assert_eq!(HostPattern::exactly("[::1]").unwrap().to_string(), "[::1]");
        assert_eq!(HostPattern::below("0.0.1"), Err(HostFault::WildcardAddress));
    }

    #[test]
    fn what_says_more_than_a_host_is_none() {
        for text in [
            "", "u@h", "h:80", "h/p", "h?q", "h#f", "a b", "%2f", "h\\x", "*", "a%2Ab", "＊.h",
            "a＊b",
        ] {
            assert_eq!(
                HostPattern::exactly(text),
                Err(HostFault::Malformed),
                "{text}"
            );
        }
        for text in ["h.", "．", "h．"] {
            assert_eq!(HostPattern::exactly(text), Err(HostFault::TrailingDot));
        }
    }

    #[test]
    fn covering_follows_the_labels() {
        let below = |text| HostPattern::below(text).unwrap();
        let exactly = |text| HostPattern::exactly(text).unwrap();
        assert!(below("a.example").covers(&below("b.a.example")));
        assert!(below("a.example").covers(&exactly("b.a.example")));
        assert!(!below("a.example").covers(&exactly("a.example")));
        assert!(!below("b.a.example").covers(&below("a.example")));
        assert!(below("b.a.example").overlaps(&below("a.example")));
        assert!(!exactly("b.a.example").covers(&below("b.a.example")));
    }
}
