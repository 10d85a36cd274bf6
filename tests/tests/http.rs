//! The web channel over HTTP: what a page, a script and an attacker may send, and what they get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::Duration;
use tests::binary::{Server, free_port};

struct Web {
    server: Server,
    http: Client,
    data: tempfile::TempDir,
}

impl Web {
    fn start(environment: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let mut all = vec![("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "30")];
        all.extend_from_slice(environment);
        Self {
            server: Server::start(data.path(), free_port(), &all),
            http: Client::builder()
                .timeout(Duration::from_secs(30))
                .build()
                .unwrap(),
            data,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url)
    }

    async fn session(&self) -> (String, String) {
        let answer = self
            .http
            .post(self.url("/v1/web/sessions"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        let session: Value = answer.json().await.unwrap();
        (
            session["token"].as_str().unwrap().to_owned(),
            session["conversation"].as_str().unwrap().to_owned(),
        )
    }

    fn post(&self, token: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.http
            .post(self.url("/v1/web/messages"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body)
    }

    /// Reads the feed until a text is in it.
    async fn feed_until(&self, token: &str, last: Option<&str>, wanted: &str) -> String {
        let mut request = self.http.get(self.url("/v1/web/events")).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut stream = request.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let mut read = String::new();
        while !read.contains(wanted) {
            let chunk = stream.chunk().await.unwrap().expect("the stream ended");
            read.push_str(&String::from_utf8_lossy(&chunk));
        }
        read
    }
}

async fn problem(answer: Response, status: StatusCode, detail: &str) {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"].as_u64(), Some(u64::from(status.as_u16())));
    assert!(
        body["title"].is_string() && body["type"].is_string(),
        "{body}"
    );
    assert!(
        body["detail"].as_str().unwrap_or_default().contains(detail),
        "{detail}: {body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_get_a_problem_that_says_what_would_be_right() {
    let web = Web::start(&[("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "10000")]);
    let (token, _) = web.session().await;
    let long = json!({"id": "x1", "text": "长".repeat(5_000)}).to_string();
    for (body, status) in [
        (&b""[..], 400),
        (b"{", 400),
        (b"[]", 422),
        (b"{\"id\":\"x1\",\"text\":\"\xff\"}", 400),
        (b"{\"text\":\"hi\"}", 422),
        (b"{\"id\":\"x1\"}", 422),
        (b"{\"id\":\"x1\",\"text\":\"\"}", 422),
        (b"{\"id\":\"x1\",\"text\":\"a\",\"choice\":\"b\"}", 422),
        (b"{\"id\":\"x 1\",\"text\":\"a\"}", 422),
        (b"{\"id\":\"x1\",\"text\":7}", 422),
        (b"{\"id\":\"x1\",\"text\":\"a\",\"admin\":true}", 422),
        (b"{\"id\":\"x1\",\"text\":\"\\u200b\\u202e\"}", 422),
        (long.as_bytes(), 422),
    ] {
        let answer = web.post(&token, body.to_vec()).send().await.unwrap();
        let got = answer.status().as_u16();
        assert!(
            got == status || (got == 400 && status == 422) || (got == 413 && status == 422),
            "{got} for {}",
            String::from_utf8_lossy(body)
        );
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let huge = web
        .post(&token, vec![b'a'; 10 * 1024 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(huge.status(), 413);
    let answer = web
        .http
        .post(web.url("/v1/web/messages"))
        .bearer_auth(&token)
        .header("content-type", "text/plain")
        .body("hi")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 415);
    // After all of that the session still works.
    let good = web
        .post(
            &token,
            json!({"id": "ok", "text": "hi \u{7}\u{202e}there"}).to_string(),
        )
        .send()
        .await
        .unwrap();
    assert_eq!(good.status(), 202);
    web.feed_until(&token, None, "\"ok\"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_session_gets_in() {
    let web = Web::start(&[]);
    let hello = || json!({"id": "x", "text": "hi"}).to_string();
    for token in ["", "x", "A", &"A".repeat(43), &"A".repeat(5_000)] {
        let answer = web.post(token, hello()).send().await.unwrap();
        problem(answer, StatusCode::UNAUTHORIZED, "").await;
        let answer = web
            .http
            .get(web.url("/v1/web/events"))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
    let answer = web
        .http
        .post(web.url("/v1/web/messages"))
        .body(hello())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let (token, _) = web.session().await;
    let answer = web
        .http
        .get(web.url(&format!("/v1/web/events?token={token}")))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401, "a token is never taken from a URL");
    let answer = web
        .http
        .get(web.url("/v1/web/events"))
        .bearer_auth(&token)
        .header("last-event-id", "abc")
        .send()
        .await
        .unwrap();
    problem(answer, StatusCode::BAD_REQUEST, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_is_one_message_however_often_it_comes() {
    let web = Web::start(&[("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "10000")]);
    let (token, _) = web.session().await;
    let posts = (0..20).map(|_| {
        web.post(&token, json!({"id": "same", "text": "你好"}).to_string())
            .send()
    });
    for answer in futures_util::future::join_all(posts).await {
        assert_eq!(answer.unwrap().status(), 202);
    }
    assert_eq!(
        web.post(
            &token,
            json!({"id": "next", "text": "多久能发货"}).to_string()
        )
        .send()
        .await
        .unwrap()
        .status(),
        202
    );
    let read = web.feed_until(&token, None, "\"next\"").await;
    assert_eq!(read.matches("\"same\"").count(), 1, "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_resumes_where_it_was_cut() {
    let web = Web::start(&[("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "10000")]);
    let (token, _) = web.session().await;
    let ids = |read: &str| -> Vec<u64> {
        read.lines()
            .filter_map(|l| l.strip_prefix("id:"))
            .map(|id| id.trim().parse().unwrap())
            .collect()
    };
    let mut seen: Vec<u64> = Vec::new();
    for n in 0..5 {
        web.post(
            &token,
            json!({"id": format!("m{n}"), "text": "你好"}).to_string(),
        )
        .send()
        .await
        .unwrap();
        let last = seen.last().map(u64::to_string);
        let read = web
            .feed_until(&token, last.as_deref(), &format!("\"m{n}\""))
            .await;
        seen.extend(ids(&read));
    }
    let in_order: Vec<u64> = (1..=seen.len() as u64).collect();
    assert_eq!(seen, in_order, "no event is missing and none comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_say_when_to_come_back() {
    let web = Web::start(&[("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "5")]);
    let (token, _) = web.session().await;
    let mut limited = None;
    for n in 0..20 {
        let answer = web
            .post(
                &token,
                json!({"id": format!("m{n}"), "text": "hi"}).to_string(),
            )
            .send()
            .await
            .unwrap();
        if answer.status() == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("the limit holds");
    assert!(
        limited.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    problem(limited, StatusCode::TOO_MANY_REQUESTS, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_on_the_list_may_carry_the_widget() {
    let web = Web::start(&[("TIANSHENG_WEB__ORIGINS", "https://shop.example")]);
    for (origin, allowed) in [
        ("https://shop.example", true),
        ("https://evil.example", false),
        ("https://shop.example.evil.example", false),
        ("null", false),
    ] {
        let answer = web
            .http
            .post(web.url("/v1/web/sessions"))
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        assert_eq!(
            answer.status() == 201,
            allowed,
            "{origin} {}",
            answer.status()
        );
        let echoed = answer
            .headers()
            .get("access-control-allow-origin")
            .and_then(|v| v.to_str().ok());
        assert_eq!(echoed == Some(origin), allowed, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_with_strict_headers_and_nothing_else_is() {
    let web = Web::start(&[]);
    for (path, mime) in [
        ("/", "text/html"),
        ("/widget.js", "text/javascript"),
        ("/widget/element.js", "text/javascript"),
        ("/pages/shop.css", "text/css"),
        ("/shop/images/em-120.svg", "image/svg+xml"),
        ("/v1/web/config", "application/json"),
        ("/v1/web/products?limit=3", "application/json"),
        ("/metrics", "text/plain"),
    ] {
        let answer = web.http.get(web.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(mime),
            "{path}"
        );
        assert_eq!(
            answer.headers()["x-content-type-options"],
            "nosniff",
            "{path}"
        );
    }
    let home = web.http.get(web.url("/")).send().await.unwrap();
    let policy = home.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for path in [
        "/shop/images/../shop.yaml",
        "/shop/images/%2e%2e/shop.yaml",
        "/pages/..%2f..%2fCargo.toml",
        "/widget/nothing.js",
        "/shop/images/",
        "/wp-admin",
    ] {
        let answer = web.http.get(web.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    let answer = web
        .http
        .delete(web.url("/v1/web/messages"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 405);
    let ready: Value = web
        .http
        .get(web.url("/readyz"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ready["ready"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_the_socket_harms_nobody() {
    let web = Web::start(&[]);
    let address = web.server.url.strip_prefix("http://").unwrap().to_owned();
    tokio::task::spawn_blocking(move || {
        for rubbish in [
            &b"\x00\xff\xfe\x16\x03\x01"[..],
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/web/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
        ] {
            let mut socket = std::net::TcpStream::connect(&address).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            socket.write_all(rubbish).unwrap();
            let _ = socket.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            assert!(
                !answer.starts_with(b"HTTP/1.1 2"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    })
    .await
    .unwrap();
    let (token, _) = web.session().await;
    assert_eq!(
        web.post(&token, json!({"id": "x", "text": "hi"}).to_string())
            .send()
            .await
            .unwrap()
            .status(),
        202
    );
    let log = std::fs::read_to_string(web.data.path().join(tests::binary::LOG)).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_answered_once() {
    let web = Web::start(&[("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")]);
    let (token, _) = web.session().await;
    for (id, text) in [("b1", "你好"), ("b2", "想买咖啡机"), ("b3", "预算三千")] {
        web.post(&token, json!({"id": id, "text": text}).to_string())
            .send()
            .await
            .unwrap();
    }
    let read = web.feed_until(&token, None, "event: message").await;
    assert!(read.contains("[\"b1\",\"b2\",\"b3\"]"), "{read}");
}
