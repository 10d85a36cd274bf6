//! Whether a word is a claim where it stands.

use super::context::{
    At, Span, amount_after, is_arabic, is_large_numeral, number_after, number_before, words_back,
};
use super::{Check, Claim, time};

pub type Claimed = Option<(Claim, Span)>;

impl Check {
    pub fn run(self, at: At<'_>) -> Claimed {
        let here = (at.start, at.end);
        let if_so = |holds: bool, claim| holds.then_some((claim, here));
        match self {
            Check::Always(claim) => Some((claim, here)),
            Check::UnlessNeutral(claim) => if_so(!at.neutral(), claim),
            Check::UnlessDenied(claim) => if_so(!at.denied() && !is_other_word(at), claim),
            Check::UnlessAsked(claim) => if_so(!time::asked_or_farewell(at), claim),
            Check::WithDelivery(claim) => {
                if_so(time::delivery(at.sentence()) && !at.denied(), claim)
            }
            Check::AmountFollows(claim) => amount(at, claim),
            Check::Weekday(claim) => if_so(time::weekday(at), claim),
            Check::Month(claim) => time::month(at, claim),
            Check::Symbol => before(at).or_else(|| after(at)).map(|s| (Claim::Price, s)),
            Check::Money => before(at).map(|s| (Claim::Price, s)),
            Check::Currency => before(at).or_else(|| after(at)).map(|s| (Claim::Price, s)),
            Check::Kuai => kuai(at),
            Check::SmallMoney => small_money(at),
            Check::Share => before(at).map(|s| (Claim::Discount, s)),
            Check::ShareFollows => after(at).map(|s| (Claim::Discount, s)),
            Check::Tenths => tenths(at),
            Check::Fold => fold(at),
            Check::Off => off(at),
            Check::Full => full(at),
            Check::BuyGet => buy_get(at),
            Check::BuyGetEnglish => buy_get_english(at),
            Check::Discounted => if_so(discounted(at), Claim::Discount),
            Check::StockFollows => stock_follows(at),
            Check::StockLeft => stock_left(at),
            Check::Duration => time::duration(at),
            Check::MonthChinese => time::month_chinese(at),
            Check::DayOfMonth => time::day_of_month(at),
            Check::Clock => time::clock(at),
            Check::ClockColon => time::clock_colon(at),
            Check::ClockEnglish => before(at).filter(|_| !at.asks()).map(|s| (Claim::Time, s)),
            Check::IsoDate => time::iso_date(at),
            Check::DurationEnglish => time::duration_english(at),
            Check::WeekdayChinese => time::weekday_chinese(at),
            Check::FreeEnglish => if_so(free_english(at), Claim::Free),
            Check::FreeChinese => if_so(!at.neutral(), Claim::Free),
            Check::Give => give(at),
            Check::Refund => if_so(refund(at), Claim::Guarantee),
            Check::Surely => if_so(surely(at), Claim::Guarantee),
            Check::Absolutely => if_so(
                !at.after().starts_with("值") && !at.denied(),
                Claim::Guarantee,
            ),
            Check::GluedBefore => if_so(
                at.before().ends_with(|c: char| c.is_numeric()),
                Claim::Price,
            ),
            Check::GluedAfter => {
                let after = at.after();
                let magnitude = after.starts_with(['万', '亿', '百', '千'])
                    && !["千克", "千瓦", "千米", "百分"]
                        .iter()
                        .any(|unit| after.starts_with(unit));
                if_so(
                    magnitude || after.starts_with(|c: char| c.is_numeric()),
                    Claim::Price,
                )
            }
        }
    }
}

/// The word with the number in front of it.
fn before(at: At<'_>) -> Option<Span> {
    number_before(at.before()).map(|(start, _)| (start, at.end))
}

/// The word with the number behind it.
pub fn after(at: At<'_>) -> Option<Span> {
    number_after(at.after()).map(|(_, end)| (at.start, at.end + end))
}

pub fn number(at: At<'_>) -> Option<(Span, &str)> {
    let (start, end) = number_before(at.before())?;
    Some(((start, at.end), at.text.get(start..end)?))
}

pub fn starts(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

pub fn ends(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.ends_with(word))
}

/// 保证金, "promising": other words that begin alike.
fn is_other_word(at: At<'_>) -> bool {
    at.word() == "保证" && at.after().starts_with('金')
}

