//! What the engine itself posts, by its owner's settings: no component has a part in it, so it passes no gate.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use super::{Addresses, Checked, Clients, Dispatch, Exchanged, Lane, Network, Route, System, Way};

/// The longest answer that is taken in; nobody looks at it.
const MOST: usize = 64 * 1024;

/// Why something that was posted isn't known to have arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Not with success.
    #[error("it answered with status {0}")]
    Status(u16),
    /// Not at all.
    #[error("{0}")]
    Lost(String),
}

/// Posts a JSON text once, without a proxy and following no redirect, to whatever address the name has.
///
/// # Errors
///
/// It isn't answered with success before the deadline.
pub async fn post(url: Url, json: String, deadline: Duration) -> Result<(), PostError> {
    let network = Network {
        addresses: Arc::new(Addresses::new(Vec::new())),
        reroute: std::collections::BTreeMap::new(),
        way: Way::Clients(Clients::new(Checked::new(Arc::new(System), None))),
    };
    let mut headers = HeaderMap::new();
    let json_type = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json_type);
    let route = Route {
        target: url,
        host: None,
    };
    let dispatch = Dispatch {
        lane: Lane::Fresh,
        route: &route,
        method: Method::POST,
        headers,
        body: Some(Bytes::from(json)),
        timeout: deadline,
        patience: None,
        response_bytes: MOST,
    };
    match network.exchange(dispatch).await {
        // What it says beside its status doesn't matter.
        Exchanged::Answered { status, .. } if (200..300).contains(&status) => Ok(()),
        Exchanged::Answered { status, .. } => Err(PostError::Status(status)),
        Exchanged::NotSent(failure) | Exchanged::Unknown(failure) => {
            Err(PostError::Lost(failure.into_text()))
        }
    }
}
