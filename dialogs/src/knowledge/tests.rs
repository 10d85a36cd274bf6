//! Questions that a shop's pages answer, and questions that they do not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Knowledge, PASSAGE_CHARS_MAX};
use crate::Language;
use proptest::prelude::{any, proptest};

const FILES: [(&str, &str); 6] = [
    (
        "delivery.zh.md",
        "# 配送\n\n## 多久发货？\n\n现货商品在付款后 48 小时内发货。\n江浙沪一般次日送达，其他地区 2–4 天。大件家具由专车配送，需要提前预约。\n\n## 运费怎么算\n\n满 299 元包邮；不满 299 元收 12 元运费。新疆、西藏按实际费用补差价。\n",
    ),
    (
        "delivery.en.md",
        "# Delivery\n\n## How long does it take?\n\nItems in stock leave our warehouse within 48 hours. Most parcels arrive in 2 to 4 days. Large furniture comes by van; we agree on a date first.\n\n## What does it cost?\n\nDelivery is free from ¥299. Below that we charge ¥12.\n",
    ),
    (
        "returns.zh.md",
        "# 退换货\n\n## 七天无理由退货\n\n签收后七天内，商品完好、配件齐全，可以申请无理由退货。以下情况不支持：\n\n- 定制尺寸的家具\n- 已经组装过的床架\n\n退款在我们收到商品后三个工作日内原路返回。\n\n## 收到破损怎么办\n\n请在 24 小时内拍照联系客服，我们免费补发。\n",
    ),
    (
        "returns.en.md",
        "# Returns\n\n## Sending something back\n\nYou can return an item within seven days of delivery if it is complete and unused. Made-to-measure furniture cannot be returned. We refund within three working days after it reaches us.\n",
    ),
    (
        "care.zh.md",
        "# 保养\n\n## 真皮沙发怎么清洁\n\n用拧干的软布顺着纹理擦。不要用酒精或洗洁精。每半年上一次护理膏，颜色更耐久。\n\n## 实木家具会开裂吗\n\n木材会随湿度伸缩。请离暖气一米以上，湿度保持在 40%–60%。\n",
    ),
    (
        "care.en.md",
        "# Care\n\n## Cleaning a leather sofa\n\nWipe along the grain with a damp cloth. Never use alcohol or washing-up liquid.\n\n## Will solid wood crack?\n\nWood moves with humidity. Keep it a metre from the radiator.\n\n## Assembly\n\nAll beds come with tools. Two people need about an hour.\n",
    ),
];

fn knowledge() -> Knowledge {
    let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    Knowledge::build(&FILES.map(owned))
}

fn check(question: &str, language: Language, id: Option<&str>) {
    let found = knowledge().search(question, language);
    assert_eq!(
        found.first().map(|passage| passage.id.as_str()),
        id.map(|id| format!("knowledge:{id}")).as_deref(),
        "{question}: {:?}",
        found.iter().map(|p| (&p.id, p.score)).collect::<Vec<_>>()
    );
}

#[test]
fn a_question_finds_the_passage_that_answers_it() {
    for (question, id) in [
        ("多久能发货？", "delivery.zh.md#多久发货"),
        ("请问什么时候可以送到", "delivery.zh.md#多久发货"),
        ("快递几天到", "delivery.zh.md#多久发货"),
        ("运费多少钱", "delivery.zh.md#运费怎么算"),
        ("包邮吗", "delivery.zh.md#运费怎么算"),
        ("你们支持七天无理由退货吗？", "returns.zh.md#七天无理由退货"),
        ("不喜欢能退货吗", "returns.zh.md#七天无理由退货"),
        ("真皮沙发要怎么清洗", "care.zh.md#真皮沙发怎么清洁"),
        ("实木的会不会开裂啊", "care.zh.md#实木家具会开裂吗"),
        ("收到的时候破损了怎么办", "returns.zh.md#收到破损怎么办"),
    ] {
        check(question, Language::Zh, Some(id));
    }
    for (question, id) in [
        (
            "How long does shipping take?",
            "delivery.en.md#how-long-does-it-take",
        ),
        (
            "what are the delivery costs",
            "delivery.en.md#what-does-it-cost",
        ),
        (
            "Can I return it if I don't like it?",
            "returns.en.md#sending-something-back",
        ),
        (
            "how do I clean the leather sofa",
            "care.en.md#cleaning-a-leather-sofa",
        ),
        ("does solid wood crack", "care.en.md#will-solid-wood-crack"),
        (
            "is assembly hard? what tools do I need",
            "care.en.md#assembly",
        ),
    ] {
        check(question, Language::En, Some(id));
    }
}

#[test]
fn a_question_about_something_else_finds_nothing() {
    for question in [
        "今天天气怎么样",
        "你会写诗吗",
        "帮我订一张去北京的机票",
        "特朗普是谁",
        "一加一等于几",
        "推荐一部电影",
        "你喜欢我吗",
        "讲个笑话",
        "股票明天会涨吗",
        "怎么",
        "？？",
        "",
    ] {
        check(question, Language::Zh, None);
    }
    for question in [
        "What's the weather like in Paris?",
        "Write me a poem about the sea",
        "Who won the world cup in 2018?",
        "Can you open the window please",
        "tell me a joke",
        "book a flight to London",
        "how are you",
        "what is the capital of France",
        "how do I fix my bicycle tyre",
        "",
    ] {
        check(question, Language::En, None);
    }
}

