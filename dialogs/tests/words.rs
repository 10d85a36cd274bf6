//! The words of a made-up shop of furniture and appliances in customers' messages: names, typos, references, refusals.

#![allow(clippy::unwrap_used)]

use dialogs::Language;
use dialogs::catalogue::{Catalogue, feed};
use dialogs::money::Currency;
use dialogs::nlu::{Classifier, Date, Listening, TrainingSet, Value, Which, understand};
use proptest::prelude::{any, proptest};
use std::sync::LazyLock;

const GOODS: &str = "id\ttitle\tdescription\tavailability\tprice\tbrand\tproduct_type\tcolor\tmaterial\n\
ac-1\t北麓 Pro 变频空调\t客厅用\tin_stock\t3999 CNY\t北麓\t空调 > 变频空调\t白\t\n\
ac-2\t云杉 Breeze 移动空调\t不用打孔\tin_stock\t1999 CNY\t云杉\t空调 > 移动空调\t白\t\n\
dw-1\t云杉 One 台式洗碗机\t免安装\tin_stock\t1599 CNY\t云杉\t厨房电器 > 洗碗机\t黑\t\n\
dw-2\t云杉 Duo 嵌入式洗碗机\t两层碗篮\tin_stock\t2999 CNY\t云杉\t厨房电器 > 洗碗机\t灰\t\n\
kt-1\t北麓 G1 电热水壶\t1.5 升\tin_stock\t199 CNY\t北麓\t厨房电器 > 电热水壶\t黑\t不锈钢\n\
gr-1\t谷禾 Rondo 绞肉机\t\tin_stock\t299 CNY\t谷禾\t厨房电器 > 绞肉机\t红\t塑料\n\
so-1\t谷禾 布艺沙发\t三人\tin_stock\t2599 CNY\t谷禾\t家具 > 沙发\t灰\t棉麻\n\
so-2\t谷禾 真皮沙发\t三人\tin_stock\t6599 CNY\t谷禾\t家具 > 沙发\t棕\t真皮\n\
ta-1\t云杉 橡木餐桌\t四人\tin_stock\t1899 CNY\t云杉\t家具 > 餐桌\t原木色\t橡木\n\
ch-1\t云杉 人体工学椅 Arco\t可调腰托\tin_stock\t999 CNY\t云杉\t家具 > 办公椅\t黑\t网布\n\
la-1\t林溪 落地书灯\t\tin_stock\t399 CNY\tLinqvist\t灯具\t黑\t\n\
la-2\t林溪 夹式书灯\t\tin_stock\t199 CNY\tLinqvist\t灯具\t白\t\n";

const GOODS_EN: &str = "id\ttitle\tdescription\tbrand\tproduct_type\tcolor\tmaterial\n\
ac-1\tNorthfell Pro inverter air conditioner\tFor the living room\tNorthfell\tAir conditioners > Inverter air conditioners\tWhite\t\n\
ac-2\tSpruce Breeze portable air conditioner\tNo hole in the wall, a cool breeze\tSpruce\tAir conditioners > Portable air conditioners\tWhite\t\n\
dw-1\tSpruce One countertop dishwasher\tNo plumber needed, one button\tSpruce\tKitchen appliances > Dishwashers\tBlack\t\n\
dw-2\tSpruce Duo built-in dishwasher\tTwo baskets\tSpruce\tKitchen appliances > Dishwashers\tGrey\t\n\
kt-1\tNorthfell G1 electric kettle\t1.5 litres\tNorthfell\tKitchen appliances > Kettles\tBlack\tStainless steel\n\
gr-1\tGuhe Rondo meat grinder\t\tGuhe\tKitchen appliances > Grinders\tRed\tPlastic\n\
so-1\tGuhe fabric sofa\tSeats three\tGuhe\tFurniture > Sofas\tGrey\tCotton linen\n\
so-2\tGuhe leather sofa\tSeats three\tGuhe\tFurniture > Sofas\tBrown\tLeather\n\
ta-1\tSpruce oak dining table\tSeats four\tSpruce\tFurniture > Dining tables\tNatural\tOak\n\
ch-1\tSpruce ergonomic chair Arco\tLumbar support\tSpruce\tFurniture > Office chairs\tBlack\tMesh\n";

static SHOP: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut feed = feed::read("goods.tsv", GOODS.as_bytes(), Language::Zh);
    feed::supplement(&mut feed, "goods.en.tsv", GOODS_EN.as_bytes(), Language::En);
    assert_eq!(feed.problems, []);
    Catalogue::build(feed.products)
});

/// Trained on nothing: only entities are asked for.
static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::train(&TrainingSet::default()));

