//! The door of an attacker's server: it lets everybody in, and remembers the logins.

use std::sync::{Arc, Mutex};

use latchstring_attacker::protocol_faithful::message::UserName;

use crate::{
    accounts::{Door, Work},
    complaint::Refusal,
    hello::Transcript,
    rung::Rung,
};

/// The logins that came to an attacker's server, in order.
#[derive(Clone, Default)]
pub struct Logins(Arc<Mutex<Vec<Vec<u8>>>>);

impl Logins {
    /// The first of them.
    ///
    /// # Panics
    /// When a thread panicked while it added one.
    pub fn first(&self) -> Option<Vec<u8>> {
        let came = self.0.lock().expect("no thread panicked while adding");
        came.first().cloned()
    }
}

/// Lets everybody in.
pub struct AnyLogin {
    /// Where the logins are kept.
    pub came: Logins,
    /// The name that every visitor gets.
    pub visitor: UserName,
}

impl Door for AnyLogin {
    fn check(
        &mut self,
        _: Rung,
        login: &[u8],
        _: &Transcript,
        _: &mut Work,
    ) -> Result<UserName, Refusal> {
        let mut came = self.came.0.lock().expect("no thread panicked while adding");
        came.push(login.to_vec());
        Ok(self.visitor.clone())
    }
}
