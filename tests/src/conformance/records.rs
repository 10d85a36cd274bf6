//! Every promise of `RecordStore`.

use super::T0;
use bot::store::{Record, RecordStore, Row};

fn record(seq: u64, conversation: &str, rev: u64, rows: Vec<Row>) -> Record {
    Record {
        seq,
        conversation: conversation.to_owned(),
        rev,
        at_ms: T0 + seq as i64,
        events: vec![format!("{{\"n\":{seq}}}")],
        rows,
    }
}

/// Every promise of `RecordStore`, on an empty one.
pub async fn records(store: &impl RecordStore) {
    assert_eq!(store.position(0).await.unwrap(), 0);
    let lead = Row::Lead {
        conversation: "a:1".to_owned(),
        grade: "B".to_owned(),
        score: 50,
        reasons_json: "[]".to_owned(),
        at_ms: T0,
    };
    let handoff = Row::Handoff {
        conversation: "a:1".to_owned(),
        reason: "customer_request".to_owned(),
        brief_json: "{}".to_owned(),
        rep: Some("lin".to_owned()),
        at_ms: T0,
    };
    let batch = vec![
        record(1, "a:1", 1, vec![lead]),
        record(2, "a:2", 1, vec![]),
        record(4, "a:1", 2, vec![handoff]),
    ];
    store.apply(0, batch.clone()).await.unwrap();
    store.apply(0, batch).await.unwrap();
    assert_eq!(store.position(0).await.unwrap(), 4, "gaps are no matter");
    let events = store.events("a:1", 0, 10).await.unwrap();
    assert_eq!(
        events
            .iter()
            .map(|e| (e.rev, e.events[0].as_str()))
            .collect::<Vec<_>>(),
        [(1, "{\"n\":1}"), (2, "{\"n\":4}")]
    );
    assert_eq!(store.events("a:1", 1, 10).await.unwrap().len(), 1);
    let kept = store.conversations("", 10).await.unwrap();
    assert_eq!(
        kept.iter()
            .map(|k| (k.id.as_str(), k.rev, k.mode.as_str()))
            .collect::<Vec<_>>(),
        [("a:1", 2, "waiting"), ("a:2", 1, "bot")]
    );
    assert_eq!(store.conversations("a:1", 10).await.unwrap().len(), 1);
    assert_eq!(
        store
            .leads("a:1")
            .await
            .unwrap()
            .map(|l| (l.grade, l.score)),
        Some(("B".to_owned(), 50))
    );
    assert_eq!(
        store.handoffs("a:1").await.unwrap().len(),
        1,
        "applied twice, kept once"
    );
    let taken = Row::Mode {
        conversation: "a:1".to_owned(),
        mode: "human".to_owned(),
        rep: None,
        at_ms: T0,
    };
    store
        .apply(0, vec![record(5, "a:1", 3, vec![taken])])
        .await
        .unwrap();
    assert_eq!(store.conversations("", 1).await.unwrap()[0].mode, "human");
    store
        .apply(3, vec![record(2, "a:3", 1, vec![])])
        .await
        .unwrap();
    assert_eq!(
        (store.position(3).await, store.position(0).await),
        (Ok(2), Ok(5)),
        "each journal has its own position"
    );
    // A batch of many steps of a few conversations, one step told twice.
    let mut batch: Vec<Record> = (0..60)
        .map(|n| record(n + 1, &format!("b:{}", n % 7), n / 7 + 1, vec![]))
        .collect();
    batch.push(record(61, "b:0", 1, vec![]));
    store.apply(9, batch).await.unwrap();
    let kept = store.conversations("b:", 10).await.unwrap();
    assert_eq!(kept.len(), 7);
    for (n, kept) in kept.iter().enumerate() {
        let events = store.events(&kept.id, 0, 100).await.unwrap();
        let revs: Vec<u64> = events.iter().map(|entry| entry.rev).collect();
        let last = if n < 4 { 9 } else { 8 };
        assert_eq!(revs, (1..=last).collect::<Vec<_>>());
        assert_eq!(kept.first_at_ms, T0 + n as i64 + 1);
        let told = if n == 0 {
            "{\"n\":61}"
        } else {
            &format!("{{\"n\":{}}}", n + 1)
        };
        assert_eq!(events[0].events, [told], "the last word counts");
    }
    assert_eq!((kept[1].rev, kept[1].last_at_ms), (9, T0 + 58));
    store
        .keep_version("shop", "sha256:1", b"\x00body", T0)
        .await
        .unwrap();
    store
        .keep_version("shop", "sha256:1", b"other", T0)
        .await
        .unwrap();
    assert_eq!(
        store.version("shop", "sha256:1").await.unwrap().as_deref(),
        Some(b"\x00body".as_slice()),
        "a version never changes"
    );
    assert_eq!(store.version("shop", "sha256:2").await.unwrap(), None);
    store
        .audit("admin", "publish", "sha256:1", T0)
        .await
        .unwrap();
    let audited = store.audited(T0, 10).await.unwrap();
    assert_eq!(
        audited
            .iter()
            .map(|line| (line.who.as_str(), line.what.as_str(), line.on.as_str()))
            .collect::<Vec<_>>(),
        [("admin", "publish", "sha256:1")]
    );
    assert_eq!(store.audited(T0 + 1, 10).await, Ok(vec![]));
    customers(store).await;
    put_away(store).await;
}

