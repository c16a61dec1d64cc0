//! What a guest is told by a code: the reason itself is a log line.

use crate::{
    bindings::wasi_http::types::{DnsErrorPayload, ErrorCode},
    gate::HttpError,
};

impl From<&HttpError> for ErrorCode {
    fn from(error: &HttpError) -> ErrorCode {
        match error {
            HttpError::Denied(_) | HttpError::HeldBack | HttpError::TooMany(_) => {
                ErrorCode::HttpRequestDenied
            }
            HttpError::Unresolved(_) => ErrorCode::DnsError(DnsErrorPayload {
                rcode: None,
                info_code: None,
            }),
            HttpError::Unconnected(_) => ErrorCode::ConnectionRefused,
            HttpError::Unreachable(_) => ErrorCode::ConnectionTerminated,
            HttpError::TimedOut(_) => ErrorCode::HttpResponseTimeout,
            HttpError::FieldsTooLarge(_) => ErrorCode::HttpRequestHeaderSectionSize(None),
            HttpError::TooLarge(_) => ErrorCode::HttpRequestBodySize(None),
            HttpError::AnswerTooLarge(_) => ErrorCode::HttpResponseBodySize(None),
            HttpError::Malformed(_) => ErrorCode::HttpProtocolError,
        }
    }
}
