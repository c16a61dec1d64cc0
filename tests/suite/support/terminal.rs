//! A terminal with the binary on it: what a person would see there, and what they type.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// How many lines that have left the screen are remembered.
const REMEMBERED: usize = 1000;

/// A pseudo-terminal, a process whose three standard streams it is, and what is on the screen.
pub(crate) struct Terminal {
    keyboard: File,
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
    eyes: JoinHandle<()>,
}

impl Terminal {
    /// As most people have one.
    pub(crate) const USUAL: (u16, u16) = (40, 100);

    /// Starts the command on a terminal of that many rows and columns.
    pub(crate) fn start(mut command: Command, (rows, columns): (u16, u16)) -> Terminal {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let stream = || -> Stdio {
            let mut options = OpenOptions::new();
            let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
            let options = options.read(true).write(true).custom_flags(flags);
            OwnedFd::from(options.open(name.to_str().unwrap()).unwrap()).into()
        };
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        // It holds the terminal's other side open, which would then never end.
        drop(command);
        // What a person's own terminal shows doesn't depend on what the process believes of its size.
        let (rows, columns) = (rows.clamp(10, 100), columns.clamp(20, 250));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, REMEMBERED)));
        let keyboard = File::from(master);
        let mut shown = keyboard.try_clone().unwrap();
        let seen = Arc::clone(&screen);
        let eyes = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the last process on a terminal reads as an error.
            while let Ok(read @ 1..) = shown.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..read]);
            }
        });
        Terminal {
            keyboard,
            child,
            screen,
            eyes,
        }
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) {
        let begun = Instant::now();
        while !self.screen().contains(text) {
            let screen = self.screen();
            let patient = begun.elapsed() < Duration::from_secs(30);
            assert!(patient, "`{text}` is never on the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types this, once somebody reads keys: until then the terminal itself would show what is typed.
    #[track_caller]
    pub(crate) fn types(&mut self, keys: &str) {
        let begun = Instant::now();
        let echoes = || {
            let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
            modes.contains(LocalModes::ECHO)
        };
        while echoes() {
            let screen = self.screen();
            let patient = begun.elapsed() < Duration::from_secs(30);
            assert!(patient, "nobody reads `{keys}`:\n{screen}");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end: how the process ended, and what is on the screen then.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        self.eyes.join().unwrap();
        let screen = self.screen.lock().unwrap().screen().contents();
        (status, screen)
    }
}
