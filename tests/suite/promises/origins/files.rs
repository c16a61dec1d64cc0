//! A server of files on loopback.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// It serves what it is given, by path, as long as the process lives. What it doesn't have is not found.
pub(super) struct Files {
    port: u16,
    kept: Kept,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Files {
    pub(super) fn start() -> Files {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let files = Files {
            port: listener.local_addr().unwrap().port(),
            kept: Kept::default(),
            asked: Arc::default(),
        };
        let (kept, asked) = (files.kept.clone(), files.asked.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n")
                    && stream.read(&mut byte).is_ok_and(|read| read == 1)
                {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let found = kept.lock().unwrap().get(&path).cloned();
                asked.lock().unwrap().push(path);
                let status = if found.is_some() {
                    "200 OK"
                } else {
                    "404 Not Found"
                };
                let body = found.unwrap_or_default();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                // Whoever has gone doesn't want it.
                let _ = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&body));
            }
        });
        files
    }

    pub(super) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.kept
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.into());
    }

    pub(super) fn take(&self, path: &str) {
        self.kept.lock().unwrap().remove(path);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How often anything was asked for.
    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}
