use base64::{Engine, engine::general_purpose};

use super::*;

const PLAIN: &str = "s3cr\"et/with+odd &chars=~ü";

fn redactor() -> Redactor {
    Redactor::new([("api".to_owned(), Secret::of(PLAIN))])
}

#[test]
fn a_secret_is_found_in_every_usual_appearance() {
    let redactor = redactor();
    let hex = |upper: bool| -> String {
        PLAIN
            .bytes()
            .map(|byte| {
                if upper {
                    format!("%{byte:02X}")
                } else {
                    format!("%{byte:02x}")
                }
            })
            .collect()
    };
    for appearance in [
        PLAIN.to_owned(),
        "s3cr%22et%2Fwith%2Bodd%20%26chars%3D~%C3%BC".to_owned(),
        "s3cr%22et%2fwith%2bodd%20%26chars%3d~%c3%bc".to_owned(),
        "s3cr%22et%2Fwith%2Bodd+%26chars%3D%7E%C3%BC".to_owned(),
        "s3cr%22et/with+odd%20&chars=~%C3%BC".to_owned(),
        "s3cr\\\"et/with+odd &chars=~ü".to_owned(),
        "s3cr\\\"et\\/with+odd &chars=~\\u00fc".to_owned(),
        "s3cr\\\"et/with+odd \\u0026chars=~ü".to_owned(),
        hex(true),
        hex(false),
        "s3cr%2522et%252Fwith%252Bodd%2520%2526chars%253D~%25C3%25BC".to_owned(),
        "s3cr%2522et%252fwith%252bodd%2520%2526chars%253d~%25c3%25bc".to_owned(),
        general_purpose::STANDARD
            .encode(PLAIN)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D"),
    ] {
        let text = format!("<{appearance}>");
        assert_eq!(
            redactor.redact_text(&text),
            "<[secret api]>",
            "{appearance}"
        );
    }
}

#[test]
fn a_secret_is_found_in_base64_wherever_it_begins() {
    let redactor = redactor();
    for before in 0..6 {
        for after in 0..6 {
            let text = format!("{}{PLAIN}{}", "x".repeat(before), "y".repeat(after));
            for engine in [
                general_purpose::STANDARD,
                general_purpose::URL_SAFE,
                general_purpose::STANDARD_NO_PAD,
                general_purpose::URL_SAFE_NO_PAD,
            ] {
                let redacted = redactor.redact_text(&engine.encode(&text)).into_owned();
                assert!(
                    redacted.contains("[secret api]"),
                    "{before} {after} {redacted}"
                );
                // What is left at the edges holds at most a part of one byte of it.
                assert!(
                    redacted.len() <= "[secret api]".len() + (before + after).div_ceil(3) * 4 + 8,
                    "{redacted}"
                );
            }
        }
    }
}

#[test]
fn what_holds_nothing_is_not_copied() {
    let redactor = redactor();
    assert!(matches!(redactor.redact(b"s3cr"), Cow::Borrowed(_)));
    let body = Bytes::from_static(b"nothing");
    assert_eq!(redactor.redact_bytes(body.clone()).as_ptr(), body.as_ptr());
    assert!(matches!(
        Redactor::default().redact_text(PLAIN),
        Cow::Borrowed(_)
    ));
}

#[test]
fn what_is_added_later_is_hidden_from_then_on() {
    let redactor = redactor();
    assert_eq!(redactor.redact_text("token-1"), "token-1");
    redactor.hide("token", &Secret::of("token-1"));
    redactor.hide_sensitive("4711-0815");
    redactor.hide_sensitive("abc");
    assert_eq!(
        redactor.redact_text("token-1, 4711-0815, abc"),
        "[secret token], [sensitive], abc"
    );
}

#[test]
fn the_longest_of_several_is_taken() {
    let redactor = Redactor::new([
        ("short".to_owned(), Secret::of("abcd")),
        ("long".to_owned(), Secret::of("abcdefgh")),
    ]);
    assert_eq!(
        redactor.redact_text("abcdefgh abcdxx"),
        "[secret long] [secret short]xx"
    );
}
#[test]
fn each_line_of_a_secret_is_found_by_itself() {
    let key = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqh\n  kiG9w0BAQEFAASC\nend\n";
    let redactor = Redactor::new([("key".to_owned(), Secret::of(key))]);
    assert_eq!(redactor.redact_text(key), "[secret key]");
    assert_eq!(
        redactor.redact_text("a MIIEvQIBADANBgkqh b\nkiG9w0BAQEFAASC, end"),
        "a [secret key] b\n[secret key], end"
    );
}

