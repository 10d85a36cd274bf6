//! The spans of a running server at a collector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::telemetry::spans::place;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;
use std::time::Instant;
use tests::binary::{LOG, free_port, run};
use tests::collector::{Collector, attribute};
use tests::watched::{Shop, WAIT_MAX, useless_model};

/// What no exported byte, no figure and no line of the log may hold.
const SECRET: &str = "zanzibar-quokka-4711";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_one_span_that_links_to_what_caused_it_and_carries_no_word_of_the_customer() {
    let collector = Collector::start().await;
    let model = useless_model().await;
    let keys = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(keys.path(), "x-key=hidden%2Ckey-99").unwrap();
    let shop = Shop::start(&[
        ("TIANSHENG_TELEMETRY__OTLP_URL", &collector.url),
        (
            "TIANSHENG_TELEMETRY__OTLP_HEADERS_FILE",
            keys.path().to_str().unwrap(),
        ),
        ("TIANSHENG_TELEMETRY__SERVICE", "corner-shop"),
        ("TIANSHENG_MODEL__URL", &model),
        ("TIANSHENG_MODEL__NAME", "useless"),
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("TIANSHENG_LOG__FORMAT", "json"),
    ]);
    let session = shop.session().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let caller = "00f067aa0ba902b7";
    let said = format!("有 {SECRET} 吗？我的电话是 13812345678，邮箱 {SECRET}@example.com");
    let traceparent = format!("00-{trace}-{caller}-01");
    shop.say(&session, &said, Some(&traceparent)).await;
    shop.say(&session, "预算三千以内的意式咖啡机有推荐吗？", None)
        .await;

    let turns = collector.wait_for("turn", 2).await;
    collector.wait_for("archive", 1).await;
    let accepts = collector.wait_for("accept", 2).await;
    let requests = collector.wait_for("POST /v1/web/messages", 2).await;
    let sends = collector.wait_for("send web", 2).await;

    let request = find(&requests, |span| hex(&span.trace_id) == trace);
    assert_eq!(hex(&request.parent_span_id), caller);
    assert_eq!(request.kind, SpanKind::Server as i32);
    assert_eq!(
        attribute(request, "http.response.status_code").as_deref(),
        Some("202")
    );
    let accept = find(&accepts, |span| hex(&span.trace_id) == trace);
    assert_eq!(accept.parent_span_id, request.span_id);

    let turn = find(&turns, |span| {
        span.links.iter().any(|link| link.span_id == accept.span_id)
    });
    assert_eq!(turn.links.len(), 1);
    assert_eq!(hex(&turn.links[0].trace_id), trace);
    assert!(turn.parent_span_id.is_empty(), "a turn stands for itself");
    assert_ne!(hex(&turn.trace_id), trace);
    assert_eq!(turn.kind, SpanKind::Consumer as i32);
    for (name, expected) in [
        ("conversation.id", place(&session.conversation)),
        ("channel", "web".to_owned()),
        ("messaging.batch.message_count", "1".to_owned()),
        ("turn.outcome", "committed".to_owned()),
        ("turn.rev", "1".to_owned()),
        ("turn.model", "fell_back".to_owned()),
    ] {
        assert_eq!(attribute(turn, name), Some(expected), "{name}: {turn:?}");
    }
    assert!(attribute(turn, "policy.version").is_some_and(|version| !version.is_empty()));
    assert!(attribute(turn, "turn.acts").is_some_and(|acts| acts.contains("disclose")));
    assert!(attribute(turn, "turn.intents").is_some());

    for stage in [
        "hear",
        "understand",
        "track",
        "decide",
        "find",
        "compose",
        "judge",
        "commit",
    ] {
        let stages = collector.wait_for(stage, 2).await;
        let below = find(&stages, |span| span.trace_id == turn.trace_id);
        assert_eq!(below.parent_span_id, turn.span_id, "{stage}");
    }
    let understand = collector.wait_for("understand", 2).await;
    let understand = find(&understand, |span| span.trace_id == turn.trace_id);
    let chats = collector.wait_for("chat useless", 2).await;
    let chat = find(&chats, |span| span.parent_span_id == understand.span_id);
    for (name, expected) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "useless"),
        ("gen_ai.usage.input_tokens", "41"),
        ("gen_ai.usage.output_tokens", "2"),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(attribute(chat, name).as_deref(), Some(expected), "{name}");
    }
    let send = find(&sends, |span| {
        span.links.iter().any(|link| link.span_id == turn.span_id)
    });
    assert_eq!(attribute(send, "channel").as_deref(), Some("web"));

    let service = collector.resource();
    let service = service
        .iter()
        .find(|one| one.key == "service.name")
        .unwrap();
    assert!(format!("{service:?}").contains("corner-shop"));
    let key = collector.headers().last().unwrap()["x-key"].clone();
    assert_eq!(key, "hidden,key-99");

    // The last words are said while stopping, and nothing that was said is among them.
    let data = shop.data.path().to_owned();
    let seen = collector.spans().len();
    assert!(shop.server.stop().success());
    assert!(collector.spans().len() >= seen);
    let bytes = collector.bytes();
    let log = std::fs::read(data.join(LOG)).unwrap();
    for secret in [
        SECRET,
        "13812345678",
        "example.com",
        "意式",
        &session.token,
        "hidden",
    ] {
        assert!(!contains(&bytes, secret), "a span holds {secret}");
        assert!(!contains(&log, secret), "the log holds {secret}");
    }
    assert!(contains(&bytes, &place(&session.conversation)));
    assert!(!contains(&bytes, &session.conversation));
}

