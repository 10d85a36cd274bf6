//! What stands around an amount: its currency, and whether it is a floor, a ceiling or about right.

use super::pattern;
use crate::money::Currency;
use crate::nlu::numbers::{self, Written};
use regex::Regex;
use std::sync::LazyLock;

patterns! {
    BELOW = r"^\s*(?:以内|以下|之内|之下|内|封顶|打住|为上限|or less|or under|or below|or lower|max(?:imum)?\b|at most|to spend|tops\b|limit\b)";
    ABOVE = r"^\s*(?:以上|之上|起步|起|往上|朝上|or more|or above|or over|or higher|and up|and above|plus\b|\+|minimum\b|at least)";
    ABOUT = r"^\s*(?:左右|上下|前后|或者左右|-?ish\b|or so\b|give or take)";
    SLIGHTLY_MORE = r"^\s*(?:出头|多一点|多点)";
    BELOW_BEFORE = r"(?:\b(?:no|not) (?:wider|larger|bigger|taller|longer|higher|deeper|heavier|louder|thicker|greater) than|under|below|不超过|不要超过|别超过|不能超过|不超|不大于|不高于|控制在|up to|less than|max(?:imum)?|max is|maximum is|limit is|max of|maximum of|within|no more than|not more than|no higher than|not over|at most|cheaper than|lower than|smaller than|cap(?:ped)? at|limit of|最多|最高|顶多|至多|低于|小于|少于|不到|便宜于|lighter than|quieter than|shorter than|narrower than|thinner than|slimmer than)[\s:]*$";
    ABOVE_BEFORE = r"(?:at least|over|above|至少|最少|起码|不低于|不少于|不小于|more than|no less than|not less than|minimum|minimum of|min|超过|高于|大于|多于|starting (?:at|from)|upwards of|from|wider than|larger than|bigger than|taller than|longer than|higher than|deeper than|heavier than|greater than|louder than|thicker than)[\s:]*$";
    ABOUT_BEFORE = r"(?:around|about|roughly|approximately|approx\.?|circa|大概|大约|差不多|约|估计|somewhere around|close to|nearly|接近|将近)[\s是在:]*$";
    BUDGET_WORD = r"预算|价位|心理价|budget|\bspend|\bafford|price range|\bpay up to";
}

/// How far "around" reaches, in parts of the amount.
const AROUND: f64 = 0.15;
/// Characters before an amount in which a word about the budget is near it.
const NEAR_CHARS: usize = 14;

/// The currency said beside an amount, and the bytes of amount and currency together.
pub(super) fn currency(text: &str, start: usize, end: usize) -> (Option<Currency>, usize, usize) {
    let before = text.get(..start).unwrap_or_default().trim_end();
    let after = text.get(end..).unwrap_or_default();
    for (sign, code) in [
        ("¥", "CNY"),
        ("rmb", "CNY"),
        ("cny", "CNY"),
        ("us$", "USD"),
        ("hk$", "HKD"),
        ("$", "USD"),
        ("usd", "USD"),
        ("€", "EUR"),
        ("eur", "EUR"),
        ("£", "GBP"),
        ("gbp", "GBP"),
    ] {
        if before.ends_with(sign) {
            return (Currency::new(code).ok(), before.len() - sign.len(), end);
        }
    }
    let spaces = after.len() - after.trim_start().len();
    let word = after.trim_start();
    for (name, code) in [
        ("块钱", "CNY"),
        ("块", "CNY"),
        ("元钱", "CNY"),
        ("元", "CNY"),
        ("rmb", "CNY"),
        ("cny", "CNY"),
        ("yuan", "CNY"),
        ("kuai", "CNY"),
        ("人民币", "CNY"),
        ("¥", "CNY"),
        ("美元", "USD"),
        ("美金", "USD"),
        ("dollars", "USD"),
        ("dollar", "USD"),
        ("bucks", "USD"),
        ("usd", "USD"),
        ("刀", "USD"),
        ("$", "USD"),
        ("euros", "EUR"),
        ("euro", "EUR"),
        ("eur", "EUR"),
        ("欧元", "EUR"),
        ("欧", "EUR"),
        ("€", "EUR"),
        ("pounds sterling", "GBP"),
        ("英镑", "GBP"),
        ("£", "GBP"),
    ] {
        let rest = word.strip_prefix(name);
        // 欧式 and 欧洲 are no money.
        let is_other =
            |rest: &str| name == "欧" && rest.starts_with(['式', '洲', '美', '标', '版']);
        if rest.is_some_and(|rest| !is_other(rest)) {
            return (Currency::new(code).ok(), start, end + spaces + name.len());
        }
    }
    (None, start, end)
}