#[test]
fn a_long_secret_is_found_whole_and_also_when_it_is_cut() {
    let secret: String = (0..4_000).map(|number| format!("{number:x}/")).collect();
    let near = format!("{}other", &secret[..70]);
    let redactor = Redactor::new([
        ("long".to_owned(), Secret::of(&secret)),
        ("near".to_owned(), Secret::of(&near)),
    ]);
    let escaped = secret.replace('/', "%2F");
    for (text, redacted) in [
        (secret.as_str(), "[secret long]"),
        (&near, "[secret near]"),
        (&escaped, "[secret long]"),
        (&secret[..80], "[secret long]"),
        (&secret[..40], &secret[..40]),
    ] {
        let text = format!("<{text}> <{text}>");
        assert_eq!(
            redactor.redact_text(&text),
            format!("<{redacted}> <{redacted}>")
        );
    }
}

#[test]
fn what_overlaps_is_hidden_together() {
    let redactor = Redactor::new([
        ("one".to_owned(), Secret::of("first-common")),
        ("two".to_owned(), Secret::of("common-second-one")),
    ]);
    for (text, redacted) in [
        ("<first-common-second-one>", "<[secret two]>"),
        (
            "<first-commoncommon-second-one>",
            "<[secret one][secret two]>",
        ),
    ] {
        assert_eq!(redactor.redact_text(text), redacted);
    }
    // The head of the second lies in the first, and its end does not.
    let common = (0..40).fold(String::new(), |text, number| text + &format!("{number}/"));
    let redactor = Redactor::new([
        ("one".to_owned(), Secret::of(&format!("first-{common}"))),
        ("two".to_owned(), Secret::of(&format!("{common}-second"))),
    ]);
    let text = format!("<first-{common}-second>");
    assert_eq!(redactor.redact_text(&text), "<[secret two]>");
}

#[test]
fn a_secret_is_hidden_whatever_else_is_sensitive() {
    let secret = "eyJhbGciOiJIUzI1NiJ9.".repeat(5);
    let redactor = Redactor::new([("api".to_owned(), Secret::of(&secret))]);
    let echo = format!("{{\"authorization\":\"Bearer {secret}\"}}");
    for cut in 1..secret.len() {
        redactor.hide_sensitive(&format!("Bearer {}", &secret[..cut]));
        redactor.hide_sensitive(&format!("{}\"}}", &secret[cut..]));
    }
    assert_eq!(
        redactor.redact_text(&echo),
        "{\"authorization\":\"[secret api]"
    );
    // Nor does what is searched for run out on texts that repeat themselves.
    redactor.hide_sensitive(&"ab".repeat(30_000));
    let long = "ab".repeat(1 << 19) + &echo;
    assert!(redactor.redact_text(&long).ends_with("\"[secret api]"));
}

