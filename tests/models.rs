//! What a machine finds out about the hardened login, and about what is left of it without each defence.
//!
//! `docs/models/verdicts.toml` says what each symbolic model must come to. Here all of them are run, with Verifpal and
//! with Stateright, and compared query by query; and what they say of an attack is compared with what the attack says
//! of itself, which is what the matrix executes.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
};

use latchstring_attacker::{Attack, Faithful, attacks, protocol::hardened::defence::Defence};
use latchstring_tests::workspace;

#[path = "models/page.rs"]
mod page;
#[path = "../docs/models/relay.rs"]
mod relay;
#[path = "models/table.rs"]
mod table;

use relay::{Login, Scope};
use table::{Model, Question, Relay, Table, folder, implied};

#[test]
fn verifpal_comes_to_the_verdicts_of_the_table() {
    let Some(verifpal) = verifpal() else {
        return;
    };
    let table = Table::read();
    let mut runs: Vec<(&Model, Question)> = Vec::new();
    for view in &table.views {
        let of = |model| Some((model, Question::new(model, view)?));
        runs.extend(table.models.iter().filter_map(of));
    }
    // The last are begun first: those that take long, so that all cores end together.
    runs.sort_by_key(|(_, question)| question.effort);
    let queue = Mutex::new(runs);
    let take = || queue.lock().unwrap().pop();
    let work = || {
        let mut wrong = Vec::new();
        while let Some((model, question)) = take() {
            wrong.extend(disagreement(&verifpal, model, &question));
        }
        wrong
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let found = workers.into_iter().map(|worker| worker.join().unwrap());
        found.flatten().collect()
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where Verifpal is.
///
/// # Panics
/// When it is nowhere and `LATCHSTRING_REQUIRE_MODELS` says that it must be somewhere.
fn verifpal() -> Option<PathBuf> {
    let ours = workspace().join("target/verifpal/bin/verifpal");
    let named = env::var_os("VERIFPAL").map(PathBuf::from);
    let mut candidates = named.into_iter().chain([PathBuf::from("verifpal"), ours]);
    let works = |path: &PathBuf| Command::new(path).arg("--version").output().is_ok();
    let found = candidates.find(works);
    if found.is_none() {
        let how = "Verifpal is not installed, so the models in docs/models are not run. Install it with\n  \
                   cargo install verifpal --version 1.6.7 --locked --ignore-rust-version --root target/verifpal";
        let required = env::var_os("LATCHSTRING_REQUIRE_MODELS").is_some();
        assert!(!required, "{how}");
        eprintln!("{how}");
    }
    found
}

/// Runs a model as one view shows it. What is said about it, where that is not what the table says.
fn disagreement(verifpal: &Path, model: &Model, question: &Question) -> Option<String> {
    let folder = workspace().join("target/models");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&question.file), &question.text).unwrap();
    let sessions = question.sessions.to_string();
    let output = Command::new(verifpal)
        .current_dir(&folder)
        // One thread: the other cores have models of their own.
        .env("VERIFPAL_THREADS", "1")
        .args([
            "verify",
            "--quiet",
            "--result-code",
            "--sessions",
            &sessions,
        ])
        .arg(&question.file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // A letter and a digit for each query, as in c0a1: 1 is an attack.
    let code = text.lines().last().unwrap_or_default();
    let digits: Vec<char> = code.chars().skip(1).step_by(2).collect();
    if !output.status.success() || digits.len() != question.asks.len() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Some(format!("target/models/{}: {text}{error}", question.file));
    }
    let broken = question.asks.iter().zip(digits);
    let broken: BTreeSet<&String> = broken.filter(|(_, d)| *d == '1').map(|(q, _)| q).collect();
    let asked = |query: &&String| question.asks.contains(query);
    let expected: BTreeSet<&String> = model.broken.iter().filter(asked).collect();
    (broken != expected).then(|| {
        format!(
            "target/models/{}: broken are {broken:?}, and the table says {expected:?}\n{text}",
            question.file
        )
    })
}

#[test]
fn stateright_comes_to_the_verdicts_of_the_table() {
    for relay in Table::read().relays {
        let mut broken = BTreeSet::new();
        // What can be had in one session of each end needs no search of the larger space, and makes the shorter story.
        for sessions in [1, 2] {
            let found = login(&relay, sessions).search();
            println!("{relay}, sessions: {sessions}, states: {}", found.states);
            for (query, story) in [("relay", &found.relay), ("password", &found.password)] {
                let Some(story) = story else { continue };
                println!("  {query}:\n    {}", story.join("\n    "));
                broken.insert(query.to_owned());
            }
            if broken == relay.broken && !broken.is_empty() {
                break;
            }
        }
        assert_eq!(broken, relay.broken, "{relay}");
    }
}

fn login(relay: &Relay, sessions: usize) -> Login {
    let without = |id: &str| relay.without.iter().any(|defence| defence == id);
    let scope = match relay.signs.as_str() {
        "transcript" => Scope::Transcript,
        "randoms" => Scope::Randoms,
        "constant" => Scope::Constant,
        other => panic!("verdicts.toml: nothing is known of signing {other:?}"),
    };
    assert_eq!(without("transcript-signature"), scope != Scope::Transcript);
    Login {
        scope,
        checks_signature: !without("client-signature"),
        checks_password: !without("password"),
        password_known: relay.password_known,
        sessions,
    }
}