/// Whether the budget is the subject just before, or anywhere before.
pub(super) fn speaks_of_budget(before: &str, near: bool) -> bool {
    let skipped = before.chars().count().saturating_sub(NEAR_CHARS);
    let place: String = match near {
        true => before.chars().skip(skipped).collect(),
        false => before.to_owned(),
    };
    BUDGET_WORD.as_ref().is_some_and(|p| p.is_match(&place))
}

/// Whether the last word about the budget already has its amount.
pub(super) fn tells_a_budget(before: &str) -> bool {
    let Some(word) = BUDGET_WORD
        .as_ref()
        .and_then(|p| p.find_iter(before).last())
    else {
        return false;
    };
    let behind = before.get(word.end()..).unwrap_or_default();
    numbers::find(behind)
        .iter()
        .any(|number| matches!(number.written, Written::Digits | Written::Han))
}

/// `500 reviews`, `300 cups`: a Latin plural after a number is what it counts.
pub(super) fn counts_things(after: &str) -> bool {
    let word: String = after
        .trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    word.len() > 3
        && word.ends_with('s')
        && !matches!(word.as_str(), "tops" | "plus" | "is" | "this" | "unless")
}

/// What is said of a figure.
pub(super) struct Bound {
    pub below: bool,
    pub above: bool,
    pub about: Option<About>,
    /// Where the words about it end.
    pub end: usize,
}

#[derive(Clone, Copy)]
pub(super) enum About {
    Around,
    /// 三千出头
    SlightlyMore,
    /// 两千多: up to the next step of its own unit.
    More,
}

impl About {
    pub fn around(self, value: f64) -> (f64, f64) {
        match self {
            About::Around => (value * (1.0 - AROUND), value * (1.0 + AROUND)),
            About::SlightlyMore => (value, value * (1.0 + AROUND)),
            About::More => {
                let mut step = 1.0;
                while value >= step * 10.0 && value % (step * 10.0) == 0.0 {
                    step *= 10.0;
                }
                (value, value + step)
            }
        }
    }
}

pub(super) fn bound(text: &str, from: usize, to: usize, more: bool) -> Bound {
    let before = text
        .get(..from)
        .unwrap_or_default()
        .trim_end_matches(['¥', '$', '€', '£', ' ']);
    let after = text.get(to..).unwrap_or_default();
    let after_is = |p: &LazyLock<Option<Regex>>| p.as_ref()?.find(after).map(|m| m.end());
    let before_is = |p: &LazyLock<Option<Regex>>| p.as_ref().is_some_and(|p| p.is_match(before));
    let below_after = after_is(&BELOW);
    // 16GB+512GB joins two figures.
    let joins = |end: &usize| {
        after.get(..*end).is_some_and(|word| word.ends_with('+'))
            && after
                .get(*end..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let above_after = after_is(&ABOVE).filter(|end| !joins(end));
    let about_after = after_is(&ABOUT);
    let slightly = after_is(&SLIGHTLY_MORE);
    let below = below_after.is_some() || before_is(&BELOW_BEFORE);
    let above = !below && (above_after.is_some() || before_is(&ABOVE_BEFORE));
    let about = if more {
        Some(About::More)
    } else if slightly.is_some() {
        Some(About::SlightlyMore)
    } else if about_after.is_some() || before_is(&ABOUT_BEFORE) {
        Some(About::Around)
    } else {
        None
    };
    let length = [below_after, above_after, about_after, slightly]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0);
    Bound {
        below,
        above,
        about,
        end: to + length,
    }
}

/// Where things are cheaper, as customers tell it.
static ELSEWHERE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:淘宝|京东|拼多多|天猫|闲鱼|别家|别人家|别的店|其他店|人家|隔壁|网上|amazon|ebay|walmart|elsewhere|other (?:shop|store|site)s?|another (?:shop|store|site)|competitors?)[^，,。.；;！!？?]{0,24}$",
    )
    .ok()
});

/// The amount that follows is a price somewhere else.
pub(super) fn is_elsewhere(before: &str) -> bool {
    ELSEWHERE
        .as_ref()
        .is_some_and(|place| place.is_match(before))
}

/// 差一千多, 贵了两百; “200 more”.
static GAP_BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:差|相差|贵|贵了|便宜了|多花|多付|省|省了|省下|difference of|saves?|save me)(?:的|了|出|那|这|个|大概|差不多|about|around| )*$").ok()
});
static GAP_AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:块|元|块钱| ?yuan| ?rmb| ?dollars| ?bucks)?(?:钱)?(?:的?差价|的差别|差在哪| more than| more for| extra| difference| cheaper than)").ok()
});

/// The amount is how far two prices lie apart.
pub(super) fn is_difference(before: &str, after: &str) -> bool {
    let says = |pattern: &Option<Regex>, text| pattern.as_ref().is_some_and(|p| p.is_match(text));
    says(&GAP_BEFORE, before) || says(&GAP_AFTER, after)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pattern_compiles() {
        for (name, compiles) in super::all_patterns() {
            assert!(compiles, "{name}");
        }
    }
}
