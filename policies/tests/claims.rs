//! What is a bare commercial claim in a draft, and what is none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use policies::{Action, Candidate, Rails, Segment};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use std::sync::LazyLock;

static RAILS: LazyLock<Rails> = LazyLock::new(|| Rails::compile(&[]).unwrap());

fn rails() -> &'static Rails {
    &RAILS
}

/// `{…}` is a bound segment, everything else is unbound; `|` parts two unbound segments.
fn segments(draft: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    for piece in draft.split_inclusive(['{', '}', '|']) {
        let text = piece.trim_end_matches(['{', '}', '|']);
        let bound = piece.ends_with('}').then_some("product:x#price");
        segments.push(Segment { text, bound });
    }
    segments
}

fn action(rails: &Rails, language: &str, draft: &str) -> Action {
    let segments = segments(draft);
    rails
        .output(&Candidate {
            language,
            segments: &segments,
        })
        .action
}

const FORMS_ZH: &[&str] = &[
    "199元",
    "¥199",
    "￥1,299",
    "１９９元",
    "三千元",
    "两百块",
    "一千二百块钱",
    "1 9 9 元",
    "1\u{200b}99元",
    "99.9元起",
    "三十五块",
    "到手只要199",
    "售价1299",
    "价格是２９９",
    "199人民币",
    "人民币199",
    "500美元",
    "叁仟元",
    "壹佰圆",
    "几百元",
    "打八折",
    "8折",
    "７.５折",
    "八八折",
    "半价",
    "满300减50",
    "满减",
    "立减50",
    "直降200",
    "再减一百",
    "优惠50",
    "50元优惠券",
    "百分之二十",
    "20%",
    "２０％",
    "省了100",
    "买一送一",
    "买二赠一",
    "第二件半价",
    "现在打折",
    "特价",
    "仅剩3件",
    "只剩两台",
    "库存充足",
    "有现货",
    "現貨供應",
    "库存还有5件",
    "最后三件",
    "数量有限",
    "即将售罄",
    "目前缺货",
    "3天内到货",
    "三天内送达",
    "24小时内发货",
    "两个工作日送到",
    "周五前",
    "下周一到货",
    "明天送到",
    "明日达",
    "11月30日",
    "十二月一号前",
    "月底前",
    "18:00前下单",
    "下午三点前发货",
    "今天发货",
    "马上发货",
    "次日达",
    "最快两小时",
    "2026-12-01",
    "7天无理由退货",
    "保修3年",
    "三年质保",
    "30天试用",
    "免费",
    "免 费",
    "免*费",
    "免費",
    "包邮",
    "包 邮",
    "包郵",
    "免运费",
    "赠送滤纸",
    "附赠豆子",
    "送您一包豆子",
    "再送磨豆机",
    "送一包豆",
    "全网最低价",
    "0元",
    "保证好用",
    "我们承诺",
    "終身保修",
    "终身",
    "假一赔十",
    "包退",
    "无条件退款",
    "不满意就退",
    "百分百",
    "一定能到",
    "肯定会喜欢",
    "绝对好用",
    "全额退款",
    "库存3台",
];

const FORMS_EN: &[&str] = &[
    "$199",
    "$ 1,299.00",
    "199 USD",
    "USD 199",
    "RMB 299",
    "299 yuan",
    "€99",
    "£50",
    "20 bucks",
    "two hundred dollars",
    "a few hundred bucks",
    "costs 199",
    "the price is 1299",
    "only 199",
    "＄１９９",
    "20% off",
    "20 percent off",
    "half price",
    "15 off",
    "save 50",
    "buy one get one free",
    "buy 2 get 1 free",
    "we have a special offer",
    "it's on sale",
    "use promo code HELLO",
    "I can give you a discount",
    "only 3 left",
    "just two units left",
    "it's in stock",
    "plenty in stock",
    "sold out",
    "while supplies last",
    "selling fast",
    "ready to ship",
    "5 in stock, only five left",
    "tomorrow",
    "arrives tomorrow",
    "within 2 days",
    "in 3 days",
    "within 24 hours",
    "within a week",
    "ships today",
    "by Friday",
    "on Monday",
    "next week",
    "delivered in two business days",
    "same-day delivery",
    "overnight",
    "by November 30",
    "on 30 November",
    "Dec 24th",
    "by 5pm",
    "2-day delivery",
    "2 year warranty",
    "30-day returns",
    "by 11/30",
    "free",
    "free shipping",
    "F R E E shipping",
    "frее delivery",
    "ships free",
    "free of charge",
    "at no cost",
    "complimentary beans",
    "we throw in a grinder",
    "on the house",
    "lowest price",
    "best price",
    "shipping included",
    "guaranteed",
    "I guarantee it",
    "I promise",
    "lifetime",
    "lifetime warranty",
    "money back",
    "full refund",
    "we will refund you",
    "no questions asked",
    "your cups come within 2 days",
    "yours in 3 days because we hurry",
    "for sure",
    "risk-free",
];

