//! What is asked of the command line wrongly, or incompletely.

use insta::assert_snapshot;

use super::desk;
use crate::support::plain::plain;

#[test]
fn what_is_given_wrongly_is_refused_with_the_next_step() {
    let (cloud, lab) = desk();
    let mut said = String::new();
    for arguments in [
        &["run", "tell", "--env", "drill"][..],
        &["run", "tell", "--env", "drill", "-i", "text="],
        &[
            "run", "tell", "--env", "drill", "-i", "text=a", "-i", "tims=2",
        ],
        &[
            "run",
            "tell",
            "--env",
            "drill",
            "-i",
            "text=a",
            "-i",
            "times=many",
        ],
        &[
            "run", "tell", "--env", "drill", "-i", "text=a", "-i", "times=9",
        ],
        &["run", "tell", "--env", "drill", "-i", "text"],
        &["run", "tell", "--env", "drill", "-i", "text=@nofile"],
        &["run", "tell", "--env", "drill", "--inputs", "nofile"],
        &["run", "./nowhere.yaml", "--env", "drill"],
        &["run", "./environments/", "--env", "drill"],
        &["run", "tell", "--env", "dril", "-i", "text=a"],
        &["run", "tell", "-i", "text=a"],
        &["run", "tel", "--env", "drill"],
        &["frobnicate"],
    ] {
        let refused = lab.sandbook(arguments).exits(2);
        said.push_str(&format!(
            "$ sandbook {}\n{}\n",
            arguments.join(" "),
            refused.err
        ));
    }
    assert_snapshot!(plain(&said, &lab));
    assert!(cloud.requests().is_empty());
}
