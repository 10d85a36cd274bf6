//! Whether the words around a product word say that it is not wanted.

use super::entities::pattern;
use crate::{taste, text};
use regex::Regex;
use std::sync::LazyLock;

/// Characters between the word that negates and what it negates.
const GAP_CHARS_MAX: usize = 14;
/// The same where words are written with letters.
const GAP_LETTERS_MAX: usize = 32;

/// What negates the words after it. The longest that ends at a place counts.
const BEFORE: [&str; 54] = [
    "不要",
    "不想要",
    "不想买",
    "别要",
    "不是",
    "除了",
    "除开",
    "不喜欢",
    "不爱",
    "不考虑",
    "别给我",
    "别推荐",
    "别再推荐",
    "不用",
    "不需要",
    "不买",
    "讨厌",
    "排除",
    "去掉",
    "拒绝",
    "anything but",
    "everything but",
    "not",
    "no",
    "nothing in",
    "nothing from",
    "nothing by",
    "without",
    "don't want",
    "dont want",
    "do not want",
    "don't need",
    "don't like",
    "dont like",
    "do not like",
    "don't show me",
    "don't recommend",
    "didn't like",
    "dislike",
    "hate",
    "avoid",
    "except",
    "except for",
    "excluding",
    "exclude",
    "other than",
    "apart from",
    "aside from",
    "instead of",
    "rather than",
    "free of",
    "never",
    "not interested in",
    "not a fan of",
];

/// Words in the gap after which something else is said, each with its spaces.
const TURNS: [&str; 36] = [
    "但",
    "要",
    "可是",
    "不过",
    "而",
    "想",
    "换",
    "改",
    "就",
    "还是",
    "太",
    "很",
    "那么",
    "这么",
    "可以",
    " but ",
    " i want ",
    " want ",
    " need ",
    " looking ",
    " prefer ",
    " give ",
    " show me ",
    " too ",
    " very ",
    " so ",
    " that ",
    " sure ",
    " only ",
    " just ",
    " really ",
    " have ",
    " sell ",
    " carry ",
    " know ",
    " is ",
];

/// What 的 makes no quality of: 不要你们的机器.
const POINTERS: [&str; 14] = [
    "这样", "那样", "这种", "那种", "这类", "那类", "你们", "你", "任何", "别", "其他", "其它",
    "推荐", "刚才",
];

/// Words that stand between a negation and a value without turning away from it.
const DEGREES: [&str; 8] = ["太", "很", "那么", "这么", "too", "very", "so", "that"];

static AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:的|色|款|牌子|品牌|家|那款|那种|这种|那个|这个|材质|我|就|都|也|可)*(?:不要|不考虑|不喜欢|不行|不想要|不需要|不用|别要|除外|以外|之外|算了|免了|排除)",
    )
});

/// Whether what stands at `start..end` of a folded text is refused; `next` is where the next product word starts, `is_kind` that goods of a kind are named.
pub(super) fn refused(
    folded: &str,
    start: usize,
    end: usize,
    next: Option<usize>,
    is_kind: bool,
) -> bool {
    let before = folded.get(..start).unwrap_or_default();
    let after = folded.get(end..).unwrap_or_default();
    let clause = before.rsplit(border).next().unwrap_or_default();
    refused_before(clause, after, is_kind)
        || refused_after(after, next.map(|at| at.saturating_sub(end)))
}

/// What the customer had: 以前用胶囊机, “we used to have one of those”.
static HAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:(?:以前|之前|原来|原先|过去|曾经)(?:一直|都|是)?(?:用|买|喝|穿|有|住)(?:过|的是|的)?|用过|坏掉的|\b(?:used to (?:have|use|own|buy|drink|wear)|(?:had|owned|tried)|my (?:old|previous|last)|our (?:old|previous|last)))\s*(?:一?(?:台|个|款|把|张|只|双|套|件|种)|one of those|an?|the|some)?\s*$",
    )
    .ok()
});

/// Whether what starts at `start` of a folded text is what the customer had before.
pub(super) fn had_before(folded: &str, start: usize) -> bool {
    let before = folded.get(..start).unwrap_or_default();
    let clause = before.rsplit(border).next().unwrap_or_default();
    HAD.as_ref().is_some_and(|had| had.is_match(clause))
}

