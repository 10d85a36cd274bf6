//! Which intent a clause has: one linear support vector machine an intent over weighted n-grams, trained at start.
//!
//! Dual coordinate descent (Hsieh et al., 2008) finds all machines in one pass over the examples;
//! confidence is a softmax of the margins whose temperature, and the line below which a text is out of scope,
//! are fitted on examples that were held out.

use super::features::{BLOCKS, Block, features};
use super::{Intent, OUT_OF_SCOPE, TrainingSet};
use crate::text::fold;
use std::collections::BTreeMap;

/// Examples that a feature must stand in, for it to be told from chance.
const EXAMPLES_OF_FEATURE_MIN: usize = 2;
/// The cost of an example on the wrong side of the margin.
const COST: f32 = 1.0;
const PASSES_MAX: usize = 14;
/// Mean change of an example's weights in one pass below which learning ends.
const CHANGE_MIN: f32 = 0.02;
/// Length of each block of features, words first.
const BLOCK_LENGTH: [f32; BLOCKS] = [1.0, 1.3];
/// How much a feature that no example has takes from the known ones, of one that a single example has.
const UNKNOWN_SHARE: f32 = 0.4;
/// Parts that the examples are split into for calibration.
const FOLDS: usize = 3;
/// Temperatures tried, from flat to steep.
const TEMPERATURES: [f32; 12] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];
/// Part of the held-out examples told rightly that may be given up to recognise what is out of scope.
const GIVEN_UP_MAX: f64 = 0.005;
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
    /// Confidence below which a text is out of scope.
    line: f32,
}

/// The features worth a weight, and how telling each one is.
struct Features {
    /// Sorted.
    keys: Vec<u64>,
    idf: Vec<f32>,
    idf_of_unknown: f32,
}

/// A text as (feature, value).
type Row = Vec<(u32, f32)>;

impl Classifier {
    /// Deterministic: the same examples give the same weights to the last bit.
    pub fn train(examples: &TrainingSet) -> Self {
        let intents: Vec<String> = examples.intents.keys().cloned().collect();
        let mut texts: Vec<(Vec<(u64, Block)>, usize)> = Vec::new();
        let most = examples.intents.values().map(Vec::len).max().unwrap_or(0);
        // Interleaved by intent, so that each fold has its part of each.
        for at in 0..most {
            for (class, list) in examples.intents.values().enumerate() {
                if let Some(text) = list.get(at) {
                    texts.push((features(&fold(text)), class));
                }
            }
        }
        let (temperature, line) = calibrate(&texts, &intents);
        let all: Vec<&(Vec<(u64, Block)>, usize)> = texts.iter().collect();
        let (features, weights) = fit(&all, intents.len());
        Self {
            intents,
            features,
            weights,
            temperature,
            line,
        }
    }

    /// Best first; out of scope where nothing is likely enough.
    pub fn classify(&self, folded: &str) -> Vec<Intent> {
        let found = features(folded);
        let nothing_said = !folded.chars().any(char::is_alphanumeric);
        if self.intents.is_empty() || (nothing_said && self.features.knows_none(&found)) {
            return Vec::new();
        }
        let row = self.features.row(&found);
        let mut scores = margins(&self.weights, &row, self.intents.len());
        softmax(&mut scores, self.temperature);
        let mut scored: Vec<(f32, &String)> = scores.into_iter().zip(&self.intents).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        match scored.first() {
            Some((p, name)) if *p >= self.line && name.as_str() != OUT_OF_SCOPE => scored
                .iter()
                .enumerate()
                .take(BEST_MAX)
                .filter(|(at, (p, _))| *at == 0 || *p >= SECOND_MIN)
                .map(|(_, (p, name))| Intent {
                    name: (*name).clone(),
                    confidence: rounded(*p),
                })
                .collect(),
            best => vec![Intent {
                name: OUT_OF_SCOPE.to_owned(),
                confidence: best
                    .filter(|(_, name)| name.as_str() == OUT_OF_SCOPE)
                    .map_or(0.0, |(p, _)| rounded(*p)),
            }],
        }
    }
}

impl Features {
    fn of<'t>(texts: impl Iterator<Item = &'t Vec<(u64, Block)>>) -> Self {
        let mut count = 0_usize;
        let mut standing: BTreeMap<u64, usize> = BTreeMap::new();
        for text in texts {
            count += 1;
            let mut own: Vec<u64> = text.iter().map(|(key, _)| *key).collect();
            own.sort_unstable();
            own.dedup();
            for key in own {
                *standing.entry(key).or_default() += 1;
            }
        }
        let idf = |examples: usize| ((count as f32 + 1.0) / (examples as f32 + 1.0)).ln() + 1.0;
        standing.retain(|_, examples| *examples >= EXAMPLES_OF_FEATURE_MIN);
        Self {
            idf: standing.values().map(|examples| idf(*examples)).collect(),
            keys: standing.into_keys().collect(),
            idf_of_unknown: idf(0),
        }
    }

    fn knows_none(&self, found: &[(u64, Block)]) -> bool {
        found
            .iter()
            .all(|(key, _)| self.keys.binary_search(key).is_err())
    }

    /// Log-scaled counts times rarity; each block brought to its length.
    fn row(&self, found: &[(u64, Block)]) -> Row {
        let mut known: Vec<(u32, Block)> = Vec::with_capacity(found.len());
        let mut squares = [0.0_f32; BLOCKS];
        let unknown = UNKNOWN_SHARE * self.idf_of_unknown * self.idf_of_unknown;
        for (key, block) in found {
            match self.keys.binary_search(key) {
                Ok(at) => known.push((at as u32, *block)),
                Err(_) => squares[*block as usize] += unknown,
            }
        }
        known.sort_unstable();
        let mut row: Vec<(u32, f32, Block)> = Vec::with_capacity(known.len());
        for same in known.chunk_by(|a, b| a.0 == b.0) {
            if let [(feature, block), ..] = same {
                let idf = self.idf.get(*feature as usize).copied().unwrap_or(0.0);
                let value = (1.0 + (same.len() as f32).ln()) * idf;
                squares[*block as usize] += value * value;
                row.push((*feature, value, *block));
            }
        }
        row.into_iter()
            .map(|(feature, value, block)| {
                let length = squares[block as usize].sqrt().max(f32::MIN_POSITIVE);
                (feature, value * BLOCK_LENGTH[block as usize] / length)
            })
            .collect()
    }
}

