//! Why a line is not a grant.

use super::method::Methods;
use crate::suggest::closest;

/// Why a text is not a line `METHODS ORIGIN/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantFault {
    /// It isn't two words.
    #[error("it must be methods, a blank and a URL, such as `GET https://api.example.com/v1/*`")]
    Form,
    /// There is a blank in the list of methods.
    #[error("the methods are written without blanks between them, such as `GET,POST`")]
    BlankInMethods,
    /// There is a blank in the URL.
    #[error("there is a blank in its URL")]
    Blank,
    /// A method that can't be granted.
    #[error("{}", unknown_method(.0))]
    Method(String),
    /// A method is there twice, or `*` beside others.
    #[error("the method `{0}` says nothing that the others don't say")]
    MethodTwice(String),
    /// A hole where the methods are.
    #[error("a method must be written out: only a host, a port or a segment can be filled in")]
    MethodHole,
    /// It doesn't begin with `http://` or `https://`.
    #[error("its URL must begin with `https://` or `http://`, written out")]
    Scheme,
    /// There is no slash behind the origin.
    #[error("it has no path: end it with `/` for the root, or with `/**` for every path")]
    NoPath,
    /// The host isn't one.
    #[error("`{0}` is not a host")]
    Host(String),
    /// A host that ends in a dot is never matched.
    #[error("the host `{0}` ends in a dot")]
    TrailingDot(String),
    /// A `*` that isn't `*.` in front of the host.
    #[error("in a host, a wildcard can only be `*.` in front, which stands for one label or more")]
    HostWildcard,
    /// Only domains have others below them.
    #[error("`*.` can't stand in front of the address `{0}`")]
    WildcardAddress(String),
    /// The port isn't one.
    #[error("`{0}` is not a port from 1 to 65535")]
    Port(String),
    /// A hole is only a part of the port.
    #[error("a port is filled in whole or not at all")]
    PortHole,
    /// There is a user name in front of the host.
    #[error("a URL here holds no user name or password: credentials are bound by `credentials`")]
    Userinfo,
    /// There is a query.
    #[error("query strings are not matched: leave out the `?` and what follows")]
    Query,
    /// There is a fragment.
    #[error("fragments are never sent: leave out the `#` and what follows")]
    Fragment,
    /// A brace that is no hole of this kind of line.
    #[error(
        "a `{{` or `}}` in it is no hole: a runbook writes `${{{{ inputs.name }}}}`, a manifest `{{name}}`"
    )]
    Brace,
    /// A character that no URL has.
    #[error("it holds the character {0:?}")]
    Character(char),
    /// `**` is not at the end.
    #[error("`**` stands for the rest of the path: it can only be last")]
    RestNotLast,
    /// A `*` that is only a part of a segment.
    #[error(
        "`*` stands for a whole segment, and can't be a part of `{0}`; the character itself is `%2A`"
    )]
    PartWildcard(String),
    /// A segment that is `.` or `..`, or none for another reason.
    #[error("`{0}` is not a segment of a path")]
    Segment(String),
    /// A `%` that encodes nothing.
    #[error(
        "in `{0}` a `%` is not followed by two hexadecimal digits; the character itself is `%25`"
    )]
    Encoding(String),
    /// There are more holes than a line can have.
    #[error("it has too many holes")]
    Holes,
}

fn unknown_method(name: &str) -> String {
    let known = Methods::known();
    match closest(name, known.iter().copied()) {
        Some(meant) => {
            format!("`{name}` is not a method that can be granted; did you mean `{meant}`?")
        }
        None => format!(
            "`{name}` is not a method that can be granted; there are {}, and `*`",
            known.join(", ")
        ),
    }
}
