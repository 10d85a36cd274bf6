//! `eval intents`: the shop's own classifier, trained and measured on labelled rows.

use super::{Ended, IntentsArgs, decimals, print, rows, share};
use dialogs::nlu::{Classifier, OUT_OF_SCOPE, TrainingSet};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

/// How labelled data name what is out of scope.
const OUT: &str = "oos";
/// Bins of confidence.
const BINS: usize = 15;
const FORM: &str = r#"{"text": "where is my parcel", "label": "order_status"}"#;

#[derive(Deserialize)]
struct Row {
    text: String,
    label: String,
}

#[derive(Default)]
struct Count {
    right: usize,
    told: usize,
    meant: usize,
}

pub(super) fn run(args: &IntentsArgs) -> Ended {
    let began = Instant::now();
    let train: Vec<Row> = rows::read(&args.train, FORM)?;
    let test: Vec<Row> = rows::read(&args.test, FORM)?;
    let mut examples = TrainingSet::default();
    for row in &train {
        let list = examples.intents.entry(name(&row.label)).or_default();
        list.push(row.text.clone());
    }
    let training = Instant::now();
    let classifier = Classifier::train(&examples);
    let train_seconds = training.elapsed().as_secs_f64();

    let predicting = Instant::now();
    let told: Vec<(String, f64)> = test
        .iter()
        .map(|row| {
            let best = classifier
                .classify(&dialogs::text::fold(&row.text))
                .into_iter()
                .next();
            best.map_or((OUT_OF_SCOPE.to_owned(), 0.0), |i| (i.name, i.confidence))
        })
        .collect();
    let predict_seconds = predicting.elapsed().as_secs_f64();

    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut errors = Vec::new();
    for (row, (best, confidence)) in test.iter().zip(&told) {
        let meant = name(&row.label);
        counts.entry(meant.clone()).or_default().meant += 1;
        counts.entry(best.clone()).or_default().told += 1;
        if meant == *best {
            counts.entry(meant).or_default().right += 1;
        } else {
            let told = label(best);
            errors.push(json!({"text": row.text, "label": row.label, "told": told, "confidence": confidence}));
        }
    }
    let told_right = |at: usize| {
        told.get(at)
            .zip(test.get(at))
            .is_some_and(|((best, _), row)| *best == name(&row.label))
    };
    let calibration_error = calibration_error(
        told.iter()
            .enumerate()
            .filter(|(_, (best, _))| best != OUT_OF_SCOPE)
            .map(|(at, (_, confidence))| (*confidence, told_right(at))),
    );
    let none = Count::default();
    let out = counts.get(OUT_OF_SCOPE).unwrap_or(&none);
    let right: usize = counts.values().map(|count| count.right).sum();
    let meant: Vec<&Count> = counts.values().filter(|count| count.meant > 0).collect();
    let f1: f64 = meant
        .iter()
        .map(|c| 2.0 * c.right as f64 / (c.meant + c.told).max(1) as f64)
        .sum();
    print(
        &json!({
            "rows": test.len(),
            "train_rows": train.len(),
            "intents": examples.intents.len(),
            "accuracy": share(right, test.len()),
            "macro_f1": decimals(f1 / meant.len().max(1) as f64),
            "in_scope_accuracy": share(right - out.right, test.len() - out.meant),
            "oos_recall": share(out.right, out.meant),
            "oos_precision": share(out.right, out.told),
            "calibration_error": decimals(calibration_error),
            "train_seconds": decimals(train_seconds),
            "predictions_per_second": (test.len() as f64 / predict_seconds.max(1e-9)).round(),
            "seconds": decimals(began.elapsed().as_secs_f64()),
        }),
        args.json,
    );
    if let Some(file) = &args.errors {
        rows::write(file, &errors)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The mean distance between confidence and being right, over bins of equal width.
fn calibration_error(told: impl Iterator<Item = (f64, bool)>) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); BINS];
    let mut count = 0.0_f64;
    for (confidence, right) in told {
        count += 1.0;
        let at = ((confidence * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(at) {
            bin.0 += confidence;
            bin.1 += f64::from(u8::from(right));
        }
    }
    let off: f64 = bins.iter().map(|(told, right)| (told - right).abs()).sum();
    off / count.max(1.0)
}

fn name(label: &str) -> String {
    if label == OUT { OUT_OF_SCOPE } else { label }.to_owned()
}

fn label(name: &str) -> &str {
    if name == OUT_OF_SCOPE { OUT } else { name }
}
