//! Measures as shops and customers write them: a figure with a unit, brought to whole numbers of one base unit.

use serde::{Deserialize, Serialize};

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

/// Folded words for units, longest first among those that begin alike.
const UNITS: &[(&str, Dimension, f64)] = &[
    ("millimeters", Length, 1e3),
    ("millimetres", Length, 1e3),
    ("millimeter", Length, 1e3),
    ("millimetre", Length, 1e3),
    ("centimeters", Length, 1e4),
    ("centimetres", Length, 1e4),
    ("centimeter", Length, 1e4),
    ("centimetre", Length, 1e4),
    ("kilometers", Length, 1e9),
    ("kilometres", Length, 1e9),
    ("square meters", Area, 1e6),
    ("square metres", Area, 1e6),
    ("square meter", Area, 1e6),
    ("square metre", Area, 1e6),
    ("square feet", Area, 92_903.04),
    ("square foot", Area, 92_903.04),
    ("sq. ft", Area, 92_903.04),
    ("sq ft", Area, 92_903.04),
    ("sqft", Area, 92_903.04),
    ("sq m", Area, 1e6),
    ("sqm", Area, 1e6),
    ("m2", Area, 1e6),
    ("平方米", Area, 1e6),
    ("平方", Area, 1e6),
    ("平米", Area, 1e6),
    ("平", Area, 1e6),
    ("坪", Area, 3_305_785.0),
    ("meters", Length, 1e6),
    ("metres", Length, 1e6),
    ("meter", Length, 1e6),
    ("metre", Length, 1e6),
    ("mm", Length, 1e3),
    ("cm", Length, 1e4),
    ("km", Length, 1e9),
    ("毫米", Length, 1e3),
    ("厘米", Length, 1e4),
    ("公分", Length, 1e4),
    ("公里", Length, 1e9),
    ("inches", Length, 25_400.0),
    ("inch", Length, 25_400.0),
    ("\"", Length, 25_400.0),
    ("″", Length, 25_400.0),
    ("英寸", Length, 25_400.0),
    ("英尺", Length, 304_800.0),
    ("吋", Length, 25_400.0),
    ("寸", Length, 25_400.0),
    ("feet", Length, 304_800.0),
    ("foot", Length, 304_800.0),
    ("ft", Length, 304_800.0),
    ("kilograms", Weight, 1e6),
    ("kilogram", Weight, 1e6),
    ("kilos", Weight, 1e6),
    ("kilo", Weight, 1e6),
    ("kgs", Weight, 1e6),
    ("kg", Weight, 1e6),
    ("公斤", Weight, 1e6),
    ("千克", Weight, 1e6),
    ("毫克", Weight, 1.0),
    ("grams", Weight, 1e3),
    ("gram", Weight, 1e3),
    ("mg", Weight, 1.0),
    ("斤", Weight, 5e5),
    ("克", Weight, 1e3),
    ("吨", Weight, 1e9),
    ("pounds", Weight, 453_592.37),
    ("pound", Weight, 453_592.37),
    ("lbs", Weight, 453_592.37),
    ("lb", Weight, 453_592.37),
    ("磅", Weight, 453_592.37),
    ("ounces", Weight, 28_349.523),
    ("ounce", Weight, 28_349.523),
    ("fl. oz", Volume, 29_573.53),
    ("fl oz", Volume, 29_573.53),
    ("oz", Weight, 28_349.523),
    ("盎司", Weight, 28_349.523),
    ("milliliters", Volume, 1e3),
    ("millilitres", Volume, 1e3),
    ("milliliter", Volume, 1e3),
    ("millilitre", Volume, 1e3),
    ("liters", Volume, 1e6),
    ("litres", Volume, 1e6),
    ("liter", Volume, 1e6),
    ("litre", Volume, 1e6),
    ("gallons", Volume, 3_785_412.0),
    ("gallon", Volume, 3_785_412.0),
    ("加仑", Volume, 3_785_412.0),
    ("毫升", Volume, 1e3),
    ("公升", Volume, 1e6),
    ("升", Volume, 1e6),
    ("cc", Volume, 1e3),
    ("ml", Volume, 1e3),
    ("cl", Volume, 1e4),
    ("ltr", Volume, 1e6),
    ("kilowatts", Power, 1e6),
    ("watts", Power, 1e3),
    ("watt", Power, 1e3),
    ("千瓦", Power, 1e6),
    ("kw", Power, 1e6),
    ("瓦特", Power, 1e3),
    ("瓦", Power, 1e3),
    ("decibels", Noise, 1e3),
    ("decibel", Noise, 1e3),
    ("db(a)", Noise, 1e3),
    ("dba", Noise, 1e3),
    ("db", Noise, 1e3),
    ("分贝", Noise, 1e3),
    ("degrees celsius", Temperature, 1e3),
    ("degrees", Temperature, 1e3),
    ("摄氏度", Temperature, 1e3),
    ("°c", Temperature, 1e3),
    ("°", Temperature, 1e3),
    ("度", Temperature, 1e3),
    ("terabytes", Data, 1e9),
    ("terabyte", Data, 1e9),
    ("gigabytes", Data, 1e6),
    ("gigabyte", Data, 1e6),
    ("gigs", Data, 1e6),
    ("tb", Data, 1e9),
    ("gb", Data, 1e6),
    ("mb", Data, 1e3),
    ("t", Data, 1e9),
    ("minutes", Duration, 60.0),
    ("minute", Duration, 60.0),
    ("hours", Duration, 3_600.0),
    ("hour", Duration, 3_600.0),
    ("hrs", Duration, 3_600.0),
    ("hr", Duration, 3_600.0),
    ("years", Duration, 31_536_000.0),
    ("year", Duration, 31_536_000.0),
    ("months", Duration, 2_592_000.0),
    ("month", Duration, 2_592_000.0),
    ("days", Duration, 86_400.0),
    ("day", Duration, 86_400.0),
    ("seconds", Duration, 1.0),
    ("mins", Duration, 60.0),
    ("min", Duration, 60.0),
    ("分钟", Duration, 60.0),
    ("个小时", Duration, 3_600.0),
    ("小时", Duration, 3_600.0),
    ("个月", Duration, 2_592_000.0),
    ("年", Duration, 31_536_000.0),
    ("天", Duration, 86_400.0),
    ("秒", Duration, 1.0),
    ("volts", Voltage, 1e3),
    ("volt", Voltage, 1e3),
    ("伏特", Voltage, 1e3),
    ("伏", Voltage, 1e3),
    ("mah", Charge, 1e3),
    ("毫安时", Charge, 1e3),
    ("毫安", Charge, 1e3),
    ("ghz", Frequency, 1e9),
    ("mhz", Frequency, 1e6),
    ("khz", Frequency, 1e3),
    ("hz", Frequency, 1.0),
    ("赫兹", Frequency, 1.0),
    ("lumens", Brightness, 1.0),
    ("lumen", Brightness, 1.0),
    ("流明", Brightness, 1.0),
    ("bar", Pressure, 1e3),
    ("巴", Pressure, 1e3),
    ("rpm", Speed, 1.0),
    ("匹", Horsepower, 1e3),
    ("hp", Horsepower, 1e3),
    ("cups", Cups, 1.0),
    ("cup", Cups, 1.0),
    ("杯", Cups, 1.0),
    ("seaters", Seats, 1.0),
    ("seater", Seats, 1.0),
    ("seats", Seats, 1.0),
    ("seat", Seats, 1.0),
    ("persons", Seats, 1.0),
    ("person", Seats, 1.0),
    ("people", Seats, 1.0),
    ("人座", Seats, 1.0),
    ("人位", Seats, 1.0),
    ("座位", Seats, 1.0),
    ("座", Seats, 1.0),
    ("人", Seats, 1.0),
    ("m", Length, 1e6),
    ("米", Length, 1e6),
    ("尺", Length, 333_333.0),
    ("l", Volume, 1e6),
    ("g", Weight, 1e3),
    ("w", Power, 1e3),
    ("v", Voltage, 1e3),
];

