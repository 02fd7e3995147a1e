//! Every number in the page, counted once more from the grades.

use std::collections::BTreeMap;

use latchstring_course::{
    grades::{Grades, LabResult, RemarkKind, Student},
    points::Points,
    report::page,
};

use crate::{
    class,
    reading::{all, section, table, text},
    recount::{
        classes, decimal, for_review, items, late, of, percentile, quantities, results, short,
        total, word,
    },
};

#[test]
fn the_table_of_students_has_the_points_of_each_student_in_each_lab() {
    for grades in classes().into_iter().skip(1) {
        let page = page(&grades);
        let rows = table(&page, "Points of each student in each lab");
        let head = rows[0].clone();
        let expected = grades.labs().iter().map(|lab| {
            let title = text(&lab.title);
            format!("{} {title} of {}", short(lab), lab.of)
        });
        let mut wanted = vec![
            "student".to_owned(),
            format!("total of {}", Points::hundredths(of(&grades))),
        ];
        wanted.extend(expected);
        assert_eq!(head, wanted);
        let (sections, found): (Vec<_>, Vec<_>) =
            rows.into_iter().skip(1).partition(|row| row.len() == 1);
        assert_eq!(found.len(), grades.students().len());
        assert_eq!(
            sections.len(),
            if grades.students().len() > 20 { 2 } else { 0 }
        );
        for student in grades.students() {
            let id = student.person.id.as_str();
            let row = found.iter().find(|row| row[0].contains(&format!(" {id}")));
            assert_eq!(row.unwrap()[1..], cells(&grades, student)[..], "{id}");
        }
    }
}

fn cells(grades: &Grades, student: &Student) -> Vec<String> {
    let mut cells = vec![Points::hundredths(total(student)).to_string()];
    for lab in grades.labs() {
        let result = student.result(&lab.id);
        let points = result.map(|one| format!("{} ", one.points()));
        let late = result.is_some_and(late);
        cells.push(format!(
            "{}{}{}",
            points.unwrap_or_default(),
            word(result),
            if late { " late" } else { "" }
        ));
    }
    cells
}

#[test]
fn every_bar_of_the_table_is_as_long_as_its_points() {
    let grades = class::class(40, 5);
    let page = page(&grades);
    let students = section(&page, "students");
    let found = all(students, "<rect class=\"fill\" width=\"([0-9.]+)%\"");
    let mut found: Vec<f64> = found.iter().map(|text| text.parse().unwrap()).collect();
    let mut wanted = Vec::new();
    for student in grades.students() {
        wanted.push(f64::from(total(student)) / f64::from(of(&grades)) * 100.0);
        let points = student.results.iter();
        wanted.extend(points.map(|one| one.points().part_of(one.of()) * 100.0));
    }
    found.sort_by(f64::total_cmp);
    wanted.sort_by(f64::total_cmp);
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((found - wanted).abs() < 0.011, "{found} {wanted}");
    }
}

#[test]
fn the_overview_counts_the_class() {
    for grades in classes() {
        let page = page(&grades);
        let all_results: Vec<&LabResult> = grades
            .students()
            .iter()
            .flat_map(|one| &one.results)
            .collect();
        let count =
            |wanted: fn(&LabResult) -> bool| all_results.iter().filter(|one| wanted(one)).count();
        let (students, labs) = (grades.students().len(), grades.labs().len());
        let without = grades
            .students()
            .iter()
            .filter(|one| one.results.is_empty());
        let without = without.count();
        let files = if all_results.len() == 1 {
            "file"
        } else {
            "files"
        };
        let facts = all(section(&page, "class"), "<dd>(.*?)</dd>");
        assert_eq!(
            facts,
            [
                format!("{students} {without} without a file"),
                format!("{labs} {} points in all", Points::hundredths(of(&grades))),
                format!(
                    "{} of {} possible files; {} late",
                    all_results.len(),
                    students * labs,
                    count(late)
                ),
                format!(
                    "{} of {} {files}",
                    count(|one| one.passed()),
                    all_results.len()
                ),
            ]
        );
        let filters = all(section(&page, "students"), "<label>(.*?)</label>");
        if students > 0 {
            let some_late = grades
                .students()
                .iter()
                .filter(|one| one.results.iter().any(late));
            let reviewed = grades.students().iter().filter(|one| for_review(one) > 0);
            assert_eq!(
                filters,
                [
                    format!("all students ({students})"),
                    format!("nothing handed in ({without})"),
                    format!("something late ({})", some_late.count()),
                    format!("remarks for review ({})", reviewed.count()),
                ]
            );
        }
    }
}

