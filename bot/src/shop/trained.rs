//! Classifiers already trained in this process, so that the same examples are learned once.

use dialogs::nlu::{Classifier, TrainingSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Classifiers kept; the least recently used one goes.
const KEPT_MAX: usize = 4;

static KEPT: Mutex<Vec<(TrainingSet, Arc<Classifier>)>> = Mutex::new(Vec::new());

pub(super) fn of(examples: &TrainingSet) -> Arc<Classifier> {
    // Held while training: whoever wants the same one waits for it instead of training too.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept.iter().position(|(own, _)| own == examples);
    let entry = match known {
        Some(at) => kept.remove(at),
        None => (examples.clone(), Arc::new(Classifier::train(examples))),
    };
    let classifier = Arc::clone(&entry.1);
    kept.insert(0, entry);
    kept.truncate(KEPT_MAX);
    classifier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_examples_are_learned_once() {
        let mut examples = TrainingSet::default();
        for (name, text) in [("greet", "hello"), ("goodbye", "bye")] {
            examples
                .intents
                .insert(name.to_owned(), vec![text.to_owned()]);
        }
        assert!(Arc::ptr_eq(&of(&examples), &of(&examples)));
        let first = of(&examples);
        examples
            .intents
            .insert("thank".to_owned(), vec!["thanks".to_owned()]);
        assert!(!Arc::ptr_eq(&first, &of(&examples)));
    }
}
