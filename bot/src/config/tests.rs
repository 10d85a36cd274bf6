//! The settings at their boundary: three layers in, values or named problems out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::{LogFormat, Origins, Overrides, Settings, SettingsError};
use secrecy::ExposeSecret;

fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    load_with(toml, variables, &Overrides::default())
}

fn load_with(
    toml: &str,
    variables: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Settings, SettingsError> {
    let dir = tempdir();
    let path = dir.join("tiansheng.toml");
    std::fs::write(&path, toml).unwrap();
    std::fs::write(dir.join("key"), "sk-from-file\n").unwrap();
    let at = dir.display().to_string();
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("DIR", &at)))
        .collect::<Vec<_>>();
    let loaded = Settings::load(Some(&path), variables, overrides);
    std::fs::remove_dir_all(&dir).unwrap();
    loaded.map_err(|mut error| {
        for problem in &mut error.problems {
            problem.origin = problem.origin.replace(&format!("{at}/"), "");
            problem.message = problem.message.replace(&format!("{at}/"), "");
        }
        error
    })
}

fn tempdir() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("tiansheng-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&dir).unwrap();
    dir
}

fn refused(toml: &str, variables: &[(&str, &str)], expected: &str) {
    let error = load(toml, variables).expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn without_any_setting_the_demo_is_served_on_this_machine() {
    let settings = load("", &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.data.dir.to_str(), Some("./data"));
    assert!(settings.shop.dir.is_none());
    assert!(settings.model.is_none());
    assert_eq!(settings.web.origins, Origins::Localhost);
    assert_eq!(settings.web.messages_per_minute.get(), 30);
    assert_eq!(settings.log.level, tracing::Level::INFO);
    assert_eq!(settings.log.format, LogFormat::Text);
}

#[test]
fn a_process_beside_others_leaves_slowly_and_one_alone_at_once() {
    let redis = ("TIANSHENG_STATE__URL", "redis://127.0.0.1:1");
    let set = ("TIANSHENG_WEB__DRAIN_MS", "200");
    for (variables, drain_ms) in [
        (&[][..], 0),
        (&[redis], 5_000),
        (&[redis, set], 200),
        (&[set], 200),
    ] {
        assert_eq!(load("", variables).unwrap().web.drain_ms, drain_ms);
    }
}

#[test]
fn variables_stand_over_the_file_and_flags_over_both() {
    let toml = "listen = \"127.0.0.1:1\"\n[data]\ndir = \"file\"\n[shop]\ndir = \"file\"\n";
    let variables = [
        ("TIANSHENG_DATA__DIR", "variable"),
        ("TIANSHENG_SHOP__DIR", "variable"),
        ("TIANSHENG_LISTEN", ""),
        ("OTHER_LISTEN", "x"),
    ];
    let overrides = Overrides {
        shop_dir: Some("flag".into()),
        ..Overrides::default()
    };
    let settings = load_with(toml, &variables, &overrides).unwrap();
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.data.dir.to_str(), Some("variable"));
    assert_eq!(settings.shop.dir.unwrap().to_str(), Some("flag"));
}

#[test]
fn a_secret_comes_by_value_or_from_a_file_and_is_never_shown() {
    let model = "[model]\nurl = \"http://127.0.0.1:1/v1\"\nname = \"m\"\n";
    let cases = [
        (("TIANSHENG_MODEL__KEY", "sk-value"), "sk-value"),
        (("TIANSHENG_MODEL__KEY_FILE", "DIR/key"), "sk-from-file"),
    ];
    for (variable, expected) in cases {
        let settings = load(model, &[variable]).unwrap();
        assert!(!format!("{settings:?}").contains(expected));
        let key = settings.model.unwrap().key.unwrap();
        assert_eq!(key.expose_secret(), expected);
    }
    refused(
        model,
        &[
            ("TIANSHENG_MODEL__KEY", "sk"),
            ("TIANSHENG_MODEL__KEY_FILE", "DIR/key"),
        ],
        "TIANSHENG_MODEL__KEY_FILE: `model.key_file` stands beside `model.key`; give one of them",
    );
    let error = load(model, &[("TIANSHENG_MODEL__KEY_FILE", "DIR/none")]).unwrap_err();
    assert!(error.to_string().contains("names none: cannot be read"));
}