#[test]
fn the_totals_are_distributed_as_in_the_grades() {
    for grades in classes() {
        let page = page(&grades);
        let (with, without): (Vec<_>, Vec<_>) = grades
            .students()
            .iter()
            .partition(|one| !one.results.is_empty());
        if with.is_empty() {
            assert!(section(&page, "class").contains("no total is known"));
            continue;
        }
        let mut bins = [0; 10];
        for student in &with {
            let percent = u64::from(total(student)) * 100 / u64::from(of(&grades));
            bins[(percent / 10).min(9) as usize] += 1;
        }
        let rows = table(&page, "Number of students by their share of all points");
        let column: Vec<String> = rows[1..].iter().map(|row| row[1].clone()).collect();
        let counts = std::iter::once(without.len()).chain(bins);
        assert_eq!(
            column,
            counts.clone().map(|n| n.to_string()).collect::<Vec<_>>()
        );
        // In the picture, the number on top of each column that is there.
        let numbers = all(
            section(&page, "class"),
            "</rect><text [^>]*>([0-9]+)</text>",
        );
        let drawn = counts.filter(|n| *n > 0).map(|n| n.to_string());
        assert_eq!(numbers, drawn.collect::<Vec<_>>());
        let totals: Vec<f64> = with
            .iter()
            .map(|one| f64::from(total(one)) / 100.0)
            .collect();
        let said = text(section(&page, "class"));
        for wanted in [
            format!("have {} of", decimal(percentile(&totals, 0.5))),
            format!("The lowest total is {},", decimal(percentile(&totals, 0.0))),
            format!("the highest is {}.", decimal(percentile(&totals, 1.0))),
        ] {
            assert!(said.contains(&wanted), "{wanted}: {said}");
        }
    }
}

#[test]
fn each_lab_counts_its_states() {
    for grades in classes().into_iter().skip(1) {
        let page = page(&grades);
        let rows = table(&page, "Numbers of each lab");
        let pictures = all(section(&page, "labs"), "<p class=\"value\">(.*?)</p>");
        assert_eq!(
            (rows.len() - 1, pictures.len()),
            (grades.labs().len(), grades.labs().len())
        );
        for ((lab, row), picture) in grades.labs().iter().zip(&rows[1..]).zip(&pictures) {
            let students = grades
                .students()
                .iter()
                .map(|one| word(one.result(&lab.id)));
            let words: Vec<&str> = students.collect();
            let states = ["passed", "partly", "none passed", "no file"];
            let states =
                states.map(|word| (words.iter().filter(|one| **one == word).count(), word));
            let points: Vec<f64> = (results(&grades, lab).iter())
                .map(|one| f64::from(one.points().as_hundredths()) / 100.0)
                .collect();
            let median = match points.is_empty() {
                true => "–".to_owned(),
                false => decimal(percentile(&points, 0.5)),
            };
            let late = results(&grades, lab).iter().filter(|one| late(one)).count();
            let mut wanted = vec![lab.id.clone()];
            wanted.extend(states.map(|(count, _)| count.to_string()));
            wanted.extend([late.to_string(), median, lab.of.to_string()]);
            assert_eq!(row, &wanted);
            let mut said = states
                .map(|(count, word)| format!("{count} {word}"))
                .join(" ");
            if late > 0 {
                said.push_str(&format!(" {late} late"));
            }
            assert_eq!(picture, &said);
        }
    }
}

