//! What is found in messages, as short text: the kinds and their values in order.

use crate::Language;
use crate::money::{Currency, Money};
use crate::nlu::{Classifier, Date, Entity, Listening, TrainingSet, Value};
use crate::text::{self, Folded};
use crate::vocabulary::Vocabulary;
use proptest::prelude::{ProptestConfig, proptest};
use std::sync::LazyLock;

static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::train(&TrainingSet::default()));

fn find(message: &str, expected: Option<&str>) -> Vec<Entity> {
    let vocabulary = Vocabulary::new(Vec::new());
    let listening = Listening {
        vocabulary: &vocabulary,
        classifier: &CLASSIFIER,
        currency: Currency::CNY,
        // A Thursday.
        today: Date {
            year: 2026,
            month: 11,
            day: 26,
            weekday: 3,
        },
        expected,
        language: Language::Zh,
    };
    super::find(message, &Folded::of(message), &listening)
        .into_iter()
        .map(|read| read.entity)
        .collect()
}

fn shown(value: &Value) -> String {
    let sum = |m: &Option<Money>| m.map_or(String::new(), |m| m.minor.to_string());
    let money = |m: &Option<Money>| match m {
        Some(m) if m.minor % 100 == 0 => (m.minor / 100).to_string(),
        _ => sum(m),
    };
    let code = |m: &Money| match m.currency == Currency::CNY {
        true => String::new(),
        false => format!(" {}", m.currency.code()),
    };
    match value {
        Value::Budget { min, max } => format!(
            "budget {}..{}{}",
            money(min),
            money(max),
            max.or(*min).as_ref().map(code).unwrap_or_default()
        ),
        Value::Price { amount } => format!("price {}{}", money(&Some(*amount)), code(amount)),
        Value::Number { count } => format!("number {count}"),
        Value::Corrected { count, money } => {
            format!("corrected {count}{}", if *money { " money" } else { "" })
        }
        Value::Quantity { count, .. } => format!("quantity {count}"),
        Value::People { count } => format!("people {count}"),
        Value::Horizon { days } => format!("days {days}"),
        Value::Measure {
            quality,
            dimension,
            min,
            max,
        } => {
            let end = |v: &Option<i64>| v.map_or(String::new(), |v| dimension.written(v));
            let quality = quality.map_or("measure", |q| q.word());
            format!("{quality} {}..{}", end(min), end(max))
        }
        Value::Phone { text } => format!("phone {text}"),
        Value::Email { text } => format!("email {text}"),
        Value::Wechat { text } => format!("wechat {text}"),
        Value::Company { text } => format!("company {text}"),
        Value::PersonName { text } => format!("name {text}"),
        Value::Role { text } => format!("role {text}"),
        Value::Yes => "yes".to_owned(),
        Value::No => "no".to_owned(),
        _ => String::new(),
    }
}

