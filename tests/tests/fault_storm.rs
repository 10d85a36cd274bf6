//! Three replicas on one Redis and one PostgreSQL while everything breaks that can: nothing is lost, doubled or out of order, and a report says what was seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as StateSettings;
use bot::store::redis::State;
use bot::store::{NewMail, StateStore as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::faulty::Way;
use tests::front::Front;
use tests::peer::until;
use tests::platform::{OnDiscord, OnTelegram, OnWeChat, OnWeChatInAnswers, OnWeCom, Platform};
use tests::postgres_server::Postgres;
use tests::redis_server::Redis;
use tests::storm::Dice;
use tests::storm::bringer::{Grounds, Mark, bring};
use tests::storm::crowd::{Crowd, books, books_of, sums};
use tests::storm::faults::{STORM_MS, plan};
use tests::storm::fleet::Replica;
use tests::storm::losses;
use tests::storm::people::People;
use tests::storm::report;
use tests::storm::visitor::{Doors, Pace};

const CONVERSATIONS: usize = 500;
/// The same where the platforms are reached in their other ways.
const CONVERSATIONS_OTHERWISE: usize = 80;
/// So many of them on each platform, the others on the web.
const ON_PLATFORM: usize = 25;
/// Longest wait for what is still on its way when nobody says anything more.
const LAST_MAX: Duration = Duration::from_secs(180);
/// What the replicas' clocks show besides the time.
const CLOCKS: [Option<&str>; 3] = [None, Some("-5m"), Some("+7m")];

/// So short that conversations leave Redis for the records and come back in the middle of the storm.
const IDLE: [(&str, &str); 1] = [("TIANSHENG_STATE__IDLE_SECONDS", "8")];

/// `STORM_SEED` makes another storm.
fn seed() -> u64 {
    std::env::var("STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_201)
}

fn publish(name: &str, report: &str) {
    report::publish(env!("CARGO_TARGET_TMPDIR"), name, report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invariants_4_5_and_11_three_replicas_survive_a_storm_of_every_fault_on_all_channels() {
    let platforms: Vec<Arc<dyn Platform>> = vec![
        Arc::new(OnTelegram::start()),
        Arc::new(OnDiscord::start()),
        Arc::new(OnWeChat::start()),
        Arc::new(OnWeCom::start()),
    ];
    storm("fault-storm", seed(), platforms, CONVERSATIONS).await;
}

/// Telegram is asked for its updates, and WeChat takes nothing but answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invariants_4_5_and_11_three_replicas_survive_the_storm_where_they_ask_or_only_answer() {
    let platforms: Vec<Arc<dyn Platform>> = vec![
        Arc::new(OnTelegram::polled()),
        Arc::new(OnWeChatInAnswers::start()),
    ];
    let name = "fault-storm-otherwise";
    storm(name, seed() + 1, platforms, CONVERSATIONS_OTHERWISE).await;
}

async fn storm(name: &str, seed: u64, platforms: Vec<Arc<dyn Platform>>, conversations: usize) {
    let mut dice = Dice(seed);
    let redis = Redis::start_with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--enable-debug-command",
        "yes",
    ]);
    let postgres = Postgres::start();
    let (redis_url, records_url) = (redis.url(), postgres.url("records"));
    let of_platforms: Vec<(&str, String)> = platforms
        .iter()
        .flat_map(|platform| platform.settings())
        .collect();
    let mut settings = IDLE.to_vec();
    settings.extend(
        of_platforms
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    let mut replicas = Vec::new();
    for clock in CLOCKS {
        replicas.push(Replica::new(redis.port, &postgres, clock, &settings).await);
    }
    let doors = Doors::new(replicas.iter().map(|replica| replica.url.clone()).collect());
    let grounds = Arc::new(Grounds {
        replicas,
        redis: Mutex::new(redis),
        postgres: Mutex::new(postgres),
        platforms,
        http: doors.http.clone(),
    });
    for (replica, clock) in grounds.replicas.iter().zip(CLOCKS) {
        replica.ready(&doors.http).await;
        let minutes = (replica.ahead(&doors.http).await / 60.0).round();
        let expected = clock.map_or(0.0, |clock| {
            -clock.trim_end_matches('m').parse::<f64>().unwrap()
        });
        assert!(
            (minutes - expected).abs() < 1.0,
            "{clock:?} is {minutes} minutes"
        );
    }
    let front = Front::before(doors.urls.clone()).await;
    until("three replicas in service", async || {
        (0..CLOCKS.len()).all(|at| front.trusts(at)).then_some(())
    })
    .await;
    for platform in &grounds.platforms {
        platform.connect(&front.url).await;
    }
    let plan = plan(&mut dice);
    let pace = Pace {
        rest_ms: 20_000,
        last: Duration::from_secs(120),
    };
    let begun = Instant::now();
    let on_platforms = grounds.platforms.len() * ON_PLATFORM;
    let crowd = Crowd::enters(conversations - on_platforms, &doors, pace, &mut dice);
    let people: Vec<People> = grounds
        .platforms
        .iter()
        .map(|platform| People::enter(platform, ON_PLATFORM, pace, &mut dice))
        .collect();
    let brought = bring(&grounds, &plan, begun).await;
    tokio::time::sleep_until((begun + Duration::from_millis(STORM_MS)).into()).await;
    let away = grounds.away();
    let mut left = Vec::new();
    for people in people {
        left.push(people.leave().await);
    }
    let visitors = crowd.leaves().await;
    let last = begun + Duration::from_millis(STORM_MS) + LAST_MAX;
    while Instant::now() < last {
        let mut is_brought = true;
        for platform in &grounds.platforms {
            is_brought &= platform.is_brought().await;
        }
        if is_brought && grounds.under_way().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("still under way: {:?}", grounds.under_way());
    println!(
        "quiet {:?} after the storm",
        begun.elapsed() - Duration::from_millis(STORM_MS)
    );
    for left in &mut left {
        left.look().await;
    }
    let waiting = grounds.waiting();
    let mut unended = Vec::new();
    for replica in &grounds.replicas {
        println!("a replica stopped in {:?}", replica.stop());
        let log = replica.log();
        unended.extend(
            log.lines()
                .filter(|line| line.contains("not everything has ended"))
                .map(str::to_owned),
        );
    }
    let mut books = books_of(&visitors, &left, &redis_url, &records_url).await;
    // What a platform's window does not take is said first when the customer writes again, and nobody does any more.
    let all = books.unsent.len();
    books.unsent.retain(|line| {
        let id = |id: &String| line.starts_with(&format!("{id}: "));
        !waiting.iter().any(id)
    });
    books.unanswered -= all - books.unsent.len();
    println!("{} replies wait for the customer", all - books.unsent.len());
    let sums = sums(&visitors);
    publish(
        name,
        &report::told(seed, &brought, &visitors, &left, &sums, &books, away),
    );
    let mut in_flight: Vec<&String> = Vec::new();
    let mut forged = 0;
    for one in &brought {
        match &one.mark {
            Mark::Refusals {
                asked,
                refused,
                unready,
                back,
            } => assert!(*asked > 0 && asked == refused && *unready && back.is_some()),
            Mark::Orphans { sends, .. } => in_flight.extend(sends),
            Mark::Forged { answered, taken } => {
                forged += answered;
                assert_eq!(*taken, 0, "a forged delivery was taken");
            }
            Mark::Nothing => {}
        }
    }
    assert!(forged > 0, "nobody answered a forged delivery");
    assert!(books.pressed > 0, "nobody pressed anything");
    // Where a platform cannot tell a repetition, what a killed sender had in flight may come twice, and nothing else.
    let unexplained = books.sent_twice.keys().filter(|id| !in_flight.contains(id));
    assert_eq!(unexplained.collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(
        unended,
        Vec::<String>::new(),
        "something did not end by itself"
    );
    assert!(books.clean(), "{books:#?}");
    assert_eq!((sums.unread, sums.doubled, sums.without_wait), (0, 0, 0));
    assert!(away > 0, "no conversation left Redis");
    assert!(books.conversations == conversations && books.messages > 4 * conversations);
}

/// A clock is compared when the state answers; what is claimed before would be leased, and taken from others, by a clock that may be wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_with_a_wrong_clock_that_waits_for_its_redis_takes_nothing_before_its_time() {
    let redis = Redis::start();
    let postgres = Postgres::start();
    let state = State::open(&StateSettings::of_url(&redis.url()).unwrap());
    let replica = Replica::new(redis.port, &postgres, Some("+7m"), &[]).await;
    replica.kill();
    replica.to_redis.set(Way::Cut);
    replica.start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let due_in_a_minute = NewMail {
        conversation: "web:early".to_owned(),
        event_id: "e1".to_owned(),
        at_ms: i64::try_from(now.as_millis()).unwrap(),
        quiet_ms: 60_000,
        quiet_max_ms: 60_000,
        body: "{}".to_owned(),
    };
    state.accept(due_in_a_minute).await.unwrap();
    // Long enough for the replica to have found Redis away.
    tokio::time::sleep(Duration::from_secs(2)).await;
    // So slow that everything in it waits for the first comparison.
    replica.to_redis.set(Way::Slow(Duration::from_millis(500)));
    tokio::time::sleep(Duration::from_secs(4)).await;
    replica.to_redis.set(Way::Open);
    let doors = Doors::new(vec![replica.url.clone()]);
    let pace = Pace {
        rest_ms: 500,
        last: Duration::from_secs(30),
    };
    let crowd = Crowd::enters(4, &doors, pace, &mut Dice(seed()));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let visitors = crowd.leaves().await;
    assert_eq!(sums(&visitors).unread, 0);
    let snapshot = state.snapshot("web:early").await.unwrap();
    assert!(snapshot.is_none(), "a turn ran before its time");
}

/// What each kind of loss is called, measured at most, and closed by is in the report; nothing that it does not explain is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_lost_by_its_nature_is_what_was_not_yet_on_disk_or_on_the_replica() {
    const BEHIND: Duration = Duration::from_millis(400);
    /// From the server's write to the visitor's clock, and between two looks at the file, on a machine that is busy; the visitors talk for much longer.
    const SLACK: Duration = Duration::from_secs(5);
    let losses = [
        losses::every_second(false, seed() + 2).await,
        losses::every_second(true, seed() + 3).await,
        losses::failover(BEHIND, false, seed() + 4).await,
        losses::failover(Duration::from_millis(100), true, seed() + 5).await,
    ];
    let rows: Vec<String> = losses.iter().map(ToString::to_string).collect();
    publish(
        "losses",
        &format!("{}\n{}\n", losses::COLUMNS, rows.join("\n")),
    );
    let [killed, machine, late, waited] = &losses;
    let second = Duration::from_secs(1);
    for (loss, most) in [(killed, second), (machine, second), (late, BEHIND)] {
        assert!(loss.age <= most + SLACK, "{loss:#?}");
    }
    assert!(late.lag_bytes > 0, "the failover met no lag");
    assert!(
        waited.books.clean() && waited.sums.unread == 0,
        "{waited:#?}"
    );
}

/// A journal that nobody empties must not fill the memory that everything else needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_journal_refuses_with_a_wait_and_all_that_was_accepted_is_archived_later() {
    /// The least that may be set, over all shards; a shard has its share of it.
    const JOURNAL_MAX: &str = "1000";
    const SHARD_MAX: u64 = 1_000 / 16;
    const FULL_AFTER_MAX: Duration = Duration::from_secs(90);
    let redis = Redis::start();
    let mut postgres = Postgres::start();
    let settings = [("TIANSHENG_STATE__JOURNAL_MAX", JOURNAL_MAX)];
    let replica = Replica::new(redis.port, &postgres, None, &settings).await;
    let doors = Doors::new(vec![replica.url.clone()]);
    replica.ready(&doors.http).await;
    tokio::task::block_in_place(|| postgres.kill());
    let pace = Pace {
        rest_ms: 100,
        last: Duration::from_secs(60),
    };
    let crowd = Crowd::enters(6, &doors, pace, &mut Dice(seed() + 6));
    let begun = Instant::now();
    let longest = || {
        let lengths = (0..16).map(|shard| redis.ask(&["XLEN", &format!("journal:{{{shard}}}")]));
        lengths
            .map(|length| length.trim().parse::<u64>().unwrap())
            .max()
            .unwrap()
    };
    while longest() < SHARD_MAX {
        assert!(begun.elapsed() < FULL_AFTER_MAX, "{} entries", longest());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    tokio::task::block_in_place(|| postgres.up());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let visitors = crowd.leaves().await;
    replica.stop();
    let books = books(&visitors, &redis.url(), &postgres.url("records")).await;
    let sums = sums(&visitors);
    println!(
        "full journal: {} refused, {} messages",
        sums.refused, books.messages
    );
    assert!(sums.refused > 0 && sums.without_wait == 0, "{sums:#?}");
    assert!(books.clean() && sums.unread == 0, "{books:#?}");
}
