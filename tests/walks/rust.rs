//! The steps of a student who writes in Rust: the program in Rust stands where the handout has the one in Python.

use super::*;

/// The commands of a handout for its program in Rust: those of the steps, and those that it names besides.
fn commands_in_rust(handout: &str, steps: &[String]) -> Vec<String> {
    let program = handout.split("in place of `python3 ").nth(1);
    let Some(program) = program.and_then(|rest| rest.split('`').next()) else {
        return Vec::new();
    };
    let python = format!("python3 {program} ");
    let of_steps = steps
        .iter()
        .filter(|step| !waits(step) && !has_placeholder(step));
    let of_steps = of_steps.filter_map(|step| step.strip_prefix(&python));
    let named = handout.split("`cargo run --quiet -- ").skip(1);
    let named = named.filter_map(|rest| rest.split('`').next());
    let arguments = of_steps.chain(named);
    arguments
        .map(|arguments| format!("cargo run --quiet -- {arguments}"))
        .collect()
}

#[test]
fn the_commands_for_a_program_in_rust_run_once_the_lab_is_solved() {
    let mut labs_in_rust = 0;
    for id in all_labs() {
        let lab = labs::find(labs::built_in().unwrap(), &id).unwrap();
        let steps = Clone::handout(&id);
        let commands = commands_in_rust(&lab.files.text("README.md").unwrap(), &steps);
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
    assert!(labs_in_rust >= 5, "{labs_in_rust}");
}
