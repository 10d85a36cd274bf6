//! The samples that Tencent published with its own implementations of the scheme, one of DingTalk's, and what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::*;

/// Encryption with its random bytes given.
struct Encrypted {
    source: &'static str,
    key: &'static str,
    receiver: &'static str,
    salt: &'static [u8; SALT_BYTES],
    plain: &'static str,
    cipher: &'static str,
}

/// A signed delivery, and what is in it.
struct Delivered {
    source: &'static str,
    /// Token, timestamp and nonce.
    signed: [&'static str; 3],
    signature: &'static str,
    key: &'static str,
    receiver: &'static str,
    cipher: &'static str,
    /// All of it, or where that was not published, some of it.
    plain: &'static [&'static str],
    is_whole: bool,
}

const ENCRYPTED: [Encrypted; 3] = [
    Encrypted {
        source: "Tencent Java WXBizMsgCryptTest.testAesEncrypt",
        key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        receiver: "wxb11529c136998cb6",
        salt: b"aaaabbbbccccdddd",
        plain: r#"我是中文abcd123"#,
        cipher: "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==",
    },
    Encrypted {
        source: "Tencent Java WXBizMsgCryptTest.testAesEncrypt2",
        key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        receiver: "wxb11529c136998cb6",
        salt: b"aaaabbbbccccdddd",
        plain: r#"<xml><ToUserName><![CDATA[oia2Tj我是中文jewbmiOUlr6X-1crbLOvLw]]></ToUserName><FromUserName><![CDATA[gh_7f083739789a]]></FromUserName><CreateTime>1407743423</CreateTime><MsgType><![CDATA[video]]></MsgType><Video><MediaId><![CDATA[eYJ1MbwPRJtOvIEabaxHs7TX2D-HV71s79GUxqdUkjm6Gs2Ed1KF3ulAOA9H1xG0]]></MediaId><Title><![CDATA[testCallBackReplyVideo]]></Title><Description><![CDATA[testCallBackReplyVideo]]></Description></Video></xml>"#,
        cipher: "jn1L23DB+6ELqJ+6bruv23M2GmYfkv0xBh2h+XTBOKVKcgDFHle6gqcZ1cZrk3e1qjPQ1F4RsLWzQRG9udbKWesxlkupqcEcW7ZQweImX9+wLMa0GaUzpkycA8+IamDBxn5loLgZpnS7fVAbExOkK5DYHBmv5tptA9tklE/fTIILHR8HLXa5nQvFb3tYPKAlHF3rtTeayNf0QuM+UW/wM9enGIDIJHF7CLHiDNAYxr+r+OrJCmPQyTy8cVWlu9iSvOHPT/77bZqJucQHQ04sq7KZI27OcqpQNSto2OdHCoTccjggX5Z9Mma0nMJBU+jLKJ38YB1fBIz+vBzsYjrTmFQ44YfeEuZ+xRTQwr92vhA9OxchWVINGC50qE/6lmkwWTwGX9wtQpsJKhP+oS7rvTY8+VdzETdfakjkwQ5/Xka042OlUb1/slTwo4RscuQ+RdxSGvDahxAJ6+EAjLt9d8igHngxIbf6YyqqROxuxqIeIch3CssH/LqRs+iAcILvApYZckqmA7FNERspKA5f8GoJ9sv8xmGvZ9Yrf57cExWtnX8aCMMaBropU/1k+hKP5LVdzbWCG0hGwx/dQudYR/eXp3P0XxjlFiy+9DMlaFExWUZQDajPkdPrEeOwofJb",
    },
    Encrypted {
        source: "WeChat docs 消息推送 component sample (43xA boundary key)",
        key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        receiver: "wx134c8103faa5a59e",
        salt: b"999951349e8ee746",
        plain: r#"<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>"#,
        cipher: "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7",
    },
];