#[test]
fn postgresql_is_named_by_a_url_and_its_secret_is_never_shown() {
    let cases = [
        (
            "postgres://shop@db/records",
            "postgres://db:5432/records",
            None,
        ),
        (
            "postgresql://shop:s%40c%3Aret@[::1]:7000/a%20b?sslmode=disable",
            "postgres://[::1]:7000/a b",
            Some("s@c:ret"),
        ),
    ];
    for (url, shown, password) in cases {
        let settings = load("", &[("TIANSHENG_RECORDS__URL", url)]).unwrap();
        assert!(!format!("{settings:?}").contains("ret"));
        let records = settings.records.unwrap();
        assert_eq!(records.to_string(), shown);
        let given = records.password.as_ref().map(|p| p.expose_secret());
        assert_eq!(given, password, "{url}");
    }
    let beside = "[records]\nurl = \"postgres://db/r?sslmode=verify-full\"\nusername = \"u\"\ntimeout_ms = 700\n";
    let settings = load(beside, &[("TIANSHENG_RECORDS__PASSWORD_FILE", "DIR/key")]).unwrap();
    let records = settings.records.unwrap();
    assert_eq!(records.tls, crate::config::records::Tls::VerifyFull);
    assert_eq!(records.timeout_ms, 700);
    assert_eq!(records.password.unwrap().expose_secret(), "sk-from-file");
    for url in [
        "cret",
        "mysql://u:cret@a/r",
        "postgres://u:cret@a",
        "postgres://u:cret@a/",
        "postgres://u:cret@a/r/s",
        "postgres://u:cret@a,b/r",
        "postgres://u:cret@a:x/r",
        "postgres://u:cr%et@a/r",
        "postgres://u:cret@a/r?sslmode=maybe",
        "postgres://u:cret@a/r?password=cret",
    ] {
        let told = load("", &[("TIANSHENG_RECORDS__URL", url)])
            .unwrap_err()
            .to_string();
        assert!(
            told.starts_with("TIANSHENG_RECORDS__URL: `records.url` "),
            "{told}"
        );
        assert!(!told.contains("cret") && !told.contains("cr%et"), "{told}");
    }
    refused(
        "[records]\nconnections = 4\n",
        &[],
        "tiansheng.toml:2: `records.connections` needs `records.url` beside it",
    );
    refused(
        "[records]\nurl = \"postgres://db/r\"\n",
        &[],
        "tiansheng.toml:2: `records.url` needs a user: write it there or in `records.username`",
    );
}

