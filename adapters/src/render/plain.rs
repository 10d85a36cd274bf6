//! Cards and choices as text, for where a platform has no form of its own for them.

use super::{MarkKind, Styled, measure, split};
use crate::{Body, Card, Choice, Length, Part, Price};
use url::Url;

/// The language that the few words of ours beside a product are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Zh,
    En,
}

/// The words above what can be touched, where none of the reply's own can stand there.
pub(crate) fn may_choose(tongue: Tongue) -> String {
    match tongue {
        Tongue::Zh => "您可以选：",
        Tongue::En => "You can choose:",
    }
    .to_owned()
}

/// As the reply's own words are.
pub fn tongue(body: &Body) -> Tongue {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut texts = body.parts.iter().filter_map(|part| match part {
        Part::Text { text } => Some(han(text)),
        Part::Products { .. } | Part::Choices { .. } => None,
    });
    let of_choices = || {
        body.parts.iter().any(|part| match part {
            Part::Choices { choices, .. } => choices.iter().any(|choice| han(&choice.label)),
            Part::Text { .. } | Part::Products { .. } => false,
        })
    };
    match texts.next() {
        Some(first) if first || texts.any(|said| said) => Tongue::Zh,
        Some(_) => Tongue::En,
        None if of_choices() => Tongue::Zh,
        None => Tongue::En,
    }
}

/// A web address that anybody may follow, in its normal form.
pub fn public_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    web.then(|| url.to_string())
}

/// A product: its name with the link, its price, why it is shown.
pub fn card(card: &Card, tongue: Tongue) -> Styled {
    lines(card, tongue, card.why.len())
}

/// The same within a limit: reasons are left out from the last, then the name is cut.
pub fn card_within(card: &Card, tongue: Tongue, limit: Length) -> Styled {
    for reasons in (0..=card.why.len()).rev() {
        let text = lines(card, tongue, reasons);
        if measure(&text.text, limit.unit) <= limit.max {
            return text;
        }
    }
    let mark = "…";
    let shorter = Length {
        max: limit.max.saturating_sub(measure(mark, limit.unit)),
        unit: limit.unit,
    };
    let pieces = split(&lines(card, tongue, 0), shorter);
    let mut first = pieces.into_iter().next().unwrap_or_default();
    first.push(mark);
    first
}

fn lines(card: &Card, tongue: Tongue, reasons: usize) -> Styled {
    let mut out = Styled::default();
    let title = card.title.trim();
    out.push_marked(title, MarkKind::Bold);
    if let Some(url) = card.link.as_deref().and_then(public_url) {
        out.marks.push(super::Mark {
            from: 0,
            to: title.len(),
            kind: MarkKind::Link(url),
        });
    }
    out.push("\n");
    out.push(&price(&card.price));
    if let Some(was) = &card.was {
        // Not everywhere can it be struck out, and two prices side by side look like two.
        out.push(match tongue {
            Tongue::Zh => " 原价 ",
            Tongue::En => " was ",
        });
        out.push_marked(&price(was), MarkKind::Struck);
    }
    if let Some(word) = availability(&card.availability, tongue) {
        out.push(" · ");
        out.push(word);
    }
    for why in card.why.iter().take(reasons) {
        out.push("\n• ");
        out.push(why.trim());
    }
    // A product without a name would begin with a blank line.
    out.part(0, out.text.len())
}

fn availability(word: &str, tongue: Tongue) -> Option<&'static str> {
    match (word, tongue) {
        ("out_of_stock", Tongue::Zh) => Some("暂时缺货"),
        ("out_of_stock", Tongue::En) => Some("out of stock"),
        ("preorder", Tongue::Zh) => Some("预售"),
        ("preorder", Tongue::En) => Some("pre-order"),
        ("backorder", Tongue::Zh) => Some("可预订"),
        ("backorder", Tongue::En) => Some("on back-order"),
        _ => None,
    }
}

/// `¥2,680`: the sign where the currency has one that all know, no cents where there are none.
fn price(price: &Price) -> String {
    let (whole, cents) = price.amount.split_once('.').unwrap_or((&price.amount, ""));
    let digits = whole.len();
    let mut grouped = String::with_capacity(digits + digits / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (digits - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if !cents.chars().all(|c| c == '0') {
        grouped.push('.');
        grouped.push_str(cents);
    }
    match price.currency.as_str() {
        "CNY" => format!("¥{grouped}"),
        "USD" => format!("${grouped}"),
        "EUR" => format!("€{grouped}"),
        "GBP" => format!("£{grouped}"),
        other => format!("{grouped} {other}"),
    }
}

/// Choices to be typed; uncounted, the labels stand alone. Typed in full they work everywhere.
pub fn numbered(choices: &[Choice], uncounted: bool) -> Styled {
    let lines: Vec<String> = choices
        .iter()
        .enumerate()
        .map(|(at, choice)| match uncounted {
            true => format!("• {}", choice.label.trim()),
            false => format!("{}. {}", at + 1, choice.label.trim()),
        })
        .collect();
    Styled::plain(lines.join("\n"))
}