/// Words for a quality, as attribute names and as customers say them; the first is the plain English name.
const QUALITIES: &[(Quality, &[&str])] = &[
    (Quality::Width, &["width", "wide", "宽度", "宽"]),
    (
        Quality::Height,
        &["height", "tall", "high", "高度", "身高", "高"],
    ),
    (Quality::Depth, &["depth", "deep", "深度", "进深", "深"]),
    (Quality::Length, &["length", "long", "长度", "线长", "长"]),
    (Quality::Diameter, &["diameter", "直径", "口径"]),
    (Quality::Thickness, &["thickness", "thick", "厚度", "厚"]),
    (
        Quality::Screen,
        &["screen", "screen_size", "display", "屏幕", "屏", "对角线"],
    ),
    (
        Quality::Weight,
        &["weight", "net_weight", "重量", "净重", "自重", "重"],
    ),
    (
        Quality::Load,
        &[
            "load",
            "max_load",
            "承重",
            "载重",
            "负重",
            "load capacity",
            "weight capacity",
        ],
    ),
    (
        Quality::Capacity,
        &[
            "capacity",
            "volume",
            "tank",
            "容量",
            "容积",
            "水箱",
            "净含量",
        ],
    ),
    (Quality::Power, &["power", "wattage", "功率", "瓦数"]),
    (
        Quality::Noise,
        &["noise", "noise_level", "loudness", "噪音", "噪声", "音量"],
    ),
    (Quality::Temperature, &["temperature", "温度", "水温"]),
    (
        Quality::Memory,
        &["memory", "ram", "内存", "运存", "运行内存"],
    ),
    (
        Quality::Storage,
        &["storage", "ssd", "disk", "存储", "硬盘", "存储容量"],
    ),
    (
        Quality::Battery,
        &[
            "battery",
            "battery_life",
            "runtime",
            "续航",
            "电池",
            "电池容量",
        ],
    ),
    (
        Quality::Warranty,
        &["warranty", "guarantee", "保修", "质保", "保修期"],
    ),
    (Quality::Time, &["time", "时间", "耗时"]),
    (
        Quality::Area,
        &["area", "coverage", "room_size", "面积", "适用面积"],
    ),
    (Quality::Speed, &["speed", "转速", "速度"]),
    (Quality::Brightness, &["brightness", "亮度"]),
    (Quality::Pressure, &["pressure", "压力", "气压"]),
    (
        Quality::Cups,
        &["cups", "cups_per_day", "杯量", "日出杯量", "杯数"],
    ),
    (
        Quality::Seats,
        &[
            "seats",
            "seating",
            "people",
            "persons",
            "serves",
            "座位",
            "座位数",
            "人数",
            "适合人数",
        ],
    ),
    (
        Quality::Size,
        &[
            "size",
            "dimensions",
            "dimension",
            "尺寸",
            "规格",
            "大小",
            "外形尺寸",
        ],
    ),
];

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
