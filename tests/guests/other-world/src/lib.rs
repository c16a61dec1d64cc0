//! A good component, but of another world than a step's: the engine is to say so. It has no manifest.

#[cfg(target_family = "wasm")]
#[expect(
    unsafe_code,
    reason = "generated: this guest does without the SDK, which knows only steps"
)]
mod greeter {
    wit_bindgen::generate!({
        inline: r#"
            package elsewhere:greetings;

            world greeter {
                export greet: func(name: string) -> string;
            }
        "#,
    });

    struct Greeter;

    impl Guest for Greeter {
        fn greet(name: String) -> String {
            format!("hello, {name}")
        }
    }

    export!(Greeter);
}
