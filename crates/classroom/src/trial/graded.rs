//! What a grader found that watches a program from outside: promises that it breaks, in two groups.

use latchstring_confine::run::Ran;

use crate::{
    catalogue::{Check, Keeps},
    diagnosis::Trouble,
};

/// A broken promise.
pub(super) struct Fault {
    /// The group that it belongs to.
    pub(super) of: Keeps,
    /// What was expected and what was seen; never which hidden case it was.
    pub(super) found: String,
    /// Whether nobody is served: then nothing else was tried.
    pub(super) serves_nobody: bool,
}

/// All that was found.
pub(super) struct Graded {
    pub(super) faults: Vec<Fault>,
    /// The obstacle that kept the program from its work.
    pub(super) broken: Option<Trouble>,
    /// The server, or the client's first session.
    pub(super) ran: Ran,
}

impl Graded {
    /// Why the check fails; `None` when it passes.
    pub(super) fn trouble(&self, check: &Check) -> Option<Trouble> {
        if let Some(broken) = &self.broken {
            return Some(broken.clone());
        }
        let asked = |fault: &&Fault| matches!(check.keeps, Some(asked) if asked == Keeps::All || asked == fault.of);
        let fault = self.faults.iter().find(asked);
        // Who serves nobody withstands everything: that is no defence, and it is not tried.
        let serves_nobody = self.faults.iter().any(|fault| fault.serves_nobody);
        match fault {
            Some(fault) => Some(Trouble::wrong(fault.found.clone())),
            None if serves_nobody => Some(Trouble {
                found: "not tried: an honest session does not come about yet".to_owned(),
                next: Some("first let an honest peer through".to_owned()),
                late: false,
            }),
            None => None,
        }
    }
}