const DELIVERED: [Delivered; 6] = [
    Delivered {
        source: "WeCom WXBizMsgCrypt Sample (VerifyURL)",
        signed: ["QDG6eK", "1409659589", "263014780"],
        signature: "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        receiver: "wx5823bf96d3bd56c7",
        cipher: "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
        plain: &[r#"1616140317555161061"#],
        is_whole: true,
    },
    Delivered {
        source: "WeCom WXBizMsgCrypt Sample (DecryptMsg)",
        signed: ["QDG6eK", "1409659813", "1372623149"],
        signature: "477715d11cdb4164915debcba66cb864d751f3e6",
        key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        receiver: "wx5823bf96d3bd56c7",
        cipher: "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==",
        plain: &[
            r#"<FromUserName><![CDATA[mycreate]]>"#,
            r#"<Content><![CDATA[hello]]>"#,
            r#"<MsgId>4561255354251345929</MsgId>"#,
        ],
        is_whole: false,
    },
    Delivered {
        source: "WeChat MP Python Sample.py (plaintext keeps newlines)",
        signed: ["spamtest", "1409735669", "1320562132"],
        signature: "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
        key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        receiver: "wx2c2769f8efd9abc2",
        cipher: "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=",
        plain: &[
            "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>",
        ],
        is_whole: true,
    },
    Delivered {
        source: "WeChat MP C++ Sample.cpp",
        signed: ["spamtest", "1410349438", "298025754"],
        signature: "003fee52ecc56afb46c00b5c7721be87860ce785",
        key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        receiver: "wx2c2769f8efd9abc2",
        cipher: "mfBCs65c67CeJw22u4VT2TD73q5H06+ocrAIxswCaeZ/d/Lw0msSZFHY0teqgSYiI1zR2gD2DKrB3TIrmX/liNSDrGqS8jSI/WPeKB5VPr7Ezr7gomZAyGCwJSgT1TRFWPfONGJMxuj2nk4faTuspAuVIFQ6SHwZuJBZC7mcJp7Cgr9cUhATQWDbOPaE7ukZBTV2YqyzH+UI2AK+J1S47cE79k1RX8t0hcTz/O0hlK8DGXKnvYv88qKQcI7z4iaajqHfRVZKBNyOODabs+It+ZfM3dWTeFcPgDbGtIEnpt/EDtuuA/zMvtkaKdHdswPnVZQ+xdwbYr3ldGvfT8HlEYEgkgKaThxTFobVlwzu2ZkXCjicbP3xdr15Iq48ObgzPpqYuZ3IEoyggZDKClquk0u0orMck4GTF/XyE8yGzc4=",
        plain: &[r#"<ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>"#],
        is_whole: false,
    },
    Delivered {
        source: "WeChat docs 消息推送 component sample (43xA boundary key)",
        signed: ["AAAAA", "1715943329", "1590219412"],
        signature: "6c12a4205838198b8fa631b3220723bb07f1015c",
        key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        receiver: "wx134c8103faa5a59e",
        cipher: "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg==",
        plain: &[r#"<Event><![CDATA[debug_demo]]></Event>"#],
        is_whole: false,
    },
    Delivered {
        source: "open-dingtalk/DingTalk-Callback-Crypto DingCallbackCrypto3.py (same scheme)",
        signed: ["mryue", "1608001896814", "WL4PK6yA"],
        signature: "03044561471240d4a14bb09372dfcfd4fd0e40cb",
        key: "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7",
        receiver: "ding6ccabc44d2c8d38b",
        cipher: "0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
        plain: &[r#"{"EventType":"check_url"}"#],
        is_whole: true,
    },
];

#[test]
fn the_published_samples_of_encryption_come_out_to_the_letter() {
    for sample in ENCRYPTED {
        let key = Key::new(sample.key, sample.receiver).unwrap();
        let cipher = key.encrypt(sample.plain, *sample.salt).unwrap();
        assert_eq!(cipher, sample.cipher, "{}", sample.source);
        assert_eq!(key.decrypt(&cipher).unwrap(), sample.plain);
    }
    let reply = &ENCRYPTED[2];
    let signed = ["AAAAA", "1713424427", "415670741", reply.cipher];
    assert_eq!(
        signature(&signed),
        "03e0812039325c2712ef5f0f980fd14c70d6e307"
    );
}

#[test]
fn the_published_deliveries_are_proved_and_read_and_their_blanks_stay() {
    for sample in DELIVERED {
        let [token, timestamp, nonce] = sample.signed;
        let words = [token, timestamp, nonce, sample.cipher];
        assert!(is_signed(&words, sample.signature), "{}", sample.source);
        let key = Key::new(sample.key, sample.receiver).unwrap();
        let plain = key.decrypt(sample.cipher).unwrap();
        for part in sample.plain {
            assert!(plain.contains(part), "{}: {plain}", sample.source);
        }
        assert!(!sample.is_whole || plain == sample.plain[0]);
    }
}

#[test]
fn a_signature_with_one_letter_changed_or_missing_proves_nothing() {
    let sample = &DELIVERED[0];
    let [token, timestamp, nonce] = sample.signed;
    let words = [token, timestamp, nonce, sample.cipher];
    let flipped = sample.signature.replacen('5', "6", 1);
    let short = &sample.signature[1..];
    let upper = sample.signature.to_uppercase();
    for wrong in [flipped.as_str(), short, "", upper.as_str()] {
        assert!(!is_signed(&words, wrong), "{wrong}");
    }
}

#[test]
fn what_was_tampered_with_or_is_for_another_account_is_not_read() {
    let sample = &DELIVERED[1];
    let other = Key::new(sample.key, "wx0000000000000000").unwrap();
    assert!(other.decrypt(sample.cipher).is_none());
    let longer = Key::new(sample.key, &format!("{}0", sample.receiver)).unwrap();
    assert!(longer.decrypt(sample.cipher).is_none());
    let key = Key::new(sample.key, sample.receiver).unwrap();
    let end = sample.cipher.len() - 8;
    let cut = &sample.cipher[..end];
    for wrong in ["", "AAAA", "not base64!", cut, &sample.cipher[24..end - 20]] {
        assert!(key.decrypt(wrong).is_none(), "{wrong}");
    }
    // Bytes of the length and of the padding that lie must not be believed.
    for at in 0..sample.cipher.len() / 4 {
        let mut bytes = STANDARD.decode(sample.cipher).unwrap();
        let flipped = at * bytes.len() / (sample.cipher.len() / 4);
        bytes[flipped] ^= 0x80;
        let read = key.decrypt(&STANDARD.encode(&bytes));
        assert_ne!(read, key.decrypt(sample.cipher), "{flipped}");
    }
}

#[test]
fn a_text_of_any_length_comes_back_and_only_a_key_is_a_key() {
    let key = Key::new("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx1").unwrap();
    for length in 0..100 {
        let text = "好".repeat(length);
        let cipher = key.encrypt(&text, [7; SALT_BYTES]).unwrap();
        assert_eq!(key.decrypt(&cipher).unwrap(), text);
    }
    for wrong in [
        "",
        "short",
        &"A".repeat(42),
        &"A".repeat(44),
        &"*".repeat(43),
    ] {
        assert!(Key::new(wrong, "wx1").is_none(), "{wrong}");
    }
}
