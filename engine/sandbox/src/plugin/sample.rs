//! Components for tests, in WebAssembly's text form, with the canonical ABI done by hand.

/// A component whose `run` does as `code` says and then succeeds with `{"n":1}` and "all well".
///
/// `code` may call `$log` (level, pointer, length), `$sleep` (i64), `$random` (gives i64), `$send` with a
/// DELETE of `https://example.com/x` made ready by `$delete`, and use the locals `$a`, `$b` and the
/// memory from 8192 on.
pub(crate) fn component(code: &str) -> Vec<u8> {
    answering(code, "{\"n\":1}", "all well")
}

/// [`component`] with another answer; both texts have fewer than 1,000 bytes.
pub(crate) fn answering(code: &str, data: &str, summary: &str) -> Vec<u8> {
    wat::parse_str(text(code, data, summary)).unwrap()
}

/// [`component`] with this put into its core module, and this beside it.
pub(crate) fn larger(code: &str, in_module: &str, beside: &str) -> Vec<u8> {
    let text = text(code, "{\"n\":1}", "all well")
        .replace(
            "    (func $recurse",
            &format!("{in_module}\n    (func $recurse"),
        )
        .replace(
            "  (core instance $main",
            &format!("{beside}\n  (core instance $main"),
        );
    wat::parse_str(text).unwrap()
}

fn text(code: &str, data: &str, summary: &str) -> String {
    TEMPLATE
        .replace("CODE", code)
        .replace("DATA_LENGTH", &data.len().to_string())
        .replace("DATA_TEXT", &escaped(data))
        .replace("SUMMARY_LENGTH", &summary.len().to_string())
        .replace("SUMMARY_TEXT", &escaped(summary))
}

/// One that imports `log.shout`, which there is not.
pub(crate) fn newer() -> Vec<u8> {
    wat::parse_str(text("", "{}", "").replace("\"write\"", "\"shout\"")).unwrap()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// `result<output, failure>` is returned at 1024; its payload begins at 1032, for `failure` is
/// aligned to 8.
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

  (import "sandbook:step/secrets@0.1.0" (instance $secrets
    (export "credential" (type (sub resource)))))
  (alias export $secrets "credential" (type $credential))
  (import "sandbook:step/http@0.1.0" (instance $http
    (alias outer 1 $credential (type $credential'))
    (export "credential" (type $credential (eq $credential')))
    (type $header' (record (field "name" string) (field "value" string)))
    (export "header" (type $header (eq $header')))
    (type $request' (record (field "method" string) (field "url" string) (field "headers" (list $header))
      (field "body" (option (list u8))) (field "repeatable" (option bool)) (field "timeout" (option u64))))
    (export "request" (type $request (eq $request')))
    (type $response' (record (field "status" u16) (field "headers" (list $header)) (field "body" (list u8))))
    (export "response" (type $response (eq $response')))
    (type $error' (variant (case "denied" string) (case "held-back") (case "unreachable" string)
      (case "timed-out" string) (case "too-large" string) (case "malformed" string)))
    (export "error" (type $error (eq $error')))
    (export "send" (func (param "request" $request) (param "credential" (option (borrow $credential)))
      (result (result $response (error $error)))))))
  (import "sandbook:step/log@0.1.0" (instance $log
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (import "sandbook:step/timer@0.1.0" (instance $timer (export "sleep" (func (param "duration" u64)))))
  (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))

  (core module $libc
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 16384))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $top)
      (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $libc (instantiate $libc))
  (core func $write (canon lower (func $log "write") (memory (core memory $libc "memory"))))
  (core func $sleep (canon lower (func $timer "sleep")))
  (core func $random (canon lower (func $random "get-random-u64")))
  (core func $send (canon lower (func $http "send") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core instance $host
    (export "log" (func $write))
    (export "sleep" (func $sleep))
    (export "random" (func $random))
    (export "send" (func $send)))

  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "host" "sleep" (func $sleep (param i64)))
    (import "host" "random" (func $random (result i64)))
    (import "host" "send" (func $send
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32)))
    (data (i32.const 2048) "DATA_TEXT")
    (data (i32.const 3072) "SUMMARY_TEXT")
    (data (i32.const 4096) "hello from the guest\1b\n")
    (data (i32.const 4200) "DELETE")
    (data (i32.const 4210) "https://example.com/x")
    (func $recurse (call $recurse) (call $recurse))
    (func $delete
      (call $send (i32.const 4200) (i32.const 6) (i32.const 4210) (i32.const 21) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0)
        (i32.const 0) (i32.const 0) (i32.const 8000)))
    (func $run (export "run") (param i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32) (result i32)
      (local $a i32) (local $b i64)
      CODE
      (i32.store (i32.const 1032) (i32.const 2048))
      (i32.store (i32.const 1036) (i32.const DATA_LENGTH))
      (i32.store (i32.const 1040) (i32.const 1))
      (i32.store (i32.const 1044) (i32.const 3072))
      (i32.store (i32.const 1048) (i32.const SUMMARY_LENGTH))
      (i32.const 1024)))
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "host" (instance $host))))

  (func $run (param "context" $context) (param "input" string) (result (result $output (error $failure)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (instance $step (export "run" (func $run)))
  (export "step" (instance $step)))
"#;
