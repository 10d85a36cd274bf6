//! Spans of time, dates and hours: which of them are claims of a delivery or a right.

use super::Claim;
use super::check::{Claimed, after, ends, number, starts};
use super::context::{At, number_after, number_before, words_back};

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
/// Words of use: "喝完", "brews in 5 minutes"; a span of time beside them is advice, unless something is delivered.
const USE: &[&str] = &[
    "喝完",
    "用完",
    "饮用",
    "食用",
    "开封",
    "萃取",
    "冲煮",
    "冲泡",
    "煮",
    "清洗",
    "预热",
    "加热",
    "研磨",
    "浸泡",
    "出杯",
    "打奶泡",
    "除垢",
    "焖蒸",
    "静置",
    "养豆",
    "use",
    "drink",
    "last",
    "cups",
    "keep",
    "brew",
    "heat",
    "clean",
    "rinse",
    "steep",
    "descal",
    "warm",
    "grind",
    "pull a shot",
    "bloom",
    "roast",
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

/// "明天要用吗?", "see you tomorrow": a question about the need, or a good-bye.
pub fn asked_or_farewell(at: At<'_>) -> bool {
    let sentence = at.sentence();
    (at.asks() && !delivery(sentence))
        || starts(at.after(), &["见", "再聊", "聊"])
        || sentence.contains("see you")
        || sentence.contains("talk to you")
}

pub fn delivery(sentence: &str) -> bool {
    DELIVERY.iter().any(|word| sentence.contains(word))
}

pub fn duration(at: At<'_>) -> Claimed {
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
    let used = at.sentence_holds(USE);
    (delivered || (ends_as_claim && !used) || leads || year || dated).then_some((Claim::Time, span))
}

pub fn duration_english(at: At<'_>) -> Claimed {
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
    let within = words_back(at.text.get(..start)?, 3).any(|word| word == "within");
    let short = starts(at.word(), &["minute", "hour", "hr"]);
    let used = at.sentence_holds(USE) && (short || !within);
    (delivered || (led && !used)).then_some((Claim::Time, (start, at.end)))
}

pub fn weekday(at: At<'_>) -> bool {
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

pub fn weekday_chinese(at: At<'_>) -> Claimed {
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

pub fn month(at: At<'_>, claim: Claim) -> Claimed {
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

/// "11月30日", "12月上市", and "三个月内".
pub fn month_chinese(at: At<'_>) -> Claimed {
    let (span, _) = number(at)?;
    if at.before().ends_with('个') {
        return duration(at);
    }
    (!at.asks() || delivery(at.sentence())).then_some((Claim::Time, span))
}

pub fn day_of_month(at: At<'_>) -> Claimed {
    let (span, number) = number(at)?;
    let day = number.chars().count() <= 3;
    let due = starts(
        at.after(),
        &["前", "之前", "以前", "到", "发", "送", "截止", "就能", "能"],
    ) || at.text.get(..span.0)?.ends_with('月');
    (day && due && (!at.asks() || delivery(at.sentence()))).then_some((Claim::Time, span))
}

pub fn clock(at: At<'_>) -> Claimed {
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
pub fn clock_colon(at: At<'_>) -> Claimed {
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
pub fn iso_date(at: At<'_>) -> Claimed {
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
