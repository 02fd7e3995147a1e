//! What a prediction is held against, for one student and another.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use latchstring_classroom::instance::Instance;

use super::*;

/// The results that the predictions of a lab have for some students, by question.
async fn results(lab: &Lab, seeds: Range<u64>) -> BTreeMap<&str, BTreeSet<String>> {
    let mut results: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let questions = lab.questions.iter();
    // The others have a result only when the student's program has run.
    let known: Vec<_> = questions
        .filter(|question| question.kind == Answer::Predict && question.trial.is_none())
        .collect();
    for seed in seeds {
        let instance = Instance::make(&lab.scene, &Seed::chosen(seed)).await;
        let facts = instance.unwrap().facts;
        for question in &known {
            let result = facts.fill(&question.answer).unwrap();
            let offered = question.options.iter().any(|option| option.value == result);
            assert!(offered, "{}, {}: {result:?}", lab.id, question.id);
            results.entry(&question.id).or_default().insert(result);
        }
    }
    results
}

#[tokio::test]
async fn a_result_is_one_of_the_options_and_differs_where_the_scene_decides() {
    for lab in all_labs() {
        results(&lab, 0..1).await;
    }
    for (number, question) in [
        ("08", "signed-by-a-stranger"),
        ("12", "salt"),
        ("13", "which-answer"),
        ("14", "with-a-deadline"),
        ("16", "silent-strangers"),
    ] {
        let lab = lab(number);
        let results = &results(&lab, 0..10).await[question];
        assert!(results.len() >= 2, "{number}, {question}: {results:?}");
    }
}
