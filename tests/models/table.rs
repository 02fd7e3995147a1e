//! `docs/models/verdicts.toml`, and the models that it speaks of.

use std::{collections::BTreeSet, fmt, fs, path::PathBuf};

use latchstring_tests::workspace;
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[serde(rename = "view")]
    pub(crate) views: Vec<View>,
    #[serde(rename = "attack")]
    pub(crate) attacks: Vec<Seen>,
    #[serde(rename = "model")]
    pub(crate) models: Vec<Model>,
    #[serde(rename = "relay")]
    pub(crate) relays: Vec<Relay>,
}

/// What the attacker of a run is and has, and what is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) means: String,
    attacker: String,
    loot: Option<String>,
    sessions: usize,
    #[serde(default)]
    login: bool,
    pub(crate) asks: Vec<String>,
}

/// Where an attack is seen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) seen: Vec<String>,
}

/// A model for Verifpal, and what it must come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) file: String,
    pub(crate) without: Vec<String>,
    #[serde(default)]
    pub(crate) skips: Vec<String>,
    pub(crate) broken: BTreeSet<String>,
    pub(crate) returns: BTreeSet<String>,
    pub(crate) held: BTreeSet<String>,
    #[serde(default)]
    pub(crate) missed: BTreeSet<String>,
    #[serde(default)]
    pub(crate) implied: Vec<Implied>,
}

/// A login for Stateright, and what it must come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relay {
    pub(crate) without: Vec<String>,
    pub(crate) signs: String,
    pub(crate) password_known: bool,
    pub(crate) broken: BTreeSet<String>,
    pub(crate) returns: BTreeSet<String>,
    pub(crate) held: BTreeSet<String>,
    #[serde(default)]
    pub(crate) implied: Vec<Implied>,
}

/// Attacks that only the symbolic attacker has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Implied {
    pub(crate) attacks: Vec<String>,
    pub(crate) because: String,
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.without.is_empty() {
            true => write!(f, "full")?,
            false => write!(f, "without {}", self.without.join(" and "))?,
        }
        let password = if self.password_known {
            "known"
        } else {
            "not known"
        };
        write!(f, ", signs: {}, password {password}", self.signs)
    }
}

/// All of the attacks in it.
pub(crate) fn implied(list: &[Implied]) -> BTreeSet<String> {
    list.iter().flat_map(|i| i.attacks.clone()).collect()
}

pub(crate) fn folder() -> PathBuf {
    workspace().join("docs/models")
}

impl Table {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(folder().join("verdicts.toml")).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("docs/models/verdicts.toml: {error}"))
    }

    /// The attacks that can be seen in a model, and those of them that are, by the queries that are broken there.
    pub(crate) fn seen_in(&self, model: &Model) -> (BTreeSet<String>, BTreeSet<String>) {
        let asked: BTreeSet<String> = (self.views.iter())
            .filter_map(|view| Question::new(model, view))
            .flat_map(|question| question.asks)
            .collect();
        let among = |names: &BTreeSet<String>| {
            let attacks = self.attacks.iter();
            let seen = attacks.filter(|attack| attack.seen.iter().any(|at| names.contains(at)));
            seen.map(|attack| attack.id.clone()).collect()
        };
        (among(&asked), among(&model.broken))
    }
}

impl Model {
    pub(crate) fn source(&self) -> String {
        let path = folder().join(&self.file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// One run of Verifpal: a model as a view shows it, with the queries that both have.
pub(crate) struct Question {
    /// The name of the file to write.
    pub(crate) file: String,
    /// Its queries, in order, each as `VIEW.QUERY`.
    pub(crate) asks: Vec<String>,
    /// What to write there.
    pub(crate) text: String,
    /// How many times each end may run at once.
    pub(crate) sessions: usize,
    /// More is longer: an active attacker takes seconds and a passive one nothing, and a second session costs most.
    pub(crate) effort: usize,
}

impl Question {
    /// `None` when the model has none of the view's queries, or leaves the view out.
    pub(crate) fn new(model: &Model, view: &View) -> Option<Self> {
        let mut source = model.source();
        source = source.replace("attacker[active]", &format!("attacker[{}]", view.attacker));
        if let Some(loot) = &view.loot {
            source = source.replace(&format!("//+{loot} "), "");
        }
        let (mut body, queries) = source.split_once("\nqueries[\n").expect("queries are last");
        if view.login {
            body = body.split("\n//-session\n").next().unwrap_or(body);
        }
        let queries = named_queries(queries);
        let asked = view.asks.iter().filter_map(|ask| {
            let (name, query) = queries.iter().find(|(name, _)| name == ask)?;
            Some((format!("{}.{name}", view.id), query.clone()))
        });
        let (asks, lines): (Vec<String>, Vec<String>) = asked.unzip();
        if asks.is_empty() || model.skips.contains(&view.id) {
            return None;
        }
        let active = usize::from(view.attacker == "active");
        Some(Self {
            file: format!("{}-{}", view.id, model.file),
            text: format!("{body}\n\nqueries[\n\t{}\n]\n", lines.join("\n\t")),
            effort: active * (view.sessions + lines.len()),
            sessions: view.sessions,
            asks,
        })
    }
}

/// The queries of a model, each with the name that the comment above it begins with.
fn named_queries(block: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = block.lines().map(str::trim).collect();
    let named = lines.windows(2).filter_map(|pair| {
        let (name, _) = pair[0].strip_prefix("// ")?.split_once(": ")?;
        let is_query = pair[1].contains("? ") && !pair[1].starts_with("//");
        is_query.then(|| (name.to_owned(), pair[1].to_owned()))
    });
    named.collect()
}
