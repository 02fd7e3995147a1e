//! JUnit XML, which most systems for continuous integration show.
//!
//! There are several schemas. The files keep to the strictest one, of Ant's task (windyroad/JUnit-Schema, `JUnit.xsd`), which
//! Jenkins' (`junit-10.xsd`, jenkinsci/xunit-plugin) accepts as well. It wants a time for each test. The items of a lab are not timed
//! one by one, so it is 0.

use std::fmt::Write as _;

use super::text::{about, one_line, plain};
use crate::grades::{Item, Lab, LabResult, Sheet};

/// Writes a test suite for each lab of each student. Students have their ids there, and no names.
pub fn write(sheets: &[Sheet<'_>]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let mut number = 0_usize;
    for sheet in sheets {
        for (lab, result) in &sheet.labs {
            suite(&mut xml, number, sheet, lab, *result);
            number += 1;
        }
    }
    xml + "</testsuites>\n"
}

fn suite(
    xml: &mut String,
    number: usize,
    sheet: &Sheet<'_>,
    lab: &Lab,
    result: Option<&LabResult>,
) {
    let items = result.map_or(&[][..], |result| &result.items);
    let open = items.iter().filter(|item| item.not_graded).count();
    let failures = items.iter().filter(|item| !item.passed).count() - open;
    let absent = usize::from(result.is_none());
    let skipped = absent + open;
    let (tests, student) = (items.len() + absent, sheet.student.person.id.as_str());
    let class = attribute(&format!("{student}.{}", lab.id));
    let when = result
        .and_then(|one| one.submitted.as_ref())
        .unwrap_or(&sheet.header.graded);
    // Writing to a string cannot fail.
    let _ = writeln!(
        xml,
        "  <testsuite id=\"{number}\" package=\"{student}\" name=\"{}\" timestamp=\"{}\" hostname=\"localhost\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"0\">",
        attribute(&lab.id),
        when.without_zone(),
    );
    properties(xml, sheet, lab, result);
    for item in items {
        case(xml, &class, item);
    }
    if result.is_none() {
        let _ = writeln!(
            xml,
            "    <testcase classname=\"{class}\" name=\"submission\" time=\"0\"><skipped/></testcase>"
        );
    }
    let about = about(lab, result).join("\n");
    let _ = writeln!(xml, "    <system-out>{}</system-out>", content(&about));
    xml.push_str("    <system-err></system-err>\n  </testsuite>\n");
}

fn properties(xml: &mut String, sheet: &Sheet<'_>, lab: &Lab, result: Option<&LabResult>) {
    let points = result.map(LabResult::points).unwrap_or_default();
    let known = [
        ("title", lab.title.clone()),
        ("points", points.to_string()),
        ("of", lab.of.to_string()),
        ("course", sheet.header.course.clone()),
        ("term", sheet.header.term.clone()),
    ];
    xml.push_str("    <properties>\n");
    for (name, value) in known {
        let value = attribute(&value);
        let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{value}\"/>");
    }
    xml.push_str("    </properties>\n");
}

fn case(xml: &mut String, class: &str, item: &Item) {
    let name = attribute(&one_line(&item.title));
    let case = format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
    let _ = match (item.passed, item.not_graded) {
        (true, _) => writeln!(xml, "{case}/>"),
        // The schema has no place for a reason there: `about` says it.
        (false, true) => writeln!(xml, "{case}><skipped/></testcase>"),
        (false, false) => writeln!(
            xml,
            "{case}>\n      <failure type=\"failed\" message=\"{} of {} points\">{}</failure>\n    </testcase>",
            item.points,
            item.of,
            content(&item.message)
        ),
    };
}

/// Text between tags. Characters that XML 1.0 does not have at all, not even escaped, are spaces.
fn content(text: &str) -> String {
    let text = plain(text).replace(['\u{fffe}', '\u{ffff}'], " ");
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text between quotes, with its line ends, which a reader would else take for spaces.
fn attribute(text: &str) -> String {
    content(text).replace('"', "&quot;").replace('\n', "&#10;")
}
