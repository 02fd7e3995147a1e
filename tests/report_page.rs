//! The report of a class in a browser: on a screen and on a phone, light and dark.
//!
//! Chromium shows the page in frames of exactly these widths; its own window has a least width. A script around the frames
//! measures them (`report/probe.js`). The page itself stays as it is, with its own policy.
//!
//! ```sh
//! cargo test --workspace --test report_page
//! ```

use std::{
    fs,
    process::{Command, Stdio},
};

use latchstring_course::report::page;
use serde_json::Value;

#[path = "report/class.rs"]
mod class;

const PROBE: &str = include_str!("report/probe.js");
/// A screen, and a phone.
const WIDTHS: [u64; 2] = [1400, 390];

/// What was measured in one frame, and each line that the browser wrote to its console.
struct Looked {
    frames: Vec<Value>,
    console: Vec<String>,
}

/// Shows a page in all widths, in one palette. All tables are measured, those behind a summary too.
fn look(page: &str, dark: bool) -> Looked {
    let folder = tempfile::tempdir().unwrap();
    let around = folder.path().join("around.html");
    fs::write(&around, frames(page)).unwrap();
    let palette = if dark { 0 } else { 1 };
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--window-size=1500,1000",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ])
        .arg(format!("--blink-settings=preferredColorScheme={palette}"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(&around)
        .stdin(Stdio::null())
        .output()
        .expect("Chromium is not installed, and this test looks at a page in it: apt-get install chromium");
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = String::from_utf8_lossy(&output.stdout);
    let found = shown.split_once("<pre id=\"found\">").map(|(_, rest)| rest);
    let found = found.and_then(|rest| Some(rest.split_once("</pre>")?.0));
    let found = found.unwrap_or_else(|| panic!("Chromium showed nothing: {said}"));
    let found = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    Looked {
        frames: serde_json::from_str(&found).unwrap(),
        console: said
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .map(str::to_owned)
            .collect(),
    }
}

/// A page around the page: a frame of each width, and the script.
fn frames(page: &str) -> String {
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let frames = WIDTHS.map(|width| {
        format!("<iframe style=\"width:{width}px;height:900px;border:0;color-scheme:light dark\" srcdoc=\"{page}\"></iframe>")
    });
    format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <body style=\"margin:0\">{}<script>{PROBE}</script>",
        frames.concat()
    )
}

/// What is wrong with a page in one palette, in words.
fn faults(page: &str, dark: bool) -> Vec<String> {
    let looked = look(page, dark);
    let mut faults = looked.console;
    let states: Vec<(u64, bool)> = (looked.frames.iter())
        .map(|frame| {
            (
                frame["width"].as_u64().unwrap(),
                frame["open"].as_bool().unwrap(),
            )
        })
        .collect();
    let wanted = WIDTHS
        .into_iter()
        .flat_map(|width| [(width, false), (width, true)]);
    assert_eq!(states, wanted.collect::<Vec<_>>());
    for frame in &looked.frames {
        let at = format!("{} px, dark: {dark}", frame["width"]);
        assert_eq!(frame["dark"], dark, "the browser shows the other palette");
        assert!(frame["texts"].as_u64().unwrap() > 20, "{frame}");
        if frame["scrolls"].as_u64() > frame["width"].as_u64() {
            faults.push(format!("{at}: scrolls sideways, {} px", frame["scrolls"]));
        }
        for kind in ["small", "faint", "out"] {
            let texts = frame[kind].as_array().unwrap();
            faults.extend(texts.iter().map(|text| format!("{at}: {kind}: {text}")));
        }
        if frame["touching"] != 0 {
            faults.push(format!(
                "{at}: {} numbers touch each other",
                frame["touching"]
            ));
        }
    }
    let papers: Vec<&Value> = looked.frames.iter().map(|frame| &frame["paper"]).collect();
    let expected = if dark {
        "rgb(23, 24, 27)"
    } else {
        "rgb(255, 255, 255)"
    };
    assert!(papers.iter().all(|paper| **paper == expected), "{papers:?}");
    faults
}

#[test]
fn every_class_can_be_read_on_a_screen_and_on_a_phone_in_both_palettes() {
    for (students, labs) in [(0, 17), (1, 1), (3, 17), (100, 17)] {
        let page = page(&class::class(students, labs));
        for dark in [false, true] {
            let found = faults(&page, dark);
            assert!(found.is_empty(), "{students} students: {found:#?}");
        }
    }
}

#[test]
fn a_page_of_long_words_does_not_scroll_sideways() {
    let text = class::class(3, 2)
        .to_json()
        .replace("Muster, Anna", &"Wolfeschlegelstein".repeat(9));
    let text = text.replace("First contact", &"Donaudampfschiff".repeat(9));
    let text = text.replace(
        "\"session key\"",
        &format!("{:?}", "unbreakable".repeat(20)),
    );
    let grades = latchstring_course::grades::Grades::from_json(&text).unwrap();
    let found = faults(&page(&grades), false);
    assert!(found.is_empty(), "{found:#?}");
}

/// The page with a change that its policy allows no longer, so without the policy.
fn changed(from: &str, to: &str) -> String {
    let page = page(&class::small());
    assert!(page.contains(from), "{from}");
    page.replace("http-equiv=\"Content-Security-Policy\"", "name=\"x\"")
        .replace(from, to)
}

#[test]
fn each_fault_of_a_page_is_found() {
    for (from, to, said) in [
        (
            "<main>",
            "<main><div style=\"width:1500px\">wide</div>",
            "scrolls sideways",
        ),
        (
            ".legend { font-size: 13px; }",
            ".legend { font-size: 10px; }",
            "small: \"passed\"",
        ),
        (
            "--faint: #5d6068",
            "--faint: #9a9a9a",
            "faint: \"students\"",
        ),
        (
            "<main>",
            "<main><script>console.log(\"hello\")</script>",
            "hello",
        ),
        (
            ".picture text {",
            ".picture text { letter-spacing: 20px;",
            "touch each other",
        ),
        (
            ".grid .word,",
            ".grid .word { position: relative; left: 99px } .grid .word,",
            "out: \"none passed\"",
        ),
    ] {
        let found = faults(&changed(from, to), false);
        assert!(
            found.iter().any(|fault| fault.contains(said)),
            "{said}: {found:#?}"
        );
    }
    assert_eq!(
        faults(&changed("<main>", "<main>"), false),
        Vec::<String>::new()
    );
    // The policy alone: the browser refuses a style of an element, and a script.
    for foreign in [
        "<p style=\"color:red\">x</p>",
        "<script>console.log(1)</script>",
    ] {
        let page = page(&class::small()).replace("<main>", &format!("<main>{foreign}"));
        let found = faults(&page, false);
        assert!(
            found
                .iter()
                .any(|fault| fault.contains("Content Security Policy")),
            "{found:#?}"
        );
    }
}