fn find(spans: &[Span], wanted: impl Fn(&Span) -> bool) -> &Span {
    let found = spans.iter().find(|span| wanted(span));
    found.unwrap_or_else(|| panic!("no such span in {spans:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_at_a_stop_still_reaches_the_collector_and_the_share_holds() {
    let collector = Collector::start().await;
    // The standard variables serve where no setting is given.
    let shop = Shop::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
        ("OTEL_SERVICE_NAME", "by-variable"),
    ]);
    let session = shop.session().await;
    shop.say(&session, "hello", None).await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    shop.say(&session, "which grinders do you have?", Some(traceparent))
        .await;
    assert!(shop.server.stop().success());
    // None of the traces that begin here, and all of the one that a caller wanted.
    let turns = collector.wait_for("turn", 1).await;
    assert_eq!(turns.len(), 1);
    assert_eq!(collector.wait_for("accept", 1).await.len(), 1);
    assert_eq!(collector.wait_for("commit", 1).await.len(), 1);
    assert_eq!(
        collector
            .spans()
            .iter()
            .filter(|s| s.name == "archive")
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_or_is_away_costs_dropped_spans_and_nothing_else() {
    let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("http://{}", hangs.local_addr().unwrap());
    let away = format!("http://127.0.0.1:{}", free_port());
    for (url, why) in [(&away, "unreachable"), (&hanging, "queue_full")] {
        let shop = Shop::start(&[("TIANSHENG_TELEMETRY__OTLP_URL", url)]);
        let session = shop.session().await;
        shop.say(&session, "hello", None).await;
        let dropped = format!("trace_spans_dropped_total{{why=\"{why}\"}}");
        let config = format!("{}/v1/web/config", shop.server.url);
        let begun = Instant::now();
        while shop.figure(&dropped).await < 1.0 {
            assert!(
                begun.elapsed() < WAIT_MAX,
                "nothing is dropped: {}",
                shop.log()
            );
            for _ in 0..20 {
                let many = (0..20).map(|_| shop.http.get(&config).send());
                for answer in futures_util::future::join_all(many).await {
                    assert_eq!(answer.unwrap().status(), 200);
                }
            }
        }
        shop.say(&session, "which grinders do you have?", None)
            .await;
        assert!(shop.server.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_where_traces_go_and_whether_they_are_taken() {
    let collector = Collector::start().await;
    let check = |environment: Vec<(&'static str, String)>, ok: bool, detail: String| async move {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_str().unwrap().to_owned();
        let output = tokio::task::spawn_blocking(move || {
            std::process::Command::new(tests::binary::path())
                .args(["doctor", "--json", "--data", &folder])
                .envs(environment)
                .current_dir(&folder)
                .output()
                .unwrap()
        })
        .await
        .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|f| f["what"] == "traces").unwrap();
        assert_eq!(found["ok"], ok, "{found}");
        assert!(
            found["detail"].as_str().unwrap().contains(&detail),
            "{found}"
        );
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hidden"));
    };
    check(vec![], true, "nowhere".to_owned()).await;
    let url = "TIANSHENG_TELEMETRY__OTLP_URL";
    let headers = (
        "TIANSHENG_TELEMETRY__OTLP_HEADERS",
        "x-key=hidden".to_owned(),
    );
    let taken = format!("{}/v1/traces takes them", collector.url);
    check(
        vec![(url, collector.url.clone()), headers.clone()],
        true,
        taken,
    )
    .await;
    let away = format!("http://127.0.0.1:{}", free_port());
    check(vec![(url, away.clone()), headers], false, away).await;
    let (code, _, told) = run(&["doctor", "--help"], b"");
    assert_eq!(code, 0, "{told}");
}