/// What the customer has: 已经有磨豆机了, “she has a kettle already”.
static HAS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:已经有|家里有|有了|(?:现在|目前|一直)(?:在)?用(?:的)?(?:是)?|\b(?:already (?:has|have|got|own|owns|bought)|ve already got|s already got))(?:了)?(?: |一?(?:台|个|款|把|张|只|双|套|条|件)|an?\b|the\b|some\b)*$").ok()
});
static HAS_ALREADY: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
    let has =
        Regex::new(r"\b(?:has|have|got|own|owns|ve got)(?: an?| the| some)?(?: \w+)?\s*$").ok()?;
    let already = Regex::new(r"^[^,.;!?]{0,12}\b(?:already|at home)\b").ok()?;
    Some((has, already))
});

/// What somebody else has for whom the customer chooses: 他有咖啡机, “she has a kettle”.
static OTHERS_HAVE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:[他她](?:们)?(?:家)?(?:里)?(?:也|都|自己)?有了?|\b(?:he|she|they)(?:'s got| has| have|'ve got| owns?| got))(?: |一?(?:台|个|款|把|张|只|双|套|条|件)|an?\b|the\b|some\b)*$").ok()
});

/// “I have a drip machine and need beans.”
static HAS_AND_NEEDS: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
    let has = Regex::new(r"\b(?:i|we|she|he|they)(?: have| has| own| use|'ve got|ve got)(?: an?| the| my| our)?(?: \w+)?\s*$").ok()?;
    let needs =
        Regex::new(r"^[^.;!?]{0,24}\b(?:need|needs|want|wants|looking for|after)\b").ok()?;
    Some((has, needs))
});

/// Whether what stands at `start..end` of a folded text is somebody's already.
pub(super) fn has_already(folded: &str, start: usize, end: usize) -> bool {
    let before = folded.get(..start).unwrap_or_default();
    let clause = before.rsplit(border).next().unwrap_or_default();
    let after = folded.get(end..).unwrap_or_default();
    HAS.as_ref().is_some_and(|has| has.is_match(clause))
        || OTHERS_HAVE.as_ref().is_some_and(|have| {
            let found = have.find(clause);
            let asks = |at: usize| {
                let head = clause.get(..at).unwrap_or_default().trim_end();
                ["do", "does", "did", "if"]
                    .iter()
                    .any(|w| head.ends_with(w))
            };
            let ends_asking = after
                .split(border)
                .next()
                .is_some_and(|rest| rest.trim_end().ends_with(['吗', '么', '没']));
            found.is_some_and(|found| !asks(found.start()) && !ends_asking)
        })
        || [&HAS_ALREADY, &HAS_AND_NEEDS].into_iter().any(|both| {
            both.as_ref()
                .is_some_and(|(has, rest)| has.is_match(clause) && rest.is_match(after))
        })
}

/// Where a clause ends; the point of `no. 2` does not.
fn border(c: char) -> bool {
    matches!(
        c,
        '，' | ',' | '。' | '.' | '；' | ';' | '！' | '!' | '？' | '?' | '\n' | ':' | '：'
    )
}

fn refused_before(clause: &str, after: &str, is_kind: bool) -> bool {
    // The negation nearest to the word decides.
    let nearest = BEFORE
        .iter()
        .filter_map(|no| {
            let at = rfind_word(clause, no)?;
            Some((at + no.len(), usize::MAX - at, *no))
        })
        .max_by_key(|(end, length, _)| (*end, *length));
    let Some((end, below, no)) = nearest else {
        return false;
    };
    let head = clause.get(..usize::MAX - below).unwrap_or_default();
    let gap = clause.get(end..).unwrap_or_default();
    let is_of_quality = is_kind && (ends_in_quality(gap) || ends_in_taste(clause));
    !is_question(head, no, after) && !too_far(gap) && !turned(gap, no) && !is_of_quality
}

/// 不要苦的豆子 wants beans: what is refused stands before 的.
fn ends_in_quality(gap: &str) -> bool {
    gap.trim_end()
        .strip_suffix(['的', '得'])
        .is_some_and(|quality| {
            !quality.is_empty() && !POINTERS.iter().any(|word| quality.ends_with(word))
        })
}

