//! The parts of a message that may each mean something of their own, with and without marks between them.

/// Polite words taken from one end of a clause.
const MANNERS_MAX: usize = 3;
/// Polite words around what is meant.
pub(super) const MANNERS: [&str; 40] = [
    "请问一下",
    "请问",
    "麻烦问一下",
    "麻烦问下",
    "想问一下",
    "想问下",
    "问一下",
    "问下",
    "麻烦您了",
    "麻烦你了",
    "麻烦您",
    "麻烦你",
    "麻烦了",
    "麻烦",
    "劳驾",
    "不好意思",
    "打扰一下",
    "打扰了",
    "辛苦了",
    "谢谢您",
    "谢谢啦",
    "谢谢",
    "多谢",
    "感谢您",
    "感谢",
    "thanks a lot",
    "excuse me",
    "sorry to bother you",
    "could you please tell me",
    "could you tell me",
    "can you please tell me",
    "can you tell me",
    "please tell me",
    "just wondering",
    "quick question",
    "thank you very much",
    "thank you",
    "thanks",
    "please",
    "pls",
];
/// Characters of a clause that stands after a question without a mark between them.
const CLAUSE_CHARS_MIN: usize = 3;
/// Bytes of the shortest word that ends a sentence.
const SENTENCE_END_BYTES_MIN: usize = 4;
/// What stands between two things that are said in one breath.
const CONNECTIVES: [&str; 13] = [
    "顺便问下",
    "顺便问一下",
    "顺便",
    "另外",
    "还有就是",
    "对了",
    " and also ",
    " also, ",
    " by the way ",
    " btw ",
    " oh and ",
    " as well as ",
    " plus ",
];
/// How a second question begins in English; the connective is left out of it.
const QUESTION_OPENINGS: [&str; 12] = [
    " and do ",
    " and does ",
    " and is ",
    " and are ",
    " and can ",
    " and could ",
    " and how ",
    " and what ",
    " and when ",
    " and where ",
    " and will ",
    " and which ",
];
/// How a question or a request begins in English, also where no mark stands before it.
const QUESTION_CUES: [&str; 14] = [
    " can i ",
    " can you ",
    " could you ",
    " do you ",
    " what about ",
    " how about ",
    " how much is ",
    " how long ",
    " is there ",
    " are there ",
    " what's ",
    " please send ",
    " so please ",
    " could i ",
];
/// Words after which a question goes on with its verb: "how much can I …", "and can you …".
const LEADS_ON: [&str; 34] = [
    "what", "how", "when", "where", "which", "who", "why", "much", "many", "long", "far", "soon",
    "often", "big", "if", "that", "whether", "and", "or", "but", "so", "than", "as", "because",
    "know", "wonder", "tell", "ask", "me", "time", "kind", "sort", "day", "else",
];
/// Words before a cue without which it opens the message.
const CUE_WORDS_MIN: usize = 3;

/// A clause without the polite words around it; empty where it is nothing else.
fn without_manners(clause: &str) -> &str {
    let mut rest = clause.trim();
    let edge = |c: char| !c.is_alphanumeric();
    for _ in 0..MANNERS_MAX {
        let before = rest;
        for words in MANNERS {
            if let Some(after) = rest.strip_prefix(words)
                && whole_word(words, after.chars().next())
            {
                rest = after.trim_start_matches(edge);
            }
            if let Some(ahead) = rest.strip_suffix(words)
                && whole_word(words, ahead.chars().next_back())
            {
                rest = ahead.trim_end_matches(edge);
            }
        }
        if rest == before {
            break;
        }
    }
    rest
}

/// A Latin word ends where no letter runs on.
fn whole_word(words: &str, next: Option<char>) -> bool {
    !words.is_ascii() || next.is_none_or(|c| !c.is_ascii_alphanumeric())
}

/// The parts of a message that may each mean something of their own; mere politeness is none beside others.
pub(super) fn clauses(folded: &str) -> Vec<&str> {
    let parts = parts(folded);
    let plain: Vec<&str> = parts
        .iter()
        .map(|part| without_manners(part))
        .filter(|part| !part.is_empty())
        .collect();
    if plain.is_empty() { parts } else { plain }
}

