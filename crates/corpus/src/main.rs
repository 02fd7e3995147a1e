//! `latchstring-corpus`: rebuilds the language models of the many-time-pad solver, byte for byte.
//!
//! It fetches the packages that `packages` names, takes the texts out of them, trains the models and writes them to where
//! `latchstring-cryptanalysis` includes them from.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use latchstring_cryptanalysis::language::{
    alphabet::Alphabet,
    codec::{self, Trained},
};

mod archive;
mod mail;
mod measure;
mod packages;
mod sources;
mod text;
mod train;

use sources::Texts;
use train::{Settings, train};

/// Rebuild the language models of the many-time-pad solver from texts in package registries.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: cargo run --release -p latchstring-corpus -- --check"
)]
struct Arguments {
    /// Where the packages are kept; those that are missing are fetched with npm, pip and apt-get
    #[arg(long, default_value = "target/corpus")]
    packages: PathBuf,
    /// Where the models go
    #[arg(long, default_value = "crates/cryptanalysis/data")]
    data: PathBuf,
    /// Write nothing: say whether the models there are the ones that come out
    #[arg(long)]
    check: bool,
    /// Also write the texts into this folder, one message a line
    #[arg(long)]
    texts: Option<PathBuf>,
    /// Only measure the solver on the held-out texts, and print that as a table in Markdown
    #[arg(long)]
    measure: bool,
    /// Only print where the texts come from, as a table in Markdown
    #[arg(long)]
    sources: bool,
}

/// A language: its name, the letters beyond ASCII, and its models' texts and settings.
struct Recipe {
    name: &'static str,
    letters: &'static str,
    models: &'static [(&'static str, Settings)],
}

const LARGE: Settings = Settings {
    order: 10,
    threshold: 1.5,
};
const SMALL: Settings = Settings {
    order: 8,
    threshold: 1.5,
};

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "english",
        letters: "",
        models: &[("chat", LARGE), ("mail", LARGE), ("prose", LARGE)],
    },
    Recipe {
        name: "italian",
        letters: "àèéìòùÈ",
        models: &[("italian", SMALL)],
    },
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.sources {
        print_sources();
        return Ok(());
    }
    fs::create_dir_all(&arguments.packages)?;
    let texts = sources::collect(&arguments.packages)?;
    if let Some(folder) = &arguments.texts {
        fs::create_dir_all(folder)?;
        for name in texts.keys() {
            fs::write(folder.join(format!("{name}.txt")), lines(&texts, name))?;
        }
    }
    if arguments.measure {
        measure::print(&texts);
        return Ok(());
    }
    for recipe in RECIPES {
        let path = arguments.data.join(format!("{}.model", recipe.name));
        let model = build(&recipe, &texts);
        if !arguments.check {
            fs::write(&path, &model).with_context(|| format!("writing {}", path.display()))?;
        } else if fs::read(&path).ok().as_ref() != Some(&model) {
            let path = path.display();
            bail!("{path} is not what comes out: run this again without --check");
        }
        println!("{}: {} bytes", path.display(), model.len());
    }
    Ok(())
}

fn print_sources() {
    println!("| package | what | licence |\n| --- | --- | --- |");
    for package in packages::ALL {
        let registry = format!("{:?}", package.registry);
        println!(
            "| {registry} `{}` {} | {} | {} |",
            package.name, package.version, package.texts, package.licence
        );
    }
}

/// One text as a file: a message a line.
fn lines(texts: &Texts, name: &str) -> Vec<u8> {
    let messages = texts.get(name).map_or(&[][..], Vec::as_slice);
    let mut text = messages.join("\n").into_bytes();
    text.push(b'\n');
    text
}

/// Trains the models of a language, each in a thread of its own.
fn build(recipe: &Recipe, texts: &Texts) -> Vec<u8> {
    let alphabet = Alphabet::ascii_and(recipe.letters.as_bytes());
    let models: Vec<Trained> = std::thread::scope(|scope| {
        let start = |(name, settings): &(&'static str, Settings)| {
            let (text, alphabet, settings) = (lines(texts, name), &alphabet, *settings);
            eprintln!("training {} on {name}: {} bytes", recipe.name, text.len());
            scope.spawn(move || train(&text, alphabet, settings))
        };
        let threads: Vec<_> = recipe.models.iter().map(start).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        let results: Result<_, _> = results.collect();
        // A panic in training is a bug here, and there is nothing to write then.
        results.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    codec::write(recipe.name, &alphabet, &models)
}
