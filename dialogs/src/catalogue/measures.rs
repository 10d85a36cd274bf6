//! The figures a catalogue tells of its products: `1.2 L`, `58 dB`, `20 x 30 x 40 cm`, as numbers that can be compared.

use super::fits::is_fit;
use super::{Localized, Product};
use crate::measure::{Dimension, MeasureBound, Quality, Span, Unit, unit_at};
use crate::text;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of an attribute's text that is read for figures; longer ones are prose.
const TEXT_CHARS_MAX: usize = 80;
/// Figures of one attribute of one product.
const FIGURES_MAX: usize = 8;
/// What takes the place of a size that no attribute tells as such, best first.
const SIZES: [Quality; 7] = [
    Quality::Capacity,
    Quality::Screen,
    Quality::Area,
    Quality::Seats,
    Quality::Width,
    Quality::Length,
    Quality::Height,
];

/// The figures of products, and what they come to for each type.
#[derive(Clone, Debug, Default)]
pub(super) struct Measures {
    /// By product, in the order of the catalogue: attribute and figure.
    of_product: Vec<Vec<(String, Span)>>,
    /// By type key; the empty key is all products.
    of_type: BTreeMap<String, Vec<Measured>>,
}

/// An attribute with figures, over the products of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    pub attribute: String,
    pub dimension: Dimension,
    /// Of all products, in base units.
    pub low: i64,
    pub high: i64,
    pub products: usize,
}

impl Measures {
    pub(super) fn of(products: &[Product]) -> Self {
        let of_product: Vec<_> = products.iter().map(of_product).collect();
        Self {
            of_type: of_types(products, &of_product),
            of_product,
        }
    }

    pub(super) fn keep(&self, place: usize, bounds: &[MeasureBound]) -> bool {
        bounds.iter().all(|bound| {
            self.of_product.get(place).is_some_and(|figures| {
                figures.iter().any(|(attribute, span)| {
                    bound.attribute.as_ref().is_none_or(|a| a == attribute) && bound.holds(span)
                })
            })
        })
    }

    pub(super) fn span(&self, place: usize, attribute: &str) -> Option<Span> {
        let figures = self.of_product.get(place)?;
        figures
            .iter()
            .find(|(name, _)| name == attribute)
            .map(|(_, span)| *span)
    }

    /// Sorted by attribute. Of several dimensions under one attribute, each stands for itself.
    pub(super) fn measured(&self, type_key: &str) -> &[Measured] {
        self.of_type.get(type_key).map_or(&[], Vec::as_slice)
    }
}

/// One pass over the products: each counts for all of its types and for those above them.
fn of_types(
    products: &[Product],
    of_product: &[Vec<(String, Span)>],
) -> BTreeMap<String, Vec<Measured>> {
    let mut found: BTreeMap<&str, BTreeMap<(&str, Dimension), Measured>> = BTreeMap::new();
    for (product, figures) in products.iter().zip(of_product) {
        if figures.is_empty() {
            continue;
        }
        let mut kinds: BTreeSet<&str> = BTreeSet::from([""]);
        for key in &product.type_keys {
            kinds.insert(key);
            kinds.extend(key.match_indices('/').filter_map(|(at, _)| key.get(..at)));
        }
        for kind in kinds {
            count(found.entry(kind).or_default(), figures);
        }
    }
    found
        .into_iter()
        .map(|(kind, measured)| (kind.to_owned(), measured.into_values().collect()))
        .collect()
}

fn count<'a>(found: &mut BTreeMap<(&'a str, Dimension), Measured>, figures: &'a [(String, Span)]) {
    let mut counted: Option<(&str, Dimension)> = None;
    for (attribute, span) in figures {
        let key = (attribute.as_str(), span.dimension);
        let known = found.entry(key).or_insert_with(|| Measured {
            attribute: attribute.clone(),
            dimension: span.dimension,
            low: span.low,
            high: span.high,
            products: 0,
        });
        known.low = known.low.min(span.low);
        known.high = known.high.max(span.high);
        known.products += usize::from(counted != Some(key));
        counted = Some(key);
    }
}

