//! The commands as users and programs run them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::Path;
use tests::binary::{Server, free_port, run};

fn lines(output: &str) -> Vec<Value> {
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn chat_json_answers_each_line_in_order_and_serves_on_after_a_bad_one() {
    let mut input = Vec::new();
    for line in [
        r#"{"conversation":"c1","text":"预算三千以内的意式咖啡机有推荐吗？","at":"2026-11-23T09:00:00+08:00"}"#,
        "this is no json",
        r#"{"conversation":"c1"}"#,
        r#"{"conversation":"c1","text":"a","choice":"b"}"#,
        r#"{"conversation":"c1","text":"a","at":"yesterday"}"#,
        r#"{"conversation":"has space","text":"a"}"#,
        r#"{"conversation":"c1","text":"a","colour":"red"}"#,
        "",
        r#"{"conversation":"c2","text":"hello"}"#,
        r#"{"conversation":"c1","choice":"compare"}"#,
    ] {
        input.extend_from_slice(line.as_bytes());
        input.push(b'\n');
    }
    // Longer than a line may be, then bytes that are no UTF-8, then one more good line.
    input.extend(
        format!(
            "{{\"conversation\":\"c1\",\"text\":\"{}\"}}\n",
            "长".repeat(3_000_000)
        )
        .into_bytes(),
    );
    input.extend(b"{\"conversation\":\"c1\",\"text\":\"\xff\xfe\"}\n");
    input.extend(b"{\"conversation\":\"c2\",\"text\":\"bye\"}");
    let (code, output, _) = run(&["chat", "--json"], &input);
    assert_eq!(code, 0);
    let out = lines(&output);
    let errors: Vec<u64> = out
        .iter()
        .filter_map(|l| l["error"]["line"].as_u64())
        .collect();
    assert_eq!(errors, [2, 3, 4, 5, 6, 7, 11, 12]);
    let first = &out[0];
    assert_eq!(first["conversation"], "c1");
    assert_eq!(
        (
            first["turn"].as_u64(),
            first["language"].as_str(),
            first["mode"].as_str()
        ),
        (Some(1), Some("zh"), Some("bot"))
    );
    assert_eq!(
        first["slots"]["budget_max"],
        json!({"amount": "3000.00", "currency": "CNY"})
    );
    assert_eq!(first["intent"]["name"], "ask_recommendation");
    assert!(first["policy"].as_str().unwrap().starts_with("sha256:"));
    for reason in first["lead"]["reasons"].as_array().unwrap() {
        let quote = reason["quote"].as_str().unwrap();
        assert!(
            "预算三千以内的意式咖啡机有推荐吗？".contains(quote) && !quote.is_empty(),
            "{quote}"
        );
    }
    for evidence in first["evidence"].as_array().unwrap() {
        assert!(evidence["source"].as_str().unwrap().contains(':'));
    }
    let turns: Vec<(&str, u64)> = out
        .iter()
        .filter(|l| l.get("error").is_none())
        .map(|l| {
            (
                l["conversation"].as_str().unwrap(),
                l["turn"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(turns, [("c1", 1), ("c2", 1), ("c1", 2), ("c2", 2)]);
}

#[test]
fn check_names_every_problem_with_its_place_and_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            (
                "shop.yaml",
                "naem: Shop\nlanguages: [zh, fr]\ncurrency: YUAN\nhours: {mon-fri: \"9 to 5\"}\ntime_zone: Mars/Base\n",
            ),
            (
                "products.csv",
                "id,title,price,availability\na1,Chair,100.00 CNY,in_stock\na1,Chair,100.00 CNY,in_stock\na2,Table,cheap,in_stock\na3,Lamp,5.00 CNY,maybe\n",
            ),
            (
                "replies/zh.yaml",
                "replies:\n  prise: [\"x\"]\n  price: [\"{titel}只要99元\"]\n",
            ),
            (
                "flows/own.yaml",
                "flows:\n  f:\n    start: [ask_recomendation]\n    needs:\n      - slot: budget\n    then: recommend\n",
            ),
            (
                "policies/lead.yaml",
                "scorecard:\n  criteria:\n    - id: x\n      points: many\n      when: {slot: budget_max}\n  grades: {A: 10}\n",
            ),
            (
                "stories/s.yaml",
                "stories:\n  - story: one\n    turns:\n      - customer: hi\n        expect: {intnet: greet}\n",
            ),
            ("knowledge/bad.zh.md", "# ok\n"),
        ],
    );
    let (code, output, _) = run(&["check", "--shop", dir.path().to_str().unwrap()], b"");
    assert_eq!(code, 1);
    for expected in [
        "shop.yaml:1:1: unknown key `naem`; did you mean `name`?",
        "shop.yaml:2:17: unknown word `fr`",
        "shop.yaml:3:11: `YUAN` is not an ISO 4217 currency code",
        "shop.yaml:4:18: `9 to 5` is not a span of time",
        "unknown time zone `Mars/Base`",
        "products.csv:3:",
        "products.csv:4:3: price",
        "products.csv:5:4: availability",
        "replies/zh.yaml:2:3: unknown reply `prise`; did you mean `price`?",
        "replies/zh.yaml:3:10: unknown slot `{titel}`; did you mean `{title}`?",
        "reply `price` would not leave: rule `no-bare-claim`",
        "starts with `ask_recomendation`, which is no intent; did you mean `ask_recommendation`?",
        "flows/own.yaml:5:15: unknown word `budget`",
        "policies/lead.yaml:4:15: expected a whole number",
        "stories/s.yaml:5:18: unknown key `intnet`; did you mean `intent`?",
    ] {
        assert!(output.contains(expected), "missing: {expected}\n{output}");
    }
}

#[test]
fn broken_guardrails_are_never_served() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("shop.yaml", "name: Shop\n"),
            (
                "policies/brand.yaml",
                "pack: brand\nrules:\n  - id: a\n    rail: output\n    kind: phrases\n    phrasse: [x]\n    action: revise\n    reason: r\n",
            ),
        ],
    );
    let shop = dir.path().to_str().unwrap();
    for command in ["check", "chat", "serve"] {
        let (code, _, told) = run(&[command, "--shop", shop], b"");
        assert_eq!(code, 1, "{command}: {told}");
        assert!(
            told.contains("policies/brand.yaml:6:5") && told.contains("did you mean"),
            "{told}"
        );
    }
}

