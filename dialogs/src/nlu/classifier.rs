//! Which intent a clause has: multinomial logistic regression over hashed n-grams, trained at start.

use super::{Intent, OUT_OF_SCOPE, TrainingSet};
use crate::text::{fold, tokens};

/// Slots that n-grams are hashed to.
const FEATURES: usize = 1 << 15;
const EPOCHS: usize = 14;
const RATE: f32 = 0.6;
const DECAY: f32 = 1e-5;
/// Below this an utterance is out of scope.
const CONFIDENCE_MIN: f32 = 0.30;
/// Intents told of one clause.
const BEST_MAX: usize = 3;

pub struct Classifier {
    intents: Vec<String>,
    /// One row of weights a feature.
    weights: Vec<f32>,
}

impl Classifier {
    /// Deterministic: the same examples give the same weights to the last bit.
    pub fn train(examples: &TrainingSet) -> Self {
        let intents: Vec<String> = examples.intents.keys().cloned().collect();
        let classes = intents.len();
        let mut rows: Vec<(Vec<(usize, f32)>, usize)> = Vec::new();
        let most = examples.intents.values().map(Vec::len).max().unwrap_or(0);
        // Interleaved by class, so that no class is learnt last.
        for at in 0..most {
            for (class, list) in examples.intents.values().enumerate() {
                if let Some(text) = list.get(at) {
                    rows.push((features(&fold(text)), class));
                }
            }
        }
        let mut model = Self {
            intents,
            weights: vec![0.0; FEATURES * classes],
        };
        let mut squares = vec![1e-6_f32; FEATURES * classes];
        for _ in 0..EPOCHS {
            for (row, class) in &rows {
                let scores = model.softmax(row);
                for (feature, value) in row {
                    let from = feature * classes;
                    for (k, probability) in scores.iter().enumerate() {
                        let target = if k == *class { 1.0 } else { 0.0 };
                        let (Some(weight), Some(square)) =
                            (model.weights.get_mut(from + k), squares.get_mut(from + k))
                        else {
                            continue;
                        };
                        let gradient = (probability - target) * value + DECAY * *weight;
                        *square += gradient * gradient;
                        *weight -= RATE * gradient / square.sqrt();
                    }
                }
            }
        }
        model
    }

    /// Best first; out of scope where nothing is likely enough.
    pub fn classify(&self, folded: &str) -> Vec<Intent> {
        let row = features(folded);
        if row.is_empty() || self.intents.is_empty() {
            return Vec::new();
        }
        let mut scored: Vec<(f32, &String)> =
            self.softmax(&row).into_iter().zip(&self.intents).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let best: Vec<Intent> = scored
            .iter()
            .take(BEST_MAX)
            .filter(|(p, _)| *p >= CONFIDENCE_MIN)
            .map(|(p, name)| Intent {
                name: (*name).clone(),
                confidence: rounded(*p),
            })
            .collect();
        if best.is_empty() {
            return vec![Intent {
                name: OUT_OF_SCOPE.to_owned(),
                confidence: 0.0,
            }];
        }
        best
    }

    fn softmax(&self, row: &[(usize, f32)]) -> Vec<f32> {
        let classes = self.intents.len();
        let mut scores = vec![0.0_f32; classes];
        for (feature, value) in row {
            let from = feature * classes;
            if let Some(weights) = self.weights.get(from..from + classes) {
                for (score, weight) in scores.iter_mut().zip(weights) {
                    *score += weight * value;
                }
            }
        }
        let top = scores.iter().copied().fold(f32::MIN, f32::max);
        let mut sum = 0.0;
        for score in &mut scores {
            *score = (*score - top).exp();
            sum += *score;
        }
        scores.iter().map(|score| score / sum).collect()
    }
}

fn rounded(p: f32) -> f64 {
    (f64::from(p) * 100.0).round() / 100.0
}

/// Words, pairs of words, and runs of two to four characters; scaled to length one.
fn features(folded: &str) -> Vec<(usize, f32)> {
    let mut slots: Vec<usize> = Vec::new();
    let words: Vec<String> = tokens(folded)
        .into_iter()
        .map(|t| {
            if t.text.bytes().all(|b| b.is_ascii_digit()) {
                "0".to_owned()
            } else {
                t.text
            }
        })
        .collect();
    for word in &words {
        slots.push(slot("w", word));
    }
    for pair in words.windows(2) {
        if let [a, b] = pair {
            slots.push(slot("p", &format!("{a} {b}")));
        }
    }
    let chars: Vec<char> = format!("^{folded}$").chars().collect();
    for length in 2..=4 {
        for run in chars.windows(length) {
            slots.push(slot("c", &run.iter().collect::<String>()));
        }
    }
    slots.sort_unstable();
    slots.dedup();
    let scale = 1.0 / (slots.len() as f32).sqrt().max(1.0);
    slots.into_iter().map(|slot| (slot, scale)).collect()
}

fn slot(kind: &str, text: &str) -> usize {
    let hash = kind
        .bytes()
        .chain(text.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    (hash >> 20) as usize % FEATURES
}
