//! What an operator starts the product with: the compose file, the Dockerfile, nginx, the systemd unit, each held against the program and against real tools.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::binary::{self, Server, free_port};
use tests::nginx::Nginx;
use tests::redis_server::Redis;
use tests::visitor::Visitor;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn deploy() -> PathBuf {
    root().join("bot/deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy().join(name)).unwrap()
}

fn compose() -> Value {
    serde_saphyr::from_str(&expanded(&read("compose.yaml"))).unwrap()
}

/// `${NAME:-default}` as compose reads it where NAME is not set.
fn expanded(text: &str) -> String {
    let mut parts = text.split("${");
    let mut all = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap();
        let (_, default) = variable.split_once(":-").expect("a variable has a default");
        all.push_str(default);
        all.push_str(rest);
    }
    all
}

fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().map(|name| name.as_str().unwrap()).collect(),
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        other => panic!("{other} is no list of names"),
    }
}

/// `tiansheng check` with these settings: what is wrong with them.
fn checked(settings: &[(String, String)]) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(binary::path())
        .arg("check")
        .envs(settings.iter().cloned())
        .current_dir(dir.path())
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn the_compose_file_names_only_what_is_there_and_settings_that_the_program_knows() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let secrets = names(&compose["secrets"]);
    let mut replicas = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for (name, service) in services {
        assert!(!service["image"].as_str().unwrap().contains('/'), "{name}");
        assert!(
            !service["deploy"]["resources"]["limits"]["memory"].is_null(),
            "{name}"
        );
        assert_eq!(service["restart"], "always", "{name}");
        if let Value::Object(others) = &service["depends_on"] {
            assert!(
                others.keys().all(|other| services.contains_key(other)),
                "{name}"
            );
        }
        if !service["secrets"].is_null() {
            assert!(
                names(&service["secrets"])
                    .iter()
                    .all(|one| secrets.contains(one))
            );
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            let is_there = match from.starts_with('.') {
                true => deploy().join(from).exists(),
                false => names(&compose["volumes"]).contains(&from),
            };
            assert!(is_there, "{name} mounts {from}");
        }
        if service["image"] != "tiansheng:local" {
            assert!(!service["healthcheck"]["test"].is_null(), "{name}");
            continue;
        }
        replicas.insert(format!("{name}:8080"));
        let address = service["networks"]["inside"]["ipv4_address"]
            .as_str()
            .unwrap();
        addresses.insert(address.to_owned());
        assert!(address.starts_with("172.30.84."));
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "secret\n").unwrap();
        let mut settings: Vec<(String, String)> = service["environment"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| {
                let value = value.as_str().unwrap_or_default();
                let value = match value.strip_prefix("/run/secrets/") {
                    Some(one) if secrets.contains(&one) => secret.path().display().to_string(),
                    Some(one) => panic!("{name} reads the secret {one}, which is not declared"),
                    None if value == "/shop" => deploy().join("../demo").display().to_string(),
                    None => value.to_owned(),
                };
                (key.clone(), value)
            })
            .collect();
        assert_eq!(checked(&settings), Ok(()), "{name}");
        settings.push(("TIANSHENG_STATE__ADDRESS".to_owned(), "x".to_owned()));
        let told = checked(&settings).unwrap_err();
        assert!(told.contains("unknown setting"), "{told}");
    }
    assert_eq!((replicas.len(), addresses.len()), (2, 2));
    // nginx knows the same replicas.
    let known: BTreeSet<String> = read("nginx.conf")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("server "))
        .filter_map(|rest| rest.split(' ').next())
        .filter(|server| server.contains(":8080"))
        .map(str::to_owned)
        .collect();
    assert_eq!(known, replicas);
    // The secrets are made by the operator and never kept.
    for secret in compose["secrets"].as_object().unwrap().values() {
        let file = secret["file"].as_str().unwrap();
        assert!(file.starts_with("./secrets/"));
        assert!(
            read("README.md").contains(file.trim_start_matches("./")),
            "{file}"
        );
    }
    assert!(read(".gitignore").contains("secrets/"));
}

