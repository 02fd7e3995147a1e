//! The report of a class says what the grades say, to everybody, and carries nobody's markup. `report_page.rs` looks at it in a
//! browser.

#[path = "report/class.rs"]
mod class;
#[path = "report/colours.rs"]
mod colours;
#[path = "report/command.rs"]
mod command;
#[path = "report/numbers.rs"]
mod numbers;
#[path = "report/reading.rs"]
mod reading;
#[path = "report/recount.rs"]
mod recount;
#[path = "report/safe.rs"]
mod safe;
#[path = "report/tables.rs"]
mod tables;

#[test]
fn the_page_of_a_small_class_is_as_it_was_reviewed() {
    let page = latchstring_course::report::page(&class::small());
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    // The style and its hash have their own tests. A line for each element reads better than one line.
    let page = format!("{before}{after}").replace("><", ">\n<");
    let hash = regex::Regex::new("sha256-[^']*").unwrap();
    insta::assert_snapshot!(hash.replace(&page, "HASH"));
    for file in latchstring_course::report::files(&class::small()) {
        insta::assert_snapshot!(file.name, file.text.replace('\r', ""));
    }
}
