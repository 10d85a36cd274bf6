//! The words that commercial claims are made with, each with what has to stand around it.

use super::{Check, Claim};

/// Every word looked for; a section of the list that has no check here comes with the strictest.
pub fn all() -> impl Iterator<Item = (&'static str, Check)> {
    let listed = listed(include_str!("words.txt")).map(|(section, word)| {
        let check = SECTIONS.iter().find(|(name, _)| *name == section);
        (
            word,
            check.map_or(Check::Always(Claim::Price), |(_, check)| *check),
        )
    });
    UNITS.iter().copied().chain(listed)
}

/// The rows of a word list: `section: word | word`, comments behind `#`.
pub fn listed(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.lines()
        .filter(|line| !line.starts_with("# "))
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(section, words)| words.split(" | ").map(move |word| (section, word)))
}

const SECTIONS: &[(&str, Check)] = &[
    ("free", Check::Always(Claim::Free)),
    ("discount", Check::Always(Claim::Discount)),
    (
        "discount_unless_neutral",
        Check::UnlessNeutral(Claim::Discount),
    ),
    ("stock", Check::Always(Claim::Stock)),
    ("stock_unless_neutral", Check::UnlessNeutral(Claim::Stock)),
    ("guarantee", Check::Always(Claim::Guarantee)),
    (
        "guarantee_unless_denied",
        Check::UnlessDenied(Claim::Guarantee),
    ),
    ("time", Check::UnlessAsked(Claim::Time)),
    ("time_with_delivery", Check::WithDelivery(Claim::Time)),
    ("weekday", Check::Weekday(Claim::Time)),
    ("month", Check::Month(Claim::Time)),
    ("price_before_amount", Check::AmountFollows(Claim::Price)),
    ("cut_before_amount", Check::AmountFollows(Claim::Discount)),
];

const UNITS: &[(&str, Check)] = &[
    // Money.
    ("¥", Check::Symbol),
    ("$", Check::Symbol),
    ("€", Check::Symbol),
    ("£", Check::Symbol),
    ("₩", Check::Symbol),
    ("₽", Check::Symbol),
    ("₹", Check::Symbol),
    ("円", Check::Money),
    ("元", Check::Money),
    ("块", Check::Kuai),
    ("块钱", Check::Money),
    ("圆", Check::SmallMoney),
    ("刀", Check::SmallMoney),
    ("毛", Check::SmallMoney),
    ("角", Check::SmallMoney),
    ("大洋", Check::Money),
    ("人民币", Check::Currency),
    ("软妹币", Check::Currency),
    ("美元", Check::Currency),
    ("美金", Check::Currency),
    ("港币", Check::Currency),
    ("欧元", Check::Currency),
    ("英镑", Check::Currency),
    ("日元", Check::Currency),
    ("rmb", Check::Currency),
    ("cny", Check::Currency),
    ("usd", Check::Currency),
    ("eur", Check::Currency),
    ("gbp", Check::Currency),
    ("hkd", Check::Currency),
    ("jpy", Check::Currency),
    ("renminbi", Check::Currency),
    ("yuan", Check::Currency),
    ("kuai", Check::Money),
    ("dollar", Check::Money),
    ("buck", Check::Money),
    ("euro", Check::Money),
    ("quid", Check::Money),
    ("cent", Check::Money),
    ("yen", Check::Money),
    // Shares.
    ("%", Check::Share),
    ("percent", Check::Share),
    ("per cent", Check::Share),
    ("pct", Check::Share),
    ("个点", Check::Share),
    ("百分之", Check::ShareFollows),
    ("成", Check::Tenths),
    ("折", Check::Fold),
    ("off", Check::Off),
    ("满", Check::Full),
    ("买", Check::BuyGet),
    ("buy", Check::BuyGetEnglish),
    ("打折", Check::Discounted),
    // Stock.
    ("只剩", Check::StockFollows),
    ("仅剩", Check::StockFollows),
    ("还剩", Check::StockFollows),
    ("剩余", Check::StockFollows),
    ("剩", Check::StockFollows),
    ("库存", Check::StockFollows),
    ("最后", Check::StockFollows),
    ("left", Check::StockLeft),
    ("remaining", Check::StockLeft),
    // Time.
    ("天", Check::Duration),
    ("日", Check::Duration),
    ("小时", Check::Duration),
    ("钟头", Check::Duration),
    ("分钟", Check::Duration),
    ("星期", Check::Duration),
    ("礼拜", Check::Duration),
    ("周", Check::Duration),
    ("月", Check::MonthChinese),
    ("工作日", Check::Duration),
    ("年", Check::Duration),
    ("号", Check::DayOfMonth),
    ("点", Check::Clock),
    (":", Check::ClockColon),
    ("pm", Check::ClockEnglish),
    ("am", Check::ClockEnglish),
    ("p.m", Check::ClockEnglish),
    ("a.m", Check::ClockEnglish),
    ("o'clock", Check::ClockEnglish),
    ("-", Check::IsoDate),
    ("/", Check::IsoDate),
    (".", Check::IsoDate),
    ("day", Check::DurationEnglish),
    ("week", Check::DurationEnglish),
    ("month", Check::DurationEnglish),
    ("year", Check::DurationEnglish),
    ("hour", Check::DurationEnglish),
    ("hr", Check::DurationEnglish),
    ("minute", Check::DurationEnglish),
    ("yr", Check::DurationEnglish),
    ("星期", Check::WeekdayChinese),
    ("礼拜", Check::WeekdayChinese),
    ("周", Check::WeekdayChinese),
    // Gifts.
    ("free", Check::FreeEnglish),
    ("送", Check::Give),
    ("免费", Check::FreeChinese),
    ("refund", Check::Refund),
    ("一定", Check::Surely),
    ("肯定", Check::Surely),
    ("绝对", Check::Absolutely),
    // A number that runs into a bound number changes it.
    ("\u{E001}", Check::GluedBefore),
    ("\u{E002}", Check::GluedAfter),
];