/// The command of the compose file, with the folders of this machine: a Redis that asks for the password and forgets nothing.
#[test]
fn the_redis_of_the_compose_file_asks_for_its_password_and_forgets_nothing() {
    let compose = compose();
    let command = names(&compose["services"]["redis"]["command"]);
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(at("secret"), "not-to-be-shown\n").unwrap();
    let port = free_port().to_string();
    let script = command[2]
        .replace("$$", "$")
        .replace(
            "/etc/redis/redis.conf",
            &deploy().join("redis.conf").display().to_string(),
        )
        .replace("/run/secrets/redis", &at("secret"))
        .replace(
            "dir /data",
            &format!("dir {}\nport {port}\nbind 127.0.0.1", dir.path().display()),
        );
    let mut server = Command::new(command[0])
        .args([command[1], &script])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ask = |password: &str, words: &[&str]| {
        let asked = Command::new("redis-cli")
            .args(["-p", &port])
            .args(words)
            .env("REDISCLI_AUTH", password)
            .output()
            .unwrap();
        String::from_utf8_lossy(&asked.stdout).trim().to_owned()
    };
    let begun = Instant::now();
    while ask("not-to-be-shown", &["PING"]) != "PONG" {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it does not answer"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ask("", &["PING"]).contains("NOAUTH"));
    for (setting, value) in [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("maxmemory-policy", "noeviction"),
    ] {
        assert_eq!(
            ask("not-to-be-shown", &["CONFIG", "GET", setting]),
            format!("{setting}\n{value}")
        );
    }
    let shown = std::fs::read(format!("/proc/{}/cmdline", server.id())).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains("not-to-be-shown"));
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The Dockerfile's instructions, each in one line.
fn instructions() -> Vec<(String, String)> {
    read("Dockerfile")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\\\n", " ")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect()
}

#[test]
fn the_dockerfile_copies_what_is_there_and_builds_what_it_copies() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let quoted = |key: &str| {
        let line = manifest.lines().find(|line| line.starts_with(key)).unwrap();
        line.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let all = instructions();
    let of = |word: &str| -> Vec<&str> {
        let found = all.iter().filter(|(own, _)| own == word);
        found.map(|(_, rest)| rest.as_str()).collect()
    };
    let images = of("FROM");
    assert!(images.len() == 2 && images.iter().all(|image| !image.contains('/')));
    let version = |text: &str| -> Vec<u32> {
        text.split('.')
            .map(|number| number.parse().unwrap())
            .collect()
    };
    let rust = images[0]
        .strip_prefix("rust:")
        .unwrap()
        .split('-')
        .next()
        .unwrap();
    assert!(
        version(rust) >= version(&quoted("rust-version")[0]),
        "rust {rust} is too old"
    );
    // The program and the libraries that it was built against are of one Debian.
    let debian = images[1]
        .strip_prefix("debian:")
        .and_then(|name| name.split('-').next());
    assert!(images[0].contains(debian.unwrap()), "{images:?}");

    let mut copied = BTreeSet::new();
    let mut handed_on = Vec::new();
    for copy in of("COPY") {
        let words: Vec<&str> = copy
            .split(' ')
            .filter(|word| !word.starts_with("--"))
            .collect();
        let (_, sources) = words.split_last().unwrap();
        match copy.contains("--from=build") {
            true => handed_on.extend(sources.to_vec()),
            false => copied.extend(sources.to_vec()),
        }
    }
    for source in &copied {
        assert!(root().join(source).exists(), "{source} is not there");
        assert!(
            !read("Dockerfile.dockerignore")
                .lines()
                .any(|line| line == *source)
        );
    }
    for member in quoted("members") {
        assert!(copied.contains(member.as_str()), "{member} is not copied");
    }
    let build = of("RUN")
        .into_iter()
        .find(|run| run.contains("cargo build"))
        .unwrap();
    assert!(build.contains("--locked") && build.contains("--release"));
    let words: Vec<&str> = build.split_whitespace().collect();
    let after = |word: &str| words[words.iter().position(|own| *own == word).unwrap() + 1];
    let bot = std::fs::read_to_string(root().join(after("--package")).join("Cargo.toml")).unwrap();
    let program = after("--bin");
    assert!(bot.contains(&format!("[[bin]]\nname = \"{program}\"")));
    let put = words.last().unwrap();
    assert_eq!(after("cp"), format!("target/release/{program}"));
    assert!(handed_on.contains(put), "{put} is not in the image");
    assert_eq!(
        handed_on.len(),
        3,
        "program, certificates, data folder: {handed_on:?}"
    );

    assert_ne!(of("USER")[0].split(':').next().unwrap(), "0");
    assert_eq!(of("STOPSIGNAL"), ["SIGTERM"]);
    let program: Vec<String> = serde_json::from_str(of("ENTRYPOINT")[0]).unwrap();
    assert_eq!(program, ["tiansheng"]);
    let mut settings: Vec<(String, String)> = of("ENV")[0]
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(checked(&settings), Ok(()));
    // A server with these settings is found healthy by the image's own check, and its absence is told.
    let health = of("HEALTHCHECK")[0].split_once("CMD ").unwrap().1;
    let health: Vec<String> = serde_json::from_str(health).unwrap();
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    settings.retain(|(key, _)| key != "TIANSHENG_DATA__DIR");
    for (_, value) in &mut settings {
        *value = value.replace("8080", &port.to_string());
    }
    let healthy = || {
        let asked = Command::new(binary::path())
            .args(&health[1..])
            .envs(settings.iter().cloned())
            .current_dir(data.path())
            .output();
        let asked = asked.unwrap();
        (
            asked.status.success(),
            String::from_utf8_lossy(&asked.stdout).into_owned(),
        )
    };
    let (is, told) = healthy();
    assert!(!is && told.contains("start the server"), "{told}");
    let server = Server::start(data.path(), port, &[]);
    let (is, told) = healthy();
    assert!(is, "{told}");
    assert!(server.stop().success());
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_finds_closed() {
    let unit = read("tiansheng.service");
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let path = dir.path().join("tiansheng.service");
    let program = "/usr/local/bin/tiansheng";
    assert!(unit.contains(&format!("ExecStart={program} serve")));
    let analyze = |words: &[&str]| {
        let asked = Command::new("systemd-analyze")
            .args(words)
            .arg(&path)
            .output();
        let asked = asked.expect("systemd-analyze is not installed; tests/run installs it");
        let told = [asked.stdout, asked.stderr].concat();
        (
            asked.status.success(),
            String::from_utf8_lossy(&told).into_owned(),
        )
    };
    let here = unit.replace(program, &binary::path().display().to_string());
    for text in [
        here.clone(),
        here.replace("#LoadCredential", "LoadCredential"),
    ] {
        std::fs::write(&path, &text).unwrap();
        let (taken, told) = analyze(&["verify"]);
        assert!(taken && told.is_empty(), "{told}");
        let (closed, told) = analyze(&["security", "--offline=true", "--threshold=20"]);
        assert!(closed, "{told}");
    }
    std::fs::write(&path, here.replace("Restart=always", "Restart=whenever")).unwrap();
    assert!(!analyze(&["verify"]).1.is_empty(), "a wrong line is found");
    let settings: Vec<(String, String)> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment=")?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(settings.len(), 1);
    assert_eq!(checked(&settings), Ok(()));
}

/// Two replicas on one Redis, behind the nginx of the deployment.
struct Behind {
    redis: Redis,
    data: tempfile::TempDir,
    ports: [u16; 2],
    nginx: Nginx,
}

/// Sessions that one address may open a minute.
const SESSIONS: &str = "30";

impl Behind {
    fn start() -> (Self, [Option<Server>; 2]) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ports = [free_port(), free_port()];
        let at = ports.map(|port| format!("127.0.0.1:{port}"));
        let behind = Self {
            redis: Redis::start(),
            data: tempfile::tempdir().unwrap(),
            ports,
            nginx: Nginx::start(
                &read("nginx.conf"),
                &[("tiansheng-1:8080", &at[0]), ("tiansheng-2:8080", &at[1])],
            ),
        };
        let servers = [0, 1].map(|which| Some(behind.replica(which)));
        (behind, servers)
    }

    fn replica(&self, which: usize) -> Server {
        let settings = [
            ("TIANSHENG_STATE__URL", self.redis.url()),
            // What is shown is the proxy: a Redis that is slow on a busy machine is no failure of it.
            ("TIANSHENG_STATE__TIMEOUT_MS", "10000".to_owned()),
            ("TIANSHENG_WEB__TRUST_FORWARDED", "true".to_owned()),
            ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", SESSIONS.to_owned()),
            ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "100000".to_owned()),
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0".to_owned()),
        ];
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        Server::start(self.data.path(), self.ports[which], &settings)
    }
}