/// “No sour beans” as well.
fn ends_in_taste(clause: &str) -> bool {
    let end = clause.trim_end().len();
    taste::wishes(clause).iter().any(|wish| wish.end == end)
}

/// 要不要, 是不是, 喜不喜欢, and 不是…吗 leave open what is wanted.
fn is_question(head: &str, no: &str, after: &str) -> bool {
    let Some(verb) = no.strip_prefix('不') else {
        return head.ends_with("why ") || (no == "not" && head.trim_end().ends_with("or"));
    };
    let doubled = verb.chars().next().is_some_and(|c| head.ends_with(c));
    let clause = after.split(border).next().unwrap_or_default().trim_end();
    doubled || (no == "不是" && clause.ends_with(['吗', '么', '嘛']))
}

fn too_far(gap: &str) -> bool {
    let length = gap.chars().count();
    let max = if gap.chars().any(text::han) {
        GAP_CHARS_MAX
    } else {
        GAP_LETTERS_MAX
    };
    length > max
}

fn turned(gap: &str, no: &str) -> bool {
    // 不要了看看…: the refusal was of what stood before.
    if gap.starts_with('了') && !no.ends_with('了') {
        return true;
    }
    if gap.chars().any(|c| c.is_ascii_digit()) {
        return true;
    }
    // “Not too dark” wants no dark one.
    if DEGREES.contains(&gap.trim()) {
        return false;
    }
    let spaced = format!(" {} ", gap.trim());
    TURNS.iter().any(|turn| spaced.contains(turn))
}

/// 白色的不要: only where nothing else follows that it could be about.
fn refused_after(after: &str, next: Option<usize>) -> bool {
    let Some(hit) = AFTER.as_ref().and_then(|p| p.find(after)) else {
        return false;
    };
    let rest = after.get(hit.end()..).unwrap_or_default();
    let clause = rest.split(border).next().unwrap_or_default();
    let about_next = next.is_some_and(|at| at < hit.end() + clause.len());
    // 以外 and 除外 are only ever about what stands before.
    let closes = ["以外", "之外", "除外"]
        .iter()
        .any(|word| hit.as_str().ends_with(word));
    closes || !(about_next || clause.ends_with(['吗', '么', '嘛']))
}

/// The last place of a phrase; of a Latin one only at word borders.
fn rfind_word(text: &str, phrase: &str) -> Option<usize> {
    let latin = phrase.is_ascii();
    text.rmatch_indices(phrase).map(|(at, _)| at).find(|at| {
        let letter = |c: char| c.is_ascii_alphanumeric();
        let before = text.get(..*at).unwrap_or_default();
        let after = text.get(at + phrase.len()..).unwrap_or_default();
        !latin || (!before.ends_with(letter) && !after.starts_with(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_customer_has_is_told_from_what_is_wanted() {
        for (text, goods, expected) in [
            ("她已经有一台磨豆机了", "磨豆机", true),
            ("家里有台灯", "台灯", true),
            ("she has a v60 already", "v60", true),
            ("i already have a desk", "desk", true),
            ("i have a small kettle at home", "kettle", true),
            ("do you have a kettle", "kettle", false),
            ("有磨豆机吗", "磨豆机", false),
            ("他有咖啡机", "咖啡机", true),
            ("他们有咖啡机吗", "咖啡机", false),
            ("she has a kettle", "kettle", true),
            ("do they have a kettle", "kettle", false),
            ("we have a plan to buy a desk", "desk", false),
        ] {
            let start = text.find(goods).expect("the goods are in the text");
            assert_eq!(
                has_already(text, start, start + goods.len()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_had_before_is_told_from_what_is_wanted() {
        for (text, goods, expected) in [
            ("以前用胶囊机觉得太酸", "胶囊机", true),
            ("我之前买过一台跑步机", "跑步机", true),
            ("we used to have a floor lamp", "floor lamp", true),
            ("my old desk broke", "desk", true),
            ("想买一台胶囊机", "胶囊机", false),
            ("以前没买过，想要台灯", "台灯", false),
            ("i have a desk, i used to like it", "desk", false),
        ] {
            let start = text.find(goods).expect("the goods are in the text");
            assert_eq!(had_before(text, start), expected, "{text}");
        }
    }
}
