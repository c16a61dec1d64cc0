//! Set-up and chores. It depends on nothing, so that it builds in a second.

mod bench;
mod check;
mod demo;
mod examples;
mod fuzz;
mod guests;
mod process;
mod test;
mod tools;
mod torture;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo [--keep]   bring a website back: start a simulated cloud whose site is down, run
                  runbooks/restore-site.yaml against it, and show the site again; --keep leaves the
                  cloud running and says what to try next
  test [ARG…]     build the plugins and run all tests; arguments go to the test runner
  plugins         build and pack the plugins (target/plugins), the test guests (target/test-plugins) and those of
                  the examples in other languages that build quickly, C and TypeScript (target/examples)
  examples        build and pack the examples in all languages; their toolchains are got into target/tools
  check           format, clippy with warnings denied, and the docs, of host and guests
  bench [NAME…]   measure the engine against bare floors, and print ratios
  torture [--minutes N] [--seed S] [--jobs J] [--trial N]
                  kill runs, lose answers, resume and compare for so long (a minute), and print counts;
                  --trial repeats one of a seed's trials
  fuzz [--seconds N] [TARGET…]
                  look for texts that break what reads them, each target for so long (a minute), with
                  cargo-fuzz; what is found is left in tests/fuzz/found, where the tests read it
  ci              what CI runs: check, then test

The first build compiles the WebAssembly runtime: seven minutes on two cores, once. After that the
plugins take seconds and the tests a minute or two. `rustup` is asked for the wasm32-wasip2 target
where it is missing.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let done = match command {
        "demo" => demo::demo(rest),
        "test" => test::test(rest),
        "plugins" => guests::build_and_pack().and_then(|()| examples::build_light()),
        "examples" => guests::build_and_pack().and_then(|()| examples::build_all()),
        "check" => check::check(),
        "bench" => bench::bench(rest),
        "torture" => torture::torture(rest),
        "fuzz" => fuzz::fuzz(rest),
        "ci" => check::check().and_then(|()| test::test(rest)),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!(
            "there is no command `{other}`; `cargo xtask help` lists them"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
