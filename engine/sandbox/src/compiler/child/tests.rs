//! With programs of the system in the place of the compiler; with the compiler itself it is tested by the suite.

use super::*;

fn shell(script: &str, limits: CompileLimits) -> Result<Vec<u8>, String> {
    let compiler = ChildCompiler {
        program: "/bin/sh".into(),
        arguments: ["-c", script, "sh"].map(Into::into).to_vec(),
        limits,
    };
    let compiled = compiler.compile(&[b'x'; 100_000]);
    compiled.map_err(|error| error.to_string())
}

#[test]
fn what_it_reads_is_the_component_and_what_it_writes_the_code() {
    let code = shell("cat; echo \"$@\"", CompileLimits::default()).unwrap();
    let (component, bounds) = code.split_at(100_000);
    assert!(component.iter().all(|byte| *byte == b'x'));
    assert_eq!(bounds, b"4294967296 600 268435456\n");
}

#[test]
fn one_that_does_not_end_is_ended() {
    let limits = CompileLimits {
        wall: Duration::from_millis(100),
        ..CompileLimits::default()
    };
    assert_eq!(
        shell("exec sleep 600", limits).unwrap_err(),
        "compiling it takes more than 100ms of time, and no component may take more"
    );
}

#[test]
fn how_it_ended_says_what_was_used_up() {
    let ended = |script: &str| shell(script, CompileLimits::default()).unwrap_err();
    for (script, said) in [
        ("kill -XCPU $$", "more than 600s of processor time"),
        ("kill -XFSZ $$", "more than 256 MiB of machine code"),
        ("kill -KILL $$", "more than 4 GiB of memory"),
        (
            "echo memory allocation of 7 bytes failed >&2; kill -ABRT $$",
            "more than 4 GiB of memory",
        ),
        ("echo no good >&2; exit 1", "no good"),
        ("echo odd >&2; exit 7", "(exit status: 7: odd)"),
    ] {
        let message = ended(script);
        assert!(message.contains(said), "{script}: {message}");
    }
}

#[test]
fn one_that_floods_is_cut() {
    let limits = CompileLimits {
        code_bytes: 10,
        ..CompileLimits::default()
    };
    assert_eq!(shell("printf 1234567890", limits).unwrap(), b"1234567890");
    let too_much = shell("printf 12345678901", limits).unwrap_err();
    assert!(too_much.contains("10 bytes of machine code"), "{too_much}");
    let flooded = shell(
        "head -c 1000000 /dev/zero >&2; exit 7",
        CompileLimits::default(),
    );
    assert!(flooded.unwrap_err().len() < 10_000);
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let compiler = ChildCompiler {
        program: "/nonexistent".into(),
        arguments: Vec::new(),
        limits: CompileLimits::default(),
    };
    assert!(matches!(compiler.compile(b""), Err(CompileError::Start(_))));
}
