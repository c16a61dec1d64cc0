//! Secrets that a helper program prints.

use std::{
    os::unix::fs::MetadataExt as _, path::PathBuf, process::ExitStatus, process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{LONGEST, Secret, SecretError, without_line_break};
use crate::{line::words, redact::Redactor};

/// How much of a helper's standard output is read, in bytes: a secret, a line break, and one byte that is too many.
const MOST_PRINTED: usize = LONGEST + 3;

/// How much of a helper's standard error is read, in bytes.
const LONGEST_COMPLAINT: usize = 8 << 10;

/// How much of it is shown, in bytes.
const SHOWN: usize = 300;

/// A program whose standard output is a secret. It is started without a shell, in the root folder, with nothing on its
/// standard input, and in a process group of its own, which is killed when its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// Its absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The variables of this process that it is given, where they are set. It has no others.
    pub variables: Vec<String>,
    /// How long it may take.
    pub deadline: Duration,
}

/// Why a helper gave no secret. What it wrote to its standard error is redacted and cut; what it wrote to its standard
/// output is not in here.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// The path is relative: which program that is would depend on the surroundings.
    #[error("the helper `{0}` is not named by its absolute path")]
    Relative(PathBuf),
    /// Others than its owner can change it.
    #[error(
        "the helper `{program}` has mode {mode:04o}: others than its owner can change it (`chmod go-w`)"
    )]
    Exposed {
        /// The program.
        program: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody who could change it.
    #[error(
        "the helper `{program}` belongs to user {owner}, and neither to who runs this nor to root"
    )]
    Foreign {
        /// The program.
        program: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// It could not be started, or not be listened to.
    #[error("the helper `{program}` can't be run")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long, and was killed.
    #[error("the helper `{program}` gave no secret within {deadline:?} and was killed")]
    Late {
        /// The program.
        program: PathBuf,
        /// How long it had.
        deadline: Duration,
    },
    /// It says that it failed.
    #[error("the helper `{program}` failed with {status}{}", said(.complaint))]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to its standard error.
        complaint: String,
    },
    /// What it printed can't be a secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

fn said(complaint: &str) -> String {
    if complaint.is_empty() {
        String::new()
    } else {
        format!(": {complaint}")
    }
}

/// What a helper printed, and how it ended.
struct Printed {
    out: Zeroizing<Vec<u8>>,
    complaint: Zeroizing<Vec<u8>>,
    status: ExitStatus,
}

impl Helper {
    /// Runs it, and takes what it prints, without one line break at its end.
    ///
    /// # Errors
    ///
    /// It can't be started, fails, takes too long, or prints what can't be a secret.
    pub async fn secret(&self) -> Result<Secret, HelperError> {
        if !self.program.is_absolute() {
            return Err(HelperError::Relative(self.program.clone()));
        }
        let failed = |source| HelperError::Start {
            program: self.program.clone(),
            source,
        };
        self.refuse_if_others_change()?;
        let mut child = self.command().spawn().map_err(failed)?;
        let group = Group::of(&child);
        let Ok(printed) = timeout(self.deadline, listen(&mut child)).await else {
            drop(group);
            // It is dead by now, and is only to be taken note of.
            let _ = child.wait().await;
            return Err(HelperError::Late {
                program: self.program.clone(),
                deadline: self.deadline,
            });
        };
        let printed = printed.map_err(failed)?;
        group.let_be();
        // One that printed too much may have failed because nobody read the rest.
        if !printed.status.success() && printed.out.len() < MOST_PRINTED {
            return Err(HelperError::Failed {
                program: self.program.clone(),
                status: printed.status,
                complaint: self.complaint(&printed),
            });
        }
        let secret = without_line_break(&printed.out);
        Ok(Secret::from_bytes(
            secret.to_vec(),
            &format!("the helper `{}`", self.program.display()),
        )?)
    }

    /// What others can change may not decide what is done with this user's rights.
    fn refuse_if_others_change(&self) -> Result<(), HelperError> {
        let program = self.program.clone();
        let metadata = match std::fs::metadata(&program) {
            Ok(metadata) => metadata,
            Err(source) => return Err(HelperError::Start { program, source }),
        };
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        if owner != geteuid().as_raw() && owner != 0 {
            return Err(HelperError::Foreign { program, owner });
        }
        match mode & 0o022 {
            0 => Ok(()),
            _ => Err(HelperError::Exposed { program, mode }),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for name in &self.variables {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Its standard error on one line, without what it printed and what it was given, and cut.
    fn complaint(&self, printed: &Printed) -> String {
        let redactor = Redactor::default();
        let out = String::from_utf8_lossy(&printed.out);
        let out = Zeroizing::new(out.into_owned());
        for part in out.split_whitespace().chain([out.trim()]) {
            redactor.hide("helper", &Secret::of(part));
        }
        for name in &self.variables {
            if let Ok(value) = std::env::var(name) {
                redactor.hide(name, &Secret::of(&Zeroizing::new(value)));
            }
        }
        words(&redactor, &printed.complaint, SHOWN)
    }
}

/// Takes in what a child prints, until both streams are closed and it has ended.
async fn listen(child: &mut Child) -> std::io::Result<Printed> {
    let (out, complaint) = (child.stdout.take(), child.stderr.take());
    let (out, complaint) = tokio::join!(
        take_in(out, MOST_PRINTED, Rest::Refused),
        take_in(complaint, LONGEST_COMPLAINT, Rest::Dropped)
    );
    Ok(Printed {
        out: out?,
        complaint: complaint?,
        status: child.wait().await?,
    })
}

/// What becomes of more than is wanted.
enum Rest {
    /// It is read and forgotten.
    Dropped,
    /// Nobody reads it.
    Refused,
}

async fn take_in(
    stream: Option<impl AsyncRead + Unpin>,
    most: usize,
    rest: Rest,
) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut stream = stream.ok_or_else(|| std::io::Error::other("a stream is missing"))?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut taken = Zeroizing::new(vec![0; most]);
    let mut length = 0;
    while length < most {
        match stream.read(&mut taken[length..]).await? {
            0 => break,
            read => length += read,
        }
    }
    taken.truncate(length);
    if let Rest::Dropped = rest {
        let mut piece = Zeroizing::new([0; 1024]);
        while stream.read(&mut *piece).await? > 0 {}
    }
    Ok(taken)
}

/// Kills a process group unless it is over.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Group {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Group(id.and_then(Pid::from_raw))
    }

