//! Text as customers type it, brought to one form: folding, tokens, language.

use crate::Language;
use unicode_normalization::UnicodeNormalization;

/// Characters kept of one message.
pub const MESSAGE_CHARS_MAX: usize = 4_000;

/// A token of folded text with its byte offsets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// Folded text and, for each of its bytes, the byte of the original it came from.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    pub text: String,
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Folded {
    pub fn of(original: &str) -> Self {
        let mut folded = Self::default();
        for (at, c) in original.char_indices() {
            let end = at + c.len_utf8();
            if invisible(c) {
                continue;
            }
            let push = |folded: &mut Self, c: char| {
                let c = traditional(c);
                let white = c.is_whitespace() || c.is_control();
                if white && (folded.text.is_empty() || folded.text.ends_with(' ')) {
                    return;
                }
                let c = if white { ' ' } else { c };
                folded.text.push(c);
                for _ in 0..c.len_utf8() {
                    folded.starts.push(at);
                    folded.ends.push(end);
                }
            };
            for c in std::iter::once(c).nfkc() {
                for c in c.to_lowercase() {
                    push(&mut folded, c);
                }
            }
        }
        if folded.text.ends_with(' ') {
            folded.text.pop();
            folded.starts.pop();
            folded.ends.pop();
        }
        folded
    }

    /// The piece of the original that a range of the folded text came from.
    pub fn quote<'t>(&self, original: &'t str, start: usize, end: usize) -> &'t str {
        let from = self.starts.get(start).copied().unwrap_or(0);
        let to = end
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or(from);
        original.get(from..to).unwrap_or_default()
    }
}

/// One form for what means the same: NFKC, lower case, simplified, no invisible characters, single spaces.
pub fn fold(text: &str) -> String {
    Folded::of(text).text
}

/// What a customer's message is reduced to before anything else sees it.
pub fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !invisible(*c) && (!c.is_control() || matches!(c, '\n' | '\t')))
        .take(MESSAGE_CHARS_MAX)
        .collect();
    kept.trim().to_owned()
}

/// Words of Latin letters and digits, lightly stemmed; Han as single characters and pairs.
pub fn tokens(folded: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<usize> = None;
    let mut before: Option<(usize, char)> = None;
    for (at, c) in folded.char_indices() {
        let end = at + c.len_utf8();
        if c.is_ascii_alphanumeric() || (c.is_alphanumeric() && !han(c)) {
            word.get_or_insert(at);
            before = None;
            continue;
        }
        if let Some(start) = word.take() {
            push_word(&mut tokens, folded, start, at);
        }
        if han(c) {
            if let Some((start, _)) = before {
                tokens.push(Token {
                    text: folded.get(start..end).unwrap_or_default().to_owned(),
                    start,
                    end,
                });
            }
            tokens.push(Token {
                text: c.to_string(),
                start: at,
                end,
            });
            before = Some((at, c));
        } else {
            before = None;
        }
    }
    if let Some(start) = word {
        push_word(&mut tokens, folded, start, folded.len());
    }
    tokens
}

fn push_word(tokens: &mut Vec<Token>, folded: &str, start: usize, end: usize) {
    let word = folded.get(start..end).unwrap_or_default();
    tokens.push(Token {
        text: stem(word).to_owned(),
        start,
        end,
    });
}

fn stem(word: &str) -> &str {
    if word.len() > 4 && !word.ends_with("ss") {
        for ending in ["ies", "ing", "es", "ed", "s"] {
            if let Some(stem) = word.strip_suffix(ending)
                && stem.len() >= 3
            {
                return stem;
            }
        }
    } else if word.len() == 4 && word.ends_with('s') && !word.ends_with("ss") {
        return word.strip_suffix('s').unwrap_or(word);
    }
    word
}

/// Chinese where Han characters carry the sentence, English where Latin words do, else as before.
pub fn language(text: &str, fallback: Language) -> Language {
    let han_count = text.chars().filter(|c| han(*c)).count();
    let words = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|w| w.len() > 1)
        .count();
    match (han_count, words) {
        (0, 0) => fallback,
        (0, _) => Language::En,
        (han_count, words) if han_count >= words => Language::Zh,
        _ => Language::En,
    }
}

pub fn han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Default-ignorable and bidirectional controls.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

/// Traditional characters of sales talk to simplified ones.
fn traditional(c: char) -> char {
    const PAIRS: &str = "預预價价機机買买賣卖貨货發发運运費费錢钱問问題题這这個个們们嗎吗麼么類类種种選选薦荐贈赠優优惠惠單单訂订購购頭头顏颜顔颜紅红綠绿藍蓝銀银壺壶濾滤紙纸磨磨豆豆杯杯專专業业辦办公公室室萬万兩两幾几億亿請请謝谢歡欢迎迎轉转人人員员聯联繫系電电話话郵邮號号碼码話话時时間间開开門门關关後后來来還还會会對对說说語语讓让應应該该給给從从與与為为無无過过裡里邊边點点樣样較较貴贵質质量量級级輕轻換换壞坏維维護护務务處处證证據据報报帳账戶户實实體体產产品品品牌牌圖图書书學学習习簡简繁繁網网頁页線线條条絲丝";
    let mut chars = PAIRS.chars();
    while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
        if from == c {
            return to;
        }
    }
    c
}