fn check_answer(question: &str, language: Language, answer: &str) {
    let found = knowledge().search(question, language);
    let passage = found.first().unwrap();
    assert_eq!(passage.answer(question), answer, "{question}");
    for sentence in passage.answer(question).lines() {
        assert!(passage.text.contains(sentence), "literally: {sentence}");
    }
}

#[test]
fn an_answer_is_the_passage_s_own_sentences() {
    check_answer(
        "实木家具要离暖气多远",
        Language::Zh,
        "木材会随湿度伸缩。请离暖气一米以上，湿度保持在 40%–60%。",
    );
    check_answer(
        "真皮沙发能用酒精清洁吗",
        Language::Zh,
        "不要用酒精或洗洁精。",
    );
    check_answer(
        "Can made-to-measure furniture be returned?",
        Language::En,
        "Made-to-measure furniture cannot be returned.",
    );
}

#[test]
fn passages_are_cut_at_headings_and_named_for_good() {
    let files = [(
        "guide.md".to_owned(),
        "Before any heading.\n\n# One\n\n## Same\n\nfirst *text* and [a link](https://x.example)\nsecond line\n\n1. one\n2. two\n   - inner\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Same\n\n<b>again</b>\n\n### Empty\n\n# Two\n".to_owned(),
    )];
    let knowledge = Knowledge::build(&files);
    let read: Vec<(&str, &str, &str, &str)> = knowledge
        .passages()
        .iter()
        .map(|p| {
            (
                p.id.as_str(),
                p.title.as_str(),
                p.above.as_str(),
                p.text.as_str(),
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (
                "knowledge:guide.md#guide",
                "guide",
                "",
                "Before any heading."
            ),
            (
                "knowledge:guide.md#same",
                "Same",
                "One",
                "first text and a link second line\n1. one\n2. two\n  - inner\na · b\n1 · 2"
            ),
            ("knowledge:guide.md#same-2", "Same", "One", "again"),
        ]
    );
    assert!(
        knowledge
            .passages()
            .iter()
            .all(|p| p.revision.len() == 12 && p.language == Language::En)
    );
    assert_eq!((knowledge.len(), knowledge.is_empty()), (3, false));
    assert!(knowledge.get("knowledge:guide.md#same-2").is_some());
}

#[test]
fn long_sections_are_cut_between_paragraphs_and_sentences() {
    let paragraph = "这是一句不长的话。".repeat(60);
    let endless = "长".repeat(3_000);
    let markdown = format!("# 长\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}\n\n{endless}\n");
    let knowledge = Knowledge::build(&[("long.md".to_owned(), markdown)]);
    let ids: Vec<&str> = knowledge.passages().iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids[..2], ["knowledge:long.md#长", "knowledge:long.md#长-2"]);
    assert!(
        knowledge
            .passages()
            .iter()
            .all(|p| p.text.chars().count() <= PASSAGE_CHARS_MAX)
    );
    assert!(
        knowledge
            .passages()
            .iter()
            .all(|p| p.language == Language::Zh)
    );
    let kept: usize = knowledge
        .passages()
        .iter()
        .map(|p| p.text.matches('长').count())
        .sum();
    assert_eq!(kept, 3_000 + 180, "nothing is lost");
}

#[test]
fn a_shop_with_one_language_answers_with_what_it_has() {
    let files = [(
        "sizes.en.md".to_owned(),
        "# King size\n\nKing size is 180 x 200 cm.\n".to_owned(),
    )];
    let knowledge = Knowledge::build(&files);
    assert_eq!(knowledge.search("king size 有多大", Language::Zh).len(), 1);
    assert!(
        Knowledge::default()
            .search("king size", Language::En)
            .is_empty()
    );
}

proptest! {
    #[test]
    fn no_markdown_and_no_question_panics(markdown in any::<String>(), question in any::<String>()) {
        let knowledge = Knowledge::build(&[("x.md".to_owned(), format!("# {markdown}\n\n{markdown}"))]);
        for language in Language::ALL {
            for passage in knowledge.search(&question, language) {
                let _ = passage.answer(&question);
            }
        }
        for passage in knowledge.passages() {
            assert!(passage.text.chars().count() <= PASSAGE_CHARS_MAX);
            assert!(passage.answer(&markdown).len() <= passage.text.len());
        }
    }

    #[test]
    fn blocks_of_any_kind_never_panic(lines in proptest::collection::vec("(#{1,6} |- |1\\. |> |    |\\| a |)[a中。:\\. ]{0,12}", 0..40)) {
        let knowledge = Knowledge::build(&[("x.md".to_owned(), lines.join("\n"))]);
        let _ = knowledge.search("a 中", Language::Zh);
    }
}
