//! Figures with a unit: litres, centimetres, kilograms, as demands on what a product measures.

use super::amounts::Amount;
use super::money::{self, About};
use crate::cue::Cue;
use crate::measure::{Dimension, Quality, Unit, quality_at, quality_before, unit_at};
use crate::nlu::Value;
use crate::nlu::numbers::{self, Written};

/// Comparatives and the quality that they compare.
const COMPARATIVES: [(&str, Quality); 14] = [
    ("wider than", Quality::Width),
    ("narrower than", Quality::Width),
    ("slimmer than", Quality::Width),
    ("taller than", Quality::Height),
    ("higher than", Quality::Height),
    ("shorter than", Quality::Height),
    ("deeper than", Quality::Depth),
    ("longer than", Quality::Length),
    ("thicker than", Quality::Thickness),
    ("thinner than", Quality::Thickness),
    ("heavier than", Quality::Weight),
    ("lighter than", Quality::Weight),
    ("quieter than", Quality::Noise),
    ("louder than", Quality::Noise),
];
/// Words between a quality and its figure.
const BETWEEN: [&str; 33] = [
    "life",
    "不超过",
    "不要超过",
    "不能超过",
    "别超过",
    "超过",
    "不低于",
    "不少于",
    "至少",
    "最多",
    "小于",
    "大于",
    "低于",
    "高于",
    "不到",
    "大概",
    "大约",
    "控制在",
    "在",
    "是",
    "要",
    "的",
    "no more than",
    "less than",
    "more than",
    "at least",
    "at most",
    "under",
    "below",
    "over",
    "of",
    "is",
    "about",
];
/// A cup more or less is bought; from here on it is what something makes in a day.
const CUPS_MIN: f64 = 10.0;

/// The measure that an amount tells, with its bytes.
pub(super) fn read(amount: &Amount<'_>) -> Option<(usize, usize, Value)> {
    let after = amount.after();
    let spaces = after.len() - after.trim_start().len();
    let (mut unit, length) = unit_at(after.trim_start())?;
    let word = after.trim_start().get(..length)?;
    let mut end = amount.end + spaces + length;
    let (before_quality, after_quality) = qualities(amount.text, amount.start, end);
    // 16g内存: what is remembered has no grams.
    let remembers = |quality: Quality| matches!(quality, Quality::Memory | Quality::Storage);
    let remembered = match after_quality {
        Some((quality, _)) => remembers(quality),
        None => before_quality.is_some_and(remembers),
    };
    if word == "g" && remembered {
        unit = unit_at("gb").map_or(unit, |(bytes, _)| bytes);
    }
    let quality = after_quality
        .map(|(quality, _)| quality)
        .filter(|quality| quality.can_be(unit.dimension))
        .or(before_quality)
        .filter(|quality| quality.can_be(unit.dimension));
    let said = money::bound(amount.text, amount.start, end, amount.more);
    let bounded =
        said.below || said.above || amount.text.get(end..).is_some_and(|t| t.starts_with('的'));
    if !is_measure(amount, unit, word, quality, bounded) {
        return None;
    }
    if let Some((quality, length)) = after_quality
        && quality.can_be(unit.dimension)
    {
        end += length;
    }
    let bound = money::bound(amount.text, amount.start, end, amount.more);
    let base = |figure: f64| unit.base(figure);
    let (min, max) = match (amount.high, bound.about) {
        (Some(high), _) => (Some(base(amount.low)?), Some(base(high)?)),
        (None, _) if bound.below => (None, Some(base(amount.low)?)),
        (None, _) if bound.above => (Some(base(amount.low)?), None),
        (None, Some(about)) if !unit.dimension.is_counted() || !matches!(about, About::Around) => {
            let (low, high) = about.around(amount.low);
            (Some(base(low)?), Some(base(high)?))
        }
        // What seats or makes more than is asked for does as well.
        (None, _) if unit.dimension.is_counted() && unit.dimension != Dimension::Data => {
            (Some(base(amount.low)?), None)
        }
        // Nobody minds a longer warranty.
        (None, _) if quality.is_some_and(more_is_better) => (Some(base(amount.low)?), None),
        // Room for so much holds whatever is smaller.
        (None, _) if unit.dimension == Dimension::Length && Cue::Room.is_in(amount.text) => {
            (None, Some(base(amount.low)?))
        }
        (None, _) => (Some(base(amount.low)?), Some(base(amount.low)?)),
    };
    let value = Value::Measure {
        quality,
        dimension: unit.dimension,
        min,
        max,
    };
    Some((amount.start, bound.end, value))
}

fn more_is_better(quality: Quality) -> bool {
    matches!(
        quality,
        Quality::Warranty | Quality::Battery | Quality::Load
    )
}

/// Units that are also other words need digits before them, or a quality beside them.
fn is_measure(
    amount: &Amount<'_>,
    unit: Unit,
    word: &str,
    quality: Option<Quality>,
    bounded: bool,
) -> bool {
    let digits = amount.written == Written::Digits;
    let strong = matches!(
        amount.written,
        Written::Digits | Written::Han | Written::English
    ) || bounded;
    let short = word.len() == 1;
    match unit.dimension {
        Dimension::Duration => quality.is_some(),
        Dimension::Seats => !matches!(word, "人" | "people" | "person" | "persons"),
        Dimension::Cups => quality.is_some() || amount.low >= CUPS_MIN,
        _ if quality.is_some() => true,
        _ if short => digits,
        _ if matches!(
            word,
            "平" | "寸" | "尺" | "座" | "度" | "克" | "斤" | "磅" | "米"
        ) =>
        {
            strong
        }
        _ => amount.written != Written::Article,
    }
}

/// The quality named before the figure, and the one after it with its bytes.
fn qualities(text: &str, start: usize, end: usize) -> (Option<Quality>, Option<(Quality, usize)>) {
    let mut before = text.get(..start).unwrap_or_default().trim_end();
    let compared = COMPARATIVES
        .iter()
        .find(|(word, _)| before.ends_with(word))
        .map(|(_, quality)| *quality);
    for _ in 0..3 {
        let shorter = BETWEEN
            .iter()
            .find_map(|word| before.strip_suffix(word))
            .unwrap_or(before)
            .trim_end_matches([' ', ':', '：']);
        if shorter.len() == before.len() {
            break;
        }
        before = shorter;
    }
    let named = quality_before(before).map(|(quality, _)| quality);
    let after = text.get(end..).unwrap_or_default();
    let joined = after.trim_start_matches([' ', '-', '的']);
    let joined = joined.strip_prefix("of ").unwrap_or(joined);
    // 宽20厘米高30厘米: a quality with a figure of its own is of that.
    let of_next = |length: usize| {
        let word = joined.get(..length).unwrap_or_default();
        let rest = joined.get(length..).unwrap_or_default();
        let rest = match word.is_ascii() {
            true => rest.trim_start(),
            false => rest,
        };
        rest.starts_with(|c: char| c.is_ascii_digit() || numbers::numeral(c).is_some())
    };
    let follows = quality_at(joined)
        .filter(|(_, length)| !of_next(*length))
        .map(|(quality, length)| (quality, after.len() - joined.len() + length));
    (compared.or(named), follows)
}