/// The attribute that tells a quality, the one with the most products first.
pub(super) fn attribute_for(measured: &[Measured], quality: Quality) -> Option<&Measured> {
    let telling = |quality: Quality| {
        measured
            .iter()
            .filter(|m| quality.can_be(m.dimension))
            .filter(|m| Quality::of_attribute(&m.attribute) == Some(quality))
            .max_by_key(|m| m.products)
    };
    telling(quality).or_else(|| match quality {
        Quality::Size => SIZES.into_iter().find_map(telling),
        _ => None,
    })
}

fn of_product(product: &Product) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Span)> = Vec::new();
    let mut derived: Vec<(String, Span)> = Vec::new();
    for (attribute, text) in &product.attributes {
        if is_fit(attribute) {
            continue;
        }
        for (quality, span) in figures(text) {
            match quality {
                Some(quality) => derived.push((quality.word().to_owned(), span)),
                None => found.push((attribute.clone(), span)),
            }
        }
    }
    for (name, span) in derived {
        let told = found
            .iter()
            .any(|(attribute, _)| Quality::of_attribute(attribute) == Quality::of_attribute(&name));
        if !told {
            found.push((name, span));
        }
    }
    found
}

/// The figures of the first language that has some.
fn figures(text: &Localized) -> Vec<(Option<Quality>, Span)> {
    text.texts()
        .filter(|(_, text)| text.chars().count() <= TEXT_CHARS_MAX)
        .map(|(_, text)| read(&text::fold(text)))
        .find(|figures| !figures.is_empty())
        .unwrap_or_default()
}

/// A bare figure of a text: its value, its unit where one follows, what stands before it.
struct Figure {
    value: f64,
    unit: Option<Unit>,
    label: Option<Quality>,
    /// Joined to the one before: by `x` as a side, by `-` as the end of a range.
    joint: Joint,
}

#[derive(Clone, Copy, PartialEq)]
enum Joint {
    None,
    Side,
    Range,
}

fn read(folded: &str) -> Vec<(Option<Quality>, Span)> {
    let mut figures: Vec<Figure> = Vec::new();
    let mut at = 0;
    let mut gap_from = 0;
    while let Some(rest) = folded.get(at..).filter(|rest| !rest.is_empty()) {
        if figures.len() == FIGURES_MAX {
            break;
        }
        let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) else {
            break;
        };
        let start = at + begin;
        let Some((value, length)) = value(folded.get(start..).unwrap_or_default()) else {
            break;
        };
        let gap = folded.get(gap_from..start).unwrap_or_default();
        let mut end = start + length;
        let after = folded.get(end..).unwrap_or_default();
        let spaces = after.len() - after.trim_start().len();
        let unit = unit_at(after.trim_start());
        if let Some((_, length)) = unit {
            end += spaces + length;
        }
        figures.push(Figure {
            value,
            unit: unit.map(|(unit, _)| unit),
            label: label(gap),
            joint: joint(gap, figures.is_empty()),
        });
        at = end;
        gap_from = end;
    }
    spans(&figures)
}

fn value(text: &str) -> Option<(f64, usize)> {
    let length = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .unwrap_or(text.len());
    let written = text.get(..length)?.trim_end_matches(['.', ',']);
    let value = written.replace(',', "").parse().ok()?;
    Some((value, written.len()))
}

/// `w`, `宽`, `height`: what the figure after it is of.
fn label(gap: &str) -> Option<Quality> {
    let gap = gap.trim_end_matches([' ', ':', '=']);
    let letter = match gap.chars().next_back() {
        Some('w') => Some(Quality::Width),
        Some('h') => Some(Quality::Height),
        Some('d') => Some(Quality::Depth),
        Some('l') => Some(Quality::Length),
        _ => None,
    };
    let alone = gap
        .chars()
        .rev()
        .nth(1)
        .is_none_or(|before| !before.is_alphanumeric());
    letter
        .filter(|_| alone)
        .or_else(|| crate::measure::quality_before(gap).map(|(quality, _)| quality))
}

