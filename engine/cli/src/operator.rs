//! Who runs this: the person behind sudo, else the real user.

use std::env;
use std::fs;

use sandbook_journal::Operator;

/// The operator: `SUDO_UID` where it is set and is a number, else the real user.
pub(crate) fn operator() -> Operator {
    let behind = env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    named(behind.unwrap_or_else(|| rustix::process::getuid().as_raw()))
}

/// The account that the process runs as.
pub(crate) fn account() -> Operator {
    named(rustix::process::geteuid().as_raw())
}

/// An account that isn't in the file (LDAP, a container) is shown by its number.
fn named(uid: u32) -> Operator {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(uid, &accounts).map_or_else(|| uid.to_string(), str::to_owned);
    Operator { uid, name }
}

fn name_of(uid: u32, accounts: &str) -> Option<&str> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number = fields.nth(1)?;
        (number.parse() == Ok(uid) && !name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\n# a remark\nana:x:1000:100::/home/ana:/bin/sh\n";
        assert_eq!(name_of(1000, accounts), Some("ana"));
        assert_eq!(name_of(0, accounts), Some("root"));
        assert_eq!(name_of(100, accounts), None);
    }
}
