//! Whether a word is a claim where it stands.

use super::context::{
    At, Span, amount_after, is_arabic, is_large_numeral, number_after, number_before, words_back,
};
use super::{Check, Claim};

/// Words of delivery and of rights, beside which a span of time is a claim.
const DELIVERY: &[&str] = &[
    "到货",
    "送达",
    "送到",
    "发货",
    "发出",
    "寄出",
    "寄到",
    "配送",
    "到达",
    "能收到",
    "会收到",
    "收到货",
    "就收到",
    "可收到",
    "签收",
    "送货",
    "派送",
    "到手",
    "可达",
    "上门",
    "退货",
    "退换",
    "退款",
    "换货",
    "质保",
    "保修",
    "试用",
    "价保",
    "有效期",
    "截止",
    "结束",
    "交付",
    "交货",
    "补货",
    "到店",
    "闪送",
    "送出",
    "寄送",
    "快递",
    "安装好",
    "回复您",
    "到您",
    "deliver",
    "arriv",
    "ship",
    "dispatch",
    "refund",
    "return",
    "exchange",
    "warrant",
    "guarantee",
    "replace",
    "valid",
    "expire",
    "installed",
    "get it",
    "receive",
    "have it",
    "at your door",
    "with you",
    "ends",
    "order ",
    "trial",
    "restock",
];
/// What follows a span of time that is a claim.
const TIME_ENDINGS: &[&str] = &[
    "内",
    "之内",
    "以内",
    "后",
    "之后",
    "以后",
    "前",
    "之前",
    "以前",
    "到",
    "达",
    "可达",
    "送",
    "发",
    "无理由",
    "包",
    "质保",
    "保修",
    "保",
    "试用",
    "试喝",
    "可退",
    "退",
    "换",
    "免费",
    "必",
    "就能",
    "就到",
    "能到",
    "见效",
    "的质保",
    "的保修",
];
/// What stands before a span of time that is a claim.
const TIME_LEADS: &[&str] = &[
    "最快",
    "最迟",
    "最晚",
    "预计",
    "只需",
    "仅需",
    "延长",
    "质保",
    "保修",
    "试用",
    "有效期",
    "货期",
    "配送",
    "发货",
    "交期",
    "需要等",
    "大约等",
    "只要",
];

type Claimed = Option<(Claim, Span)>;