fn joint(gap: &str, is_first: bool) -> Joint {
    let gap = gap.trim();
    if is_first {
        Joint::None
    } else if matches!(gap, "-" | "–" | "—" | "~" | "to" | "到" | "至") {
        Joint::Range
    } else if gap.starts_with(['x', '×', '*', '✕']) {
        Joint::Side
    } else {
        Joint::None
    }
}

/// Units reach back over sides and ranges: `20 x 30 x 40 cm`, `1-4 人`.
fn spans(figures: &[Figure]) -> Vec<(Option<Quality>, Span)> {
    let mut found = Vec::new();
    let mut group: Vec<&Figure> = Vec::new();
    for (at, figure) in figures.iter().enumerate() {
        group.push(figure);
        let joined = figures.get(at + 1).is_some_and(|n| n.joint != Joint::None);
        if !joined {
            close(&group, &mut found);
            group.clear();
        }
    }
    found
}

fn close(group: &[&Figure], found: &mut Vec<(Option<Quality>, Span)>) {
    let Some(common) = group.iter().rev().find_map(|figure| figure.unit) else {
        return;
    };
    let span = |low: &Figure, high: &Figure| {
        let of = |figure: &Figure| figure.unit.unwrap_or(common).base(figure.value);
        let (low, high) = (of(low)?, of(high)?);
        Some(Span {
            dimension: common.dimension,
            low: low.min(high),
            high: low.max(high),
        })
    };
    let is_range = group.iter().skip(1).any(|f| f.joint == Joint::Range);
    match group {
        [low, high] if is_range => found.extend(span(low, high).map(|span| (low.label, span))),
        // Which of the first two is the width, shops disagree: both must fit. The third is the height.
        [first, second, third] if group.iter().all(|f| f.label.is_none()) => {
            for (quality, low, high) in [
                (Some(Quality::Width), first, second),
                (Some(Quality::Depth), first, second),
                (Some(Quality::Height), third, third),
            ] {
                found.extend(span(low, high).map(|span| (quality, span)));
            }
            let sides = [first, second, third];
            found.extend(sides.iter().filter_map(|f| Some((None, span(f, f)?))));
        }
        sides => {
            let one = |figure: &&Figure| Some((figure.label, span(figure, figure)?));
            found.extend(sides.iter().filter_map(one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found: Vec<String> = read(&text::fold(text))
            .into_iter()
            .map(|(quality, span)| {
                let name = quality.map_or(String::new(), |q| format!("{} ", q.word()));
                let written = |base| span.dimension.written(base);
                match span.low == span.high {
                    true => format!("{name}{}", written(span.low)),
                    false => format!("{name}{}..{}", written(span.low), written(span.high)),
                }
            })
            .collect();
        assert_eq!(found.join(" | "), expected, "{text}");
    }

    #[test]
    fn figures_are_read_in_the_forms_that_feeds_have() {
        for (text, expected) in [
            ("1.2 L", "1.2 L"),
            ("3.4kg", "3.4 kg"),
            ("58 dB", "58 dB"),
            ("1,350 W", "1350 W"),
            ("256GB", "256 GB"),
            ("1TB", "1000 GB"),
            ("15.6\"", "39.62 cm"),
            ("约 20 厘米", "20 cm"),
            ("20-30 cm", "20 cm..30 cm"),
            ("1-4 人", "1 seats..4 seats"),
            ("250 g / 500 g", "0.25 kg | 0.5 kg"),
            (
                "W20 x D30 x H40 cm",
                "width 20 cm | depth 30 cm | height 40 cm",
            ),
            (
                "宽60×深45×高180cm",
                "width 60 cm | depth 45 cm | height 180 cm",
            ),
            (
                "20 x 30 x 40 cm",
                "width 20 cm..30 cm | depth 20 cm..30 cm | height 40 cm | 20 cm | 30 cm | 40 cm",
            ),
            ("2 年", "17520 h"),
            ("120 杯", "120 cups"),
            ("155", ""),
            ("EM-200", ""),
            ("黑色", ""),
        ] {
            check(text, expected);
        }
    }
}