/// What a killed replica was sending waits for its lease (30 s), and behind more than 1,000 messages that wait no letter is taken: who writes faster than this would be told so.
const BETWEEN_POSTS: Duration = Duration::from_millis(60);

/// Posts one message after the other until told to stop: every status that was answered.
async fn posting(url: String, over: Arc<AtomicBool>) -> Vec<u16> {
    let visitor = Visitor::new(&url).await;
    let mut answered = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let id = uuid::Uuid::new_v4().to_string();
        answered.push(visitor.post(&url, &id, "你好").await);
        tokio::time::sleep(BETWEEN_POSTS).await;
    }
    let last = visitor.say(&url, "谢谢").await;
    visitor.feed(&url, 0, &last).await;
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_replicas_are_killed_and_restarted_and_no_request_fails() {
    let (behind, mut servers) = Behind::start();
    let url = behind.nginx.url.clone();
    let over = Arc::new(AtomicBool::new(false));
    let posting: Vec<_> = (0..6)
        .map(|_| tokio::spawn(posting(url.clone(), Arc::clone(&over))))
        .collect();
    let pause = || tokio::time::sleep(Duration::from_millis(1_500));
    for which in [0, 1, 0] {
        pause().await;
        servers[which].take().unwrap().kill();
        pause().await;
        servers[which] = Some(behind.replica(which));
    }
    for which in [0, 1] {
        pause().await;
        let old = servers[which].take().unwrap();
        assert!(
            tokio::task::spawn_blocking(|| old.stop())
                .await
                .unwrap()
                .success()
        );
        servers[which] = Some(behind.replica(which));
    }
    pause().await;
    over.store(true, Ordering::Relaxed);
    let mut answers = 0;
    for posting in posting {
        let answered = posting.await.unwrap();
        let failed: Vec<&u16> = answered.iter().filter(|status| **status != 202).collect();
        assert!(failed.is_empty(), "{failed:?} {}", behind.nginx.log());
        answers += answered.len();
    }
    println!(
        "{answers} messages through nginx over three SIGKILLs and a rolling restart, none failed"
    );
    assert!(answers > 300, "{answers}");
    assert!(
        behind.nginx.log().contains("connect() failed"),
        "no request met a killed replica"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_events_come_at_once_and_addresses_cannot_be_made_up() {
    let (behind, _servers) = Behind::start();
    let url = behind.nginx.url.as_str();
    // An answer is read from a stream that stays open: buffered, it would come with the stream's end.
    let visitor = Visitor::new(url).await;
    let id = visitor.say(url, "你好").await;
    assert!(!visitor.feed(url, 0, &id).await.is_empty());
    let http = reqwest::Client::new();
    for path in ["/metrics", "/readyz"] {
        let inside = format!("http://127.0.0.1:{}{path}", behind.ports[0]);
        assert_eq!(http.get(inside).send().await.unwrap().status(), 200);
        let outside = http.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(outside.status(), 404);
    }
    let widget = http.get(format!("{url}/widget.js")).send().await.unwrap();
    assert_eq!(widget.status(), 200);
    // Whoever writes the header themselves is counted by their own address all the same.
    let mut refused = 0;
    for number in 0..80 {
        let answer = http
            .post(format!("{url}/v1/web/sessions"))
            .header("x-forwarded-for", format!("198.51.100.{number}"))
            .send()
            .await
            .unwrap();
        refused += usize::from(answer.status() == 429);
    }
    assert!(refused > 0, "80 sessions were opened by one address");
}

/// Visitors and messages of each that the figures are taken from.
const SIZED: (usize, usize) = (40, 10);

/// `cargo test --workspace --test deploy -- --ignored --nocapture figures`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints the figures of bot/deploy/README.md"]
async fn figures_of_sizing() {
    let postgres = tests::postgres_server::Postgres::start();
    let redis = Redis::start();
    let (records, state) = (postgres.url("records"), redis.url());
    let dir = tempfile::tempdir().unwrap();
    let mut settings = tests::load::SETTINGS.to_vec();
    settings.push(("TIANSHENG_RECORDS__URL", &records));
    settings.push(("TIANSHENG_STATE__URL", &state));
    let server = Server::start(dir.path(), free_port(), &settings);
    let in_tables = || -> i64 {
        let sum = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables WHERE relname NOT IN ('versions', '_sqlx_migrations')";
        postgres.ask("records", "VACUUM FULL");
        postgres.ask("records", sum).parse().unwrap()
    };
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<i64>()
            .unwrap()
    };
    let before = (in_tables(), resident());
    let (visitors, messages) = SIZED;
    let talking: Vec<_> = (0..visitors)
        .map(|number| {
            let url = server.url.clone();
            tokio::spawn(async move {
                let mut customer = tests::load::Customer::new(&url).await;
                for at in 0..messages {
                    customer.say(tests::load::SAYINGS[(number + at) % 10]).await;
                }
            })
        })
        .collect();
    for talking in talking {
        talking.await.unwrap();
    }
    let turns = (visitors * messages) as i64;
    let begun = Instant::now();
    while postgres.ask("records", "SELECT count(*) FROM events") != turns.to_string() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let visitors = visitors as i64;
    println!(
        "PostgreSQL, bytes a turn with its indexes: {}",
        (in_tables() - before.0) / turns
    );
    println!(
        "PostgreSQL, bytes a conversation of {messages} messages: {}",
        (in_tables() - before.0) / visitors
    );
    println!(
        "the program, KB at rest and after: {} {}",
        before.1,
        resident()
    );
    println!(
        "the shop's and policies' versions, bytes: {}",
        postgres.ask("records", "SELECT pg_total_relation_size('versions')")
    );
}
