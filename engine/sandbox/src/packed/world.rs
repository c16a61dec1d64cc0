//! What a plugin may import.

/// The interfaces of `sandbook:step`, version 0.1.
const STEP: &[&str] = &[
    "types", "http", "secrets", "reveal", "log", "progress", "timer",
];

/// The interfaces of WASI 0.2 that are linked. Those of [`WASI_HTTP`] are only where a manifest says so.
const WASI: &[&str] = &[
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "filesystem/preopens",
    "filesystem/types",
    "http/outgoing-handler",
    "http/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
];

/// How the names of imports begin for which a manifest has to say `wasi_http: true`.
const WASI_HTTP: &str = "wasi:http/";

/// Whether this import is there only for plugins whose manifest says so.
pub(super) fn is_wasi_http(import: &str) -> bool {
    import.starts_with(WASI_HTTP)
}

/// Whether there is an interface of this name, such as `wasi:io/poll@0.2.6`. Within 0.1 and within
/// 0.2 a version only adds; a function that isn't there yet is found when the plugin is loaded.
pub(super) fn offers(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else {
        return false;
    };
    let at = |minor: &str| {
        version
            .strip_prefix(minor)
            .is_some_and(|patch| patch.parse::<u32>().is_ok())
    };
    if let Some(interface) = name.strip_prefix("sandbook:step/") {
        STEP.contains(&interface) && at("0.1.")
    } else if let Some(interface) = name.strip_prefix("wasi:") {
        WASI.contains(&interface) && at("0.2.")
    } else {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_offered() {
        for import in [
            "sandbook:step/http@0.1.0",
            "sandbook:step/types@0.1.5",
            "wasi:cli/stdout@0.2.9",
            "wasi:http/outgoing-handler@0.2.3",
        ] {
            assert!(offers(import), "{import}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for import in [
            "sandbook:step/http",
            "sandbook:step/http@0.2.0",
            "sandbook:step/http@0.1.0-rc",
            "sandbook:step/files@0.1.0",
            "wasi:http/incoming-handler@0.2.3",
            "wasi:http/handler@0.3.0",
            "wasi:io/poll@0.3.0",
            "acme:thing/x@0.1.0",
            "http",
        ] {
            assert!(!offers(import), "{import}");
        }
    }
}
