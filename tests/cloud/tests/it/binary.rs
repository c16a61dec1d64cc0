use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn simcloud() -> Command {
    Command::new(env!("CARGO_BIN_EXE_simcloud"))
}

#[test]
fn it_says_where_it_listens() {
    let mut child = simcloud()
        .args(["--down", "none"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim_end()
        .strip_prefix("simcloud listening on http://")
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(
            b"GET /health HTTP/1.1\r\nHost: www.example-shop.com\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.ends_with(r#"{"region":"east","database_writer":"east","writable":true}"#),
        "{answer}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_prints_its_world() {
    let printed = simcloud().arg("--world").output().unwrap();
    assert!(printed.status.success());
    let world: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(world, simcloud::world::describe());
}
