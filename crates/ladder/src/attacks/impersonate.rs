//! Logs in with a name, the public key and the password.
//!
//! Below rung 6 a login is the name under the *public* key, which everybody has. From rung 6 on it takes a signature: the
//! attack sends one of the right length.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::{Ready, signed_login},
    rung::Idea,
    signature::SIGNATURE,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "impersonate",
    title: "log in with a name, a public key and a password",
    goal: Goal::LogIn,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    outside.say_as_user(unproven(outside, outside.user), b"mallory was here")
}

/// The best login for a name that takes no private key.
pub(super) fn unproven(outside: &Outside<'_>, name: &str) -> Ready {
    let login = match outside.rung.has(Idea::Proof) {
        true => {
            let signature = [0x5a; SIGNATURE];
            let password = outside.password.as_bytes();
            signed_login(outside.rung, name.as_bytes(), &signature, password)
        }
        false => {
            // Whose key it is does not matter for a name that nobody has.
            let someone = outside.directory.first().map(|(_, key)| key);
            let key = outside.public_key(name).or(someone);
            let login = key.map(|key| key.encrypt(name.as_bytes()));
            login
                .expect("the directory is not empty")
                .expect("a name is below every modulus")
        }
    };
    Ready(login)
}
