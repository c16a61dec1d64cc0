//! What people use today: the same work done by Ansible, where it is installed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::seconds;
use crate::runbook::{Order, asking, idle};
use crate::server;
use crate::workshop::Workshop;

pub(crate) fn ansible(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let Some(program) = installed("ansible-playbook") else {
        let why = "`ansible-playbook` is not on the path (`pip install ansible-core` in a virtual environment)";
        return Ok(vec![Finding::Skipped {
            why: why.to_owned(),
        }]);
    };
    let server = server::start()?;
    let url = format!("http://{server}/health");
    let folder = workshop.folder("ansible-playbooks")?;
    let commands = playbook(
        &folder.join("commands.yaml"),
        100,
        "ansible.builtin.command: /bin/true",
    )?;
    let uris = playbook(
        &folder.join("uris.yaml"),
        10,
        &format!("ansible.builtin.uri: {{ url: \"{url}\" }}"),
    )?;
    let ansible = |playbook: &Path| {
        let mut command = Command::new(&program);
        command
            .args(["--inventory", "localhost,", "--connection", "local"])
            // The tasks run under the interpreter that Ansible itself runs under; a search could find a broken one.
            .args([
                "--extra-vars",
                "ansible_python_interpreter={{ ansible_playbook_python }}",
            ])
            .arg(playbook);
        command
    };

    let project = workshop.project("ansible")?;
    project.reach(server)?;
    project.write("idle", &idle(100, Order::Sequence))?;
    project.write("asking", &asking(10, &url))?;
    let errors = workshop.errors();
    let against_commands = Pairs::take(
        3,
        || seconds(ansible(&commands), &errors),
        || seconds(project.run("idle"), &errors),
    )?;
    let against_uris = Pairs::take(
        5,
        || seconds(ansible(&uris), &errors),
        || seconds(project.run_asking("asking"), &errors),
    )?;
    Ok(vec![
        Finding::Ratio(Comparison {
            what: "how many times faster 100 steps are than 100 tasks that run /bin/true, whole process".to_owned(),
            sides: ["ansible-playbook, `command: /bin/true`", "sandbook run"],
            unit: Unit::Seconds,
            pairs: against_commands,
            bound: Bound::None,
        }),
        Finding::Ratio(Comparison {
            what: "how many times faster 10 steps with a request are than 10 `uri` tasks, whole process".to_owned(),
            sides: ["ansible-playbook, `uri`", "sandbook run"],
            unit: Unit::Seconds,
            pairs: against_uris,
            bound: Bound::None,
        }),
    ])
}

/// Writes a playbook of so many equal tasks.
fn playbook(path: &Path, tasks: usize, task: &str) -> Outcome<PathBuf> {
    let mut text = "- hosts: localhost\n  gather_facts: false\n  tasks:\n".to_owned();
    for number in 1..=tasks {
        writeln!(text, "    - name: task {number}\n      {task}")?;
    }
    std::fs::write(path, text)?;
    Ok(path.to_owned())
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