fn parts(folded: &str) -> Vec<&str> {
    let ends = [
        '。', '！', '!', '？', '?', '；', ';', '\n', '，', ',', '…', '~',
    ];
    let mut parts: Vec<&str> = folded.split(ends).flat_map(sentences).collect();
    for word in CONNECTIVES {
        parts = parts.iter().flat_map(|part| part.split(word)).collect();
    }
    for opening in QUESTION_OPENINGS {
        parts = parts
            .into_iter()
            .flat_map(|part| split_before(part, opening))
            .collect();
    }
    for cue in QUESTION_CUES {
        parts = parts
            .into_iter()
            .flat_map(|part| at_cue(part, cue))
            .collect();
    }
    parts
        .into_iter()
        .flat_map(after_questions)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// A point and a space end a sentence, unless an abbreviation stands before them: `no. 2`.
fn sentences(part: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut from = 0;
    for (at, _) in part.match_indices(". ") {
        let sentence = part.get(from..at).unwrap_or_default();
        let last = sentence.rsplit(' ').next().unwrap_or_default();
        if last.len() >= SENTENCE_END_BYTES_MIN || last.ends_with(|c: char| c.is_ascii_digit()) {
            sentences.push(sentence);
            from = at + 1;
        }
    }
    sentences.push(part.get(from..).unwrap_or_default());
    sentences
}

/// "… and do you …": what follows the connective is a question of its own.
fn split_before<'t>(part: &'t str, opening: &str) -> Vec<&'t str> {
    match part.find(opening) {
        Some(at) => {
            let (before, after) = part.split_at(at);
            vec![before, after.strip_prefix(" and").unwrap_or(after)]
        }
        None => vec![part],
    }
}

/// A question or a request begins in the middle of a part.
fn at_cue<'t>(part: &'t str, cue: &str) -> Vec<&'t str> {
    let found = part.find(cue).map(|at| part.split_at(at));
    match found {
        Some((before, after))
            if before.split_whitespace().count() >= CUE_WORDS_MIN
                && before
                    .rsplit(' ')
                    .next()
                    .is_some_and(|last| !LEADS_ON.contains(&last)) =>
        {
            vec![before, after]
        }
        _ => vec![part],
    }
}

/// A Chinese question ends with its particle, also where no mark is set.
fn after_questions(part: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = part;
    while let Some((at, particle)) = rest.char_indices().find(|(at, c)| {
        matches!(c, '吗' | '么')
            && !rest
                .get(..*at)
                .is_some_and(|before| before.ends_with(['什', '怎', '那', '这', '多']))
            && rest
                .get(at + c.len_utf8()..)
                .is_some_and(|after| after.trim().chars().count() >= CLAUSE_CHARS_MIN)
    }) {
        let (question, after) = rest.split_at(at + particle.len_utf8());
        parts.push(question);
        rest = after;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_falls_into_what_it_asks() {
        for (message, expected) in [
            (
                "多少钱？有现货吗？几天到",
                vec!["多少钱", "有现货吗", "几天到"],
            ),
            ("有现货吗几天能到", vec!["有现货吗", "几天能到"]),
            ("在吗亲", vec!["在吗亲"]),
            ("多少钱顺便问下几天到", vec!["多少钱", "几天到"]),
            ("这个多少钱另外能开发票吗", vec!["这个多少钱", "能开发票吗"]),
            (
                "hi, how much is the first one and do you ship to canada",
                vec!["hi", "how much is the first one", "do you ship to canada"],
            ),
            (
                "is it in stock and how long is the warranty",
                vec!["is it in stock", "how long is the warranty"],
            ),
            ("black and white", vec!["black and white"]),
            ("有什么推荐的", vec!["有什么推荐的"]),
        ] {
            assert_eq!(clauses(message), expected, "{message}");
        }
    }
}
