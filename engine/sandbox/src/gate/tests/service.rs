//! A service that answers as it is told.

use std::{collections::VecDeque, sync::Arc, sync::Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::Log;

/// What the service does with a request that it has read.
pub(super) enum Reply {
    /// Sends these bytes and keeps the connection.
    Raw(String),
    /// Sends these bytes and closes it.
    Cut(String),
    /// Waits for the word, then sends these bytes.
    After(Arc<Notify>, String),
    /// Sends what it makes of the request.
    Echo(fn(&str) -> String),
}

/// An answer with a body.
pub(super) fn answer(status: u16, fields: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\n{fields}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) fn ok(body: &str) -> Reply {
    Reply::Raw(answer(200, "", body))
}

pub(super) struct Service {
    port: u16,
    /// The requests that came, whole.
    pub(super) seen: Log,
    /// A word for each connection.
    pub(super) connections: Log,
    task: tokio::task::JoinHandle<()>,
}

impl Service {
    pub(super) async fn start(log: Log, replies: Vec<Reply>) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, connections) = (Log::default(), Log::default());
        let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
        let (all, opened) = (Arc::clone(&seen), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.lock().unwrap().push("connection".to_owned());
                tokio::spawn(serve(
                    stream,
                    Arc::clone(&log),
                    Arc::clone(&all),
                    Arc::clone(&replies),
                ));
            }
        });
        Service {
            port,
            seen,
            connections,
            task,
        }
    }

    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, log: Log, seen: Log, replies: Arc<Mutex<VecDeque<Reply>>>) {
    while let Some(request) = read(&mut stream).await {
        log.lock()
            .unwrap()
            .push(request.lines().next().unwrap_or_default().to_owned());
        seen.lock().unwrap().push(request.clone());
        let reply = replies.lock().unwrap().pop_front();
        let (bytes, keep) = match reply {
            Some(Reply::Raw(bytes)) => (bytes, true),
            Some(Reply::Cut(bytes)) => (bytes, false),
            Some(Reply::After(word, bytes)) => {
                word.notified().await;
                (bytes, true)
            }
            Some(Reply::Echo(echo)) => (echo(&request), true),
            None => (answer(500, "", "not expected"), false),
        };
        if stream.write_all(bytes.as_bytes()).await.is_err() || !keep {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
        }
    }
}
