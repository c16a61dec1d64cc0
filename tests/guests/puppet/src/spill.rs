//! Telling a secret, in every way in which a plugin can tell anything.

use sandbook_step::{prelude::*, secrets};
use serde::Deserialize;

use crate::{
    action::{Interface, Send},
    send,
};

/// What to tell, and how.
#[derive(Deserialize)]
pub(crate) struct Spill {
    /// The slot whose secret it is.
    pub(crate) slot: String,
    /// Who tells it: a service that is sent it. Unsaid, the plugin asks to see it.
    pub(crate) from: Option<String>,
    pub(crate) to: Way,
    /// By which interface it is got, and sent.
    #[serde(default)]
    pub(crate) by: Interface,
    /// Where a request with it goes.
    pub(crate) url: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Log,
    Stdout,
    Stderr,
    Progress,
    /// Among the results.
    Result,
    /// As the whole output, and its summary.
    Return,
    Fail,
    Panic,
    /// In a request's URL, header and body.
    Send,
}

/// What there is to tell.
pub(crate) fn text(spill: &Spill) -> Result<String, Failure> {
    if let Some(url) = &spill.from {
        let mut get = Send::new(spill.by, "GET", url);
        get.slot = Some(spill.slot.clone());
        let told = send::send(get)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers: Vec<String> = told["headers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| format!("{}: {}", text(&field[0]), text(&field[1])))
            .collect();
        return Ok(format!("{} {}", headers.join(" "), text(&told["body"])));
    }
    let secret = secrets::reveal(&spill.slot)?;
    Ok(format!(
        "{secret} {} {} {}",
        base64(secret.as_bytes()),
        base64(format!("x{secret}").as_bytes()),
        percent(&secret)
    ))
}

/// Tells it; what it comes to, where it comes to something.
pub(crate) fn spill(spill: &Spill) -> Result<Option<Value>, Failure> {
    let text = text(spill)?;
    match spill.to {
        Way::Log => log::info!("spilt {text}"),
        Way::Stdout => println!("spilt {text}"),
        Way::Stderr => eprintln!("spilt {text}"),
        Way::Progress => progress::say(format!("spilt {text}")),
        Way::Result | Way::Return => return Ok(Some(json!({ (text.as_str()): text }))),
        Way::Fail => {
            return Err(Failure::failed(format!("spilt {text}")).with_code(text));
        }
        Way::Panic => panic!("spilt {text}"),
        Way::Send => {
            let url = spill.url.as_deref().unwrap_or_default();
            let url = format!("{url}?spilt={}", percent(&text));
            let mut post = Send::new(spill.by, "POST", &url);
            let line = text.replace(char::is_control, " ");
            post.headers.insert("x-spilt".to_owned(), line);
            post.body = Some(Value::String(text));
            return Ok(Some(send::send(post)?["body"].clone()));
        }
    }
    Ok(None)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        for place in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
        (three.len()..3).for_each(|_| text.push('='));
    }
    text
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