#[test]
fn every_form_of_a_commercial_claim_is_found_in_unbound_text() {
    let rails = rails();
    let mut passed = Vec::new();
    for (language, forms) in [("zh", FORMS_ZH), ("en", FORMS_EN)] {
        for form in forms {
            if !matches!(action(rails, language, form), Action::Revise { .. }) {
                passed.push(form);
            }
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn the_same_words_bound_to_evidence_pass() {
    let rails = rails();
    for (language, forms) in [("zh", FORMS_ZH), ("en", FORMS_EN)] {
        for form in forms {
            let draft = format!("{{{form}}}");
            assert_eq!(action(rails, language, &draft), Action::Pass, "{form:?}");
        }
    }
}

#[test]
fn a_claim_over_the_border_of_segments_is_found() {
    let rails = rails();
    for draft in [
        "仅需|199元",
        "199|元",
        "￥|199",
        "1|99|元",
        "包|邮",
        "打八|折",
        "only 3| left",
        "fr|ee shipping",
        "$|199",
        "三天|内到货",
        "1{99元}",
        "{99}0元",
        "{1}00",
        "{3}万元",
        "1{,299}99元",
        "免{}费",
        "within| 2 |days",
    ] {
        let action = action(rails, "zh", draft);
        assert!(
            matches!(action, Action::Revise { .. }),
            "{draft:?}: {action:?}"
        );
    }
}

#[test]
fn a_bound_number_carries_the_unit_beside_it() {
    let rails = rails();
    for draft in [
        "{title}，{199}元。",
        "{8}折",
        "${199}",
        "还剩{3}件",
        "{3}天内到货",
        "within {2 days}",
        "only {3} left",
        "{20}% off",
        "价格是{1299}",
        "符合{criteria}的，我选了这 {3} 款：",
        "{title} costs {price}.",
    ] {
        assert_eq!(action(rails, "zh", draft), Action::Pass, "{draft:?}");
    }
}

#[test]
fn innocent_sentences_pass() {
    let rails = rails();
    let mut accused = Vec::new();
    for draft in include_str!("innocent.txt").lines() {
        let segments = segments(draft);
        let verdict = rails.output(&Candidate {
            language: "zh",
            segments: &segments,
        });
        for finding in verdict.findings {
            let (start, end) = finding.span;
            let text = segments[finding.segment].text;
            accused.push((
                draft,
                finding.rule,
                text.get(start..end).unwrap().to_owned(),
            ));
        }
    }
    assert!(accused.is_empty(), "{accused:#?}");
}

fn filler() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just("这款"),
        Just("，"),
        Just("好的，"),
        Just("Well, "),
        Just("this one "),
        Just("您看中的那款"),
        Just("。 "),
        Just(" and "),
        Just("it's nice: "),
    ]
}

fn form() -> impl Strategy<Value = &'static str> {
    let all: Vec<&'static str> = FORMS_ZH.iter().chain(FORMS_EN).copied().collect();
    prop::sample::select(all)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_mixture_of_claims_in_unbound_segments_passes(
        front in filler(), form in form(), cut in 0usize..8, back in prop_oneof![Just(""), Just("。"), Just("，请看"), Just(". Thanks"), Just("!")],
    ) {
        let at = form.char_indices().nth(cut).map_or(form.len(), |(at, _)| at);
        let (first, second) = form.split_at(at);
        let texts = [front, first, second, back];
        let segments: Vec<Segment<'_>> = texts.iter().map(|text| Segment { text, bound: None }).collect();
        let verdict = rails().output(&Candidate { language: "zh", segments: &segments });
        assert!(!verdict.passes(), "{texts:?} passed");
    }

    #[test]
    fn no_draft_makes_the_rails_panic(texts in prop::collection::vec((any::<String>(), any::<bool>()), 0..6)) {
        let segments: Vec<Segment<'_>> = texts
            .iter()
            .map(|(text, bound)| Segment { text, bound: bound.then_some("x") })
            .collect();
        let rails = rails();
        rails.output(&Candidate { language: "zh", segments: &segments });
        for (text, _) in &texts {
            rails.input(text, "en").redacted(text);
        }
    }

    #[test]
    fn no_mixture_of_numbers_and_marks_makes_the_rails_panic(
        text in "[0-9一三百千元块折%$¥天内月日号点:/.,\\- \u{200b}第个年周freoday成满买送剩]{0,40}",
    ) {
        let segments = [Segment { text: &text, bound: None }];
        rails().output(&Candidate { language: "zh", segments: &segments });
    }
}
