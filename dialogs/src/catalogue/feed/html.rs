//! Plain text of what shops paste into descriptions: tags dropped, lines and list items kept apart, entities decoded.

/// Rounds for text that was escaped more than once.
const ROUNDS_MAX: usize = 3;
/// Characters of an entity's name.
const ENTITY_CHARS_MAX: usize = 8;

/// Tags that begin a new line.
const BLOCKS: [&str; 22] = [
    "br",
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "tbody",
    "thead",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "section",
    "article",
    "dt",
    "dd",
    "blockquote",
    "hr",
];
/// Tags within a line.
const INLINE: [&str; 22] = [
    "a", "b", "i", "u", "s", "em", "strong", "span", "font", "small", "big", "sup", "sub", "img",
    "td", "th", "style", "script", "iframe", "meta", "label", "code",
];

const ENTITIES: [(&str, &str); 44] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ensp", " "),
    ("emsp", " "),
    ("thinsp", " "),
    ("mdash", "—"),
    ("ndash", "–"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("bull", "•"),
    ("middot", "·"),
    ("deg", "°"),
    ("times", "×"),
    ("plusmn", "±"),
    ("micro", "µ"),
    ("reg", "®"),
    ("trade", "™"),
    ("copy", "©"),
    ("euro", "€"),
    ("pound", "£"),
    ("yen", "¥"),
    ("cent", "¢"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("sup2", "²"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
    ("ccedil", "ç"),
    ("ntilde", "ñ"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("szlig", "ß"),
];

/// The text as somebody reads it; reading the result again changes nothing.
pub(super) fn plain(text: &str) -> String {
    let mut text = text.trim().to_owned();
    for _ in 0..ROUNDS_MAX {
        let next = entities(&without_tags(&text)).trim().to_owned();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// As it is where no tag of HTML stands in it.
fn without_tags(text: &str) -> String {
    if !has_tag(text) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = split_at_char(rest, '<') {
        push_words(&mut plain, before);
        let Some((name, is_end, after)) = tag(from) else {
            plain.push('<');
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        rest = after;
        if BLOCKS.contains(&name.as_str()) {
            plain.push('\n');
        } else if matches!(name.as_str(), "td" | "th") {
            plain.push(' ');
        } else if matches!(name.as_str(), "style" | "script") && !is_end {
            let close = format!("</{name}");
            let lower = rest.to_ascii_lowercase();
            rest = lower
                .find(&close)
                .and_then(|at| rest.get(at..))
                .unwrap_or_default();
        }
    }
    push_words(&mut plain, rest);
    let lines: Vec<String> = plain
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

/// Line breaks of the source are spaces where tags make the lines.
fn push_words(plain: &mut String, text: &str) {
    plain.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

fn split_at_char(text: &str, c: char) -> Option<(&str, &str)> {
    text.find(c).and_then(|at| text.split_at_checked(at))
}

fn has_tag(text: &str) -> bool {
    text.match_indices('<')
        .any(|(at, _)| text.get(at..).is_some_and(|from| tag(from).is_some()))
}

/// Name of the tag that begins here, whether it closes, and what follows it; a comment has an empty name.
fn tag(from: &str) -> Option<(String, bool, &str)> {
    if let Some(comment) = from.strip_prefix("<!--") {
        let after = comment.split_once("-->").map_or("", |(_, after)| after);
        return Some((String::new(), false, after));
    }
    let inside = from.strip_prefix('<')?;
    let (is_end, inside) = match inside.strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    let end = inside
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(inside.len());
    let name = inside.get(..end)?.to_ascii_lowercase();
    let known = BLOCKS.contains(&name.as_str()) || INLINE.contains(&name.as_str());
    let (_, after) = inside.get(end..)?.split_once('>')?;
    known.then_some((name, is_end, after))
}

fn entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = split_at_char(rest, '&') {
        plain.push_str(before);
        let named = from.get(1..).and_then(|name| {
            let end = name.find(';').filter(|end| *end <= ENTITY_CHARS_MAX)?;
            Some((entity(name.get(..end)?)?, name.get(end + 1..)?))
        });
        match named {
            Some((decoded, after)) => {
                plain.push_str(&decoded);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// What an entity stands for, without `&` and `;`.
pub(super) fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        let c = char::from_u32(code)?;
        return Some(match c {
            '\u{a0}' => " ".to_owned(),
            c => c.to_string(),
        });
    }
    ENTITIES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn check(html: &str, expected: &str) {
        assert_eq!(plain(html), expected, "{html}");
    }

    #[test]
    fn descriptions_are_read_as_people_see_them() {
        check("Plain words.", "Plain words.");
        check(
            "<p>Soft &amp; warm.</p>\n<ul><li>100% wool</li>\n<li>2&nbsp;m long</li></ul>",
            "Soft & warm.\n100% wool\n2 m long",
        );
        check(
            "One<br>Two<br/>Three <b>bold</b>text",
            "One\nTwo\nThree boldtext",
        );
        check(
            "<style>p{color:red}</style><p>Text</p><script>alert('<p>')</script>",
            "Text",
        );
        check("&lt;p&gt;Escaped twice&lt;/p&gt;", "Escaped twice");
        check(
            "&#39;quoted&#x27; &eacute;t&eacute; &unknown; AT&T",
            "'quoted' été &unknown; AT&T",
        );
        check("for sizes <M and >XL, a < b", "for sizes <M and >XL, a < b");
        check("<p>broken <b", "broken <b");
        check("<!-- hidden --><p>shown</p>", "shown");
        check("一行\n两行", "一行\n两行");
        check("<table><tr><td>宽</td><td>210</td></tr></table>", "宽 210");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>(), html in "[<>&a-z/;#0-9 p]{0,60}") {
            plain(&text);
            plain(&html);
        }
    }
}
