//! The commands with which the program of a trial is built and run.

use super::{answers::Answers, catalogue::Trial, diagnosis::Trouble, language::Language};

/// The command that builds the program of a trial. A command of the student's own says that the program is built.
pub fn build_of<'a>(
    trial: &'a Trial,
    language: Option<&'a Language>,
    answers: &Answers,
) -> &'a [String] {
    match language {
        Some(language) if answers.command(trial).is_none() => trial.build_in(language),
        _ => &[],
    }
}

/// The command of a trial: the student's own, or that of the student's language.
///
/// # Errors
/// When there is none.
pub fn command_of(
    trial: &Trial,
    language: Option<&Language>,
    answers: &Answers,
) -> Result<Vec<String>, Trouble> {
    let of_language = language.and_then(|language| match trial.runs_the_labs_program() {
        true => Some(&language.run),
        false => trial.run.get(&language.id),
    });
    let own = answers.command(trial);
    own.or(of_language).cloned().ok_or_else(|| Trouble {
        found: format!(
            "this part has no start code in {}, and no command of yours",
            language.map_or("this language", |language| &language.id)
        ),
        next: Some(format!(
            "write it in any language, and say in answers.toml how to run it: run-{} = [...]",
            trial.id
        )),
        late: false,
    })
}
