//! The files of comma-separated values have the numbers of the grades.

use latchstring_course::{
    grades::Grades,
    points::Points,
    report::{files, page},
    table::Table,
};

use crate::class::small;
use crate::recount::{classes, decimal, items, late, of, percentile, quantities, results, total};

#[test]
fn the_files_have_the_same_numbers() {
    for grades in classes() {
        let [students, checks, labs, not_graded] = files(&grades).map(|file| {
            let table = Table::read(file.text.as_bytes()).unwrap();
            table
                .rows
                .into_iter()
                .map(|row| row.cells)
                .collect::<Vec<_>>()
        });
        assert_eq!(not_graded.len(), 1, "all of it was graded");
        let text = |parts: &[&str]| {
            parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>()
        };
        let ids: Vec<&str> = grades.labs().iter().map(|lab| lab.id.as_str()).collect();
        let head = [&["id", "name", "section"][..], &ids, &["total", "of"]].concat();
        assert_eq!(students[0], text(&head));
        assert_eq!(students.len() - 1, grades.students().len());
        for (row, student) in students[1..].iter().zip(grades.students()) {
            let person = &student.person;
            let points = ids.iter().map(|lab| student.result(lab));
            let points =
                points.map(|one| one.map_or(String::new(), |one| one.points().to_string()));
            let mut wanted = text(&[person.id.as_str(), &person.name, &person.section]);
            wanted.extend(points);
            let sums = [total(student), of(&grades)];
            wanted.extend(sums.map(|sum| Points::hundredths(sum).to_string()));
            assert_eq!(row, &wanted);
        }
        assert_eq!(checks[0], text(&["lab", "item", "title", "passed", "of"]));
        let mut found = checks[1..].to_vec();
        found.sort();
        let wanted = items(&grades)
            .into_iter()
            .map(|((lab, item), (title, passed, tried))| {
                vec![lab, item, title, passed.to_string(), tried.to_string()]
            });
        assert_eq!(found, wanted.collect::<Vec<_>>());
        let head = [
            "lab",
            "handed in",
            "median points",
            "median minutes",
            "median hints",
            "late",
        ];
        assert_eq!(labs[0], text(&head));
        for (row, lab) in labs[1..].iter().zip(grades.labs()) {
            let results = results(&grades, lab);
            let points = results
                .iter()
                .map(|one| f64::from(one.points().as_hundredths()) / 100.0);
            let [minutes, hints] = quantities(&grades, lab);
            let median = |values: Vec<f64>| match values.is_empty() {
                true => String::new(),
                false => decimal(percentile(&values, 0.5)),
            };
            let late = results.iter().filter(|one| late(one)).count();
            assert_eq!(
                row,
                &[
                    lab.id.clone(),
                    results.len().to_string(),
                    median(points.collect()),
                    median(minutes),
                    median(hints),
                    late.to_string()
                ]
            );
        }
    }
}

#[test]
fn what_was_not_graded_is_no_number_and_counts_as_no_failure() {
    let before = small();
    let mut students = before.students().to_vec();
    let item = &mut students[0].results[0].items[1];
    (item.not_graded, item.passed, item.points) = (true, false, Points::default());
    item.message = "the machine lacks something".to_owned();
    let grades = Grades::new(before.header().clone(), before.labs().to_vec(), students);
    let grades = grades.unwrap();
    let [students, checks, _, not_graded] = files(&grades).map(|file| file.text);
    let line = students.lines().nth(1).unwrap();
    assert!(line.ends_with(",,0,,10"), "{line}");
    let tried = checks
        .lines()
        .find(|line| line.starts_with("01-lab,log-in"));
    assert!(tried.unwrap().ends_with(",0,1"), "one of two: {checks}");
    let lines: Vec<&str> = not_graded.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].ends_with(",01-lab,log-in,,,the machine lacks something"));
    let (page, before) = (page(&grades), page(&before));
    assert!(page.contains("Parts that were not tried (1)") && page.contains("so far"));
    assert!(!before.contains("id=\"open\"") && !before.contains("so far"));
    // Points for what was not tried are refused.
    let invented = grades.to_json().replacen(
        "\"passed\": false,\n              \"not_graded\"",
        "\"passed\": true,\n              \"not_graded\"",
        1,
    );
    let error = Grades::from_json(&invented).unwrap_err().to_string();
    assert!(error.contains("was not graded, and has passed"), "{error}");
}