/// Who wrote first is a customer, known by their place on the channel and by what they gave.
async fn customers(store: &impl RecordStore) {
    let contact = |kind: &str, value: &str| Row::Contact {
        conversation: "web:c1".to_owned(),
        kind: kind.to_owned(),
        value: value.to_owned(),
        at_ms: T0 + 500,
    };
    let lead = |grade: &str, score| Row::Lead {
        conversation: "web:c1".to_owned(),
        grade: grade.to_owned(),
        score,
        reasons_json: "[]".to_owned(),
        at_ms: T0,
    };
    let batch = vec![
        record(1, "web:c1", 1, vec![lead("C", 20)]),
        record(2, "web:c1", 2, vec![contact("phone", "13800138000")]),
        record(
            3,
            "web:c1",
            3,
            vec![contact("phone", "13800138000"), lead("A", 80)],
        ),
        record(4, "web:c2", 1, vec![]),
    ];
    store.apply(11, batch).await.unwrap();
    assert_eq!(store.customer_of("web:nobody").await, Ok(None));
    let customer = store.customer_of("web:c1").await.unwrap().unwrap();
    assert_ne!(
        store.customer_of("web:c2").await.unwrap().unwrap(),
        customer
    );
    let known: Vec<(String, String)> = store
        .identities(&customer)
        .await
        .unwrap()
        .into_iter()
        .map(|identity| (identity.kind, identity.value))
        .collect();
    let pair = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
    assert_eq!(known, [pair("web", "c1"), pair("phone", "13800138000")]);
    let theirs = store.conversations_of(&customer).await.unwrap();
    assert_eq!(theirs.len(), 1);
    assert_eq!((theirs[0].id.as_str(), theirs[0].rev), ("web:c1", 3));
    let grades = store.grades("web:c1").await.unwrap();
    assert_eq!(
        grades
            .iter()
            .map(|grade| (grade.rev, grade.grade.as_str(), grade.score))
            .collect::<Vec<_>>(),
        [(1, "C", 20), (3, "A", 80)],
        "each change is kept"
    );
}

async fn put_away(store: &impl RecordStore) {
    assert_eq!(store.put_away_of("a:1").await, Ok(None));
    assert_eq!(store.put_away("a:1", 7, "seven", T0).await, Ok(true));
    assert_eq!(store.put_away("a:1", 6, "six", T0).await, Ok(false));
    assert_eq!(
        store.put_away_of("a:1").await,
        Ok(Some((7, "seven".to_owned()))),
        "an older document replaces no newer one"
    );
    assert_eq!(store.put_away("a:1", 7, "seven", T0).await, Ok(true));
    assert_eq!(store.put_away("a:1", 9, "nine", T0).await, Ok(true));
    assert_eq!(
        store.put_away_of("a:1").await,
        Ok(Some((9, "nine".to_owned())))
    );
}