#[test]
fn json_is_seen_through_as_the_usual_encoders_write_it() {
    let plain = "a+b=c/<\"ü&'`";
    let redactor = Redactor::new([("api".to_owned(), Secret::of(plain))]);
    for (encoder, escaped) in [
        (
            "System.Text.Json",
            r"a\u002Bb=c/\u003C\u0022\u00FC\u0026\u0027\u0060",
        ),
        ("PHP", r#"a+b=c\/<\"\u00fc&'`"#),
        ("Python", r#"a+b=c/<\"\u00fc&'`"#),
        ("Go", r#"a+b=c/\u003c\"ü\u0026'`"#),
        ("Gson", r#"a+b\u003dc/\u003c\"ü\u0026\u0027`"#),
        ("Jackson", r#"a+b=c/<\"\u00FC&'`"#),
    ] {
        let text = format!("{{\"echo\":\"{escaped}\"}}");
        assert_eq!(
            redactor.redact_text(&text),
            "{\"echo\":\"[secret api]\"}",
            "{encoder}"
        );
    }
}

#[test]
fn the_last_tokens_of_a_credential_are_hidden() {
    let redactor = Redactor::new([("api".to_owned(), Secret::of("token-000"))]);
    let token = |number: usize| Secret::of(&format!("token-{number:03}"));
    for number in 0..100 {
        redactor.hide_token("api", &token(number));
        // One that is given out again is not an old one.
        redactor.hide_token("api", &token(1));
    }
    let shown = |number| redactor.redact_text(token(number).expose()).into_owned();
    assert_eq!(shown(99), "[secret api]");
    assert_eq!(shown(1), "[secret api]");
    assert_eq!(shown(101 - TOKENS), "[secret api]");
    assert_eq!(shown(100 - TOKENS), "token-084");
    // It is a secret by itself, too.
    assert_eq!(shown(0), "[secret api]");
}

#[test]
fn the_beginning_of_a_text_is_redacted_with_what_goes_on_behind_it() {
    let redactor = Redactor::new([("api".to_owned(), Secret::of("hunter22"))]);
    for (most, redacted) in [
        (2, "a "),
        (3, "a [secret api]"),
        (9, "a [secret api]"),
        (10, "a [secret api]"),
        (11, "a [secret api] "),
        (99, "a [secret api] b"),
    ] {
        let beginning = redactor.redact_beginning(b"a hunter22 b", most);
        assert_eq!(String::from_utf8_lossy(&beginning), redacted, "{most}");
    }
}

#[test]
fn there_is_room_for_so_much_that_is_sensitive() {
    let redactor = Redactor::default();
    let room = |texts: &[String]| redactor.room_for(texts.iter().map(String::as_str));
    let texts = |from: usize, number: usize, length: usize| -> Vec<String> {
        let numbers = from..from + number;
        numbers
            .map(|number| "0".repeat(length - 6) + &format!("{number:06}"))
            .collect()
    };
    assert_eq!(room(&texts(0, MOST_SENSITIVE, 8)), Ok(()));
    assert_eq!(room(&texts(0, MOST_SENSITIVE + 2, 8)), Err(NoRoom::Many(2)));
    assert_eq!(
        room(&texts(0, 3, LONGEST_SENSITIVE + 1)),
        Err(NoRoom::Long(3))
    );
    let most = SENSITIVE_BYTES / LONGEST_SENSITIVE;
    assert_eq!(room(&texts(0, most, LONGEST_SENSITIVE)), Ok(()));
    assert_eq!(
        room(&texts(0, most + 1, LONGEST_SENSITIVE)),
        Err(NoRoom::Large(1))
    );
    let known = texts(0, MOST_SENSITIVE - 1, 8);
    for _ in 0..2 {
        known.iter().for_each(|text| redactor.hide_sensitive(text));
    }
    assert_eq!(room(&known), Ok(()));
    assert_eq!(room(&texts(MOST_SENSITIVE, 1, 8)), Ok(()));
    assert_eq!(room(&texts(MOST_SENSITIVE, 3, 8)), Err(NoRoom::Many(2)));
    // Those that are too short to be hidden take none.
    assert_eq!(room(&vec!["abc".to_owned(); MOST_SENSITIVE + 1]), Ok(()));
}

/// The largest secrets there can be, many of them, as much as can be sensitive, tokens without end, and bodies that
/// nearly hold all these again and again.
#[test]
fn its_cost_is_bounded() {
    let redactor = Redactor::default();
    let many = "ab/=".repeat((64 << 10) / 4 - 1);
    for number in 0..16 {
        redactor.hide("large", &Secret::of(&format!("{number:02}{many}")));
    }
    for number in 0..MOST_SENSITIVE - 8 {
        redactor.hide_sensitive(&format!("value-{number}-of-many"));
    }
    for letter in 'a'..'i' {
        redactor.hide_sensitive(&format!("{letter}<\"/=").repeat((60 << 10) / 5));
    }
    for number in 0..200 {
        let token = format!("{number:03}-token").repeat(200);
        redactor.hide_token("api", &Secret::of(&token));
    }
    let (number, bytes) = needles(&redactor);
    assert!(number < 200_000, "{number} needles");
    assert!(bytes < 192 << 20, "{bytes} bytes of needles");
    let searches = redactor.searches();
    let tables: usize = searches.iter().flatten().map(|search| search.size()).sum();
    assert!(tables < 64 << 20, "{tables} bytes of tables");

    let grown = |redactor: &Redactor, number: usize| {
        let token = format!("{number:03}-token").repeat(200);
        redactor.hide_token("api", &Secret::of(&token));
        needles(redactor)
    };
    let before = grown(&redactor, 500);
    assert_eq!(grown(&redactor, 501), before);

    let body = "00ab/=ab/=".repeat(8 << 16);
    assert_eq!(redactor.redact_text(&body), body.as_str());
    let hit = format!("00{}", "ab/=".repeat(1 << 20));
    assert!(redactor.redact_text(&hit).starts_with("[secret large]"));
    // Each letter of it begins a needle that goes on for long.
    let again = "a<\"/=".repeat(1 << 18);
    assert_eq!(redactor.redact_text(&again), "[sensitive]");
}

/// How many needles there are, and how many bytes they have.
fn needles(redactor: &Redactor) -> (usize, usize) {
    let state = redactor.state.read().unwrap();
    let (secrets, sensitive) = (state.secrets.size(), state.sensitive.size());
    (secrets.0 + sensitive.0, secrets.1 + sensitive.1)
}
