//! Measures as shops and customers write them: a figure with a unit, brought to whole numbers of one base unit.

mod words;

use serde::{Deserialize, Serialize};
use words::{QUALITIES, UNITS};

/// What kind of figure it is; each has one base unit, in which values are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Micrometres.
    Length,
    /// Square millimetres.
    Area,
    /// Milligrams.
    Weight,
    /// Microlitres.
    Volume,
    /// Milliwatts.
    Power,
    /// Thousandths of a decibel.
    Noise,
    /// Thousandths of a degree Celsius.
    Temperature,
    /// Kilobytes of a thousand bytes.
    Data,
    /// Seconds.
    Duration,
    /// Millivolts.
    Voltage,
    /// Hertz.
    Frequency,
    /// Microampere hours.
    Charge,
    /// Lumens.
    Brightness,
    /// Thousandths of a bar.
    Pressure,
    /// Turns a minute.
    Speed,
    /// Thousandths of the horsepower that air conditioners are sold by.
    Horsepower,
    /// Cups that something holds or makes.
    Cups,
    /// People that something seats or serves.
    Seats,
}

/// What a customer says a figure is of; a catalogue names its attributes in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    Width,
    Height,
    Depth,
    Length,
    Diameter,
    Thickness,
    Size,
    Screen,
    Weight,
    Load,
    Capacity,
    Power,
    Noise,
    Temperature,
    Memory,
    Storage,
    Battery,
    Warranty,
    Time,
    Area,
    Speed,
    Brightness,
    Pressure,
    Cups,
    Seats,
}

/// A unit: its base units as a ratio, so that an inch and a pound stay exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    pub dimension: Dimension,
    pub base_per_unit: f64,
}

/// A figure or a range in base units, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub dimension: Dimension,
    pub low: i64,
    pub high: i64,
}

impl Span {
    /// A figure lies within it.
    pub fn holds(&self, base: i64) -> bool {
        (self.low..=self.high).contains(&base)
    }
}

/// A demand on products: what they must measure at least and at most, in base units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MeasureBound {
    /// The catalogue's attribute; any of the dimension where none is named.
    #[serde(default)]
    pub attribute: Option<String>,
    pub dimension: Dimension,
    #[serde(default)]
    pub min: Option<i64>,
    #[serde(default)]
    pub max: Option<i64>,
}

use Dimension::*;

impl Dimension {
    /// The word in the names of slots.
    pub fn word(self) -> &'static str {
        match self {
            Length => "length",
            Area => "area",
            Weight => "weight",
            Volume => "volume",
            Power => "power",
            Noise => "noise",
            Temperature => "temperature",
            Data => "data",
            Duration => "duration",
            Voltage => "voltage",
            Frequency => "frequency",
            Charge => "charge",
            Brightness => "brightness",
            Pressure => "pressure",
            Speed => "speed",
            Horsepower => "horsepower",
            Cups => "cups",
            Seats => "seats",
        }
    }

    /// Base units of the unit that figures are shown in, and that unit.
    fn shown(self) -> (i64, &'static str) {
        match self {
            Length => (10_000, "cm"),
            Area => (1_000_000, "m²"),
            Weight => (1_000_000, "kg"),
            Volume => (1_000_000, "L"),
            Power => (1_000, "W"),
            Noise => (1_000, "dB"),
            Temperature => (1_000, "°C"),
            Data => (1_000_000, "GB"),
            Duration => (3_600, "h"),
            Voltage => (1_000, "V"),
            Frequency => (1, "Hz"),
            Charge => (1_000, "mAh"),
            Brightness => (1, "lm"),
            Pressure => (1_000, "bar"),
            Speed => (1, "rpm"),
            Horsepower => (1_000, "HP"),
            Cups => (1, "cups"),
            Seats => (1, "seats"),
        }
    }

    /// Counted in wholes: nobody means "about two seats".
    pub fn is_counted(self) -> bool {
        matches!(self, Cups | Seats | Data)
    }

    /// A value as people read it, `1.2 L`, with at most two decimals.
    pub fn written(self, base: i64) -> String {
        let (per_unit, unit) = self.shown();
        let hundredths = (i128::from(base) * 100 + i128::from(per_unit / 2)) / i128::from(per_unit);
        let sign = if hundredths < 0 { "-" } else { "" };
        let hundredths = hundredths.unsigned_abs();
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        match rest {
            0 => format!("{sign}{whole} {unit}"),
            rest if rest % 10 == 0 => format!("{sign}{whole}.{} {unit}", rest / 10),
            rest => format!("{sign}{whole}.{rest:02} {unit}"),
        }
    }
}

