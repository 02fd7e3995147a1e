//! What a listener sees of honest sessions: values that are used once must be used once.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use super::{Finding, Grader, MANY, Promise, arrived};
use crate::{
    frame::Frame,
    hello::HELLO,
    path::texts_of,
    rung::Idea,
    session::{Let, Middle, Tap},
};

impl Grader<'_> {
    /// Many texts arrive, and no two frames have one number.
    pub(super) fn many_texts(&mut self) -> io::Result<Vec<Finding>> {
        let shared = Shared::default();
        let server = self.honest_server()?;
        let texts = self.texts(MANY);
        let came = self.run(&server, Some(shared.middle()), "alice", &texts)?;
        server.stop();
        let mut findings = Vec::from_iter(arrived(Promise::ManyTexts, &came, "alice", &texts));
        let frames = texts_of(self.rung, &shared.tap().client);
        let frames = frames
            .iter()
            .filter_map(|frame| Frame::decode(self.rung, frame).ok());
        let numbers: Vec<u32> = frames.map(|frame| frame.number).collect();
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        if self.rung.has(Idea::Numbers) && distinct.len() < numbers.len() {
            findings.push(Finding::new(
                Promise::Withstands("keystream-reuse"),
                "no two frames of a session have the same number",
                format!("{} numbers in {} frames", distinct.len(), numbers.len()),
            ));
        }
        Ok(findings)
    }

    /// The client comes back to the same server. Both sessions succeed, and the second hello is a new one.
    pub(super) fn comes_back(&mut self) -> io::Result<Option<Finding>> {
        let server = self.honest_server()?;
        let (mut finding, mut hellos) = (None, Vec::new());
        for _ in 0..2 {
            let shared = Shared::default();
            let texts = self.texts(2);
            let came = self.run(&server, Some(shared.middle()), "alice", &texts)?;
            finding = finding.or_else(|| arrived(Promise::ComesBack, &came, "alice", &texts));
            hellos.push(shared.tap().client.concat());
        }
        server.stop();
        if finding.is_some() || !self.rung.has(Idea::Exchange) {
            return Ok(finding);
        }
        let same = |from: usize, to: usize| hellos[0].get(from..to) == hellos[1].get(from..to);
        let random = HELLO - 32;
        Ok((same(7, random) || same(random, HELLO)).then(|| {
            Finding::new(
                Promise::Withstands("retrospective"),
                "random and X25519 value are new for every connection",
                "a value of an earlier connection",
            )
        }))
    }
}

/// A tap that is read when the session is over.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Tap>>);

impl Shared {
    fn middle(&self) -> Box<dyn Middle + Send> {
        Box::new(self.clone())
    }

    fn tap(&self) -> Tap {
        self.0
            .lock()
            .expect("no thread panicked while recording")
            .clone()
    }
}

impl Middle for Shared {
    fn client_wrote(&mut self, bytes: &[u8]) -> Let {
        self.0
            .lock()
            .expect("no thread panicked while recording")
            .client_wrote(bytes)
    }

    fn server_said(&mut self, bytes: &[u8]) -> Let {
        self.0
            .lock()
            .expect("no thread panicked while recording")
            .server_said(bytes)
    }
}
