//! JUnit XML, by `JUnit.xsd` of windyroad/JUnit-Schema, and what Jenkins' `junit-10.xsd` (jenkinsci/xunit-plugin) says
//! otherwise.

use latchstring_course::export::junit::write;

use crate::{
    class::{EVIDENCE, grades},
    xml::{Element, read},
};

/// An element: its attributes, those that may be missing, and its children in their order.
struct Rule {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        name: "testsuites",
        required: &[],
        optional: &[],
        children: &["testsuite"],
    },
    Rule {
        name: "testsuite",
        required: &[
            "package",
            "id",
            "name",
            "timestamp",
            "hostname",
            "tests",
            "failures",
            "errors",
            "time",
        ],
        optional: &["skipped"],
        children: &["properties", "testcase", "system-out", "system-err"],
    },
    Rule {
        name: "properties",
        required: &[],
        optional: &[],
        children: &["property"],
    },
    Rule {
        name: "property",
        required: &["name", "value"],
        optional: &[],
        children: &[],
    },
    Rule {
        name: "testcase",
        required: &["name", "classname", "time"],
        optional: &[],
        children: &["skipped", "error", "failure"],
    },
    Rule {
        name: "failure",
        required: &["type"],
        optional: &["message"],
        children: &[],
    },
    Rule {
        name: "skipped",
        required: &[],
        optional: &[],
        children: &[],
    },
    Rule {
        name: "system-out",
        required: &[],
        optional: &[],
        children: &[],
    },
    Rule {
        name: "system-err",
        required: &[],
        optional: &[],
        children: &[],
    },
];

fn refused(text: &str) -> Vec<String> {
    let root = match read(text) {
        Ok(root) => root,
        Err(error) => return vec![error],
    };
    let mut found = Vec::new();
    if root.name != "testsuites" {
        found.push("the root is no testsuites".to_owned());
    }
    shape(&root, &mut found);
    for (number, suite) in root.children.iter().enumerate() {
        counts(suite, number, &mut found);
    }
    found
}

fn shape(element: &Element, found: &mut Vec<String>) {
    let Some(rule) = RULES.iter().find(|rule| rule.name == element.name) else {
        return found.push(format!("no element is called {}", element.name));
    };
    let missing = rule
        .required
        .iter()
        .filter(|name| element.get(name).is_none());
    found.extend(missing.map(|name| format!("{} without {name}", rule.name)));
    let allowed = |name: &str| rule.required.contains(&name) || rule.optional.contains(&name);
    let more = element.attributes.iter().filter(|(name, _)| !allowed(name));
    found.extend(more.map(|(name, _)| format!("{} with {name}", rule.name)));
    // A sequence: each child at or behind the place of the one before.
    let places = element
        .children
        .iter()
        .map(|child| rule.children.iter().position(|name| *name == child.name));
    let places: Vec<Option<usize>> = places.collect();
    if places.contains(&None) || !places.is_sorted() {
        found.push(format!("the children of {}", rule.name));
    }
    let words = !element.text.trim().is_empty();
    let mixed = ["failure", "system-out", "system-err"].contains(&rule.name);
    found.extend((words && !mixed).then(|| format!("text in {}", rule.name)));
    element
        .children
        .iter()
        .for_each(|child| shape(child, found));
}

/// The counts of a suite are those of its cases, its id is its place, and its time is without a zone.
fn counts(suite: &Element, number: usize, found: &mut Vec<String>) {
    let cases: Vec<&Element> = suite
        .children
        .iter()
        .filter(|one| one.name == "testcase")
        .collect();
    let with = |name: &str| {
        let cases = cases
            .iter()
            .filter(|case| case.children.iter().any(|one| one.name == name));
        cases.count().to_string()
    };
    for (attribute, value) in [
        ("tests", cases.len().to_string()),
        ("failures", with("failure")),
        ("errors", with("error")),
        ("skipped", with("skipped")),
        ("id", number.to_string()),
    ] {
        let same = suite.get(attribute) == Some(&value);
        found.extend((!same).then(|| format!("{attribute} is not {value}")));
    }
    // ISO8601_DATETIME_PATTERN; "Timezone may not be specified".
    let timestamp = suite.get("timestamp").unwrap_or_default();
    let pattern = timestamp.len() == 19 && timestamp.as_bytes()[10] == b'T';
    found.extend((!pattern).then(|| format!("the timestamp {timestamp}")));
    // xs:token: no line ends, no spaces at the edge, no two in a row.
    let tokens = cases
        .iter()
        .flat_map(|case| [case.get("name"), case.get("classname")]);
    let tokens = tokens
        .flatten()
        .filter(|text| text.split_whitespace().collect::<Vec<_>>().join(" ") != **text);
    found.extend(tokens.map(|text| format!("no token: {text:?}")));
}

fn class() -> String {
    let grades = grades();
    let sheets = grades.students().iter().map(|one| one.person.id.as_str());
    let sheets: Vec<_> = sheets.map(|id| grades.sheet(id, &[]).unwrap()).collect();
    write(&sheets)
}

#[test]
fn the_results_of_a_class_keep_to_the_schema() {
    let xml = class();
    assert_eq!(refused(&xml), Vec::<String>::new());
    assert!(!xml.contains(EVIDENCE) && !xml.contains("Muster"));
    assert_eq!(refused(&write(&[])), Vec::<String>::new());
    insta::assert_snapshot!("junit", xml);
}

#[test]
fn a_message_reads_back_with_its_lines_and_without_control_characters() {
    let root = read(&class()).unwrap();
    let bob = &root.children[2];
    let failure = &bob.children[1].children[0];
    assert_eq!(
        failure.text,
        "-1 < 2 && \"x\" ]]>  [31mred  \nsecond: line; </script>"
    );
    assert_eq!(bob.children[2].get("name"), Some("@SUM(A1:A9) & <b>"));
}

#[test]
fn a_file_that_breaks_a_rule_is_refused() {
    let good = class();
    for (from, to) in [
        ("tests=\"2\"", "tests=\"3\""),
        ("failures=\"0\"", "failures=\"1\""),
        ("skipped=\"1\"", "skipped=\"0\""),
        (" hostname=\"localhost\"", ""),
        (
            "timestamp=\"2026-11-20T08:30:00\"",
            "timestamp=\"2026-11-20T08:30:00Z\"",
        ),
        ("id=\"1\"", "id=\"7\""),
        ("<skipped/>", "<ignored/>"),
        ("type=\"failed\" ", ""),
        ("&amp;", "&"),
        (
            "    <system-err></system-err>\n",
            "    <system-err></system-err>\n<properties></properties>",
        ),
        ("name=\"one bit\"", "name=\"one  bit\""),
        ("</testsuites>", ""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(!refused(&bad).is_empty(), "{from}");
    }
}
