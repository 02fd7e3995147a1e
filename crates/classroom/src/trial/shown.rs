//! What one run of a program has shown, and what a check makes of it.

use latchstring_confine::run::Ran;

use crate::{
    catalogue::{Check, Jam, OnThePath},
    diagnosis::{self, Jammed, Trouble},
    facts::Facts,
    target::Visit,
    visitor::Step,
};

/// One run of the program, with what the target saw.
pub(super) struct Shown {
    pub(super) facts: Facts,
    pub(super) ran: Ran,
    pub(super) visits: Vec<Visit>,
    /// The obstacle that kept the program from its work.
    pub(super) broken: Option<Trouble>,
    /// The output of the lab's solution, if a check compares with it.
    pub(super) wanted: Option<String>,
    /// The steps of the client that visited the program, if the program played the server.
    pub(super) visit: Option<Vec<Step>>,
    /// What happened meanwhile, if the program kept the target busy.
    pub(super) jammed: Option<(Jam, Jammed)>,
    /// Where the program sat on the wire of an honest session, if it did.
    pub(super) on_the_path: Option<OnThePath>,
}

/// What is found if there is no solution to compare with: a hand-out of an instructor's own lab has none.
pub(crate) const NOT_COMPARED: &str = "your output is compared when you hand it in";

impl Shown {
    /// The messages of a session, as the server received them.
    fn texts(&self, session: &str) -> Vec<&str> {
        let nth = |n| self.facts.get(&format!("{session}.message.{n}"));
        (1..).map_while(nth).collect()
    }

    /// Why the check fails; `None` when it passes.
    pub(super) fn trouble(&self, check: &Check) -> anyhow::Result<Option<Trouble>> {
        let gave_up = || diagnosis::gave_up(&self.ran).filter(|_| self.visits.is_empty());
        let program = self.broken.clone().or_else(gave_up);
        if let Some(steps) = self.visit.as_ref().filter(|_| check.unnoticed) {
            let trouble = diagnosis::noticed(steps, self.broken.as_ref());
            if trouble.is_some() {
                return Ok(trouble);
            }
        }
        if let Some((jam, jammed)) = self.jammed.as_ref().filter(|_| check.jams) {
            return Ok(jammed.trouble(jam, self.broken.as_ref()));
        }
        let on_target = on_target(check, &self.facts, &self.visits, program.as_ref())?;
        if let (true, Some(place)) = (on_target.is_some(), &self.on_the_path) {
            // The honest session went on without the program.
            let said_nothing = || match place.message {
                Some(_) => diagnosis::no_bytes(&self.ran),
                None => diagnosis::no_messages(&self.ran),
            };
            return Ok(self.broken.clone().or_else(said_nothing).or(on_target));
        }
        if on_target.is_some() || !check.goes_by_output() {
            return Ok(on_target);
        }
        if let Some(broken) = &self.broken {
            return Ok(Some(broken.clone()));
        }
        if let Some(reads) = &check.reads {
            let right = self.texts(&reads.session);
            return Ok(diagnosis::too_little_read(&self.ran, &right, reads.percent));
        }
        if let Some(lines) = &check.prints {
            let wanted = self.facts.fill_all(lines)?.join("\n");
            return Ok(diagnosis::other_lines(&self.ran, &wanted));
        }
        Ok(match &self.wanted {
            Some(wanted) => diagnosis::other_lines(&self.ran, wanted),
            None => Some(Trouble::wrong(NOT_COMPARED)),
        })
    }
}

/// The events that a check requires and the target's record lacks.
pub(super) fn on_target(
    check: &Check,
    facts: &Facts,
    visits: &[Visit],
    broken: Option<&Trouble>,
) -> anyhow::Result<Option<Trouble>> {
    let fill = |text: &Option<String>| text.as_ref().map(|text| facts.fill(text)).transpose();
    let user = fill(&check.logged_in_as)?;
    if let Some(user) = &user {
        let trouble = diagnosis::not_logged_in(user, visits, broken.cloned());
        if let Some(mut trouble) = trouble {
            // The lab's advice for this check is about the words.
            if check.heard.is_some() && trouble.next.is_none() {
                trouble.next = Some("first the server must take your login".to_owned());
            }
            return Ok(Some(trouble));
        }
    }
    if let Some(words) = fill(&check.heard)? {
        let trouble = diagnosis::not_heard(&words, user.as_deref(), visits, broken.cloned());
        if trouble.is_some() {
            return Ok(trouble);
        }
    }
    let user = user.unwrap_or_default();
    let exactly = facts.fill_all(&check.heard_exactly)?;
    if !exactly.is_empty() {
        let trouble = diagnosis::not_exactly_heard(&exactly, &user, visits);
        if trouble.is_some() {
            return Ok(trouble);
        }
    }
    let ends = check.session_ends;
    Ok(ends.and_then(|end| diagnosis::other_end(end, &user, visits)))
}