fn check_asked(asked: Option<&str>, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(message, expected)| {
            let found: Vec<String> = find(message, asked)
                .iter()
                .map(|entity| shown(&entity.value))
                .filter(|text| !text.is_empty())
                .collect();
            let found = found.join("; ");
            (found != *expected).then(|| format!("{message}: {found} | expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn check(cases: &[(&str, &str)]) {
    check_asked(None, cases);
}

#[test]
fn budgets_are_read_in_words_numerals_and_digits() {
    check(&[
        ("三千块以内", "budget ..3000"),
        (
            "你好，我想给家里买一台新的，最好安静一点，三千块以内的有吗，谢谢",
            "quantity 1; budget ..3000",
        ),
        ("budget一千以内", "budget ..1000"),
        ("预算的话三千吧", "budget ..3000"),
        ("预算有的，公司给的是三千", "budget ..3000"),
        ("不超过1.2万", "budget ..12000"),
        ("三千出头", "budget 3000..3450"),
        ("不到两千", "budget ..2000"),
        ("两千多", "budget 2000..3000"),
        ("500起", "budget 500.."),
        ("五六百的", "budget 500..600"),
        ("一两千", "budget 1000..2000"),
        ("八百到一千二", "budget 800..1200"),
        ("2000-3000元", "budget 2000..3000"),
        ("3-5k", "budget 3000..5000"),
        ("8到10万", "budget 80000..100000"),
        ("3000元到5000元之间", "budget 3000..5000"),
        ("三千左右", "budget 2550..3450"),
        ("控制在2000", "budget ..2000"),
        ("最多一千五", "budget ..1500"),
        ("两千以上", "budget 2000.."),
        ("between 1000 and 3000 yuan", "budget 1000..3000"),
        ("between $200 and $300", "budget 200..300 USD"),
        ("from 200 to 300", "budget 200..300"),
        ("no more than fifty dollars", "budget ..50 USD"),
        ("around 200 bucks", "budget 170..230 USD"),
        ("a couple hundred dollars max", "budget ..200 USD"),
        ("under three hundred yuan", "budget ..300"),
        ("at least 500", "budget 500.."),
        ("my budget is 2k5", "budget ..2500"),
        ("I can spend up to 1,500", "budget ..1500"),
        ("my max is 800", "budget ..800"),
        ("I've got 1000 to spend", "budget ..1000"),
        ("two to three thousand yuan", "budget 2000..3000"),
        (
            "somewhere between two and three thousand",
            "budget 2000..3000",
        ),
        ("预算1w", "budget ..10000"),
        ("three hundred yuan", "price 300"),
        ("1999元", "price 1999"),
        ("EM-200", ""),
        ("over 500 reviews", "number 500"),
    ]);
    check_asked(
        Some("budget_max"),
        &[
            ("3000", "budget ..3000"),
            ("一千五", "budget ..1500"),
            ("五百块", "budget ..500"),
            ("about two thousand", "budget 1700..2300"),
        ],
    );
}

#[test]
fn people_and_pieces_are_counted() {
    check(&[
        ("thirty people", "people 30"),
        ("we are a team of twenty", "people 20"),
        ("我们二三十人", "people 30"),
        ("公司有四十来号人", "people 40"),
        ("there are 12 of us", "people 12"),
        ("30-50 employees", "people 50"),
        ("fifty bags", "quantity 50"),
        ("I need two units", "quantity 2"),
        ("要三台", "quantity 3"),
        ("要一台", "quantity 1"),
        ("两三包", "quantity 3"),
        ("给我来俩", "quantity 2"),
        ("这一款不错", ""),
        ("有一个问题", ""),
        ("500一台", "number 500"),
        ("it is for a person", ""),
        ("人民币", ""),
    ]);
}

#[test]
fn the_newest_of_corrected_numbers_stands() {
    check(&[
        ("no sorry, I meant 1500", "corrected 1500"),
        ("不是三千是五千", "corrected 5000"),
        ("预算不是三千，是五千", "budget ..5000"),
        ("not 3000 but 5000", "corrected 5000"),
        ("三台，不对，五台", "quantity 5"),
        ("twenty people, sorry, thirty", "people 30"),
        ("预算3000，不对，5000", "budget ..5000"),
        ("从三台改成五台", "quantity 5"),
        ("改成两台", "quantity 2"),
        ("make it two", "corrected 2"),
        ("actually 3", "corrected 3"),
        ("no, 5000", "corrected 5000"),
        ("数量改为10", "quantity 10"),
        (
            "sorry, is there anything in black leather for about 20 of your shops",
            "number 20",
        ),
        ("说错了，是1500块", "corrected 1500 money"),
        ("actually under 2000", "budget ..2000"),
        ("not 3 units but 5 units", "quantity 5"),
        ("quantity should be 4 not 3", "number 4"),
    ]);
}

#[test]
fn figures_with_units_are_measures() {
    check(&[
        ("1.2升的", "measure 1.2 L..1.2 L"),
        ("不超过20厘米宽", "width ..20 cm"),
        ("宽度不超过20厘米", "width ..20 cm"),
        ("under 3 kg", "measure ..3 kg"),
        ("at least 256GB", "measure 256 GB.."),
        ("60分贝以下", "measure ..60 dB"),
        ("wider than 120 cm", "width 120 cm.."),
        ("1.5升以上", "measure 1.5 L.."),
        ("一点五升以上的", "measure 1.5 L.."),
        ("噪音低于55分贝", "noise ..55 dB"),
        ("no more than 20 cm wide", "width ..20 cm"),
        ("lighter than 2kg", "weight ..2 kg"),
        ("20-30厘米高", "height 20 cm..30 cm"),
        ("功率1500w以上", "power 1500 W.."),
        ("about 5 litres", "measure 4.25 L..5.75 L"),
        ("保修两年以上", "warranty 17520 h.."),
        ("三公斤以内", "measure ..3 kg"),
        ("budget 3000, under 5 kg", "budget ..3000; measure ..5 kg"),
        ("15.6寸", "measure 39.62 cm..39.62 cm"),
        ("3年质保", "warranty 26280 h.."),
        ("at least 10 hours of battery", "battery 10 h.."),
        ("battery life over 8 hours", "battery 8 h.."),
        ("16GB+512GB", "measure 16 GB..16 GB; measure 512 GB..512 GB"),
        ("两米以内的", "measure ..200 cm"),
        (
            "16g内存 512g硬盘",
            "memory 16 GB..16 GB; storage 512 GB..512 GB",
        ),
        (
            "宽20厘米高30厘米",
            "width 20 cm..20 cm; height 30 cm..30 cm",
        ),
        ("no wider than 60cm", "width ..60 cm"),
        ("15寸到17寸", "measure 38.1 cm..43.18 cm"),
        ("200 cups a day", "measure 200 cups.."),
    ]);
}

#[test]
fn needs_are_dated_from_today() {
    check(&[
        ("下周三", "days 6"),
        ("by Friday", "days 1"),
        ("this Friday", "days 1"),
        ("next monday", "days 4"),
        ("周五前要", "days 1"),
        ("两周内", "days 14"),
        ("within two weeks", "days 14"),
        ("半个月", "days 15"),
        ("一个月左右", "days 30"),
        ("三天内", "days 3"),
        ("in 3 days", "days 3"),
        ("in a week", "days 7"),
        ("2-3 weeks", "days 21"),
        ("end of March", "days 125"),
        ("before Christmas", "days 29"),
        ("国庆前", "days 309"),
        ("春节前", "days 72"),
        ("过年前要用", "days 72"),
        ("12月15号", "days 19"),
        ("十二月十五号之前", "days 19"),
        ("Dec 15", "days 19"),
        ("15th of December", "days 19"),
        ("12月底", "days 35"),
        ("月底前", "days 4"),
        ("下个月", "days 19"),
        ("不急", ""),
        ("下个月15号", "days 19"),
        ("by the 30th", "days 4"),
        ("how long is the warranty? 2 years?", ""),
        ("can I get 10% off", ""),
        ("下午3点", ""),
        ("no rush", ""),
        ("急用", "days 1"),
        ("tomorrow", "days 1"),
        ("一天喝两杯", ""),
        ("圣诞有活动吗", ""),
        ("it may work", ""),
    ]);
}

#[test]
fn contacts_companies_and_roles_are_read() {
    check(&[
        ("我是XX科技的采购", "company XX科技; role 采购"),
        ("我是公司行政", "role 行政"),
        ("我是老板", "role 老板"),
        ("老板在吗", ""),
        ("老板，便宜点", ""),
        ("我是店长", "role 店长"),
        ("我负责采购", "role 采购"),
        ("I'm the office manager", "role office manager"),
        ("I'm in procurement", "role procurement"),
        ("I'm the owner", "role owner"),
        ("I run a small cafe", "role owner"),
        ("I work for Acme Tools.", "company Acme Tools"),
        ("i work at home", ""),
        ("微信 wx design_hz88", "wechat design_hz88"),
        ("我的微信：abc12345", "wechat abc12345"),
        ("do you take wechat payments", ""),
        ("138-1234-5678", "phone 138-1234-5678"),
        ("电话138 1234 5678", "phone 138 1234 5678"),
        ("座机 021-55556666", "phone 021-55556666"),
        ("call 555-123-4567", "phone 555-123-4567"),
        ("foo at bar dot com", "email foo@bar.com"),
        ("mail me: Foo.Bar@example.com", "email Foo.Bar@example.com"),
        ("我叫王芳", "name 王芳"),
    ]);
}

#[test]
fn yes_and_no_are_whole_messages() {
    check(&[
        ("嗯嗯", "yes"),
        ("好滴", "yes"),
        ("行吧", "yes"),
        ("yup", "yes"),
        ("Sure thing!", "yes"),
        ("不了", "no"),
        ("不用了谢谢", "no"),
        ("不用了，谢谢", "no"),
        ("nah", "no"),
        ("no, thanks.", "no"),
        ("不用太贵", ""),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn every_quote_is_a_piece_of_the_message(
        message in "([ -~]|[预算不是三千五百两万台个人升厘米月号周内以上下到改成，。半几多]| not | but | k|cm|\\PC){0,40}",
        asked in 0..4_usize,
    ) {
        let asked = [None, Some("budget_max"), Some("quantity"), Some("deadline_days")][asked];
        let message = text::clean(&message);
        for entity in find(&message, asked) {
            let ordinals = matches!(entity.value, Value::Ordinal { .. });
            assert!(ordinals || message.contains(&entity.quote), "{message:?} {entity:?}");
        }
    }
}
