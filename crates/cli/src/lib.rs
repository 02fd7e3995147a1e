//! The common parts of every program's command line: the program's name in `--version`, help in 80 columns, and two
//! commands that no help text lists.
//!
//! * `PROGRAM completions SHELL` prints a completion script for bash, zsh, fish, elvish or PowerShell;
//! * `PROGRAM man DIR` writes the manual pages of the program and of each of its commands into a folder.
//!
//! And what is printed beside help: [`screen`] folds it to the terminal, [`suggest`] asks "did you mean"; [`beside`]
//! finds the project's other programs. [`whole`] writes the file that an option names.

pub mod beside;
pub mod screen;
pub mod suggest;
pub mod whole;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::exit,
};

use clap::{Arg, ArgMatches, Command, CommandFactory, Parser, value_parser};
use clap_complete::Shell;

/// Help is no wider than this, in characters. A narrow terminal makes the help narrower.
const WIDTH: usize = 80;

/// Clap's word before the line that shows how to use a command.
const USAGE: &str = "Usage: ";

const COMPLETIONS: &str = "completions";
const MAN: &str = "man";

/// Reads the command line of the program of this name, which is `env!("CARGO_BIN_NAME")` in its `main.rs`.
///
/// Does not return when the command line is wrong, asks for help, or asks for completions or manual pages.
pub fn parse<P: Parser>(program: &'static str) -> P {
    let mut command = command::<P>(program);
    let matches = (with_pages(command.clone()).try_get_matches())
        .unwrap_or_else(|instead| end(program, &instead));
    let done = match matches.subcommand() {
        Some((COMPLETIONS, given)) => print_completions(command, given),
        Some((MAN, given)) => write_manual(command, given),
        _ => {
            return P::from_arg_matches(&matches)
                .unwrap_or_else(|error| end(program, &error.format(&mut command)));
        }
    };
    match done {
        Ok(()) => exit(0),
        Err(why) => {
            // Nothing is left to do if the standard error is closed as well.
            let _ = writeln!(io::stderr(), "{program}: {why}");
            exit(1)
        }
    }
}

/// Prints the help, the version, or what is wrong with the command line, and ends the program. A help text that nobody
/// got is a failure: clap itself would exit with 0.
fn end(program: &str, instead: &clap::Error) -> ! {
    let code = match instead.print() {
        Ok(()) => instead.exit_code(),
        Err(why) => {
            let _ = writeln!(io::stderr(), "{program}: cannot print this help: {why}");
            instead.exit_code().max(1)
        }
    };
    exit(code)
}

/// A program's command line under its own name: the name of its package is another one.
pub fn command<P: CommandFactory>(program: &'static str) -> Command {
    let command = P::command()
        .name(program)
        .bin_name(program)
        .max_term_width(WIDTH);
    let mut built = command.clone();
    built.build();
    fold_usage(command, &built)
}

/// Folds the lines "Usage: ..." at words: clap folds all of a help text but these. `built` is the same command with the
/// names that clap gives to its commands.
fn fold_usage(mut command: Command, built: &Command) -> Command {
    for below in built.get_subcommands() {
        let name = below.get_name().to_owned();
        if command.find_subcommand(&name).is_some() {
            command = command.mut_subcommand(name, |command| fold_usage(command, below));
        }
    }
    let usage = built.clone().render_usage().to_string();
    let usage = usage.strip_prefix(USAGE).unwrap_or(&usage);
    if USAGE.len() + usage.len() <= WIDTH || usage.contains('\n') {
        return command;
    }
    let mut folded = String::new();
    let mut column = USAGE.len();
    for word in usage.split(' ') {
        if column + word.len() > WIDTH {
            folded.truncate(folded.trim_end().len());
            folded += &format!("\n{:1$}", "", USAGE.len() + 2);
            column = USAGE.len() + 2;
        }
        folded += word;
        folded.push(' ');
        column += word.len() + 1;
    }
    command.override_usage(folded.trim_end().to_owned())
}

/// The same with the two commands that no help text lists.
fn with_pages(command: Command) -> Command {
    let shell = Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(value_parser!(Shell))
        .help("The shell that completes");
    let folder = Arg::new("folder")
        .value_name("DIR")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The folder to write to; it is made if it does not exist");
    let name = command.get_name().to_owned();
    let completions = Command::new(COMPLETIONS)
        .hide(true)
        .about("Print the completion script for a shell")
        .after_help(format!(
            "Example, for bash:\n  source <({name} completions bash)"
        ))
        .arg(shell);
    let man = Command::new(MAN)
        .hide(true)
        .about("Write the manual pages of this program into a folder")
        .after_help(format!(
            "Example:\n  {name} man ~/.local/share/man/man1 && man {name}"
        ))
        .arg(folder);
    command.subcommand(completions).subcommand(man)
}

fn print_completions(mut command: Command, given: &ArgMatches) -> io::Result<()> {
    let shell = *given.get_one::<Shell>("shell").expect("clap requires it");
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)
        .and_then(|()| out.flush())
        .map_err(|why| io::Error::new(why.kind(), format!("cannot print the script: {why}")))
}

fn write_manual(command: Command, given: &ArgMatches) -> io::Result<()> {
    let folder = given
        .get_one::<PathBuf>("folder")
        .expect("clap requires it");
    manual(command, folder).map_err(|why| {
        let folder = folder.display();
        io::Error::new(
            why.kind(),
            format!(
                "cannot write manual pages to {folder}: {why}; name a folder that you may write to"
            ),
        )
    })
}

fn manual(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

#[cfg(test)]
mod tests {
    use clap::{Args, Subcommand};

    use super::*;

    /// Greet somebody.
    #[derive(Parser)]
    #[command(version)]
    struct Greeter {
        #[command(subcommand)]
        how: How,
    }

    #[derive(Subcommand)]
    enum How {
        /// Say hello
        Hello(Hello),
    }

    #[derive(Args)]
    struct Hello {
        /// To whom
        #[arg(long)]
        name: String,
        /// In which of the many languages that there are
        #[arg(long, value_name = "LANGUAGE")]
        language_of_the_whole_long_greeting: String,
    }

    fn greeter() -> Command {
        command::<Greeter>("greeter")
    }

    #[test]
    fn the_program_has_its_own_name_and_help_lists_no_pages() {
        let mut command = with_pages(greeter());
        assert!(command.render_version().starts_with("greeter "));
        let help = command.render_long_help().to_string();
        assert!(help.contains("hello") && help.contains("Usage: greeter"));
        assert!(!help.contains(COMPLETIONS) && !help.contains("manual"));
    }

    #[test]
    fn a_long_usage_is_folded_at_words() {
        let mut command = greeter();
        command.build();
        let hello = command.find_subcommand_mut("hello").unwrap();
        let help = hello.render_long_help().to_string();
        let usage = "Usage: greeter hello --name <NAME> --language-of-the-whole-long-greeting\n         <LANGUAGE>\n";
        assert!(help.contains(usage), "{help}");
        assert!(help.lines().all(|line| line.len() <= WIDTH), "{help}");
    }

    #[test]
    fn each_command_has_a_manual_page_and_the_hidden_ones_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let pages = folder.path().join("man1");
        manual(greeter(), &pages).unwrap();
        let mut names: Vec<String> = fs::read_dir(&pages)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["greeter-hello.1", "greeter.1"]);
        let page = fs::read_to_string(pages.join("greeter-hello.1")).unwrap();
        assert!(page.contains("To whom"), "{page}");
    }

    #[test]
    fn every_shell_gets_a_script_that_knows_the_options() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut greeter(), "greeter", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("name"), "{shell}: {script}");
        }
    }
}