#[test]
fn questions_and_checks_are_counted_and_those_that_fail_most_come_first() {
    for grades in classes().into_iter().skip(1) {
        let page = page(&grades);
        let items = items(&grades);
        let mut rows = table(&page, "All questions and checks");
        let mut wanted: Vec<Vec<String>> = (items.iter())
            .map(|((lab, _), (title, passed, tried))| {
                let lab = lab.split('-').next().unwrap().to_owned();
                let counts = [*passed, tried - passed, *tried].map(|n| n.to_string());
                [vec![lab, text(title)], counts.to_vec()].concat()
            })
            .collect();
        rows.remove(0);
        rows.sort();
        wanted.sort();
        assert_eq!(rows, wanted);
        let pictures = all(section(&page, "checks"), "<p class=\"value\">(.*?)</p>");
        let mut failing: Vec<(usize, usize)> = items
            .values()
            .map(|(_, passed, tried)| (tried - passed, *tried))
            .filter(|(failed, _)| *failed > 0)
            .collect();
        // The largest share first; of equal shares, the larger number.
        failing.sort_by(|(a, m), (b, n)| (b * m).cmp(&(a * n)).then(b.cmp(a)));
        let wanted = failing.iter().take(15).map(|(failed, tried)| {
            let percent = (*failed as f64 / *tried as f64 * 100.0 + 1e-9).round();
            format!("{failed} of {tried} ({percent} %)")
        });
        assert_eq!(pictures, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn time_and_hints_are_those_of_the_files_that_say_them() {
    for grades in classes().into_iter().skip(1) {
        let page = page(&grades);
        let captions = ["Minutes of work of each lab", "Hints taken of each lab"];
        let tables = captions.map(|caption| table(&page, caption));
        for (n, lab) in grades.labs().iter().enumerate() {
            for (table, values) in tables.iter().zip(quantities(&grades, lab)) {
                let row = table[n + 1].clone();
                let handed_in = results(&grades, lab).len();
                let mut wanted = vec![lab.id.clone()];
                match values.is_empty() {
                    true => wanted.push("not known".to_owned()),
                    false => wanted.extend(
                        [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| decimal(percentile(&values, part))),
                    ),
                }
                wanted.extend([values.len(), handed_in].map(|n| n.to_string()));
                assert_eq!(row, wanted);
            }
        }
    }
}

#[test]
fn every_remark_is_there_with_its_student() {
    let grades = class::class(100, 17);
    let page = page(&grades);
    let remarks = text(section(&page, "remarks"));
    let mut kinds: BTreeMap<RemarkKind, usize> = BTreeMap::new();
    for student in grades.students() {
        for remark in student.results.iter().flat_map(|one| &one.remarks) {
            *kinds.entry(remark.kind).or_default() += 1;
            assert!(remarks.contains(&remark.sentence), "{}", remark.sentence);
            assert!(remarks.contains(student.person.id.as_str()));
        }
        let link = format!("<a href=\"#of-{}\">", student.person.id);
        let target = format!("id=\"of-{}\"", student.person.id);
        let expected = usize::from(for_review(student) > 0);
        assert_eq!(page.matches(&link).count(), expected);
        assert_eq!(page.matches(&target).count(), expected);
    }
    let headings = all(section(&page, "remarks"), "<h3>(.*?)</h3>");
    let mut counts: Vec<usize> = (headings.iter())
        .map(|one| {
            one.rsplit_once('(')
                .unwrap()
                .1
                .trim_end_matches(')')
                .parse()
                .unwrap()
        })
        .collect();
    let mut wanted: Vec<usize> = kinds.into_values().collect();
    counts.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(counts, wanted);
    for word in [
        "cheat",
        "plagiar",
        "fraud",
        "guilty",
        "copied from",
        "suspect",
        "dishonest",
    ] {
        assert!(!page.to_lowercase().contains(word), "{word}");
    }
}

#[test]
fn students_without_a_file_are_named() {
    for grades in classes() {
        let page = page(&grades);
        let named = all(section(&page, "without"), "<li>(.*?)</li>");
        let without = grades
            .students()
            .iter()
            .filter(|one| one.results.is_empty());
        let ids: Vec<&str> = without.map(|one| one.person.id.as_str()).collect();
        assert_eq!(named.len(), ids.len());
        for (named, id) in named.iter().zip(ids) {
            assert!(named.contains(id), "{named}");
        }
    }
}
