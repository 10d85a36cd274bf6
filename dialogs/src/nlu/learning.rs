//! Learning linear machines: one support vector machine an intent over weighted n-grams.
//!
//! Dual coordinate descent (Hsieh et al., 2008) moves the machines of a few intents at each example; an example that is
//! easy for all of them rests for some passes.

use super::features::{BLOCKS, Block};

/// Examples that a pair of words must stand in together, for it to be told from chance.
const EXAMPLES_OF_PAIR_MIN: usize = 2;
/// The cost of an example on the wrong side of the margin.
const COST: f32 = 1.0;
const PASSES_MAX: usize = 6;
/// Mean change of an example's weight in one machine and pass below which learning ends.
const CHANGE_MIN: f32 = 0.000_3;
/// Machines that learn together: as many as stay in a processor's registers and a line of its cache.
const GROUP: usize = 16;
/// Passes that an easy example rests.
const REST_PASSES: usize = 3;
/// How much more the examples of a rare intent cost: zero for all the same, one for all intents the same.
const RARE_INTENT_POWER: f32 = 0.5;
/// Length of each block of features, in the order of `Block`.
const BLOCK_LENGTH: [f32; BLOCKS] = [1.0, 1.15, 1.0];
/// How much a feature that no example has takes from the known ones, of one that a single example has.
const UNKNOWN_SHARE: f32 = 0.4;
/// Below one, rare features count for less than their rarity.
const RARITY_POWER: f32 = 0.7;

/// The features worth a weight, and how telling each one is.
pub(super) struct Features {
    /// Sorted.
    pub(super) keys: Vec<u64>,
    pub(super) idf: Vec<f32>,
    pub(super) idf_of_unknown: f32,
}

/// A text's features and its intent, by number.
pub(super) type Text = (Vec<(u64, Block)>, usize);

/// A text as (feature, value).
pub(super) type Row = Vec<(u32, f32)>;

fn add(squares: &mut [f32; BLOCKS], block: Block, square: f32) {
    if let Some(sum) = squares.get_mut(block as usize) {
        *sum += square;
    }
}

impl Features {
    fn of(texts: &[&Text]) -> Self {
        let mut all: Vec<(u64, Block)> = Vec::new();
        for (found, _) in texts {
            let mut own = found.clone();
            own.sort_unstable();
            own.dedup();
            all.append(&mut own);
        }
        all.sort_unstable();
        let count = texts.len() as f32;
        let idf = |examples: usize| {
            (((count + 1.0) / (examples as f32 + 1.0)).ln() + 1.0).powf(RARITY_POWER)
        };
        let mut features = Self {
            keys: Vec::new(),
            idf: Vec::new(),
            idf_of_unknown: idf(0),
        };
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            if let [(key, block), ..] = same
                && (*block != Block::Together || same.len() >= EXAMPLES_OF_PAIR_MIN)
            {
                features.keys.push(*key);
                features.idf.push(idf(same.len()));
            }
        }
        features
    }

    pub(super) fn knows_none(&self, found: &[(u64, Block)]) -> bool {
        found
            .iter()
            .all(|(key, _)| self.keys.binary_search(key).is_err())
    }

    /// Log-scaled counts times rarity; each block brought to its length.
    pub(super) fn row(&self, found: &[(u64, Block)]) -> Row {
        let mut known: Vec<(u32, Block)> = Vec::with_capacity(found.len());
        let mut squares = [0.0_f32; BLOCKS];
        let unknown = UNKNOWN_SHARE * self.idf_of_unknown * self.idf_of_unknown;
        for (key, block) in found {
            match self.keys.binary_search(key) {
                Ok(at) => known.push((at as u32, *block)),
                Err(_) => add(&mut squares, *block, unknown),
            }
        }
        known.sort_unstable();
        let mut row: Vec<(u32, f32, Block)> = Vec::with_capacity(known.len());
        for same in known.chunk_by(|a, b| a.0 == b.0) {
            if let [(feature, block), ..] = same {
                let idf = self.idf.get(*feature as usize).copied().unwrap_or(0.0);
                let value = (1.0 + (same.len() as f32).ln()) * idf;
                add(&mut squares, *block, value * value);
                row.push((*feature, value, *block));
            }
        }
        row.into_iter()
            .map(|(feature, value, block)| {
                let square = squares.get(block as usize).copied().unwrap_or_default();
                let length = square.sqrt().max(f32::MIN_POSITIVE);
                let weight = BLOCK_LENGTH.get(block as usize).copied().unwrap_or(1.0);
                (feature, value * weight / length)
            })
            .collect()
    }
}