/// "价格是 1299", "save 50": an amount without its currency.
fn amount(at: At<'_>, claim: Claim) -> Claimed {
    let rest = at.after();
    let latin = at.word().is_ascii();
    let link: &[&str] = if latin {
        &[
            " is", " are", " was", " of", " at", " you", " just", " only", " about", " around",
            " up to",
        ]
    } else {
        &[
            "就是", "大概", "只要", "是", "为", "约", "才", "仅", "只", "就", "要", "到", "了",
            "您", "你", "至",
        ]
    };
    let mut skipped = 0;
    // At most two linking words stand between.
    for _ in 0..2 {
        let left = rest.get(skipped..)?;
        if let Some(word) = link.iter().find(|word| left.starts_with(**word)) {
            skipped += word.len();
        }
    }
    let digits_least = match at.word() {
        "only" | "just" | "才" | "total" => 3,
        _ => 2,
    };
    let (_, end) = amount_after(rest.get(skipped..)?, digits_least)?;
    Some((claim, (at.start, at.end + skipped + end)))
}

fn kuai(at: At<'_>) -> Claimed {
    const THINGS: &[&str] = &[
        "巧克力",
        "屏",
        "电池",
        "布",
        "表",
        "板",
        "毛巾",
        "砖",
        "蛋糕",
        "手表",
        "面",
        "肥皂",
        "滤",
        "儿",
        "糖",
        "石",
        "肉",
        "地",
        "饼",
        "香皂",
        "玻璃",
        "抹布",
    ];
    let (span, number) = number(at)?;
    let next = at.after().chars().next();
    let closes = next.is_none_or(|c| !c.is_alphanumeric())
        || starts(
            at.after(),
            &[
                "钱", "就", "起", "每", "左右", "以内", "以下", "一", "多", "包", "拿", "搞", "五",
                "八", "九",
            ],
        );
    let money = !starts(at.after(), THINGS)
        && (is_arabic(number) || is_large_numeral(number) || (closes && number != "一"));
    money.then_some((Claim::Price, span))
}

/// 刀, 毛, 角 and 圆 are money only after Arabic digits or a large number, and not in 三角形 or 五毛巾.
fn small_money(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    let other = starts(
        at.after(),
        &["形", "星", "巾", "毯", "度", "钱包", "具", "柱", "桌", "盘"],
    );
    let money = is_arabic(number) || (number.chars().count() > 1 && is_large_numeral(number));
    (money && !other).then_some((Claim::Price, span))
}

fn tenths(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    let guess = matches!(number, "八" | "一") && !at.after().starts_with(['新', '价']);
    (!guess && !starts(at.after(), &["不变", "员", "功", "立", "分"]))
        .then_some((Claim::Discount, span))
}

fn fold(at: At<'_>) -> Claimed {
    let (span, _) = number(at)?;
    let shape = starts(at.after(), &["伞", "叠", "页", "纸", "屏", "线"])
        || at.text.get(..span.0)?.ends_with('波');
    (!shape).then_some((Claim::Discount, span))
}

fn off(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    (number != "one" && !starts(at.after(), &["-", " the "])).then_some((Claim::Discount, span))
}

/// 满300减50, 满两件打折.
fn full(at: At<'_>) -> Claimed {
    let (_, end) = number_after(at.after())?;
    let rest: String = at.after().get(end..)?.chars().take(4).collect();
    ["减", "送", "赠", "打", "享", "包", "免", "返", "立"]
        .iter()
        .any(|word| rest.contains(word))
        .then_some((Claim::Discount, (at.start, at.end + end)))
}

/// 买一送一, 买二赠一.
fn buy_get(at: At<'_>) -> Claimed {
    let (_, end) = number_after(at.after())?;
    let rest: String = at.after().get(end..)?.chars().take(3).collect();
    rest.contains(['送', '赠', '免', '得'])
        .then_some((Claim::Discount, (at.start, at.end + end)))
}

fn buy_get_english(at: At<'_>) -> Claimed {
    let (_, end) = number_before(at.after().get(..at.after().find(" get")?)?)?;
    let rest = at.after().get(end..)?.trim_start().strip_prefix("get")?;
    let counted = rest.trim_start().split(' ').next()?;
    (number_before(counted).is_some() || counted == "another")
        .then_some((Claim::Discount, (at.start, at.end + end)))
}

fn discounted(at: At<'_>) -> bool {
    let given = [
        "正在", "现在", "全场", "今天", "可以", "能", "给您", "给你", "帮您", "帮你", "都", "在",
    ];
    ends(at.before(), &given) && !at.neutral()
}

