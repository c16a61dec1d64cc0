//! Components that are made to keep a compiler busy, or to take all memory.

use std::fs;
use std::time::Duration;

use sandbook_sandbox::{
    ChildCompiler, CompileLimits, Compiler, LoadError, Packed, Sandbox, Settings, pack,
};

use crate::promises::stage::until;
use crate::support::{Lab, target};

/// A component of the contract's world with so many functions, each of so many branches.
fn bomb(functions: usize, branches: usize) -> Vec<u8> {
    let branch = "(if (i32.load (local.get 0)) (then (i32.store (local.get 0) (i32.load8_u (local.get 1)))) (else (local.set 0 (i32.add (local.get 0) (local.get 1)))))";
    let function = format!("(func (param i32 i32) {})", branch.repeat(branches));
    let text = TEMPLATE.replace("FUNCTIONS", &function.repeat(functions));
    wat::parse_str(text).unwrap()
}

/// A sandbox whose components are compiled by the real program, within these limits.
fn load(component: &[u8], limits: CompileLimits) -> Result<(), LoadError> {
    let compiler = Compiler::Child(ChildCompiler {
        program: target().join("debug/sandbook"),
        arguments: vec!["__compile".into()],
        limits,
    });
    let sandbox = Sandbox::new(&Settings {
        compiler,
        ..Settings::default()
    });
    let packed = Packed::read(pack(component, b"{}").unwrap()).unwrap();
    sandbox.unwrap().load(&packed).map(drop)
}

#[track_caller]
fn refused(component: &[u8], limits: CompileLimits) -> String {
    let error = load(component, limits).unwrap_err();
    std::error::Error::source(&error).unwrap().to_string()
}

#[test]
fn an_innocent_component_is_compiled_in_a_child() {
    load(&bomb(1, 1), CompileLimits::default()).unwrap();
}

#[test]
fn a_bomb_is_ended_by_its_time_its_processor_time_or_its_memory() {
    let bomb = bomb(200, 4_000);
    let usual = CompileLimits::default();
    let time = CompileLimits {
        wall: Duration::from_millis(500),
        ..usual
    };
    assert!(refused(&bomb, time).contains("more than 500ms of time"));
    let processor = CompileLimits {
        cpu: Duration::from_secs(1),
        ..usual
    };
    assert!(refused(&bomb, processor).contains("more than 1s of processor time"));
    let memory = CompileLimits {
        memory_bytes: 24 << 20,
        ..usual
    };
    let said = refused(&bomb, memory);
    assert!(said.contains("more than 24 MiB of memory"), "{said}");
    // And the next one is none the worse for it.
    load(&self::bomb(1, 1), usual).unwrap();
}

#[test]
fn code_that_grows_too_large_is_refused() {
    let limits = CompileLimits {
        code_bytes: 4 << 10,
        ..CompileLimits::default()
    };
    let said = refused(&bomb(10, 10), limits);
    assert!(said.contains("more than 4 KiB of machine code"), "{said}");
}

#[test]
fn what_is_invalid_is_said_in_the_compilers_words() {
    let invalid = TEMPLATE.replace("FUNCTIONS", "(func (result i32) (i64.const 1))");
    let said = refused(&wat::parse_str(invalid).unwrap(), CompileLimits::default());
    assert!(said.contains("type mismatch"), "{said}");
}

/// The processes that this one has started and not yet waited for.
fn children(of: u32) -> Vec<u32> {
    let path = format!("/proc/{of}/task/{of}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // What nobody has waited for yet has ended all the same.
    status.contains(") ") && !status.contains(") Z ")
}

#[test]
fn the_program_compiles_in_a_child_that_does_not_outlive_it() {
    let lab = Lab::new();
    fs::write(lab.path("bomb.wasm"), bomb(400, 4_000)).unwrap();
    lab.write("plugin.yaml", "name: bomb\nversion: 0.1.0\ndescription: x\ncontract: sandbook:step@0.1.0\ninputs: { type: object }\noutputs: { type: object }\n");
    let pack = [
        "plugin",
        "pack",
        "bomb.wasm",
        "--manifest",
        "plugin.yaml",
        "--to",
        "packed.wasm",
    ];
    lab.sandbook(&pack).ok();
    let mut parent = lab.start(&["plugin", "check", "packed.wasm"]);
    let mut found = Vec::new();
    until("a compiler is started", || {
        found = children(parent.id());
        !found.is_empty()
    });
    let child = found[0];
    until("it is the program itself", || {
        fs::read_to_string(format!("/proc/{child}/cmdline"))
            .is_ok_and(|line| line.contains("__compile"))
    });
    // It binds itself to its parent before all else; by the time that it is bounded it has done so.
    until("it has bounded itself", || {
        fs::read_to_string(format!("/proc/{child}/limits")).is_ok_and(|limits| {
            limits
                .lines()
                .any(|line| line.starts_with("Max data size") && line.contains("4294967296"))
        })
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the compiler ends too", || !is_running(child));
}

#[test]
fn the_compilers_part_is_nobodys_command() {
    let lab = Lab::new();
    lab.sandbook(&["__compile"])
        .exits(2)
        .says("this is for the engine itself");
    let mut command = lab.command(&["__compile", "1000000000", "10", "1000000"]);
    command.env("SUDO_UID", "54321");
    crate::support::Said::from(command.output().unwrap())
        .exits(2)
        .says("`__compile` is not accepted from you");
    let help = lab.sandbook(&["--help"]).ok();
    assert!(!help.out.contains("__compile"));
}

const TEMPLATE: &str = r#"
(component
  (import "sandbook:step/types@0.1.0" (instance $types
    (type $context' (record (field "run" string) (field "step" string) (field "attempt" u32)
      (field "idempotency-key" string) (field "started-at" u64) (field "deadline" u64) (field "dry-run" bool)))
    (export "context" (type $context (eq $context')))
    (type $output' (record (field "data" string) (field "changed" bool) (field "summary" string)))
    (export "output" (type $output (eq $output')))
    (type $kind' (enum "invalid-input" "unauthorized" "not-found" "conflict" "rate-limited" "unavailable"
      "timed-out" "failed"))
    (export "failure-kind" (type $kind (eq $kind')))
    (type $failure' (record (field "kind" $kind) (field "code" (option string)) (field "message" string)
      (field "retry-after" (option u64)) (field "start-over" bool)))
    (export "failure" (type $failure (eq $failure')))))
  (alias export $types "context" (type $context))
  (alias export $types "output" (type $output))
  (alias export $types "failure" (type $failure))
  (core module $main
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16384))
    (func (export "run") (param i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32) (result i32) unreachable)
    FUNCTIONS)
  (core instance $main (instantiate $main))
  (func $run (param "context" $context) (param "input" string) (result (result $output (error $failure)))
    (canon lift (core func $main "run") (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (instance $step (export "run" (func $run)))
  (export "step" (instance $step)))
"#;