impl Check {
    pub fn run(self, at: At<'_>) -> Claimed {
        let here = (at.start, at.end);
        let if_so = |holds: bool, claim| holds.then_some((claim, here));
        match self {
            Check::Always(claim) => Some((claim, here)),
            Check::UnlessNeutral(claim) => if_so(!at.neutral(), claim),
            Check::UnlessDenied(claim) => if_so(!at.denied() && !is_other_word(at), claim),
            Check::UnlessAsked(claim) => if_so(!asked_or_farewell(at), claim),
            Check::WithDelivery(claim) => if_so(delivery(at.sentence()) && !at.denied(), claim),
            Check::AmountFollows(claim) => amount(at, claim),
            Check::Weekday(claim) => if_so(weekday(at), claim),
            Check::Month(claim) => month(at, claim),
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
            Check::Duration => duration(at),
            Check::MonthChinese => month_chinese(at),
            Check::DayOfMonth => day_of_month(at),
            Check::Clock => clock(at),
            Check::ClockColon => clock_colon(at),
            Check::ClockEnglish => before(at).filter(|_| !at.asks()).map(|s| (Claim::Time, s)),
            Check::IsoDate => iso_date(at),
            Check::DurationEnglish => duration_english(at),
            Check::WeekdayChinese => weekday_chinese(at),
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
fn after(at: At<'_>) -> Option<Span> {
    number_after(at.after()).map(|(_, end)| (at.start, at.end + end))
}

fn number(at: At<'_>) -> Option<(Span, &str)> {
    let (start, end) = number_before(at.before())?;
    Some(((start, at.end), at.text.get(start..end)?))
}

fn delivery(sentence: &str) -> bool {
    DELIVERY.iter().any(|word| sentence.contains(word))
}

fn starts(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

fn ends(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.ends_with(word))
}

/// 保证金, "promising": other words that begin alike.
fn is_other_word(at: At<'_>) -> bool {
    at.word() == "保证" && at.after().starts_with('金')
}

/// "明天要用吗?", "see you tomorrow": a question about the need, or a good-bye.
fn asked_or_farewell(at: At<'_>) -> bool {
    let sentence = at.sentence();
    (at.asks() && !delivery(sentence))
        || starts(at.after(), &["见", "再聊", "聊"])
        || sentence.contains("see you")
        || sentence.contains("talk to you")
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

fn weekday(at: At<'_>) -> bool {
    if at.asks() && !delivery(at.sentence()) {
        return false;
    }
    let short = at.word().len() == 3;
    let led = words_back(at.lead(), 2).any(|word| {
        matches!(
            word,
            "by" | "before" | "until" | "till" | "next" | "this" | "on" | "coming"
        )
    });
    led || (!short && delivery(at.sentence()))
}

fn month(at: At<'_>, claim: Claim) -> Claimed {
    if at.asks() && !delivery(at.sentence()) {
        return None;
    }
    let day = |number: Option<&str>| {
        number.is_some_and(|n| n.parse::<u32>().is_ok_and(|day| (1..=31).contains(&day)))
    };
    let behind = number_after(at.after()).and_then(|(from, to)| at.after().get(from..to));
    if day(behind) {
        return after(at).map(|span| (claim, span));
    }
    let lead = at.before().trim_end();
    let lead = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| lead.strip_suffix(ending))
        .unwrap_or(lead);
    let (start, end) = number_before(lead)?;
    (at.word() != "may" && day(lead.get(start..end))).then_some((claim, (start, at.end)))
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

fn duration(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    let sentence = at.sentence();
    let delivered = delivery(sentence);
    if at.asks() && !delivered {
        return None;
    }
    let after = at.after();
    let year = at.word() == "年" && number.chars().filter(char::is_ascii_digit).count() == 4;
    let ends_as_claim = starts(after, TIME_ENDINGS) && !starts(after, &["到晚", "后悔", "到头"]);
    let lead = at.text.get(..span.0)?;
    let leads = ends(
        lead.trim_end_matches(['大', '约', '概', '为', '是', '在', '：', ':', ' ']),
        TIME_LEADS,
    );
    let dated = at.word() == "日" && lead.ends_with('月');
    (delivered || ends_as_claim || leads || year || dated).then_some((Claim::Time, span))
}

/// "11月30日", "12月上市", and "三个月内".
fn month_chinese(at: At<'_>) -> Claimed {
    let (span, _) = number(at)?;
    if at.before().ends_with('个') {
        return duration(at);
    }
    (!at.asks() || delivery(at.sentence())).then_some((Claim::Time, span))
}

fn day_of_month(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    let day = number.chars().count() <= 3;
    let due = starts(
        at.after(),
        &["前", "之前", "以前", "到", "发", "送", "截止", "就能", "能"],
    ) || at.text.get(..span.0)?.ends_with('月');
    (day && due && (!at.asks() || delivery(at.sentence()))).then_some((Claim::Time, span))
}

fn clock(at: At<'_>) -> Claimed {
    let (span, _) = number(at)?;
    let lead = at.text.get(..span.0)?;
    let part_of_day = ends(
        lead,
        &[
            "上午", "下午", "晚上", "早上", "中午", "凌晨", "今晚", "今天", "明早", "晚",
        ],
    );
    let due = starts(
        at.after(),
        &["前", "之前", "以前", "钟", "截止", "发货", "到货", "送达"],
    );
    ((part_of_day || due) && (!at.asks() || delivery(at.sentence()))).then_some((Claim::Time, span))
}

/// "18:00前"; a ratio such as 1:15 is no time.
fn clock_colon(at: At<'_>) -> Claimed {
    let (start, _) = number_before(at.before())?;
    if !at.before().ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let minutes = at.after().chars().take_while(char::is_ascii_digit).count();
    let rest = at.after().get(minutes..)?.trim_start();
    let lead = at.text.get(..start)?.trim_end();
    let timed = starts(
        rest,
        &["前", "之前", "到", "截止", "发", "送", "pm", "am", "-", "~"],
    ) || ends(
        lead,
        &[
            "by", "before", "until", "at", "from", "till", "午", "晚", "早", "截至", "截止",
        ],
    );
    (minutes == 2 && timed).then_some((Claim::Time, (start, at.end + minutes)))
}

/// "2026-12-01", "12/24/2026", "by 11/30".
fn iso_date(at: At<'_>) -> Claimed {
    let left = at
        .before()
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .count();
    let right = at.after().chars().take_while(char::is_ascii_digit).count();
    if left == 0 || right == 0 {
        return None;
    }
    let mark = at.word();
    let full = |first: usize, rest: &str| {
        first == 4
            && rest.get(right..).is_some_and(|rest| {
                rest.strip_prefix(mark)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
    };
    let start = at.start - left;
    let lead = at.text.get(..start)?.trim_end();
    let due = mark == "/"
        && left <= 2
        && right <= 2
        && ends(
            lead,
            &[
                "by",
                "before",
                "on",
                "until",
                "截至",
                "截止",
                "截止到",
                "在",
            ],
        );
    let back = mark == "/" && right == 4 && left <= 2 && lead.ends_with('/');
    (full(left, at.after()) || due || back).then_some((Claim::Time, (start, at.end + right)))
}

fn duration_english(at: At<'_>) -> Claimed {
    let lead = at.before().trim_end_matches([' ', '-']);
    let lead = ["business", "working", "calendar", "full", "whole"]
        .iter()
        .find_map(|word| lead.strip_suffix(word))
        .unwrap_or(lead);
    let (start, _) = number_before(lead)?;
    let delivered = delivery(at.sentence());
    if at.asks() && !delivered {
        return None;
    }
    let led = words_back(at.text.get(..start)?, 3)
        .any(|word| matches!(word, "within" | "in" | "under" | "after" | "next" | "by"));
    // "2 cups in 3 days" is use; what arrives in three days is a claim, so only "in" needs more.
    let used = ["use", "drink", "last", "cups", "keep"]
        .iter()
        .any(|word| at.sentence().contains(word));
    (delivered || (led && !used)).then_some((Claim::Time, (start, at.end)))
}

fn weekday_chinese(at: At<'_>) -> Claimed {
    let day = at.after().chars().next()?;
    if !"一二三四五六日天末1234567".contains(day) || (at.asks() && !delivery(at.sentence()))
    {
        return None;
    }
    let end = at.end + day.len_utf8();
    let rest = at.text.get(end..)?;
    let due = starts(
        rest,
        &[
            "前", "之前", "以前", "到", "送", "发", "就", "能", "可", "截止", "开",
        ],
    ) || (ends(at.before(), &["本", "下", "这", "上"]) && !starts(rest, &["次", "回"]))
        || delivery(at.sentence());
    due.then_some((Claim::Time, (at.start, end)))
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
