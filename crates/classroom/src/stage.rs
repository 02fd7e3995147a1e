//! A target, and a visitor, without the sessions that were recorded: all that a student can run.
//!
//! A [`Script`] is what these are made from. In a course it is all that a hand-out tells about an instance. It has the keys of
//! the target's users. It has nothing of the recorded sessions: their messages and keys are the answers.

use anyhow::Context;
use latchstring_attacker::protocol_faithful::message::UserName;
use serde::{Deserialize, Serialize};

use super::{
    catalogue::Lab, envelope::Envelope, facts::Facts, instance::draw_words, seed::Seed,
    target::Accounts, visitor::Visitor,
};

/// What a target and a visitor are made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The users of the target, each with the seed of the key.
    users: Vec<(String, Seed)>,
    /// The text of the envelope, and the seed of its key.
    envelope: Option<(String, Seed)>,
    /// The messages of a visitor.
    messages: Vec<String>,
}

impl Script {
    /// The script of an instance. It needs the drawn words alone.
    ///
    /// # Errors
    /// When an account, the envelope or a message names a fact that is no drawn word.
    pub fn of(lab: &Lab, seed: &Seed) -> anyhow::Result<Self> {
        let scene = &lab.scene;
        let mut facts = Facts::default();
        draw_words(scene, seed, &mut facts);
        let mut users = Vec::new();
        for name in scene.accounts.iter().chain(&scene.unlisted) {
            let name = facts.fill(name)?;
            let key = Accounts::seed_of(&name, seed);
            users.push((name, key));
        }
        let described = scene.envelope.as_ref();
        let text = described.map(|envelope| facts.fill(&envelope.text));
        let envelope = text.transpose()?.map(|text| (text, seed.child("envelope")));
        let messages = match lab.visited() {
            Some(session) => facts.fill_all(&scene.session(session)?.messages)?,
            None => Vec::new(),
        };
        Ok(Self {
            users,
            envelope,
            messages,
        })
    }

    /// The same with the users in another order. In a recording the first user of the scene logs in, and that is a question.
    pub(super) fn in_order_of_names(mut self) -> Self {
        self.users.sort_by(|one, other| one.0.cmp(&other.0));
        self
    }

    /// Makes the accounts, with their keys.
    ///
    /// # Errors
    /// As [`Accounts::of`].
    pub fn accounts(&self) -> anyhow::Result<Accounts> {
        Accounts::of(&self.users)
    }

    /// The envelope, with its private key.
    ///
    /// # Errors
    /// When there is none.
    pub fn envelope(&self) -> anyhow::Result<Envelope> {
        let sealed = self.envelope.as_ref();
        let (text, seed) = sealed.context("the trial needs an envelope: give the scene one")?;
        Envelope::seal(text, seed)
    }

    /// The first user, with the messages of the script.
    ///
    /// # Errors
    /// When there is no user.
    pub fn visitor(&self) -> anyhow::Result<Visitor> {
        let first = self.users.first();
        let first = first.context("the session needs an account in its scene")?;
        let accounts = Accounts::of(std::slice::from_ref(first))?;
        let user = UserName::parse(&first.0)?;
        Ok(Visitor {
            key: accounts.keys()?.public_key(&user)?,
            user,
            messages: self.messages.clone(),
        })
    }
}