impl Quality {
    /// The plain English name.
    pub fn word(self) -> &'static str {
        QUALITIES
            .iter()
            .find(|(quality, _)| *quality == self)
            .and_then(|(_, words)| words.first())
            .copied()
            .unwrap_or_default()
    }

    /// The quality that a folded attribute name says, such as `tank_capacity` or `噪音`.
    pub fn of_attribute(name: &str) -> Option<Self> {
        let exact = QUALITIES
            .iter()
            .find(|(_, words)| words.contains(&name))
            .map(|(quality, _)| *quality);
        exact.or_else(|| {
            QUALITIES
                .iter()
                .find(|(_, words)| words.iter().any(|word| names(name, word)))
                .map(|(quality, _)| *quality)
        })
    }

    /// Whether a figure of the dimension can be of this quality.
    pub fn can_be(self, dimension: Dimension) -> bool {
        match self {
            Quality::Width
            | Quality::Height
            | Quality::Depth
            | Quality::Length
            | Quality::Diameter
            | Quality::Thickness
            | Quality::Screen => dimension == Length,
            Quality::Weight | Quality::Load => dimension == Weight,
            Quality::Capacity => {
                matches!(dimension, Volume | Cups | Weight | Data | Charge | Seats)
            }
            Quality::Power => matches!(dimension, Power | Horsepower),
            Quality::Noise => dimension == Noise,
            Quality::Temperature => dimension == Temperature,
            Quality::Memory | Quality::Storage => dimension == Data,
            Quality::Battery => matches!(dimension, Duration | Charge),
            Quality::Warranty | Quality::Time => dimension == Duration,
            Quality::Area => dimension == Area,
            Quality::Speed => matches!(dimension, Speed | Frequency),
            Quality::Brightness => dimension == Brightness,
            Quality::Pressure => dimension == Pressure,
            Quality::Cups => dimension == Cups,
            Quality::Seats => dimension == Seats,
            Quality::Size => matches!(dimension, Length | Area | Volume | Weight),
        }
    }
}

/// A Han word anywhere in the name, a Latin one as a word of its own.
fn names(attribute: &str, word: &str) -> bool {
    if word.is_ascii() {
        attribute.split(['_', ' ', '-']).any(|part| part == word)
    } else {
        word.chars().count() > 1 && attribute.contains(word)
    }
}

impl MeasureBound {
    /// The language-neutral form: `capacity 1.5 L..`.
    pub fn plain(&self) -> String {
        let name = self.attribute.as_deref().unwrap_or(self.dimension.word());
        let end =
            |value: Option<i64>| value.map_or_else(String::new, |v| self.dimension.written(v));
        format!("{name} {}..{}", end(self.min), end(self.max))
    }

    pub fn holds(&self, span: &Span) -> bool {
        self.dimension == span.dimension
            && self.min.is_none_or(|min| span.low >= min)
            && self.max.is_none_or(|max| span.high <= max)
    }
}

/// The unit that folded text begins with, and its bytes. A Latin unit ends where its word ends.
pub fn unit_at(text: &str) -> Option<(Unit, usize)> {
    let first = text.bytes().next()?;
    UNITS
        .iter()
        .filter(|(word, ..)| word.as_bytes().first() == Some(&first))
        .find(|(word, ..)| {
            text.strip_prefix(word).is_some_and(|rest| {
                let latin = word.ends_with(|c: char| c.is_ascii_alphabetic());
                !latin || !rest.starts_with(|c: char| c.is_ascii_alphabetic())
            })
        })
        .map(|(word, dimension, base_per_unit)| {
            let unit = Unit {
                dimension: *dimension,
                base_per_unit: *base_per_unit,
            };
            (unit, word.len())
        })
}

impl Unit {
    /// A figure in base units; `None` beyond what anything measures.
    pub fn base(&self, figure: f64) -> Option<i64> {
        let base = (figure * self.base_per_unit).round();
        (base.abs() < BASE_MAX).then_some(base as i64)
    }
}

/// No measure is beyond this many base units.
const BASE_MAX: f64 = 1e17;

/// The quality that folded text begins with, and the bytes of its word.
pub fn quality_at(text: &str) -> Option<(Quality, usize)> {
    longest(|word| {
        text.strip_prefix(word).is_some_and(|rest| {
            !word.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    })
}

/// The quality that folded text ends with, and the bytes of its word.
pub fn quality_before(text: &str) -> Option<(Quality, usize)> {
    longest(|word| {
        text.strip_suffix(word).is_some_and(|rest| {
            !word.is_ascii() || !rest.ends_with(|c: char| c.is_ascii_alphanumeric())
        })
    })
}

fn longest(fits: impl Fn(&str) -> bool) -> Option<(Quality, usize)> {
    QUALITIES
        .iter()
        .flat_map(|(quality, words)| words.iter().map(move |word| (*quality, *word)))
        .filter(|(_, word)| fits(word))
        .map(|(quality, word)| (quality, word.len()))
        .max_by_key(|(_, length)| *length)
}
