//! Strangers' text stays text, the page needs nothing from elsewhere, and it is well made for those who do not see it.

use latchstring_course::{
    grades::{Grades, Item, Lab, LabResult, Remark, RemarkKind, Student, UngradedFile},
    points::Points,
    report::{files, page},
    roster::{Id, Person},
    table::Table,
};

use crate::{
    class,
    reading::{all, text},
};

const SCRIPT: &str = "<script>alert(1)</script>";
const TURNED: &str = "Anna \u{202e}retsuM";
const FORMULA: &str = "=HYPERLINK(\"http://x.example\")";

/// A class in which every text that is not checked elsewhere is this one.
fn hostile(text: &str) -> Grades {
    let person = Person {
        id: Id::try_from("bob".to_owned()).unwrap(),
        name: text.to_owned(),
        email: text.to_owned(),
        login: text.to_owned(),
        sis: text.to_owned(),
        number: text.to_owned(),
        section: text.to_owned(),
    };
    let item = Item {
        id: text.to_owned(),
        title: text.to_owned(),
        points: Points::default(),
        of: Points::whole(3),
        passed: false,
        not_graded: false,
        message: text.to_owned(),
    };
    let open = Item {
        id: format!("{text}2"),
        of: Points::default(),
        not_graded: true,
        ..item.clone()
    };
    let remark = |kind| Remark {
        kind,
        sentence: text.to_owned(),
    };
    let result = LabResult {
        lab: text.to_owned(),
        submitted: None,
        late_minutes: 1,
        hints: u32::MAX,
        minutes: Some(u32::MAX),
        items: vec![item, open],
        remarks: vec![remark(RemarkKind::Altered), remark(RemarkKind::Late)],
    };
    let lab = Lab {
        id: text.to_owned(),
        title: text.to_owned(),
        of: Points::whole(3),
    };
    let mut header = class::header();
    header.course = text.to_owned();
    header.term = text.to_owned();
    header.versions = [(text.to_owned(), text.to_owned())].into();
    let absent = Student {
        person: Person {
            id: Id::try_from("zoe".to_owned()).unwrap(),
            section: String::new(),
            ..person.clone()
        },
        results: vec![],
    };
    let bob = Student {
        person,
        results: vec![result],
    };
    let file = UngradedFile {
        path: text.to_owned(),
        kind: RemarkKind::Other,
        why: text.to_owned(),
        time: header.graded.clone(),
    };
    let grades = Grades::new(header, vec![lab], vec![bob, absent]).unwrap();
    grades.with_files(vec![file])
}

#[test]
fn a_text_with_markup_is_shown_and_never_read_as_markup() {
    for hostile_text in [
        SCRIPT,
        "\"><img src=x onerror=alert(1)>",
        "</title></style></svg><script>",
        "' onmouseover='alert(1)",
        "<!--",
        "]]>",
    ] {
        let page = page(&hostile(hostile_text));
        let plain = page_of_plain_text();
        let tags = |page: &str| all(page, "<([a-z!/][a-z0-9]*)");
        assert_eq!(tags(&page), tags(&plain), "{hostile_text}");
        assert!(text(&page).contains(hostile_text), "{hostile_text}");
        assert!(!page.contains(SCRIPT) && !page.contains("<img"));
    }
}

/// The same class with a harmless text has the same markup.
fn page_of_plain_text() -> String {
    page(&hostile("x"))
}

#[test]
fn what_turns_text_around_is_written_out() {
    let page = page(&hostile(TURNED));
    assert!(page.contains("Anna \\u{202e}retsuM"));
    for hidden in ['\u{202e}', '\u{0}', '\u{feff}'] {
        assert!(!page.contains(hidden), "{hidden:?}");
    }
}

#[test]
fn no_cell_of_a_file_is_a_formula() {
    for hostile_text in [FORMULA, "+1", "@SUM(A1)", " -1", "a,=1+1", "\t=1"] {
        for file in files(&hostile(hostile_text)) {
            let table = Table::read(file.text.as_bytes()).unwrap();
            for cell in table.rows.iter().flat_map(|row| &row.cells) {
                assert!(
                    !cell.trim().starts_with(['=', '+', '-', '@']),
                    "{}: {cell:?}",
                    file.name
                );
            }
        }
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_the_policy_forbids_it() {
    let page = page(&class::class(100, 17));
    for outside in [
        "http:",
        "https:",
        "src=",
        "@import",
        "url(",
        "<script",
        "<link",
        " style=\"",
        " on",
    ] {
        let found = page.find(outside).map(|at| &page[at..at + 40]);
        // "on" begins an attribute of an event only in a tag.
        let tag = outside != " on"
            || page
                .split('<')
                .any(|tag| tag.split('>').next().unwrap().contains(" on"));
        assert!(found.is_none() || !tag, "{outside}: {found:?}");
    }
    let policy = all(&page, "Content-Security-Policy\" content=\"([^\"]*)\"");
    let parts: Vec<&str> = policy[0].split("; ").collect();
    assert_eq!(parts[0], "default-src 'none'");
    assert!(parts[1].starts_with("style-src 'sha256-") && parts[1].split(' ').count() == 2);
    assert_eq!(parts[2..], ["base-uri 'none'", "form-action 'none'"]);
}

#[test]
fn every_link_has_a_target_and_every_id_is_there_once() {
    for students in [0, 1, 3, 100] {
        let page = page(&class::class(students, 17));
        let mut ids = all(&page, " id=\"([^\"]*)\"");
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "an id is there twice");
        for pattern in [
            "href=\"#([^\"]*)\"",
            "aria-labelledby=\"([^\"]*)\"",
            "aria-describedby=\"([^\"]*)\"",
        ] {
            for target in all(&page, pattern) {
                assert!(ids.binary_search(&target).is_ok(), "{target}");
            }
        }
    }
}

#[test]
fn headings_are_in_order_and_every_picture_has_words() {
    for students in [0, 3] {
        let page = page(&class::class(students, 17));
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        let levels = all(&page, "<h([1-6])[ >]");
        let levels: Vec<u8> = levels.iter().map(|level| level.parse().unwrap()).collect();
        assert_eq!(levels[0], 1);
        assert!(
            levels
                .windows(2)
                .all(|pair| pair[1] > 1 && pair[1] <= pair[0] + 1),
            "{levels:?}"
        );
        for picture in page.split("<svg").skip(1) {
            let tag = picture.split('>').next().unwrap();
            let words = picture.contains("</title><desc");
            assert!(tag.contains("aria-hidden=\"true\"") || words, "{tag}");
        }
        assert!(page.contains(":focus-visible") && page.contains("@media print"));
    }
}

#[test]
fn equal_grades_are_equal_pages_and_a_large_class_is_no_large_page() {
    let grades = class::class(500, 17);
    let began = std::time::Instant::now();
    let one = page(&grades);
    let took = began.elapsed();
    assert_eq!(one, page(&grades));
    assert_eq!(files(&grades), files(&grades));
    assert!(one.len() < 4_000_000, "{} bytes", one.len());
    // Without optimisation, on a machine that has other things to do.
    assert!(took.as_secs() < 5, "{took:?}");
}
