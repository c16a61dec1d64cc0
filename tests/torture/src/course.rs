//! The runbooks that are tortured, and what people do to their runs.

use std::fmt;

const ECHO: &str = "https://echo.simcloud.test";

/// A runbook, and how a run of it goes when nothing disturbs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Course {
    /// Parallel steps, retries, a wait and an approval; it succeeds, and is undone.
    Undone,
    /// The same, cancelled where it waits for the approval, and undone.
    Cancelled,
    /// The same without the approval; a step breaks, and asks for what was done to be undone.
    Broken,
    /// `runbooks/restore-site.yaml` in its demo environment, with short waits between attempts.
    Flagship,
}

impl Course {
    /// All of them.
    pub const ALL: [Course; 4] = [
        Course::Undone,
        Course::Cancelled,
        Course::Broken,
        Course::Flagship,
    ];

    /// Those in which every request is known, so that every failpoint can be hit.
    pub const SMALL: [Course; 3] = [Course::Undone, Course::Cancelled, Course::Broken];

    /// Steps that call no plugin.
    pub(crate) const BUILT_IN: [&str; 3] = ["pause", "confirm", "broken"];

    /// What starts it.
    pub(crate) fn start(self) -> &'static [&'static str] {
        match self {
            Course::Flagship => &["run", "restore-site", "-i", "failed_region=east", "--yes"],
            _ => &["run", "job", "--env", "test", "--yes"],
        }
    }

    /// The runbook `job`.
    pub(crate) fn job(self) -> String {
        let posts = step(
            "posts",
            "[]",
            &[
                &send("POST", "posts/one"),
                &send("PUT", "posts/put"),
                &send("POST", "posts/two"),
                "{ do: fail_unless, attempt: 2, kind: unavailable }",
                &send("POST", "posts/three"),
            ],
        );
        let puts = step(
            "puts",
            "[]",
            &[
                &send("PUT", "puts/one"),
                "{ do: random }",
                &send("GET", "puts/look"),
                &send("POST", "puts/two"),
            ],
        );
        let after = step("after", "[confirm]", &[&send("POST", "after/one")]);
        let confirm =
            "  - { id: confirm, needs: [posts, puts, pause], approval: { message: go on? } }\n";
        let broken = "  - { id: broken, needs: [posts, puts, pause], on_failure: rollback, assert: { condition: 'false', message: no } }\n";
        let end = match self {
            Course::Broken => broken.to_owned(),
            _ => format!("{confirm}{after}"),
        };
        let tell = step("tell", "[]", &[&send("POST", "tell/one")]);
        let tell = tell.split("    rollback:").next().unwrap_or_default();
        format!(
            "name: job\nsteps:\n{posts}{puts}  - {{ id: pause, needs: [], wait: 20ms }}\n{end}finally:\n{tell}"
        )
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Course::Undone => "undone",
            Course::Cancelled => "cancelled",
            Course::Broken => "broken",
            Course::Flagship => "flagship",
        })
    }
}

/// A step that does this, and one that undoes it.
fn step(id: &str, needs: &str, actions: &[&str]) -> String {
    let using = "uses: puppet, allow: [\"* https://echo.simcloud.test/**\"], retry: { attempts: 4, delay: 5ms }";
    let done = format!("{{ do: return, data: {{ text: {id} }}, changed: true }}");
    let undo = send("POST", &format!("undo/{id}"));
    format!(
        "  - id: {id}
    needs: {needs}
    uses: puppet
    allow: [\"* {ECHO}/**\"]
    retry: {{ attempts: 4, delay: 5ms }}
    with: {{ actions: [{}, {done}] }}
    rollback: {{ {using}, with: {{ actions: [{undo}, {{ do: return, changed: true, data: {{ text: undone }} }}] }} }}
",
        actions.join(", ")
    )
}

/// A request that gives up long before the longest delay of the simulated cloud.
fn send(method: &str, path: &str) -> String {
    format!(
        "{{ do: send, method: {method}, url: \"{ECHO}/{path}\", must: true, timeout_milliseconds: 250 }}"
    )
}
