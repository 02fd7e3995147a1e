//! One instance of a lab: words are drawn, keys are made, and the sessions of its scene are really run and recorded.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use latchstring_arena::against::Against;
use latchstring_attacker::capture::{trace::Trace, write_sessions};
use rand::seq::SliceRandom;

use super::{
    catalogue::{Protocol, Recording, Scene},
    facts::Facts,
    record::{self, Recorded},
    seed::Seed,
    target::Accounts,
    visitor::Visitor,
};

/// When every capture says that it was made, since 1970: the day does not matter, and the real one is nobody's business.
const RECORDED: Duration = Duration::from_secs(1_600_000_000);

/// A scene come true.
pub struct Instance {
    /// The facts of the instance.
    pub facts: Facts,
    /// The users.
    pub accounts: Accounts,
    /// The public keys that are handed out: those of users, and of strangers.
    published: Vec<(String, String)>,
    captures: Vec<(String, Trace)>,
    public_keys: Option<String>,
    documents: Vec<(String, String)>,
}

impl Instance {
    /// Makes one. The same seed makes the same words, keys and facts.
    ///
    /// # Errors
    /// When the scene names facts that do not exist, or a session does not come about.
    pub async fn make(scene: &Scene, seed: &Seed) -> anyhow::Result<Self> {
        let mut facts = Facts::default();
        draw_words(scene, seed, &mut facts);
        let mut names = facts.fill_all(&scene.accounts)?;
        let strangers = facts.fill_all(&scene.strangers)?;
        let listed = names.len();
        names.extend(facts.fill_all(&scene.unlisted)?);
        let accounts = Accounts::make(&names, seed)?;
        let strangers = Accounts::make(&strangers, &seed.child("strangers"))?;
        let mut published = accounts.public_pems()?;
        published.truncate(listed);
        published.extend(strangers.public_pems()?);
        let mut captures = Vec::new();
        for recording in &scene.sessions {
            let made = run_session(recording, &accounts, seed, &mut facts).await;
            captures.push(
                made.with_context(|| format!("the session {:?} did not come about", recording.id))?,
            );
        }
        let public_keys = scene.public_keys.clone();
        let documents = scene.documents.iter();
        let documents =
            documents.map(|document| Ok((document.file.clone(), facts.fill(&document.text)?)));
        let documents = documents.collect::<anyhow::Result<_>>()?;
        Ok(Self {
            facts,
            accounts,
            published,
            captures,
            public_keys,
            documents,
        })
    }

    /// Writes what a student is handed: captures and public keys.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for (name, trace) in &self.captures {
            write_sessions(&folder.join(name), std::slice::from_ref(trace), RECORDED)?;
        }
        for (name, text) in &self.documents {
            write(&folder.join(name), text.as_bytes())?;
        }
        if let Some(keys) = &self.public_keys {
            for (name, pem) in &self.published {
                let path = folder.join(keys).join(format!("{name}.pub"));
                write(&path, format!("{pem}\n").as_bytes())?;
            }
        }
        Ok(())
    }

    /// The first user, with the messages of this session of the scene.
    ///
    /// # Errors
    /// When the scene has no account, or no such session.
    pub fn visitor(&self, scene: &Scene, session: &str) -> anyhow::Result<Visitor> {
        let user = self.accounts.users().first();
        let user = user.context("the session needs an account in its scene")?;
        let mut sessions = scene.sessions.iter();
        let session = sessions.find(|known| known.id == session);
        let session = session.context("the session does not exist")?;
        Ok(Visitor {
            user: user.clone(),
            key: self.accounts.keys().public_key(user)?,
            messages: self.facts.fill_all(&session.messages)?,
        })
    }

    /// The names of its captures and documents, with their ids.
    pub fn named_files<'a>(&'a self, scene: &'a Scene) -> impl Iterator<Item = (&'a str, PathBuf)> {
        let sessions = scene.sessions.iter().map(|session| session.id.as_str());
        let documents = scene.documents.iter().map(|document| document.id.as_str());
        let names = self.captures.iter().map(|(name, _)| name);
        let names = names.chain(self.documents.iter().map(|(name, _)| name));
        sessions.chain(documents).zip(names.map(PathBuf::from))
    }
}

/// Shuffles each pool: `{place.1}` and `{place.2}` are never the same word.
fn draw_words(scene: &Scene, seed: &Seed, facts: &mut Facts) {
    for (pool, words) in &scene.words {
        let mut words = words.clone();
        words.shuffle(&mut seed.stream(&format!("words {pool}")));
        for (i, word) in words.iter().enumerate() {
            facts.set(format!("{pool}.{}", i + 1), word);
        }
        if let Some(first) = words.first() {
            facts.set(pool, first);
        }
    }
}

async fn run_session(
    recording: &Recording,
    accounts: &Accounts,
    seed: &Seed,
    facts: &mut Facts,
) -> anyhow::Result<(String, Trace)> {
    let typed = facts.fill_all(&recording.messages)?;
    let seed = seed.child(&format!("session {}", recording.id));
    let mut recorded = match recording.protocol {
        Protocol::Faithful => {
            let user = accounts
                .users()
                .first()
                .context("a faithful session needs an account in its scene")?;
            record::faithful(accounts, user, &typed, &seed).await?
        }
        Protocol::Hardened => {
            let against = Against::without(&recording.left_out()?);
            record::hardened(against, &typed, &seed).await?
        }
    };
    ensure!(
        recorded.received == typed,
        "the server did not receive the typed messages"
    );
    tell(recording, &recorded, facts)?;
    if recording.blank_server {
        recorded.blank_server();
    }
    Ok((facts.fill(&recording.file)?, recorded.into_trace()))
}

/// The facts of a session, as its run has shown them.
fn tell(recording: &Recording, recorded: &Recorded, facts: &mut Facts) -> anyhow::Result<()> {
    let mut set = |name: &str, value: &dyn ToString| {
        facts.set(format!("{}.{name}", recording.id), value.to_string())
    };
    set("user", &recorded.user);
    set("messages", &recorded.received.len());
    for (i, text) in recorded.received.iter().enumerate() {
        set(&format!("message.{}", i + 1), text);
        set(&format!("message.{}.length", i + 1), &text.len());
    }
    set("in-clear", &recorded.in_clear());
    set("read-later", &recorded.read_later()?);
    for (name, value) in recorded.measured() {
        set(name, &value);
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(failed)?;
    }
    fs::write(path, bytes).with_context(failed)
}
