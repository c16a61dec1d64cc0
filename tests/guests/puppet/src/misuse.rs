//! Using `wasi:http` as no client should.

use sandbook_step::prelude::*;
use serde::Deserialize;
use wasip2::http::{
    outgoing_handler,
    types::{Fields, FutureIncomingResponse, OutgoingBody, OutgoingRequest, OutgoingResponse},
};

use crate::wasi::{answer, name, pour, request, told};

/// What to do, and with which request.
#[derive(Deserialize)]
pub(crate) struct Misuse {
    how: How,
    #[serde(default)]
    url: String,
    #[serde(default = "get")]
    method: String,
    /// How often, or how much.
    #[serde(default = "one")]
    count: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Hands so many requests over, `N` in their URLs replaced by their numbers, and drops their futures.
    DropFutures,
    /// As above, and then waits for their answers, the last one first. Result: `[status]`, in that order.
    Backwards,
    /// As above, and asks for the bodies of none of the answers, nor lets go of them.
    Unread,
    /// Writes so many bytes and drops the body unfinished. Result: what came of the request.
    Unfinished,
    /// Never finishes the body, and waits for the answer.
    Waiting,
    /// Writes so many bytes. Result: `{stream, answer}`, what each says.
    Overflow,
    /// Finishes the body with trailers that name a slot. Result: what came of the request.
    Trailers,
    /// Makes a header field of so many bytes, and keeps it.
    Fields,
    /// Puts a second credential into the request. Result: what came of it.
    TwoCredentials,
    /// Makes an answer, as if it were a service.
    Answer,
}

/// Does it; what it comes to, where it comes to something.
pub(crate) fn misuse(misuse: &Misuse) -> Value {
    let Misuse {
        how,
        url,
        method,
        count,
    } = misuse;
    let hand_over = |number: usize| {
        let url = url.replace('N', &number.to_string());
        outgoing_handler::handle(request(method, &url, &[]), None).expect("taken over")
    };
    match how {
        How::DropFutures => (0..*count).for_each(|number| drop(hand_over(number))),
        How::Backwards => {
            let futures: Vec<_> = (0..*count).map(hand_over).collect();
            let statuses = futures.iter().rev().map(|future| match answer(future) {
                Ok(response) => json!(response.status()),
                Err(code) => json!(name(&code)),
            });
            return Value::from_iter(statuses);
        }
        How::Unread => {
            let futures: Vec<_> = (0..*count).map(hand_over).collect();
            let answers: Vec<_> = futures.iter().map(answer).collect();
            return json!(answers.len());
        }
        How::Fields => {
            let fields = Fields::new();
            fields.append("x", &vec![b'x'; *count]).expect("appendable");
            std::mem::forget(fields);
        }
        How::Answer => drop(OutgoingResponse::new(Fields::new())),
        How::TwoCredentials => {
            let slot = ("sandbook-credential".to_owned(), b"api".to_vec());
            let request = request(method, url, &[slot.clone(), slot]);
            return came_of(&outgoing_handler::handle(request, None).expect("taken over"));
        }
        How::Unfinished | How::Waiting | How::Overflow | How::Trailers => {
            return with_body(how, request(method, url, &[]), *count);
        }
    }
    Value::Null
}

fn with_body(how: &How, request: OutgoingRequest, count: usize) -> Value {
    let body = request.body().expect("asked for once");
    let future = outgoing_handler::handle(request, None).expect("taken over");
    let poured = {
        let stream = body.write().expect("asked for once");
        pour(&stream, &vec![b'x'; count])
    };
    match how {
        How::Unfinished => drop(body),
        How::Waiting => std::mem::forget(body),
        How::Trailers => {
            let trailers = Fields::new();
            let slot = b"api".to_vec();
            trailers
                .append("sandbook-credential", &slot)
                .expect("appendable");
            let finished = OutgoingBody::finish(body, Some(trailers));
            return json!({"finished": finished.is_ok(), "answer": came_of(&future)});
        }
        _ => {
            let stream = poured.err().flatten().map(|code| name(&code));
            let finished = OutgoingBody::finish(body, None);
            return json!({"stream": stream, "finished": finished.is_ok(), "answer": came_of(&future)});
        }
    }
    came_of(&future)
}

fn came_of(future: &FutureIncomingResponse) -> Value {
    match answer(future) {
        Ok(response) => told(&response),
        Err(code) => json!({"error": name(&code)}),
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn one() -> usize {
    1
}
