//! The one form in which texts and phrases are compared, with the way back to the original bytes.
//!
//! Folded text is NFKC, lower-case and simplified, without invisible characters, without the spaces and dots that
//! spread a word out ("免 费", "1 9 9 元", "f r e e"), and with the Latin look-alikes of other scripts made Latin.

use crate::Segment;
use unicode_normalization::UnicodeNormalization;

/// Stands for a bound segment whose neighbouring character is not a digit.
pub const BOUND: char = '\u{E000}';
/// Opens a bound segment that begins with a digit.
pub const BOUND_DIGITS_FIRST: char = '\u{E001}';
/// Closes a bound segment that ends with a digit.
pub const BOUND_DIGITS_LAST: char = '\u{E002}';

#[derive(Clone, Debug, Default)]
pub struct Folded {
    pub text: String,
    /// One entry for each folded character, in order.
    origins: Vec<Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Origin {
    /// Byte in the folded text.
    at: usize,
    segment: usize,
    start: usize,
    end: usize,
}

/// A piece of one original segment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub segment: usize,
    pub start: usize,
    pub end: usize,
}

impl Folded {
    pub fn of(text: &str) -> Folded {
        Folded::all(&[Segment { text, bound: None }])
    }

    /// The unbound segments in one line, each bound one as a mark.
    pub fn unbound(segments: &[Segment<'_>]) -> Folded {
        let mut folder = Folder::default();
        for (index, segment) in segments.iter().enumerate() {
            match segment.bound {
                None => folder.add(segment.text, index),
                Some(_) => folder.bound(segment.text, index),
            }
        }
        folder.run();
        folder.folded
    }

    /// All segments in one line, bound or not.
    pub fn all(segments: &[Segment<'_>]) -> Folded {
        let mut folder = Folder::default();
        for (index, segment) in segments.iter().enumerate() {
            folder.add(segment.text, index);
        }
        folder.run();
        folder.folded
    }

    /// Where bytes `start..end` of the folded text come from: one piece for each segment touched.
    pub fn pieces(&self, start: usize, end: usize) -> Vec<Piece> {
        let from = self.origins.partition_point(|origin| origin.at < start);
        let mut pieces: Vec<Piece> = Vec::new();
        for origin in self.origins.iter().skip(from) {
            if origin.at >= end {
                break;
            }
            match pieces.last_mut() {
                Some(last) if last.segment == origin.segment => {
                    last.start = last.start.min(origin.start);
                    last.end = last.end.max(origin.end);
                }
                _ => pieces.push(Piece {
                    segment: origin.segment,
                    start: origin.start,
                    end: origin.end,
                }),
            }
        }
        pieces
    }
}

/// A phrase of a pack in the form it is looked for.
pub fn phrase(text: &str) -> String {
    Folded::of(text).text.trim().to_owned()
}

#[derive(Default)]
struct Folder {
    folded: Folded,
    /// Visible characters not folded yet, with their segment and byte.
    waiting: Vec<(char, usize, usize)>,
    /// A space or a mark that counts only if the next character does not pull it in.
    gap: Option<(char, usize, usize, usize)>,
    last: Option<char>,
    /// The last character is a Latin letter or a digit that stands alone.
    alone: bool,
}

impl Folder {
    fn add(&mut self, text: &str, segment: usize) {
        let visible = text.char_indices().filter(|(_, c)| !invisible(*c));
        self.waiting
            .extend(visible.map(|(start, c)| (c, segment, start)));
    }

    /// Folds what has been added; a word may run over the border of segments.
    fn run(&mut self) {
        let chars = std::mem::take(&mut self.waiting);
        let mut chars = chars.into_iter().peekable();
        while let Some((c, segment, start)) = chars.next() {
            let end = start + c.len_utf8();
            if c == '\n' || c == '\r' || c == '\u{2028}' || c == '\u{2029}' {
                self.gap = None;
                if self.last != Some('\n') {
                    self.push('\n', segment, start, end);
                }
                continue;
            }
            if c.is_whitespace() || c.is_control() {
                if self.gap.is_none() {
                    self.gap = Some((' ', segment, start, end));
                }
                continue;
            }
            if self.gap.is_none() && self.last.is_some_and(han) && spreads(c) {
                self.gap = Some((c, segment, start, end));
                continue;
            }
            let next_alone = chars
                .peek()
                .is_none_or(|(next, ..)| !next.is_alphanumeric() || han(*next));
            if c.is_ascii() {
                self.take(c.to_ascii_lowercase(), segment, start, end, next_alone);
            } else if han(c) {
                self.take(simplified(c), segment, start, end, next_alone);
            } else {
                for folded in std::iter::once(c).nfkc().flat_map(char::to_lowercase) {
                    if folded.is_whitespace() {
                        self.gap.get_or_insert((' ', segment, start, end));
                    } else if !invisible(folded) {
                        let plain = latin(simplified(folded));
                        self.take(plain, segment, start, end, next_alone);
                    }
                }
            }
        }
    }

    fn bound(&mut self, text: &str, segment: usize) {
        self.run();
        let mut visible = text
            .chars()
            .filter(|c| !invisible(*c) && !c.is_whitespace());
        let Some(first) = visible.next() else { return };
        let last = visible.next_back().unwrap_or(first);
        self.flush();
        let open = if first.is_numeric() {
            BOUND_DIGITS_FIRST
        } else {
            BOUND
        };
        let close = if last.is_numeric() {
            BOUND_DIGITS_LAST
        } else {
            BOUND
        };
        self.push(open, segment, 0, text.len());
        self.push(close, segment, 0, text.len());
    }

    fn take(&mut self, c: char, segment: usize, start: usize, end: usize, next_alone: bool) {
        let letter = c.is_ascii_alphabetic() || c.is_numeric() && !han(c);
        let mut starts_word = self
            .last
            .is_none_or(|last| !last.is_alphanumeric() || han(last));
        if let Some((mark, ..)) = self.gap {
            let joins = match (mark, self.last) {
                (_, None) => true,
                (' ', Some(last)) => han(last) || han(c) || (self.alone && letter && next_alone),
                (_, Some(last)) => han(last) && han(c),
            };
            if joins {
                self.gap = None;
            } else {
                self.flush();
            }
            starts_word = true;
        }
        self.push(c, segment, start, end);
        self.alone = letter && starts_word && next_alone;
    }

    fn flush(&mut self) {
        if let Some((mark, segment, start, end)) = self.gap.take() {
            self.push(mark, segment, start, end);
        }
    }

    fn push(&mut self, c: char, segment: usize, start: usize, end: usize) {
        self.folded.origins.push(Origin {
            at: self.folded.text.len(),
            segment,
            start,
            end,
        });
        self.folded.text.push(c);
        self.last = Some(c);
        self.alone = false;
    }
}

/// Han, or punctuation that only Chinese uses.
pub fn han(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Marks put between Han characters to hide a word.
fn spreads(c: char) -> bool {
    matches!(
        c,
        '*' | '·'
            | '•'
            | '_'
            | '~'
            | '|'
            | '^'
            | '+'
            | '-'
            | '='
            | '#'
            | '.'
            | '/'
            | '・'
            | '＊'
            | '－'
    )
}

/// Characters that no reader sees, and our own marks for bound segments.
pub fn invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{E000}'..='\u{E00F}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{0300}'..='\u{036F}')
}

/// The simplified form of the traditional characters that commercial claims are written with.
fn simplified(c: char) -> char {
    match c {
        '費' => '费',
        '郵' => '邮',
        '證' => '证',
        '諾' => '诺',
        '終' => '终',
        '贈' => '赠',
        '優' => '优',
        '減' => '减',
        '買' => '买',
        '賣' => '卖',
        '價' => '价',
        '圓' => '圆',
        '塊' => '块',
        '錢' => '钱',
        '萬' => '万',
        '億' => '亿',
        '內' => '内',
        '達' => '达',
        '貨' => '货',
        '庫' => '库',
        '僅' => '仅',
        '現' => '现',
        '給' => '给',
        '將' => '将',
        '盡' => '尽',
        '聯' => '联',
        '繫' | '係' => '系',
        '後' => '后',
        '時' => '时',
        '鐘' | '鍾' => '钟',
        '週' => '周',
        '個' => '个',
        '兩' => '两',
        '發' => '发',
        '過' => '过',
        '剛' => '刚',
        '還' => '还',
        '無' => '无',
        '條' => '条',
        '換' => '换',
        '額' => '额',
        '滿' => '满',
        '張' => '张',
        '緊' => '紧',
        '運' => '运',
        '國' => '国',
        '級' => '级',
        '獨' => '独',
        '絕' => '绝',
        '對' => '对',
        '頂' => '顶',
        '極' => '极',
        '護' => '护',
        '療' => '疗',
        '癒' | '愈' => '愈',
        '藥' => '药',
        '擔' => '担',
        '據' => '据',
        '會' => '会',
        '廣' => '广',
        '規' => '规',
        '則' => '则',
        '詞' => '词',
        '統' => '统',
        '視' => '视',
        '記' => '记',
        '復' | '複' => '复',
        '輸' => '输',
        '顯' => '显',
        '陸' => '陆',
        '貳' => '贰',
        '參' | '叄' => '叁',
        '銷' => '销',
        '碼' => '码',
        '號' => '号',
        '為' => '为',
        '與' => '与',
        '貴' => '贵',
        '賠' => '赔',
        '沒' => '没',
        '請' => '请',
        '這' => '这',
        '開' => '开',
        '讓' => '让',
        '當' => '当',
        '應' => '应',
        _ => c,
    }
}

/// The Latin letter that a Cyrillic or Greek one is drawn like.
fn latin(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'е' | 'ё' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' | 'υ' => 'y',
        'х' | 'χ' => 'x',
        'і' | 'ι' | 'ı' => 'i',
        'ѕ' => 's',
        'ј' => 'j',
        'ԁ' => 'd',
        'ɡ' => 'g',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'т' | 'τ' => 't',
        'в' => 'b',
        'н' => 'h',
        'ν' => 'v',
        _ => c,
    }
}