/// What a message names, in its order; `-` before what is refused.
fn read(message: &str) -> Vec<String> {
    let listening = Listening {
        vocabulary: SHOP.vocabulary(),
        classifier: &CLASSIFIER,
        currency: Currency::CNY,
        today: Date {
            year: 2026,
            month: 11,
            day: 26,
            weekday: 3,
        },
        expected: None,
        language: Language::Zh,
    };
    let name = |value: &Value| match value {
        Value::ProductType { key } => key.rsplit('/').next().map(str::to_owned),
        Value::Brand { key } | Value::Attribute { key, .. } => Some(key.clone()),
        Value::Product { id } => Some(id.clone()),
        Value::Ordinal { index } => Some(format!("#{index}")),
        Value::OfShown { which } => Some(
            match which {
                Which::Cheaper => "cheaper",
                Which::Dearer => "dearer",
                Which::Last => "last",
                Which::LastButOne => "last but one",
                Which::LastTwo => "last two",
                Which::Middle => "middle",
                Which::Other => "other",
                Which::Both => "both",
                Which::Before => "before",
            }
            .to_owned(),
        ),
        Value::LastShown => Some("this".to_owned()),
        Value::Cheaper => Some("less money".to_owned()),
        _ => None,
    };
    understand(message, &listening)
        .entities
        .iter()
        .filter_map(|entity| {
            let name = name(&entity.value)?;
            Some(if entity.negated {
                format!("-{name}")
            } else {
                name
            })
        })
        .collect()
}

fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (message, expected) in cases {
        let read = read(message);
        if read != *expected {
            wrong.push(format!("{message}: read {read:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn products_are_named_by_brand_and_model_however_spaced() {
    check(&[
        ("云杉Duo多少钱", &["dw-2"]),
        ("云杉 Duo 多少钱", &["dw-2"]),
        ("北麓Pro", &["ac-1"]),
        ("北麓 pro有货吗", &["ac-1"]),
        ("买一台G1吧", &["kt-1"]),
        ("Spruce Duo price?", &["dw-2"]),
        ("is the northfell pro loud", &["ac-1"]),
        ("spruce one or spruce duo", &["dw-1", "dw-2"]),
        ("云杉Duo嵌入式洗碗机", &["dw-2"]),
        ("北麓g-1", &["北麓", "kt-1"]),
        ("Northfell有哪些", &["北麓"]),
        ("Northfell air conditioner", &["北麓", "空调"]),
        ("云杉洗碗机", &["云杉", "洗碗机"]),
    ]);
}

#[test]
fn a_brand_is_known_by_the_name_that_its_titles_begin_with() {
    check(&[
        ("林溪的灯具", &["Linqvist", "灯具"]),
        ("不要林溪的", &["-Linqvist"]),
        ("Linqvist", &["Linqvist"]),
    ]);
}

#[test]
fn a_models_word_alone_names_its_product() {
    check(&[
        ("One 和 Duo 区别", &["dw-1", "dw-2"]),
        ("Duo有货吗", &["dw-2"]),
        ("one和pro哪个好", &["dw-1", "ac-1"]),
        ("how much is the Duo?", &["dw-2"]),
        ("duo", &["dw-2"]),
        ("is the Pro in stock", &["ac-1"]),
        ("Rondo和Breeze", &["gr-1", "ac-2"]),
        ("which one is for pros", &[]),
        ("a cool breeze would be nice", &[]),
        ("One more question", &[]),
        ("PLEASE SHOW ME ONE", &[]),
    ]);
}

#[test]
fn places_in_the_list_are_pointed_at() {
    check(&[
        ("第二个", &["#2"]),
        ("第2款怎么样", &["#2"]),
        ("二号多少钱", &["#2"]),
        ("我要1号", &["#1"]),
        ("#2", &["#2"]),
        ("no. 2", &["#2"]),
        ("number two please", &["#2"]),
        ("the 2nd one", &["#2"]),
        ("option 3", &["#3"]),
        ("the second one", &["#2"]),
        ("第一个和第三个", &["#1", "#3"]),
        ("compare the first and the third", &["#1", "#3"]),
        ("前两个对比一下", &["#1", "#2"]),
        ("compare the first two", &["#1", "#2"]),
        ("前三款", &["#1", "#2", "#3"]),
        ("最后一个", &["last"]),
        ("the last one", &["last"]),
        ("倒数第二个", &["last but one"]),
        ("中间那个", &["middle"]),
        ("the middle one", &["middle"]),
        ("后两款", &["last two"]),
        ("上一个", &["before"]),
        ("the previous one", &["before"]),
        ("刚才那款", &["this"]),
    ]);
}

#[test]
fn numbers_of_other_things_point_at_nothing() {
    check(&[
        ("第二次来了", &[]),
        ("第二天能到吗", &[]),
        ("5月1号要用", &[]),
        ("wait a second", &[]),
        ("my first time here", &[]),
        ("最后一个问题", &[]),
        ("上一个订单", &[]),
        ("first of all, hi", &[]),
        ("the other day", &[]),
        ("order number 2", &[]),
        ("前两天买的", &[]),
        ("the first two weeks", &[]),
        ("let me ask my wife first", &[]),
        ("can you ship by the 5th", &[]),
        ("第一时间联系我", &[]),
        ("first, do you ship", &[]),
    ]);
}

#[test]
fn one_of_several_is_pointed_at_by_its_price() {
    check(&[
        ("便宜的那个", &["cheaper"]),
        ("便宜那款有货吗", &["cheaper"]),
        ("the cheaper one", &["cheaper"]),
        ("贵的那款", &["dearer"]),
        ("the more expensive one", &["dearer"]),
        ("另一个呢", &["other"]),
        ("the other one", &["other"]),
        ("both", &["both"]),
        ("这两款有什么区别", &["both"]),
        ("compare these two", &["both"]),
        ("有便宜点的吗", &["less money"]),
        ("anything cheaper?", &["less money"]),
    ]);
}

#[test]
fn what_is_refused_is_told_from_what_is_wanted() {
    check(&[
        ("不要谷禾的", &["-谷禾"]),
        ("not Guhe", &["-谷禾"]),
        ("sofa, anything but leather", &["沙发", "-皮"]),
        ("除了黑色还有别的吗", &["-黑"]),
        ("不是白的", &["-白"]),
        ("no leather", &["-皮"]),
        ("a table without oak", &["餐桌", "-橡木"]),
        ("I don't like oak", &["-橡木"]),
        ("别给我推荐沙发", &["-沙发"]),
        ("不要黑色的，要灰色的", &["-黑", "灰"]),
        ("不要黑色要灰色", &["-黑", "灰"]),
        ("not the black but a grey sofa", &["-黑", "灰", "沙发"]),
        ("白色的不要", &["-白"]),
        ("谷禾的不考虑", &["-谷禾"]),
        ("黑色以外的", &["-黑"]),
        ("白色的不要黑色的", &["白", "-黑"]),
        ("算了还是要黑色的", &["黑"]),
        ("不要太贵的沙发", &["沙发"]),
        ("要不要买沙发", &["沙发"]),
        ("是不是真皮", &["真皮"]),
        ("这不是真皮的吗", &["真皮"]),
        ("no, I want leather", &["皮"]),
        ("not too big, in leather", &["皮"]),
        ("do you not have sofas in leather", &["沙发", "皮"]),
        ("我不要了看看沙发", &["沙发"]),
        ("no plastic or leather", &["-塑料", "-皮"]),
    ]);
}

#[test]
fn mistyped_words_are_taken_for_what_they_were_meant_to_be() {
    check(&[
        ("griners", &["绞肉机"]),
        ("meat grindrs", &["绞肉机"]),
        ("do you have kettels", &["电热水壶"]),
        ("air condtioner", &["空调"]),
        ("air conditoner please", &["空调"]),
        ("diswasher", &["洗碗机"]),
        ("dish washer", &["洗碗机"]),
        ("airconditioner", &["空调"]),
        ("dinning table", &["餐桌"]),
        ("offce chair", &["办公椅"]),
        ("Northfel", &["北麓"]),
        ("Sprcue Duo", &["dw-2"]),
        ("lether", &["皮"]),
        ("洗婉机", &["洗碗机"]),
        ("洗机碗", &["洗碗机"]),
        ("办工椅", &["办公椅"]),
        ("电热水户", &["电热水壶"]),
        ("变频空条", &["变频空调"]),
    ]);
}

#[test]
fn words_of_their_own_are_not_taken_for_mistyped_ones() {
    check(&[
        ("洗衣机", &[]),
        ("洗碗布", &[]),
        ("洗碗池", &[]),
        ("办公桌", &[]),
        ("they printed fine", &[]),
        ("that would be nicer", &[]),
        ("a stable cable", &[]),
        ("write to griners@example.com", &[]),
        ("spruced up", &[]),
    ]);
}

proptest! {
    #[test]
    fn no_message_makes_it_fail(message in any::<String>(), words in "(不要|谷禾|第|二|个|号| |no|one|both|duo|griner|沙发|,|的|#){0,12}") {
        let _ = read(&message);
        let _ = read(&words);
    }
}