/// The weights that tell the classes of the texts apart.
pub(super) fn fit(texts: &[&Text], classes: usize) -> (Features, Vec<f32>) {
    let features = Features::of(texts);
    let rows: Vec<(Row, usize)> = texts
        .iter()
        .map(|(found, class)| (features.row(found), *class))
        .collect();
    let mut examples = vec![0_usize; classes];
    for (_, class) in &rows {
        if let Some(count) = examples.get_mut(*class) {
            *count += 1;
        }
    }
    let even = rows.len() as f32 / classes.max(1) as f32;
    let ridges: Vec<f32> = examples
        .iter()
        .map(|count| {
            let rarity = (even / (*count).max(1) as f32).powf(RARE_INTENT_POWER);
            0.5 / (COST * rarity)
        })
        .collect();
    let mut weights = vec![0.0_f32; (features.keys.len() + 1) * classes];
    for (group, own_ridges) in ridges.chunks(GROUP).enumerate() {
        let first = group * GROUP;
        let learned = learn(&rows, features.keys.len(), first, own_ridges);
        for (all, own) in weights.chunks_mut(classes).zip(&learned) {
            for (weight, own) in all.iter_mut().skip(first).zip(own) {
                *weight = *own;
            }
        }
    }
    (features, weights)
}

/// The weights of a group of machines, of which `first` is the number of the first one's class: a row a feature and a
/// last one for the bias. `ridges` are those of the examples of each one's own class.
fn learn(
    rows: &[(Row, usize)],
    features: usize,
    first: usize,
    ridges: &[f32],
) -> Vec<[f32; GROUP]> {
    let mut weights = vec![[0.0_f32; GROUP]; features + 1];
    let mut duals = vec![[0.0_f32; GROUP]; rows.len()];
    // The pass at which an example is looked at again.
    let mut due = vec![0_usize; rows.len()];
    let squares: Vec<f32> = rows
        .iter()
        .map(|(row, _)| row.iter().map(|(_, v)| v * v).sum::<f32>() + 1.0)
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut state = 1_u64;
    let ridge_of_others = 0.5 / COST;
    for pass in 0..PASSES_MAX {
        shuffle(&mut order, &mut state);
        let mut change = 0.0;
        for &at in &order {
            let (Some((row, class)), Some(own), Some(due), Some(square)) = (
                rows.get(at),
                duals.get_mut(at),
                due.get_mut(at),
                squares.get(at),
            ) else {
                continue;
            };
            if *due > pass {
                continue;
            }
            let mut scores = weights.last().copied().unwrap_or([0.0; GROUP]);
            for (feature, value) in row {
                if let Some(weights) = weights.get(*feature as usize) {
                    for (score, weight) in scores.iter_mut().zip(weights) {
                        *score += weight * value;
                    }
                }
            }
            let mut steps = [0.0_f32; GROUP];
            let mut moved = 0.0;
            for (k, ((dual, step), (score, ridge))) in own
                .iter_mut()
                .zip(&mut steps)
                .zip(scores.iter().zip(ridges))
                .enumerate()
            {
                let (side, ridge) = if first + k == *class {
                    (1.0, *ridge)
                } else {
                    (-1.0, ridge_of_others)
                };
                let gradient = side * score - 1.0 + ridge * *dual;
                let next = (*dual - gradient / (square + ridge)).max(0.0);
                *step = (next - *dual) * side;
                *dual = next;
                moved += step.abs();
            }
            if moved == 0.0 {
                *due = pass + REST_PASSES;
                continue;
            }
            change += moved;
            for (feature, value) in row.iter().copied().chain([(features as u32, 1.0)]) {
                if let Some(weights) = weights.get_mut(feature as usize) {
                    for (weight, step) in weights.iter_mut().zip(&steps) {
                        *weight += step * value;
                    }
                }
            }
        }
        if change < CHANGE_MIN * (rows.len() * ridges.len()) as f32 {
            break;
        }
    }
    weights
}

pub(super) fn margins(weights: &[f32], row: &Row, classes: usize) -> Vec<f32> {
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

/// Fisher–Yates by a fixed congruential sequence.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for at in (1..order.len()).rev() {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (*state >> 33) as usize % (at + 1));
    }
}