#[test]
fn bad_usage_is_2_and_says_what_would_be_right() {
    for (args, told) in [
        (vec!["check", "--shop", "/nowhere"], "/nowhere"),
        (vec!["serve", "--config", "/nowhere.toml"], "/nowhere.toml"),
        (vec!["dance"], "unrecognized subcommand"),
        (vec!["replay"], "required"),
        (
            vec!["replay", "web:x", "--data", "/nowhere"],
            "no records are here",
        ),
    ] {
        let (code, _, error) = run(&args, b"");
        assert_eq!(code, 2, "{args:?} {error}");
        assert!(error.contains(told), "{args:?}: {error}");
    }
}

#[test]
fn help_teaches_with_examples() {
    for args in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["chat", "--help"],
        vec!["check", "--help"],
        vec!["test", "--help"],
        vec!["replay", "--help"],
        vec!["doctor", "--help"],
        vec!["import", "--help"],
        vec!["import", "products", "--help"],
    ] {
        let (code, output, _) = run(&args, b"");
        assert_eq!(code, 0);
        assert!(output.contains("Example"), "{args:?}");
    }
}

#[test]
fn the_demo_shop_is_clean_and_its_stories_hold() {
    let (code, output, _) = run(&["check", "--json"], b"");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (code, report["problems"].as_array().map(Vec::len)),
        (0, Some(0)),
        "{report}"
    );
    assert!(
        report["products"].as_u64() >= Some(30) && report["stories"].as_u64() >= Some(15),
        "{report}"
    );
    let (code, output, _) = run(&["test", "--json"], b"");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, report["failed"].as_u64()), (0, Some(0)), "{report}");
}

#[test]
fn a_story_that_fails_names_its_line() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("shop.yaml", "name: Shop\n"),
            (
                "stories/s.yaml",
                "stories:\n  - story: wrong on purpose\n    turns:\n      - customer: 你好\n        expect:\n          intent: goodbye\n",
            ),
        ],
    );
    let (code, output, _) = run(&["test", "--shop", dir.path().to_str().unwrap()], b"");
    assert_eq!(code, 1);
    assert!(
        output.contains("stories/s.yaml:6: wrong on purpose")
            && output.contains("expected intent goodbye"),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_replays_byte_for_byte_and_the_server_s_log_has_no_word_of_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(
        data.path(),
        free_port(),
        &[
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
            ("TIANSHENG_LOG__LEVEL", "trace"),
        ],
    );
    let http = reqwest::Client::builder().build().unwrap();
    let session: Value = http
        .post(format!("{}/v1/web/sessions", server.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = session["token"].as_str().unwrap();
    let said = [
        "预算三千以内的意式咖啡机",
        "第二个多少钱",
        "我手机13800138000",
        "compare the first two",
        "转人工",
    ];
    for (at, text) in said.iter().enumerate() {
        let answer = http
            .post(format!("{}/v1/web/messages", server.url))
            .bearer_auth(token)
            .json(&json!({"id": format!("m{at}"), "text": text}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        // The turn before is done when its receipt is in the feed.
        let mut stream = http
            .get(format!("{}/v1/web/events", server.url))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let mut read = String::new();
        while !read.contains(&format!("\"m{at}\"")) {
            read.push_str(&String::from_utf8_lossy(
                &stream.chunk().await.unwrap().unwrap(),
            ));
        }
    }
    assert!(server.stop().success());
    let log = std::fs::read_to_string(data.path().join(tests::binary::LOG)).unwrap();
    assert!(log.contains("ready"));
    for secret in said.iter().copied().chain([token, "13800138000"]) {
        assert!(!log.contains(secret), "the log has `{secret}`");
    }
    let dir = data.path().to_str().unwrap();
    let (code, output, error) = run(&["replay", "--all", "--json", "--data", dir], b"");
    let report: Value =
        serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output} {error}"));
    assert_eq!(
        (
            code,
            report["turns"].as_u64(),
            report["differences"].as_array().map(Vec::len)
        ),
        (0, Some(5), Some(0)),
        "{report}"
    );
    let (code, output, _) = run(
        &[
            "replay",
            session["conversation"].as_str().unwrap(),
            "--turn",
            "2",
            "--data",
            dir,
        ],
        b"",
    );
    assert_eq!(
        (code, output.trim()),
        (0, "1 turns replayed, 0 differences")
    );
    let (code, output, _) = run(&["doctor", "--json", "--data", dir], b"");
    let report: Value = serde_json::from_str(&output).unwrap();
    let listening_elsewhere = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .all(|f| f["ok"] == true || f["what"] == "listen");
    assert!(listening_elsewhere, "{code} {report}");
}
