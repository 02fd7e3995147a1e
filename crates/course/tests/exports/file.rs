//! `grades.json` itself: a change of it that an older program would misread needs another format number.

use latchstring_course::grades::{FORMAT, Grades};

use crate::class::grades;

#[test]
fn the_file_of_format_1_stays_as_it_is() {
    assert_eq!(
        FORMAT, 1,
        "keep the snapshot of format 1, and add one for this format"
    );
    let text = grades().to_json();
    assert_eq!(Grades::from_json(&text).unwrap(), grades());
    insta::assert_snapshot!("grades", text);
}
