//! The few bits of HTML that the pages share. No assets come from elsewhere.

/// A whole page.
pub(crate) fn page(title: &str, body: &str) -> String {
    framed(title, "", body)
}

/// A whole page that loads itself again every two seconds.
pub(crate) fn live_page(title: &str, body: &str) -> String {
    framed(title, "<meta http-equiv='refresh' content='2'>", body)
}

/// Text that is safe within an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn framed(title: &str, head: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>\
         <link rel='icon' href='data:,'>\
         {head}<title>{title}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
}

const STYLE: &str = include_str!("page.css");
