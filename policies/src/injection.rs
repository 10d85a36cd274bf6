//! Attempts to override the agent's instructions or to make it tell them.
//!
//! Cues of a few classes are found in one pass; an attempt is a strong cue, or cues of classes that belong together
//! and stand close. A single everyday word ("ignore the last link", "show me your return policy") is never enough.

use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

type Span = (usize, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cue {
    /// Enough by itself.
    Strong,
    /// Ignore, forget, 忽略.
    Override,
    /// Bypass, 绕过: of checks as well as of rules.
    Bypass,
    /// Previous, above, your, 之前的.
    Scope,
    /// Instructions, prompt, 指令: what only an agent has.
    Core,
    /// Rules, policies, 规定: what a shop has too.
    Rules,
    /// A rule with its scope in one word: 前文, 系统提示.
    Scoped,
    /// Verification, approval, 审核.
    Checks,
    /// Reveal, repeat, translate, 复述.
    Reveal,
    /// You are now, pretend, 扮演.
    Persona,
    /// No limits, unfiltered, 没有限制.
    Freedom,
    /// Developer mode and the like, of the agent or of a device.
    Mode,
    /// In the name of the system, the developer, the admin.
    Authority,
    /// Execute, refund, give me, 执行.
    Demand,
    /// Base64, 火星文.
    Code,
    /// Follow, do what it says.
    Obey,
}

/// Cues of two classes within so many bytes of each other, in either order, are an attempt.
const PAIRS: &[(Cue, Cue, usize)] = &[
    (Cue::Override, Cue::Scoped, 60),
    (Cue::Bypass, Cue::Scoped, 60),
    (Cue::Bypass, Cue::Checks, 40),
    (Cue::Reveal, Cue::Scoped, 70),
    (Cue::Persona, Cue::Freedom, 120),
    (Cue::Mode, Cue::Freedom, 120),
    (Cue::Mode, Cue::Scoped, 90),
    (Cue::Authority, Cue::Demand, 90),
    (Cue::Authority, Cue::Scoped, 90),
    (Cue::Authority, Cue::Freedom, 120),
    (Cue::Authority, Cue::Override, 90),
    (Cue::Code, Cue::Obey, 80),
    (Cue::Code, Cue::Scoped, 80),
];
/// Bytes between a scope and the rules it is about.
const SCOPE_BYTES: usize = 24;
/// Cues looked at in one text.
const CUES_MAX: usize = 512;

/// The classes as the list of cues names them.
const CLASSES: &[(&str, Cue)] = &[
    ("strong", Cue::Strong),
    ("override", Cue::Override),
    ("bypass", Cue::Bypass),
    ("scope", Cue::Scope),
    ("core", Cue::Core),
    ("rules", Cue::Rules),
    ("scoped", Cue::Scoped),
    ("checks", Cue::Checks),
    ("reveal", Cue::Reveal),
    ("persona", Cue::Persona),
    ("freedom", Cue::Freedom),
    ("mode", Cue::Mode),
    ("authority", Cue::Authority),
    ("demand", Cue::Demand),
    ("code", Cue::Code),
    ("obey", Cue::Obey),
];

struct Scanner {
    automaton: AhoCorasick,
    /// Class, and whether the cue is only the beginning of a word.
    cues: Vec<(Cue, bool)>,
}

static SCANNER: LazyLock<Option<Scanner>> = LazyLock::new(|| {
    let mut words = Vec::new();
    let mut cues = Vec::new();
    for (class, word) in crate::claim::listed(include_str!("injection/cues.txt")) {
        // A class that is not known would be a cue that nobody waits for: no scanner at all, which a test sees.
        let (_, cue) = CLASSES.iter().find(|(name, _)| *name == class)?;
        let stem = word.strip_suffix('*');
        words.push(stem.unwrap_or(word));
        cues.push((*cue, stem.is_some()));
    }
    AhoCorasick::new(words)
        .ok()
        .map(|automaton| Scanner { automaton, cues })
});

/// Bytes of every attempt, from its first cue to its last.
pub fn find(text: &str) -> Vec<Span> {
    let Some(scanner) = &*SCANNER else {
        // Closed for policy: what cannot be screened is not read.
        return vec![(0, text.len())];
    };
    let mut seen: Vec<(Cue, Span)> = scanner
        .automaton
        .find_overlapping_iter(text)
        .filter_map(|hit| {
            let (cue, stem) = scanner.cues.get(hit.pattern().as_usize())?;
            let span = (hit.start(), hit.end());
            is_word(text, span, *stem).then_some((*cue, span))
        })
        .take(CUES_MAX)
        .collect();
    let of = |seen: &[(Cue, Span)], wanted: &[Cue]| -> Vec<Span> {
        seen.iter()
            .filter(|(cue, _)| wanted.contains(cue))
            .map(|(_, span)| *span)
            .collect()
    };
    // Rules become those of the agent by a scope right in front of them.
    let scopes = of(&seen, &[Cue::Scope]);
    let overridden = !of(&seen, &[Cue::Override, Cue::Bypass]).is_empty();
    let ruled: &[Cue] = if overridden {
        &[Cue::Core, Cue::Rules]
    } else {
        &[Cue::Core]
    };
    let scoped: Vec<(Cue, Span)> = of(&seen, ruled)
        .into_iter()
        .filter_map(|rules| {
            scopes
                .iter()
                .filter(|scope| scope.1 <= rules.0 && rules.0 - scope.1 <= SCOPE_BYTES)
                .max()
                .map(|scope| (Cue::Scoped, (scope.0, rules.1)))
        })
        .collect();
    seen.extend(scoped);
    let mut found = of(&seen, &[Cue::Strong]);
    for (first, second, within) in PAIRS {
        let seconds = of(&seen, &[*second]);
        for a in of(&seen, &[*first]) {
            let near = seconds.iter().find(|b| {
                let apart = b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1));
                // One word can be two cues; it is no pair with itself.
                apart <= *within && (a.1 <= b.0 || b.1 <= a.0)
            });
            if let Some(b) = near {
                found.push((a.0.min(b.0), a.1.max(b.1)));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn is_word(text: &str, (start, end): Span, stem: bool) -> bool {
    let latin = |c: char| c.is_ascii_alphanumeric();
    let word = text.get(start..end).unwrap_or_default();
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let after = after.strip_prefix('s').unwrap_or(after);
    !(word.starts_with(latin) && before.ends_with(latin))
        && (stem || !(word.ends_with(latin) && after.starts_with(latin)))
}
