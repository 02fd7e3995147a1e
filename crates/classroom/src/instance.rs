//! One instance of a lab: words are drawn, keys are made, and the sessions of its scene are really run and recorded.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use latchstring_arena::{against::Against, weakened::generator::SeededWithTime};
use latchstring_attacker::capture::{trace::Trace, write_sessions};
use rand::seq::SliceRandom;

use super::{
    catalogue::{Protocol, Recording, Scene},
    envelope::Envelope,
    facts::Facts,
    faulty_keys,
    record::{self, Recorded},
    seed::Seed,
    stolen_store,
    target::Accounts,
    visitor::Visitor,
    weak_server::Seeded,
};

/// When every capture says that it was made, since 1970: the day does not matter, and the real one is nobody's business.
const RECORDED: Duration = Duration::from_secs(1_600_000_000);

/// A scene come true.
pub struct Instance {
    /// The facts of the instance.
    pub facts: Facts,
    /// The users.
    pub accounts: Accounts,
    captures: Vec<(PathBuf, Trace)>,
    /// All other files: their paths and contents.
    files: Vec<(PathBuf, String)>,
    /// The facts whose values are places, and the paths of these.
    places: Vec<(String, PathBuf)>,
    /// The envelope of the scene.
    envelope: Option<Envelope>,
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
        names.extend(facts.fill_all(&scene.unlisted)?);
        let accounts = Accounts::make(&names, seed)?;
        let mut instance = Self {
            facts,
            accounts,
            captures: Vec::new(),
            files: Vec::new(),
            places: Vec::new(),
            envelope: None,
        };
        instance.record(scene, seed).await?;
        instance.add_public_keys(scene, seed)?;
        instance.add_faulty_keys(scene, seed)?;
        instance.add_stores(scene, seed)?;
        instance.add_documents(scene)?;
        instance.add_envelope(scene, seed)?;
        Ok(instance)
    }

    /// Runs the sessions, and records them.
    async fn record(&mut self, scene: &Scene, seed: &Seed) -> anyhow::Result<()> {
        let mut servers = BTreeMap::new();
        for server in &scene.servers {
            let drawn = Seeded::draw(server, seed, &mut self.facts)?;
            servers.insert(server.id.as_str(), drawn);
        }
        for recording in &scene.sessions {
            let weak = recording.server.as_deref();
            let weak = weak.and_then(|server| servers.get_mut(server));
            let generator = weak.map(Seeded::next_session);
            let made =
                run_session(recording, &self.accounts, generator, seed, &mut self.facts).await;
            let (file, trace) =
                made.with_context(|| format!("the session {:?} did not come about", recording.id))?;
            let file = PathBuf::from(file);
            self.places
                .push((format!("{}.file", recording.id), file.clone()));
            self.captures.push((file, trace));
        }
        Ok(())
    }

    /// Adds the public keys of the users who are listed, and of strangers.
    fn add_public_keys(&mut self, scene: &Scene, seed: &Seed) -> anyhow::Result<()> {
        let Some(folder) = scene.public_keys.as_ref().map(PathBuf::from) else {
            return Ok(());
        };
        let strangers = self.facts.fill_all(&scene.strangers)?;
        let strangers = Accounts::make(&strangers, &seed.child("strangers"))?;
        let mut published = self.accounts.public_pems()?;
        published.truncate(scene.accounts.len());
        published.extend(strangers.public_pems()?);
        let path = |name| folder.join(format!("{name}.pub"));
        let files = published.into_iter();
        self.files
            .extend(files.map(|(name, pem)| (path(name), pem + "\n")));
        self.places.push(("public-keys".to_owned(), folder));
        Ok(())
    }

    fn add_faulty_keys(&mut self, scene: &Scene, seed: &Seed) -> anyhow::Result<()> {
        for keys in &scene.keys {
            let folder = PathBuf::from(&keys.folder);
            let made = faulty_keys::make(keys, seed, &mut self.facts)?;
            let made = made.into_iter().map(|(name, pem)| (folder.join(name), pem));
            self.files.extend(made);
            self.places.push((format!("{}.folder", keys.id), folder));
        }
        Ok(())
    }

    fn add_stores(&mut self, scene: &Scene, seed: &Seed) -> anyhow::Result<()> {
        for store in &scene.stores {
            let file = PathBuf::from(&store.file);
            let made = stolen_store::make(store, seed, &mut self.facts)?;
            self.files.push((file.clone(), made));
            self.places.push((format!("{}.file", store.id), file));
        }
        Ok(())
    }

    fn add_documents(&mut self, scene: &Scene) -> anyhow::Result<()> {
        for document in &scene.documents {
            let file = PathBuf::from(&document.file);
            self.files
                .push((file.clone(), self.facts.fill(&document.text)?));
            self.places.push((format!("{}.file", document.id), file));
        }
        Ok(())
    }

    fn add_envelope(&mut self, scene: &Scene, seed: &Seed) -> anyhow::Result<()> {
        if let Some(described) = &scene.envelope {
            let text = self.facts.fill(&described.text)?;
            let envelope = Envelope::seal(&text, &seed.child("envelope"))?;
            self.facts.set("envelope.text", text);
            self.facts.set("envelope.first-s", envelope.first_s());
            let file = PathBuf::from(&described.file);
            self.files.push((file.clone(), envelope.public()));
            self.places.push(("envelope.file".to_owned(), file));
            self.envelope = Some(envelope);
        }
        Ok(())
    }

    /// Writes all files that a student is handed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for (name, trace) in &self.captures {
            write_sessions(&folder.join(name), std::slice::from_ref(trace), RECORDED)?;
        }
        let mut files = self.files.iter();
        files.try_for_each(|(name, text)| write(&folder.join(name), text.as_bytes()))
    }

    /// The paths of all files that a student is handed.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let captures = self.captures.iter().map(|(path, _)| path.as_path());
        captures.chain(self.files.iter().map(|(path, _)| path.as_path()))
    }

    /// The envelope of the scene, with its private key.
    ///
    /// # Errors
    /// When the scene has none.
    pub fn envelope(&self) -> anyhow::Result<Envelope> {
        let envelope = self.envelope.clone();
        envelope.context("the trial needs an envelope: give the scene one")
    }

    /// The first user, with the messages of this session of the scene.
    ///
    /// # Errors
    /// When the scene has no account, or no such session.
    pub fn visitor(&self, scene: &Scene, session: &str) -> anyhow::Result<Visitor> {
        let user = self.accounts.users().first();
        let user = user.context("the session needs an account in its scene")?;
        Ok(Visitor {
            user: user.clone(),
            key: self.accounts.keys()?.public_key(user)?,
            messages: self.facts.fill_all(&scene.session(session)?.messages)?,
        })
    }

    /// The facts whose values are places, and the paths of these in the folder that [`Instance::write`] is given.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Path)> {
        let places = self.places.iter();
        places.map(|(fact, path)| (fact.as_str(), path.as_path()))
    }
}

/// Shuffles each pool: `{place.1}` and `{place.2}` are never the same word.
pub(super) fn draw_words(scene: &Scene, seed: &Seed, facts: &mut Facts) {
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
    weak: Option<SeededWithTime>,
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
            match weak {
                Some(weak) => record::faithful(accounts, user, &typed, weak).await?,
                None => {
                    let good = seed.stream("faithful server");
                    record::faithful(accounts, user, &typed, good).await?
                }
            }
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
    let file = facts.fill(&recording.file)?;
    Ok((file, recorded.into_trace(&mut seed.stream("times"))))
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