/// The weights that tell the classes of the texts apart.
fn fit(texts: &[&(Vec<(u64, Block)>, usize)], classes: usize) -> (Features, Vec<f32>) {
    let features = Features::of(texts.iter().map(|(found, _)| found));
    let rows: Vec<(Row, usize)> = texts
        .iter()
        .map(|(found, class)| (features.row(found), *class))
        .collect();
    let bias = features.keys.len() * classes;
    let mut weights = vec![0.0_f32; bias + classes];
    let mut duals = vec![0.0_f32; rows.len() * classes];
    let mut steps = vec![0.0_f32; classes];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let ridge = 0.5 / COST;
    let mut state = 1_u64;
    for _ in 0..PASSES_MAX {
        shuffle(&mut order, &mut state);
        let mut change = 0.0;
        for &at in &order {
            let Some((row, class)) = rows.get(at) else {
                continue;
            };
            let scores = margins(&weights, row, classes);
            let curve = row.iter().map(|(_, v)| v * v).sum::<f32>() + 1.0 + ridge;
            let own = duals.get_mut(at * classes..(at + 1) * classes);
            for (k, ((dual, step), score)) in own
                .unwrap_or_default()
                .iter_mut()
                .zip(&mut steps)
                .zip(&scores)
                .enumerate()
            {
                let side = if k == *class { 1.0 } else { -1.0 };
                let gradient = side * score - 1.0 + ridge * *dual;
                let moved = (*dual - gradient / curve).max(0.0);
                *step = (moved - *dual) * side;
                *dual = moved;
                change += step.abs();
            }
            for (feature, value) in row {
                let from = *feature as usize * classes;
                if let Some(weights) = weights.get_mut(from..from + classes) {
                    for (weight, step) in weights.iter_mut().zip(&steps) {
                        *weight += step * value;
                    }
                }
            }
            for (weight, step) in weights.iter_mut().skip(bias).zip(&steps) {
                *weight += step;
            }
        }
        if change < CHANGE_MIN * rows.len() as f32 {
            break;
        }
    }
    (features, weights)
}

/// The temperature that makes held-out confidence true, and the line below which a text is out of scope.
fn calibrate(texts: &[(Vec<(u64, Block)>, usize)], intents: &[String]) -> (f32, f32) {
    let classes = intents.len();
    let mut told: Vec<(Vec<f32>, usize)> = Vec::with_capacity(texts.len());
    for part in 0..FOLDS {
        let kept: Vec<&(Vec<(u64, Block)>, usize)> = texts
            .iter()
            .enumerate()
            .filter(|(at, _)| fold_of(*at, classes) != part)
            .map(|(_, text)| text)
            .collect();
        let (features, weights) = fit(&kept, classes);
        for (_, (found, class)) in texts
            .iter()
            .enumerate()
            .filter(|(at, _)| fold_of(*at, classes) == part)
        {
            told.push((margins(&weights, &features.row(found), classes), *class));
        }
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
        .min_by(|a, b| surprise(*a).total_cmp(&surprise(*b)))
        .unwrap_or(1.0);
    let Some(out) = intents.iter().position(|name| name == OUT_OF_SCOPE) else {
        // Nobody said what is out of scope.
        return (temperature, 0.0);
    };
    let mut right: Vec<f32> = Vec::new();
    let mut in_scope = 0;
    for (margins, class) in &mut told {
        if *class == out {
            continue;
        }
        in_scope += 1;
        softmax(margins, temperature);
        let best = (0..classes).max_by(|a, b| {
            let of = |k: &usize| margins.get(*k).copied().unwrap_or(0.0);
            of(a).total_cmp(&of(b))
        });
        if best == Some(*class) {
            right.extend(margins.get(*class));
        }
    }
    right.sort_by(f32::total_cmp);
    let given_up = (f64::from(in_scope) * GIVEN_UP_MAX) as usize;
    (temperature, right.get(given_up).copied().unwrap_or(0.0))
}

/// Neighbours are of different intents: whole rounds go to one part.
fn fold_of(at: usize, classes: usize) -> usize {
    (at / classes.max(1)) % FOLDS
}

fn margins(weights: &[f32], row: &Row, classes: usize) -> Vec<f32> {
    let bias = weights.len().saturating_sub(classes);
    let mut scores: Vec<f32> = weights.iter().skip(bias).copied().collect();
    for (feature, value) in row {
        let from = *feature as usize * classes;
        if let Some(weights) = weights.get(from..from + classes) {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += weight * value;
            }
        }
    }
    scores
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

/// Fisher–Yates by a fixed congruential sequence.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for at in (1..order.len()).rev() {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (*state >> 33) as usize % (at + 1));
    }
}

fn rounded(p: f32) -> f64 {
    (f64::from(p) * 100.0).round() / 100.0
}