/// The words `returns`, `held`, `missed` and `implied` of a model say, of each attack that can be seen in it, what its
/// broken queries say.
#[test]
fn the_table_follows_from_its_broken_queries() {
    let table = Table::read();
    for model in &table.models {
        let (seen, broken) = table.seen_in(model);
        let implied = implied(&model.implied);
        let (held, returns) = (&model.held | &model.missed, &model.returns | &implied);
        assert_eq!(returns, broken, "{}: returns and implied", model.file);
        assert_eq!(held, &seen - &broken, "{}: held and missed", model.file);
        let total = model.returns.len() + implied.len() + model.held.len() + model.missed.len();
        assert_eq!(
            total,
            seen.len(),
            "{}: an attack is named twice",
            model.file
        );
    }
    for relay in &table.relays {
        let mut attacks = BTreeSet::from(["relay".to_owned()]);
        if !relay.password_known {
            attacks.insert("rogue-server".to_owned());
        }
        let mut broken = BTreeSet::new();
        for (query, attack) in [("relay", "relay"), ("password", "rogue-server")] {
            broken.extend(relay.broken.contains(query).then(|| attack.to_owned()));
        }
        let implied = implied(&relay.implied);
        assert_eq!(&relay.returns | &implied, broken, "{relay}");
        assert_eq!(relay.held, &attacks - &broken, "{relay}");
    }
}

#[test]
fn every_model_is_in_the_table_and_is_the_full_one_but_for_a_few_lines() {
    let table = Table::read();
    let files = fs::read_dir(folder()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.file_name().unwrap().to_str().unwrap().to_owned()
    });
    let files: BTreeSet<String> = files.filter(|file| file.ends_with(".vp")).collect();
    let listed = table.models.iter().map(|model| model.file.clone());
    assert_eq!(listed.collect::<BTreeSet<_>>(), files);

    // What only an attacker with a memory dump sees counts where a model has something to say of that.
    let lines = |text: &str, dump: bool| -> BTreeSet<String> {
        let is_comment =
            |line: &&str| line.trim_start().starts_with("// ") || line.starts_with("//");
        let code = text.lines().filter(|line| !is_comment(line));
        let code = code.filter(|line| dump || !line.trim_start().starts_with("//+dump "));
        code.map(str::to_owned).collect()
    };
    let full = table.models[0].source();
    for model in &table.models[1..] {
        let [defence] = &model.without[..] else {
            assert_eq!(model.file, "faithful.vp");
            continue;
        };
        assert_eq!(model.file, format!("without-{defence}.vp"));
        let source = model.source();
        let dump = source.contains("//+dump ");
        let (here, full) = (lines(&source, dump), lines(&full, dump));
        let changed = here.symmetric_difference(&full).count();
        assert!((1..=32).contains(&changed), "{}: {changed}", model.file);
    }
}

/// Where a model and the executed matrix speak of the same attack, they say the same.
#[test]
fn the_models_agree_with_what_is_executed() {
    let table = Table::read();
    for model in table
        .models
        .iter()
        .filter(|model| model.file != "faithful.vp")
    {
        let unseen = &implied(&model.implied) | &model.missed;
        agree(
            &model.file,
            &model.without,
            &model.returns,
            &(&model.held | &unseen),
        );
    }
    for relay in &table.relays {
        let held = &relay.held | &implied(&relay.implied);
        // The executed relay has the password. Without it, only a model can hold what the password alone holds.
        if relay.password_known || !relay.returns.is_empty() {
            agree(&relay.to_string(), &relay.without, &relay.returns, &held);
        }
    }
    let faithful = table
        .models
        .iter()
        .find(|model| model.file == "faithful.vp")
        .unwrap();
    let broken = |id: &String| matches!(attack(id).faithful, Faithful::Broken);
    assert!(faithful.returns.iter().all(broken), "faithful.vp: returns");
    let implied = implied(&faithful.implied);
    assert!(!implied.iter().any(broken), "faithful.vp: implied");
}

fn agree(what: &str, without: &[String], returns: &BTreeSet<String>, held: &BTreeSet<String>) {
    let removed = |defence: &Defence| without.iter().any(|id| id == defence.id());
    for id in without {
        assert!(
            Defence::find(id).is_some(),
            "{what}: there is no defence {id}"
        );
    }
    for id in returns | held {
        let mut sets = attack(&id).returns_without.iter();
        let executed = sets.any(|set| set.iter().all(removed));
        assert_eq!(returns.contains(&id), executed, "{what}: {id}, executed");
    }
}

fn attack(id: &str) -> &'static Attack {
    attacks::find(id).unwrap_or_else(|| panic!("verdicts.toml: there is no attack {id}"))
}

#[test]
fn the_page_shows_the_table() {
    let path = workspace().join("docs/src/models.md");
    let text = fs::read_to_string(&path).unwrap();
    for part in page::generated(&Table::read()) {
        assert!(
            text.contains(&part),
            "docs/src/models.md lacks this:\n\n{part}\n"
        );
    }
}