#[test]
fn redis_is_named_by_a_url_and_its_secret_is_never_shown() {
    let cases = [
        ("redis://127.0.0.1", "redis://127.0.0.1:6379", None),
        (
            "rediss://r.example:7000/3",
            "rediss://r.example:7000/3",
            None,
        ),
        (
            "redis+cluster://shop:s%40cret@a:7000,b:7001,[::1]:7002",
            "redis+cluster://a:7000,b:7001,[::1]:7002",
            Some(("shop", "s@cret")),
        ),
        (
            "redis://:s%40cret@a",
            "redis://a:6379",
            Some(("", "s@cret")),
        ),
    ];
    for (url, shown, login) in cases {
        let settings = load("", &[("TIANSHENG_STATE__URL", url)]).unwrap();
        assert!(!format!("{settings:?}").contains("cret"));
        let state = settings.state.unwrap();
        assert_eq!(state.to_string(), shown);
        let given = state.password.map(|password| {
            let username = state.username.unwrap_or_default();
            (username, password.expose_secret().to_owned())
        });
        let login =
            login.map(|(name, password): (&str, &str)| (name.to_owned(), password.to_owned()));
        assert_eq!(given, login, "{url}");
    }
    let beside = "[state]\nurl = \"redis://a\"\nusername = \"u\"\nshards = 4\n";
    let settings = load(beside, &[("TIANSHENG_STATE__PASSWORD_FILE", "DIR/key")]).unwrap();
    let state = settings.state.unwrap();
    assert_eq!(state.shards, 4);
    assert_eq!(state.password.unwrap().expose_secret(), "sk-from-file");
    for url in [
        "redis://u:cret@a,b",
        "cret",
        "http://u:cret@a",
        "redis+cluster://u:cret@a/1",
        "redis://u:cr%et@a/x",
    ] {
        let told = load("", &[("TIANSHENG_STATE__URL", url)])
            .unwrap_err()
            .to_string();
        assert!(
            told.starts_with("TIANSHENG_STATE__URL: `state.url` "),
            "{told}"
        );
        assert!(!told.contains("cret") && !told.contains("cr%et"), "{told}");
    }
    refused(
        "[state]\nshards = 4\n",
        &[],
        "tiansheng.toml:2: `state.shards` needs `state.url` beside it",
    );
    refused(
        "[state]\nurl = \"redis://a\"\nca_file = \"none\"\n",
        &[],
        "tiansheng.toml:3: `state.ca_file` names none: No such file or directory (os error 2)",
    );
}

#[test]
fn origins_are_kept_as_browsers_write_them() {
    let listed = load(
        "[web]\norigins = [\"https://Shop.example:443/\", \"http://b.example:8000\"]\n",
        &[],
    )
    .unwrap();
    let expected = ["https://shop.example", "http://b.example:8000"];
    assert_eq!(
        listed.web.origins,
        Origins::Listed(expected.map(str::to_owned).into())
    );
    let any = load("", &[("TIANSHENG_WEB__ORIGINS", "https://a.example, *")]).unwrap();
    assert_eq!(any.web.origins, Origins::Any);
}

#[test]
fn every_problem_names_its_place_and_what_would_be_right() {
    refused(
        "[web]\norgins = []\n",
        &[],
        "tiansheng.toml:2: unknown setting `web.orgins`; did you mean `web.origins`?",
    );
    refused(
        "",
        &[("TIANSHENG_MODEL__KEYFILE", "x")],
        "TIANSHENG_MODEL__KEYFILE: unknown setting `model.keyfile`; did you mean `TIANSHENG_MODEL__KEY_FILE`?",
    );
    refused(
        "colour = \"red\"\n",
        &[],
        "tiansheng.toml:1: unknown setting `colour`",
    );
    refused(
        "",
        &[("TIANSHENG_EMBEDDER__URL", "http://127.0.0.1")],
        "TIANSHENG_EMBEDDER__URL: `embedder.url` is not available in this version: search works on words; remove it",
    );
    refused(
        "listen = 8080\n[web]\nmessages_per_minute = 0\norigins = [\"shop.example\"]\n",
        &[("TIANSHENG_LOG__LEVEL", "loud")],
        "tiansheng.toml:1: `listen` must be an address and port such as 127.0.0.1:8080\n\
         tiansheng.toml:4: `web.origins` `shop.example` is not an origin such as https://shop.example, or `*`\n\
         tiansheng.toml:3: `web.messages_per_minute` must be a number from 1 to 100000\n\
         TIANSHENG_LOG__LEVEL: `log.level` must be one of error, warn, info, debug, trace",
    );
    refused(
        "[mailbox]\nburst_window_ms = 900\nburst_max_ms = 100\n",
        &[],
        "tiansheng.toml:3: `mailbox.burst_max_ms` must be at least mailbox.burst_window_ms, which is 900",
    );
    refused(
        "[model]\nurl = \"http://127.0.0.1:1\"\n",
        &[],
        "tiansheng.toml:2: `model.url` needs `model.name` beside it",
    );
    refused(
        "[listen]\nport = 1\n",
        &[],
        "tiansheng.toml: `listen` must be a value, this is a table",
    );
}