fn stock_follows(at: At<'_>) -> Claimed {
    let rest = at.after();
    let skipped: usize = rest
        .chars()
        .take_while(|c| "还有仅只剩余为是的下大概约:量".contains(*c))
        .map(char::len_utf8)
        .sum();
    let (_, end) = number_after(rest.get(skipped..)?)?;
    let end = skipped + end;
    let next = rest.get(end..)?;
    let counted = next.starts_with([
        '件', '台', '个', '款', '包', '套', '只', '份', '瓶', '盒', '把', '双', '张', '条', '袋',
        '支', '组', '单', '部', '箱', '批',
    ]);
    let bare = matches!(at.word(), "最后" | "剩");
    // "最后一个问题" counts questions, not goods.
    let talk = starts(
        next,
        &["个问题", "个选", "款问题", "步", "个方案", "条建议", "点"],
    );
    let figure = counted || (!bare && next.chars().next().is_none_or(|c| !c.is_alphanumeric()));
    (figure && !talk).then_some((Claim::Stock, (at.start, at.end + end)))
}

/// "only 3 left", "2 units remaining".
fn stock_left(at: At<'_>) -> Claimed {
    let lead = at.before().trim_end();
    let lead = [
        "units", "unit", "pieces", "piece", "items", "item", "pcs", "sets", "boxes", "bags",
        "bottles", "machines", "in stock", "more", "of them", "copies",
    ]
    .iter()
    .find_map(|word| lead.strip_suffix(word))
    .unwrap_or(lead);
    let (start, _) = number_before(lead)?;
    let question = starts(
        at.after().trim_start(),
        &["question", "step", "to answer", "hand"],
    );
    (!question).then_some((Claim::Stock, (start, at.end)))
}

fn free_english(at: At<'_>) -> bool {
    const LED: &[&str] = &[
        "feel",
        "sugar",
        "gluten",
        "dairy",
        "caffeine",
        "lactose",
        "bpa",
        "stress",
        "hassle",
        "worry",
        "hands",
        "toll",
        "fat",
        "lead",
        "noise",
        "smoke",
        "maintenance",
        "mess",
        "fuss",
        "trouble",
        "you",
        "i'm",
        "we're",
        "be",
        "fragrance",
        "alcohol",
        "additive",
        "cruelty",
        "drip",
        "carefree",
    ];
    const FOLLOWED: &[&str] = &[
        " to ",
        " time",
        " from",
        " up",
        " will",
        " hand",
        "-standing",
        "standing",
        " range",
        " form",
        " speech",
        " spirit",
        " evening",
        " afternoon",
        " morning",
        " moment",
        " space",
        " flow",
    ];
    let after = at.after();
    let of = after.starts_with(" of")
        && !after.starts_with(" of charge")
        && !after.starts_with(" of cost");
    let led = words_back(at.lead(), 1).any(|word| LED.contains(&word));
    let asked_of_person = at.asks() && at.sentence().contains("are you");
    // "you" alone also ends "we ship you free ...".
    let person =
        words_back(at.lead(), 2).any(|word| matches!(word, "are" | "if" | "when" | "while"));
    let led = led && (!words_back(at.lead(), 1).any(|word| word == "you") || person);
    !(of || led || asked_of_person || starts(after, FOLLOWED) || at.neutral())
}

/// 送您, 再送, 送一包; not 配送, 发送, 送货.
fn give(at: At<'_>) -> Claimed {
    let carried = at.before().ends_with([
        '配', '运', '派', '寄', '发', '推', '转', '呈', '输', '播', '上', '接', '报',
    ]);
    let given = starts(
        at.after(),
        &[
            "您一", "你一", "您两", "你两", "您个", "你个", "一", "两", "价值", "礼品", "赠品",
            "豆", "杯", "券",
        ],
    ) || ends(at.before(), &["再", "还", "就", "免费", "额外", "加", "多"]);
    let talk = starts(at.after(), &["一下", "货", "到", "礼", "达", "人", "给谁"])
        && !at.after().starts_with("礼品");
    (given && !carried && !talk && !at.asks()).then_some((Claim::Free, (at.start, at.end)))
}

fn refund(at: At<'_>) -> bool {
    let sentence = at.sentence();
    let sure = [
        "will refund",
        "we'll refund",
        "we refund",
        "i'll refund",
        "can refund",
        "you'll get",
        "you will get",
        "you get",
        "guarantee",
        "definitely",
        "for sure",
        "always",
        "a refund",
        "refund you",
        "refund within",
    ];
    sure.iter().any(|word| sentence.contains(word)) && !at.neutral()
}

fn surely(at: At<'_>) -> bool {
    let promised = starts(
        at.after(),
        &[
            "能",
            "会",
            "给",
            "可以",
            "到",
            "行",
            "有",
            "准时",
            "按时",
            "没问题",
            "让您",
            "让你",
            "帮您",
            "是",
        ],
    );
    promised && !at.before().ends_with('不') && !at.asks()
}
