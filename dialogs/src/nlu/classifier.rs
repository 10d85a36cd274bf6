//! Which intent a clause has, how sure that is, and when none of them fits.
//!
//! Confidence is a softmax of the machines' margins; its temperature, and the line below which a text is out of scope,
//! are fitted on examples that were held out.

use super::features::features;
use super::learning::{Features, Text, fit, margins};
use super::mending::Parlance;
use super::numbers::in_digits;
use super::{Intent, OUT_OF_SCOPE, TrainingSet};
use crate::text::fold;

/// Parts that the examples are split into for calibration.
const FOLDS: usize = 3;
/// Held-out examples that are enough to calibrate by, whatever parts are left.
const HELD_OUT_ENOUGH: usize = 3_000;
/// Temperatures tried, from flat to steep.
const TEMPERATURES: [f32; 14] = [
    1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0,
];
/// How much of the margin of what is out of scope is taken from the best intent's, where examples show what is.
const OUT_SHARE: f32 = 0.5;
/// Part of the held-out examples told rightly that may be given up to recognise what is out of scope.
const GIVEN_UP_MAX: f64 = 0.008;
/// Intents told of one clause.
const BEST_MAX: usize = 3;
/// Confidence below which a second intent is not told.
const SECOND_MIN: f32 = 0.15;

pub struct Classifier {
    intents: Vec<String>,
    features: Features,
    /// One row of weights a feature and a last one for the bias; a column an intent.
    weights: Vec<f32>,
    temperature: f32,
    /// Standing out below which a text is out of scope.
    line: f32,
    parlance: Parlance,
}

impl Classifier {
    /// Deterministic: the same examples give the same weights to the last bit.
    pub fn train(examples: &TrainingSet) -> Self {
        let intents: Vec<String> = examples.intents.keys().cloned().collect();
        let mut texts: Vec<Text> = Vec::new();
        let mut parts: Vec<usize> = Vec::new();
        let most = examples.intents.values().map(Vec::len).max().unwrap_or(0);
        // Interleaved by intent, so that each part has its share of each.
        for at in 0..most {
            for (class, list) in examples.intents.values().enumerate() {
                if let Some(text) = list.get(at) {
                    texts.push((features(&in_digits(&fold(text))), class));
                    parts.push(at % FOLDS);
                }
            }
        }
        let (temperature, line) = calibrate(&texts, &parts, &intents);
        let all: Vec<&Text> = texts.iter().collect();
        let (features, weights) = fit(&all, intents.len());
        Self {
            intents,
            features,
            weights,
            temperature,
            line,
            parlance: Parlance::of(examples),
        }
    }

    /// How the examples speak, which tells what is mistyped.
    pub(super) fn parlance(&self) -> &Parlance {
        &self.parlance
    }

    /// Best first; out of scope where nothing is likely enough.
    pub fn classify(&self, folded: &str) -> Vec<Intent> {
        let found = features(&in_digits(folded));
        let nothing_said = !folded.chars().any(char::is_alphanumeric);
        if self.intents.is_empty() || (nothing_said && self.features.knows_none(&found)) {
            return Vec::new();
        }
        let row = self.features.row(&found);
        let mut scores = margins(&self.weights, &row, self.intents.len());
        let out = self.intents.iter().position(|name| name == OUT_OF_SCOPE);
        let stands_out = stands_out(&scores, out) >= self.line;
        softmax(&mut scores, self.temperature);
        let mut scored: Vec<(f32, &String)> = scores.into_iter().zip(&self.intents).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        match scored.first() {
            Some((_, name)) if stands_out && name.as_str() != OUT_OF_SCOPE => scored
                .iter()
                .enumerate()
                .take(BEST_MAX)
                .filter(|(at, (p, _))| *at == 0 || *p >= SECOND_MIN)
                .map(|(_, (p, name))| Intent {
                    name: (*name).clone(),
                    confidence: rounded(*p),
                    said: String::new(),
                })
                .collect(),
            best => vec![Intent {
                name: OUT_OF_SCOPE.to_owned(),
                confidence: best
                    .filter(|(_, name)| name.as_str() == OUT_OF_SCOPE)
                    .map_or(0.0, |(p, _)| rounded(*p)),
                said: String::new(),
            }],
        }
    }
}

/// How far the best intent's margin stands out, also from that of being out of scope.
fn stands_out(margins: &[f32], out: Option<usize>) -> f32 {
    let best = margins
        .iter()
        .enumerate()
        .filter(|(class, _)| Some(*class) != out)
        .map(|(_, margin)| *margin)
        .fold(f32::MIN, f32::max);
    let against = out.and_then(|out| margins.get(out)).copied();
    best - OUT_SHARE * against.unwrap_or(0.0)
}

/// The temperature that makes held-out confidence true, and the line below which a text is out of scope.
fn calibrate(texts: &[Text], parts: &[usize], intents: &[String]) -> (f32, f32) {
    let classes = intents.len();
    let mut told: Vec<(Vec<f32>, usize)> = Vec::with_capacity(texts.len());
    for part in 0..FOLDS {
        if told.len() >= HELD_OUT_ENOUGH {
            break;
        }
        let in_part = |wanted: bool| {
            texts
                .iter()
                .zip(parts)
                .filter(move |(_, own)| (**own == part) == wanted)
                .map(|(text, _)| text)
        };
        let kept: Vec<&Text> = in_part(false).collect();
        let (features, weights) = fit(&kept, classes);
        told.extend(
            in_part(true)
                .map(|(found, class)| (margins(&weights, &features.row(found), classes), *class)),
        );
    }
    let surprise = |temperature: f32| -> f64 {
        told.iter()
            .map(|(margins, class)| {
                let mut scores = margins.clone();
                softmax(&mut scores, temperature);
                -f64::from(scores.get(*class).copied().unwrap_or(0.0).max(1e-9)).ln()
            })
            .sum()
    };
    let temperature = TEMPERATURES
        .into_iter()
        .map(|temperature| (surprise(temperature), temperature))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(1.0, |(_, temperature)| temperature);
    let Some(out) = intents.iter().position(|name| name == OUT_OF_SCOPE) else {
        // Nobody said what is out of scope.
        return (temperature, f32::MIN);
    };
    let in_scope = told.iter().filter(|(_, class)| *class != out).count();
    let mut right: Vec<f32> = told
        .iter()
        .filter(|(margins, class)| {
            let own = margins.get(*class).copied().unwrap_or(f32::MIN);
            *class != out && margins.iter().all(|margin| *margin <= own)
        })
        .map(|(margins, _)| stands_out(margins, Some(out)))
        .collect();
    right.sort_by(f32::total_cmp);
    let given_up = (in_scope as f64 * GIVEN_UP_MAX) as usize;
    (
        temperature,
        right.get(given_up).copied().unwrap_or(f32::MIN),
    )
}

fn softmax(scores: &mut [f32], temperature: f32) {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = ((*score - top) * temperature).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

fn rounded(p: f32) -> f64 {
    (f64::from(p) * 100.0).round() / 100.0
}
