//! The files of a new plugin, by language. They lie in `engine/cli/templates`; the contract's in `wit`.

use std::borrow::Cow;

use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER;

use crate::arguments::Language;
use crate::command::plugin::toolchains;

/// The wasmtime that the adapter belongs to.
const ADAPTER_VERSION: &str = "48.0.8";

/// A file of a new plugin.
pub(super) struct File {
    /// Where it lies in the plugin's folder.
    pub(super) path: String,
    /// What is in it.
    pub(super) contents: Cow<'static, [u8]>,
}

/// A text of the templates, with holes.
struct Text {
    path: &'static str,
    text: &'static str,
}

/// Texts of a language's folder, by their paths in the new plugin.
macro_rules! texts {
    ($folder:literal: $($file:literal $(as $path:literal)?),* $(,)?) => {
        &[$(Text {
            path: texts!(@path $file $($path)?),
            text: include_str!(concat!("../../../../templates/", $folder, "/", $file)),
        }),*]
    };
    (@path $file:literal) => { $file };
    (@path $file:literal $path:literal) => { $path };
}

const COMMON: &[Text] = texts!(".": "cases.yaml", "plugin.yaml");

const CONTRACT: &[Text] = &[
    Text {
        path: "wit/http.wit",
        text: include_str!("../../../../../../wit/http.wit"),
    },
    Text {
        path: "wit/log.wit",
        text: include_str!("../../../../../../wit/log.wit"),
    },
    Text {
        path: "wit/secrets.wit",
        text: include_str!("../../../../../../wit/secrets.wit"),
    },
    Text {
        path: "wit/step.wit",
        text: include_str!("../../../../../../wit/step.wit"),
    },
    Text {
        path: "wit/types.wit",
        text: include_str!("../../../../../../wit/types.wit"),
    },
];

const RUST: &[Text] = texts!("rust":
    "build.sh",
    "Cargo.toml",
    "gitignore" as ".gitignore",
    "src/lib.rs",
    "src/sandbook.rs",
    "src/sandbook/http.rs",
);

const TYPESCRIPT: &[Text] = texts!("typescript":
    "build.sh",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "npmrc" as ".npmrc",
    "gitignore" as ".gitignore",
    "src/step.ts",
    "src/sandbook.ts",
    "src/contract.d.ts",
    "src/prelude.ts",
    "src/random.ts",
    "src/text.ts",
    "src/url.ts",
);

const PYTHON: &[Text] = texts!("python":
    "build.sh",
    "requirements.txt",
    "gitignore" as ".gitignore",
    "plugin.py",
    "sandbook.py",
);

const GO: &[Text] = texts!("go":
    "build.sh",
    "go.mod",
    "gitignore" as ".gitignore",
    "main.go",
    "sandbook/export_step.txt",
    "sandbook/failure.go",
    "sandbook/http.go",
    "sandbook/step.go",
);

const C: &[Text] = texts!("c":
    "build.sh",
    "gitignore" as ".gitignore",
    "src/step.c",
    "src/sandbook.h",
    "src/sandbook.c",
    "src/json.h",
    "src/json.c",
);

const README: &str = include_str!("../../../../templates/README.md");

/// All files of a new plugin.
pub(super) fn files(language: Language, name: &str) -> Vec<File> {
    let of_language = of(language);
    let readme = Text {
        path: "README.md",
        text: README,
    };
    let texts = COMMON.iter().chain(of_language).chain([&readme]);
    let filled = texts.map(|text| File {
        path: text.path.to_owned(),
        contents: Cow::Owned(fill(text.text, language, name).into_bytes()),
    });
    let kept = CONTRACT.iter().map(|text| File {
        path: text.path.to_owned(),
        contents: Cow::Borrowed(text.text.as_bytes()),
    });
    let adapter = matches!(language, Language::Go | Language::C).then(|| File {
        path: "adapter/wasi_snapshot_preview1.reactor.wasm".to_owned(),
        contents: Cow::Borrowed(ADAPTER),
    });
    filled.chain(kept).chain(adapter).collect()
}

/// The file that holds the step.
pub(super) const fn source(language: Language) -> &'static str {
    match language {
        Language::Rust => "src/lib.rs",
        Language::TypeScript => "src/step.ts",
        Language::Python => "plugin.py",
        Language::Go => "main.go",
        Language::C => "src/step.c",
    }
}

const fn of(language: Language) -> &'static [Text] {
    match language {
        Language::Rust => RUST,
        Language::TypeScript => TYPESCRIPT,
        Language::Python => PYTHON,
        Language::Go => GO,
        Language::C => C,
    }
}

/// The rows of the README's table, and what is to be said of the language.
const fn readme_part(language: Language) -> &'static str {
    match language {
        Language::Rust => include_str!("../../../../templates/rust/README.part.md"),
        Language::TypeScript => include_str!("../../../../templates/typescript/README.part.md"),
        Language::Python => include_str!("../../../../templates/python/README.part.md"),
        Language::Go => include_str!("../../../../templates/go/README.part.md"),
        Language::C => include_str!("../../../../templates/c/README.part.md"),
    }
}

/// A text with its holes filled.
fn fill(text: &str, language: Language, name: &str) -> String {
    let (files, notes) = readme_part(language)
        .split_once("\n\n")
        .expect("a blank line ends the table's rows");
    let text = text
        .replace("{{files}}", files)
        .replace("{{notes}}\n", notes)
        .replace("{{name}}", name)
        .replace("{{language}}", &language.to_string())
        .replace("{{lang}}", language.argument())
        .replace("{{source}}", source(language))
        .replace("{{adapter}}", ADAPTER_VERSION);
    toolchains::all().fold(text, |text, (tool, version)| {
        text.replace(&format!("{{{{{tool}}}}}"), version)
    })
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use sandbook_runbook::{Manifest, Source};

    use super::*;

    #[test]
    fn no_hole_is_left() {
        for language in Language::value_variants() {
            for file in files(*language, "read-title") {
                let text = String::from_utf8_lossy(&file.contents);
                let hole = text.split("{{").skip(1).find(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains("}}")
                });
                assert_eq!(hole, None, "{language}: {}", file.path);
            }
        }
    }

    #[test]
    fn the_manifest_is_one() {
        let files = files(Language::C, "read-title");
        let manifest = files
            .iter()
            .find(|file| file.path == "plugin.yaml")
            .unwrap();
        let source = Source {
            name: "plugin.yaml".to_owned(),
            text: String::from_utf8(manifest.contents.to_vec()).unwrap(),
        };
        let manifest = Manifest::parse(&source).unwrap_or_else(|_| panic!("{}", source.text));
        assert_eq!(manifest.name.as_str(), "read-title");
    }

    #[test]
    fn what_is_made_is_kept_out_of_version_control() {
        for language in Language::value_variants() {
            let files = files(*language, "read-title");
            let ignored = files.iter().find(|file| file.path == ".gitignore").unwrap();
            let text = String::from_utf8_lossy(&ignored.contents);
            assert!(text.contains("/read-title.wasm\n"), "{language}: {text}");
        }
    }

    #[test]
    fn the_adapter_is_wasmtimes_own() {
        let pinned = include_str!("../../../../../../Cargo.toml")
            .lines()
            .find(|line| line.starts_with("wasi-preview1-component-adapter-provider"))
            .unwrap();
        assert!(pinned.contains(ADAPTER_VERSION), "{pinned}");
    }
}
