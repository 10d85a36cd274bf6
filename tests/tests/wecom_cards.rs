//! Products on WeCom: a card whose picture lies in WeCom's own store, and its words where that cannot be.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{Value, json};
use tests::redis_server::Redis;
use tests::served::wecom::{ask, assert_nothing_secret, serve};
use tests::wecom_peer::{WeComPeer, words};

/// A shop with a kettle that has a page and a picture, and two teas that have pages.
fn shop(peer: &WeComPeer, picture: &str) -> tempfile::TempDir {
    let shop = tempfile::tempdir().unwrap();
    let head = "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tproduct_type";
    let row = |id: &str, title: &str, picture: &str, price: &str, kind: &str| {
        let (page, picture) = (
            format!("https://shop.example/{id}"),
            match picture {
                "" => String::new(),
                name => format!("{}/pictures/{name}", peer.url),
            },
        );
        format!("{id}\t{title}\t一款\t{page}\t{picture}\tin_stock\t{price} CNY\t{kind}")
    };
    let rows = [
        head.to_owned(),
        row("a1", "青瓷手冲壶", picture, "299.00", "手冲壶"),
        row("b1", "明前龙井", "", "180.00", "绿茶"),
        row("b2", "碧螺春", "", "160.00", "绿茶"),
    ];
    std::fs::write(shop.path().join("products.tsv"), rows.join("\n") + "\n").unwrap();
    std::fs::write(shop.path().join("shop.yaml"), "name: 小店\ncurrency: CNY\n").unwrap();
    shop
}

fn assert_card(message: &Value) {
    let link = &message["link"];
    assert_eq!(message["msgtype"], "link", "{message}");
    assert_eq!(link["title"], "青瓷手冲壶", "{message}");
    assert_eq!(link["url"], "https://shop.example/a1");
    assert!(words(message).starts_with("¥299"), "{message}");
}

/// The kettle's price and page are told in a text.
fn assert_in_words(sent: &[Value]) {
    let told = sent.iter().any(|message| {
        let words = words(message);
        message["msgtype"] != "link" && words.contains("¥299") && words.contains("shop.example/a1")
    });
    assert!(told, "{sent:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_a_card_whose_picture_is_uploaded_once_for_all_replicas() {
    let peer = WeComPeer::start(&[]);
    let shop = shop(&peer, "a.png");
    let at = shop.path().display().to_string();
    let redis = Redis::start();
    let state = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_SHOP__DIR", at.as_str()),
    ];
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for (server, who) in [(&first, "wmCa"), (&second, "wmCb"), (&first, "wmCc")] {
        let sent = ask(&peer, server, who, "有手冲壶吗", 2).await;
        assert_card(&sent[0]);
        assert!(!words(&sent[1]).contains("shop.example"), "{sent:#?}");
    }
    assert_eq!(peer.calls("media/upload").await, 1);
    // WeCom keeps it for a time: a card that it refuses is said in words, and the next one is whole again.
    peer.sim("forget_media", json!({})).await;
    assert_in_words(&ask(&peer, &second, "wmCd", "有手冲壶吗", 2).await);
    let sent = ask(&peer, &second, "wmCe", "有手冲壶吗", 2).await;
    assert_card(&sent[0]);
    assert_eq!(peer.calls("media/upload").await, 2);
    for data in [one.path(), two.path()] {
        assert_nothing_secret(data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_picture_cannot_be_had_is_said_in_words() {
    let peer = WeComPeer::start(&[]);
    let serve = async |peer: &WeComPeer, picture: &str| {
        let shop = shop(peer, picture);
        let at = shop.path().display().to_string();
        let data = tempfile::tempdir().unwrap();
        let server = serve(peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
        (server, data, shop)
    };
    // Another company's, or the server after it would answer the same words and take the fault.
    let elsewhere = WeComPeer::start(&[]);
    let hanging = serve(&elsewhere, "hanging.png").await;
    assert_in_words(&ask(&elsewhere, &hanging.0, "wmHg", "有手冲壶吗", 2).await);
    let other = serve(&peer, "a.png").await;
    for (who, fault) in [
        ("wmR1", json!({"name": "media/upload", "code": 40009})),
        ("wmR2", json!({"name": "media/upload", "times": 2})),
        ("wmR3", json!({"name": "media/upload", "code": 48002})),
    ] {
        peer.sim("fault", fault.clone()).await;
        let sent = ask(&peer, &other.0, who, "有手冲壶吗", 2).await;
        assert_in_words(&sent);
    }
    // Busy once, or a token that is over, is no reason to go without.
    let fault = json!({"name": "media/upload", "code": -1});
    peer.sim("fault", fault).await;
    assert_card(&ask(&peer, &other.0, "wmR4", "有手冲壶吗", 2).await[0]);
    peer.sim("forget_media", json!({})).await;
    assert_in_words(&ask(&peer, &other.0, "wmR5", "有手冲壶吗", 2).await);
    let fault = json!({"name": "media/upload", "code": 42001});
    peer.sim("fault", fault).await;
    assert_card(&ask(&peer, &other.0, "wmR6", "有手冲壶吗", 2).await[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_products_are_lines_that_lead_to_their_pages() {
    let peer = WeComPeer::start(&[]);
    let shop = shop(&peer, "a.png");
    let at = shop.path().display().to_string();
    let data = tempfile::tempdir().unwrap();
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
    let sent = ask(&peer, &server, "wmSv", "有什么绿茶", 1).await;
    let told = words(&sent[0]);
    for name in ["明前龙井\n¥180", "碧螺春\n¥160"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("shop.example"), "{told}");
    let list = sent[0]["msgmenu"]["list"].as_array().unwrap();
    let pages: Vec<&Value> = list.iter().filter(|line| line["type"] == "view").collect();
    assert_eq!(pages.len(), 2, "{list:#?}");
    for page in pages {
        let url = page["view"]["url"].as_str().unwrap();
        assert!(url.starts_with("https://shop.example/b"), "{url}");
    }
}
