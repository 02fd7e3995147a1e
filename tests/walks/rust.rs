//! The steps of a student who writes in Rust: the program in Rust stands where the handout has the one in Python.

use super::*;

/// Each text between backticks, with the text that follows it, on one line.
fn quoted(handout: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = handout.split_whitespace().collect();
    let text = words.join(" ");
    let parts: Vec<&str> = text.split('`').collect();
    let pairs = parts[1..].chunks_exact(2);
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

/// The commands of a handout for its program in Rust: those of the steps with what it says to write in place of
/// `python3 NAME`, and those that it gives besides.
fn commands_in_rust(handout: &str, steps: &[String]) -> Vec<String> {
    let (_, after) = handout.split_once("--language rust`").unwrap_or_default();
    let (after, _) = after.split_once("\n## ").unwrap_or_default();
    let quoted = quoted(after);
    let mut commands = Vec::new();
    for (i, (text, follows)) in quoted.iter().enumerate() {
        if !text.starts_with("cargo run ") {
            continue;
        }
        let Some((python, _)) = quoted.get(i + 1).filter(|_| follows == " in place of ") else {
            commands.push(text.clone());
            continue;
        };
        let steps = steps
            .iter()
            .filter(|step| !waits(step) && !has_placeholder(step));
        let arguments = steps.filter_map(|step| step.strip_prefix(python.as_str()));
        commands.extend(arguments.map(|arguments| format!("{text}{arguments}")));
    }
    commands
}

#[test]
fn the_commands_for_a_program_in_rust_run_once_the_lab_is_solved() {
    let mut labs_in_rust = 0;
    for id in all_labs() {
        let lab = labs::find(labs::built_in().unwrap(), &id).unwrap();
        let steps = Clone::handout(&id);
        let commands = commands_in_rust(lab.files.text("README.md").unwrap(), &steps);
        if commands.is_empty() {
            continue;
        }
        let clone = Clone::fresh();
        let start = format!(
            "{} --language rust",
            steps[at(&steps, "latchstring lab start")]
        );
        printed(&clone.shell(&[clone_setup(), start]));
        let rust = lab.language(Some("rust")).unwrap();
        lab.lay_out("solution", rust, &clone.folder(&id)).unwrap();
        for command in commands {
            let cd = steps[at(&steps, "cd ")].clone();
            let shown = printed(&clone.shell(&[cd, command.clone()]));
            assert!(!shown.trim().is_empty(), "{id}: {command}");
        }
        labs_in_rust += 1;
    }
    assert!(labs_in_rust >= 10, "{labs_in_rust}");
}
