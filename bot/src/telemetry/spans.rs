//! The spans of the product: one a turn, its stages below it, and what leads to it and from it.
//!
//! Names and attributes follow OpenTelemetry's conventions for HTTP, messaging and generative models where they have one.
//! A conversation is named by [`place`], since a platform's ids are personal data; nothing that somebody said is ever an attribute.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId};
use opentelemetry::trace::{Status, TraceState};
use opentelemetry::{Array, Context, StringValue, Value};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tracing::field::Empty;
use tracing::{Span, debug_span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// What the exporter listens to; the log sees the turn's span too.
pub const TARGET: &str = "tiansheng";
/// Bytes of a conversation's digest that name it.
const PLACE_BYTES: usize = 8;
/// Longest W3C `traceparent` that is looked at, bytes; version 00 has 55.
const TRACEPARENT_BYTES_MAX: usize = 55;

/// A conversation's name in traces: the first bytes of its id's SHA-256, in hex.
pub fn place(conversation: &str) -> String {
    let mut place = hex::encode(Sha256::digest(conversation.as_bytes()));
    place.truncate(2 * PLACE_BYTES);
    place
}

/// The channel of an id, which is its address.
pub fn channel(conversation: &str) -> &str {
    conversation.split(':').next().unwrap_or_default()
}

/// A request; it goes on with the caller's trace, if that is told in W3C form.
pub fn request(method: &str, route: &str, traceparent: Option<&str>) -> Span {
    let span = debug_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    if let Some(caller) = traceparent.and_then(read) {
        // Without an exporter there is nothing to go on with.
        let _ = span.set_parent(Context::new().with_remote_span_context(caller));
    }
    span
}

pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        failed(span);
    }
}

/// A letter on its way into the mailbox.
pub fn accept(conversation: &str) -> Span {
    let span = debug_span!(
        target: TARGET,
        "accept",
        otel.kind = "producer",
        messaging.system = "tiansheng",
        messaging.operation.name = "accept",
        messaging.operation.type = "send",
        messaging.destination.name = "mailbox",
        conversation.id = Empty,
        channel = channel(conversation),
    );
    if !span.is_disabled() {
        span.record("conversation.id", place(conversation));
    }
    span
}

/// One turn, from the claim to the commit. It stands for itself: a burst has many causes, which it links to.
pub fn turn<'a>(conversation: &str, letters: impl ExactSizeIterator<Item = &'a str>) -> Span {
    let span = info_span!(
        target: TARGET,
        parent: None,
        "turn",
        otel.kind = "consumer",
        messaging.system = "tiansheng",
        messaging.operation.name = "turn",
        messaging.operation.type = "process",
        messaging.destination.name = "mailbox",
        messaging.batch.message_count = letters.len() as i64,
        conversation.id = Empty,
        channel = channel(conversation),
        turn.rev = Empty,
        turn.outcome = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    span.record("conversation.id", place(conversation));
    if has_exporter(&span) {
        for cause in letters.filter_map(cause) {
            span.add_link(cause);
        }
    }
    span
}

/// A stage of the turn that is running.
pub fn stage(name: &'static str) -> Span {
    debug_span!(target: TARGET, "stage", otel.name = name)
}

/// A question to a language model.
pub fn completion(step: &'static str, model: &str, server: &str) -> Span {
    debug_span!(
        target: TARGET,
        "completion",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = model,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        server.address = server,
        error.type = Empty,
        step,
    )
}

/// A message on its way to a channel; it links to the turn that decided it.
pub fn send(conversation: &str, attempts: u32, traceparent: Option<&str>) -> Span {
    let channel = channel(conversation);
    let span = debug_span!(
        target: TARGET,
        parent: None,
        "send",
        otel.name = format!("send {channel}"),
        otel.kind = "producer",
        messaging.system = "tiansheng",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = channel,
        conversation.id = Empty,
        channel,
        attempts = i64::from(attempts),
        outcome = Empty,
    );
    if !span.is_disabled() {
        span.record("conversation.id", place(conversation));
        if let Some(turn) = traceparent.and_then(read) {
            span.add_link(turn);
        }
    }
    span
}

/// A batch of the journal on its way into the records.
pub fn archive(journal: u32, entries: usize) -> Span {
    debug_span!(
        target: TARGET,
        parent: None,
        "archive",
        messaging.batch.message_count = entries as i64,
        journal = i64::from(journal),
    )
}

/// Marks what did not come to its end.
pub fn failed(span: &Span) {
    span.set_status(Status::error(""));
}

/// Whether somebody will see this span's attributes.
pub(super) fn exported(span: &Span) -> bool {
    span.context().span().span_context().is_sampled()
}

pub(super) fn text(span: &Span, name: &'static str, value: String) {
    span.set_attribute(name, value);
}

pub(super) fn list(span: &Span, name: &'static str, values: Vec<String>) {
    let values = values.into_iter().map(StringValue::from).collect();
    span.set_attribute(name, Value::Array(Array::String(values)));
}

/// The span in W3C form, for what goes on with it later; `None` where nobody would see it.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_sampled().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            context.trace_flags().to_u8()
        )
    })
}

fn has_exporter(span: &Span) -> bool {
    span.with_subscriber(|(_, subscriber)| {
        subscriber
            .downcast_ref::<super::export::Listening>()
            .is_some()
    })
    .unwrap_or(false)
}

/// A letter's own cause, if it carries one.
fn cause(letter: &str) -> Option<SpanContext> {
    #[derive(Deserialize)]
    struct Caused {
        trace: Option<String>,
    }
    let caused: Caused = serde_json::from_str(letter).ok()?;
    caused.trace.as_deref().and_then(read)
}

/// W3C Trace Context, version 00: `00-TRACE-SPAN-FLAGS` in lower-case hex.
fn read(traceparent: &str) -> Option<SpanContext> {
    let lower = |c: u8| c == b'-' || c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if traceparent.len() > TRACEPARENT_BYTES_MAX || !traceparent.bytes().all(lower) {
        return None;
    }
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let whole = version == "00" && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    if !whole || parts.next().is_some() {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_traceparent_is_gone_on_with() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let span = "00f067aa0ba902b7";
        let good = format!("00-{trace}-{span}-01");
        let context = read(&good).unwrap();
        assert_eq!(context.trace_id().to_string(), trace);
        assert_eq!(context.span_id().to_string(), span);
        assert!(context.is_sampled() && context.is_remote());
        assert!(!read(&format!("00-{trace}-{span}-00")).unwrap().is_sampled());
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("{good}-01"),
            format!("ff-{trace}-{span}-01"),
            good.to_uppercase(),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}-{span}-0 "),
            format!("00-{trace}-{span}-é"),
        ] {
            assert!(read(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_conversation_is_named_by_its_digest() {
        // printf 'web:1' | sha256sum | cut -c1-16
        assert_eq!(place("web:1"), "8724d338e1260492");
    }
}