#[test]
fn a_broken_file_is_named_without_its_text() {
    let error = load("[model]\nkey = sk-secret\n", &[]).unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("tiansheng.toml: "), "{told}");
    assert!(told.contains("line 2"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    let missing = Settings::load(
        Some(std::path::Path::new("/nowhere/tiansheng.toml")),
        [],
        &Overrides::default(),
    );
    let told = missing.unwrap_err().to_string();
    assert!(told.starts_with("/nowhere/tiansheng.toml: cannot be read"));
}

#[test]
fn the_standard_variables_say_where_traces_go_unless_a_setting_does() {
    let told = |toml: &str, variables: &[(&str, &str)]| {
        let telemetry = load(toml, variables).unwrap().telemetry?;
        Some((
            telemetry.url.to_string(),
            telemetry.service,
            telemetry.share,
        ))
    };
    let some =
        |url: &str, service: &str, share: f64| Some((url.to_owned(), service.to_owned(), share));
    assert_eq!(told("", &[("OTEL_SERVICE_NAME", "x")]), None);
    let standard = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/base/");
    assert_eq!(
        told("", &[standard]),
        some("http://c:4318/base/v1/traces", "tiansheng", 1.0)
    );
    let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/mine");
    assert_eq!(
        told(
            "",
            &[
                standard,
                whole,
                ("OTEL_SERVICE_NAME", "shop"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ]
        ),
        some("http://c:4318/mine", "shop", 0.25)
    );
    assert_eq!(told("", &[standard, ("OTEL_SDK_DISABLED", "true")]), None);
    assert_eq!(
        told("", &[standard, ("OTEL_TRACES_EXPORTER", "none")]),
        None
    );
    let toml = "[telemetry]\notlp_url = \"http://ours:1/v1/traces\"\nshare = 0.5\n";
    assert_eq!(
        told(toml, &[standard, whole, ("OTEL_TRACES_SAMPLER_ARG", "0")]),
        some("http://ours:1/v1/traces", "tiansheng", 0.5)
    );
    refused(
        "[telemetry]\notlp_url = \"collector:4318\"\nshare = 2\n",
        &[("TIANSHENG_TELEMETRY__OTLP_HEADERS", "hidden")],
        "tiansheng.toml:2: `telemetry.otlp_url` must be an http:// or https:// URL such as http://127.0.0.1:4318\n\
         TIANSHENG_TELEMETRY__OTLP_HEADERS: `telemetry.otlp_headers` must be headers written NAME=VALUE,NAME=VALUE, at most 16, values percent-encoded\n\
         tiansheng.toml:3: `telemetry.share` must be a share from 0 to 1",
    );
    refused(
        "",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")],
        "OTEL_EXPORTER_OTLP_ENDPOINT: must be an http:// or https:// URL such as http://127.0.0.1:4318",
    );
}

#[test]
fn what_is_shown_of_a_collector_has_no_key() {
    let toml = "[telemetry]\notlp_url = \"https://user:hidden@c.example/v1/traces?key=hidden\"\notlp_headers_file = \"DIR/headers\"\n";
    let dir = tempdir();
    std::fs::write(
        dir.join("headers"),
        "authorization=Bearer%20hidden, x-shop=1\n",
    )
    .unwrap();
    let path = dir.join("tiansheng.toml");
    std::fs::write(&path, toml.replace("DIR", &dir.display().to_string())).unwrap();
    let settings = Settings::load(Some(&path), [], &Overrides::default());
    std::fs::remove_dir_all(&dir).unwrap();
    let telemetry = settings.unwrap().telemetry.unwrap();
    let values: Vec<&str> = telemetry
        .headers
        .iter()
        .map(|(_, value)| value.expose_secret())
        .collect();
    assert_eq!(values, ["Bearer hidden", "1"]);
    for shown in [format!("{telemetry:?}"), telemetry.to_string()] {
        assert!(shown.contains("https://c.example:443/v1/traces"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn telegram_is_set_by_its_token_and_a_webhook_needs_a_secret() {
    let token = "[channels.telegram]\ntoken = \"123:ABC\"\n";
    refused(
        token,
        &[],
        "tiansheng.toml:2: `channels.telegram.token` needs `channels.telegram.secret` beside it, or set `channels.telegram.mode` to polling",
    );
    let polling = load(
        &format!("{token}mode = \"polling\"\napi_url = \"http://127.0.0.1:1/\"\n"),
        &[],
    );
    let telegram = polling.unwrap().channels.telegram.unwrap();
    assert_eq!(telegram.mode, adapters::telegram::Mode::Polling);
    assert_eq!(telegram.api_url.unwrap().as_str(), "http://127.0.0.1:1/");
    let webhook = load(
        "",
        &[
            ("TIANSHENG_CHANNELS__TELEGRAM__TOKEN", "123:ABC"),
            ("TIANSHENG_CHANNELS__TELEGRAM__SECRET", "s-1_x"),
        ],
    );
    let telegram = webhook.unwrap().channels.telegram.unwrap();
    assert_eq!(telegram.mode, adapters::telegram::Mode::Webhook);
    assert!(!format!("{telegram:?}").contains("ABC"));
    refused(
        "[channels.telegram]\nmode = \"polling\"\n",
        &[],
        "tiansheng.toml:2: `channels.telegram.mode` needs `channels.telegram.token` beside it",
    );
    refused(
        "[channels.telegram]\ntoken = \"no token\"\nmode = \"polling\"\n",
        &[],
        "tiansheng.toml:2: `channels.telegram.token` must be a bot's token such as 123456:ABC-def, as @BotFather gives it",
    );
}

#[test]
fn discord_takes_a_token_and_a_public_key() {
    let token = "[channels.discord]\ntoken = \"abc.DEF.g-h_i\"\n";
    let plain = load(token, &[]);
    let plain = plain.unwrap().channels.discord.unwrap();
    assert_eq!(plain.api_url.as_str(), "https://discord.com/");
    assert!(plain.public_key.is_none() && !plain.message_content);
    let key = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    let more = format!("{token}public_key = \"{key}\"\nmessage_content = true\n");
    let keyed = load(&more, &[]);
    let keyed = keyed.unwrap().channels.discord.unwrap();
    assert_eq!(keyed.public_key.as_deref(), Some(key));
    assert!(keyed.message_content);
    refused(
        &format!("{token}public_key = \"abc\"\n"),
        &[],
        "tiansheng.toml:3: `channels.discord.public_key` must be the 64 hexadecimal digits under Public Key in the Developer Portal",
    );
    refused(
        &format!("{token}public_key = \"{}\"\n", "ab".repeat(32)),
        &[],
        "tiansheng.toml:3: `channels.discord.public_key` has 64 hexadecimal digits that are no key; copy the Public Key from General Information in the Developer Portal again",
    );
    refused(
        "[channels.discord]\nmessage_content = true\n",
        &[],
        "tiansheng.toml:2: `channels.discord.message_content` needs `channels.discord.token` beside it",
    );
    refused(
        "[channels.discord]\ntoken = \"no token\"\n",
        &[],
        "tiansheng.toml:2: `channels.discord.token` must be a bot's token, three parts with dots between, as the Bot page of the Developer Portal gives it",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_thing_complained_of() {
    for (toml, key) in [
        (
            "[channels.telegram]\nmode = \"webhook\"\nsecret = \"s\"\n",
            "channels.telegram.token_file",
        ),
        (
            "[channels.telegram]\ntoken = \"123:ABC\"\n",
            "channels.telegram.secret_file",
        ),
        (
            "[channels.discord]\nmessage_content = true\n",
            "channels.discord.token_file",
        ),
        (
            "[channels.wechat]\napp_id = \"wx12\"\ntoken = \"t\"\n",
            "channels.wechat.app_secret_file",
        ),
    ] {
        let variable = key.replace('.', "__").to_uppercase();
        let variable = format!("TIANSHENG_{variable}");
        let error = load(toml, &[(&variable, "DIR/absent")]).expect_err(key);
        let told = error.to_string();
        assert_eq!(error.problems.len(), 1, "{told}");
        assert!(
            told.starts_with(&variable) && told.contains("cannot be read"),
            "{told}"
        );
    }
}

#[test]
fn wecom_is_set_by_its_corp_id_and_needs_all_its_secrets() {
    let id = "[channels.wecom]\ncorp_id = \"ww12\"\n";
    refused(
        id,
        &[],
        "tiansheng.toml:2: `channels.wecom.corp_id` needs `channels.wecom.secret` beside it\n\
         tiansheng.toml:2: `channels.wecom.corp_id` needs `channels.wecom.token` beside it\n\
         tiansheng.toml:2: `channels.wecom.corp_id` needs `channels.wecom.aes_key` beside it",
    );
    let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    let all = format!("{id}token = \"t0ken\"\naes_key = \"{key},{key}\"\n");
    let from_file = [("TIANSHENG_CHANNELS__WECOM__SECRET_FILE", "DIR/key")];
    let wecom = load(&all, &from_file).unwrap().channels.wecom.unwrap();
    assert_eq!(wecom.secret.expose_secret(), "sk-from-file");
    assert_eq!(wecom.api_url.as_str(), "https://qyapi.weixin.qq.com/");
    assert_eq!(wecom.aes_keys.len(), 2);
    let shown = format!("{wecom:?}");
    for secret in ["sk-from-file", "t0ken", key] {
        assert!(!shown.contains(secret));
    }
    refused(
        &all.replace(key, "short"),
        &from_file,
        "tiansheng.toml:4: `channels.wecom.aes_key` must be an EncodingAESKey of 43 letters and digits; while it is changed, the new one, a comma and the one before",
    );
    refused(
        "[channels.wecom]\ntoken = \"t\"\n",
        &[],
        "tiansheng.toml:2: `channels.wecom.token` needs `channels.wecom.corp_id` beside it",
    );
}

#[test]
fn wechat_is_set_by_its_app_id_and_what_it_needs_is_named() {
    let id = "[channels.wechat]\napp_id = \"wx12\"\n";
    refused(
        id,
        &[],
        "tiansheng.toml:2: `channels.wechat.app_id` needs `channels.wechat.app_secret` beside it, or set `channels.wechat.customer_service` to false\n\
         tiansheng.toml:2: `channels.wechat.app_id` needs `channels.wechat.token` beside it",
    );
    let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    let before = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let passive = load(
        &format!("{id}token = \"t\"\ncustomer_service = false\naes_key = \"{key}, {before}\"\n"),
        &[],
    );
    let wechat = passive.unwrap().channels.wechat.unwrap();
    assert!(!wechat.customer_service && wechat.app_secret.is_none());
    assert_eq!(wechat.aes_keys.len(), 2);
    assert_eq!(wechat.api_url.as_str(), "https://api.weixin.qq.com/");
    assert!(!format!("{wechat:?}").contains(key));
    let api = load(
        id,
        &[
            ("TIANSHENG_CHANNELS__WECHAT__TOKEN", "t"),
            ("TIANSHENG_CHANNELS__WECHAT__APP_SECRET", "s3cr3t"),
            ("TIANSHENG_CHANNELS__WECHAT__API_URL", "http://127.0.0.1:1"),
        ],
    );
    let wechat = api.unwrap().channels.wechat.unwrap();
    assert!(wechat.customer_service && wechat.aes_keys.is_empty());
    assert!(!format!("{wechat:?}").contains("s3cr3t"));
    refused(
        &format!("{id}token = \"t\"\ncustomer_service = false\naes_key = \"short\"\n"),
        &[],
        "tiansheng.toml:5: `channels.wechat.aes_key` must be an EncodingAESKey of 43 letters and digits; while it is changed, the new one, a comma and the one before",
    );
    refused(
        "[channels.wechat]\ntoken = \"t\"\n",
        &[],
        "tiansheng.toml:2: `channels.wechat.token` needs `channels.wechat.app_id` beside it",
    );
}