    fn let_be(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // A group that is no more has nothing to be killed.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Helper {
        Helper {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            variables: Vec::new(),
            deadline: Duration::from_secs(20),
        }
    }

    async fn fault(helper: &Helper) -> String {
        helper.secret().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_it_prints_is_the_secret() {
        for (script, secret) in [
            ("echo hunter22", "hunter22"),
            ("printf 'a b\\n\\n'", "a b\n"),
            ("echo hunter22; echo warning >&2", "hunter22"),
            ("cat; echo \"in $PWD\"", "in /"),
        ] {
            assert_eq!(shell(script).secret().await.unwrap().expose(), secret);
        }
    }

    #[tokio::test]
    async fn it_is_given_no_variables_but_the_declared() {
        let mut helper = shell("/usr/bin/env");
        let bare = helper.secret().await.unwrap().expose().to_owned();
        // The shell itself sets a few.
        assert!(!bare.contains("HOME=") && !bare.contains("CARGO"), "{bare}");
        helper.variables = vec!["HOME".to_owned(), "SANDBOOK_NOT_SET".to_owned()];
        let some = helper.secret().await.unwrap().expose().to_owned();
        assert!(
            some.contains("HOME=") && !some.contains("SANDBOOK_NOT_SET"),
            "{some}"
        );
    }

    #[tokio::test]
    async fn a_fault_says_what_happened_and_not_what_was_printed() {
        let mut helper =
            shell("printf 'hunter22 and-more'; echo \"no: hunter22 $CARGO_PKG_NAME\" >&2; exit 3");
        helper.variables = vec!["CARGO_PKG_NAME".to_owned()];
        assert_eq!(
            fault(&helper).await,
            "the helper `/bin/sh` failed with exit status: 3: no: [secret helper] [secret CARGO_PKG_NAME]"
        );
        let long = fault(&shell("yes complaint | head -c 1000000 >&2; exit 1")).await;
        assert!(long.len() < SHOWN + 100, "{long}");
        for (script, says) in [
            ("exit 0", "is empty"),
            ("echo abc", "shorter"),
            ("yes | head -c 70000", "longer"),
            ("printf 'ab\\377cdef'", "not UTF-8"),
            ("kill -9 $$", "signal: 9"),
        ] {
            let said = fault(&shell(script)).await;
            assert!(said.contains(says) && said.contains("/bin/sh"), "{said}");
        }
        let relative = Helper {
            program: "sh".into(),
            ..shell("echo hunter22")
        };
        assert!(fault(&relative).await.contains("absolute"));
        let missing = Helper {
            program: "/no/such/program".into(),
            ..shell("")
        };
        assert!(fault(&missing).await.contains("can't be run"));
    }

    #[tokio::test]
    async fn one_that_others_can_change_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("helper");
        let note = dir.path().join("note");
        std::fs::write(
            &program,
            format!("#!/bin/sh\necho x > {}\necho hunter22\n", note.display()),
        )
        .unwrap();
        let helper = Helper {
            program: program.clone(),
            arguments: Vec::new(),
            ..shell("")
        };
        let set = |mode| std::fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
        for mode in [0o777, 0o775, 0o757] {
            set(mode);
            let said = fault(&helper).await;
            assert!(said.contains(&format!("{mode:04o}")), "{said}");
        }
        set(0o755);
        // Only root can give a file away.
        if chown(&program, Some(1), None).is_ok() {
            let said = fault(&helper).await;
            assert!(said.contains("belongs to user 1"), "{said}");
            chown(&program, Some(geteuid().as_raw()), None).unwrap();
        }
        assert!(!note.exists());
        assert_eq!(helper.secret().await.unwrap().expose(), "hunter22");
    }

    /// Whoever holds the streams open holds up nobody beyond the deadline, and is killed with its children.
    #[tokio::test]
    async fn it_and_its_children_are_killed_at_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let note = dir.path().join("pid");
        let mut helper = shell(&format!(
            "sleep 1000 & echo $! > {}; echo hunter22; sleep 1000",
            note.display()
        ));
        helper.deadline = Duration::from_secs(1);
        let begun = Instant::now();
        assert!(fault(&helper).await.contains("within 1s and was killed"));
        assert!(begun.elapsed() < Duration::from_secs(500));
        let child: i32 = std::fs::read_to_string(&note)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let proc = format!("/proc/{child}/stat");
        let is_gone = || std::fs::read_to_string(&proc).map_or(true, |stat| stat.contains(") Z "));
        for _ in 0..500 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("process {child} is still there");
    }
}
