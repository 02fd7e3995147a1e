//! Passwords as the deployed server keeps them: argon2id, with a pepper if there is one, and none from the list of breached
//! passwords. The operator can change all of this while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use latchstring_store::password::{self, Cost, PasswordError, Peppers};
use thiserror::Error;

use crate::{
    breached::{BreachedList, ListError},
    config::Passwords,
    hashing::PasswordCheck,
    pepper::{self, PepperFileError},
};

/// Why the files that `[passwords]` names cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RulesError {
    /// A pepper.
    #[error(transparent)]
    Pepper(#[from] PepperFileError),
    /// The list of breached passwords.
    #[error(transparent)]
    List(#[from] ListError),
}

/// The section `[passwords]`, with the content of its files.
#[derive(Debug)]
pub struct PasswordRules {
    cost: Cost,
    peppers: Peppers,
    breached: Option<BreachedList>,
}

impl PasswordRules {
    /// Without a pepper, and without a list.
    pub fn new(cost: Cost) -> Self {
        Self {
            cost,
            peppers: Peppers::default(),
            breached: None,
        }
    }

    /// With the files that the settings name.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn load(settings: &Passwords) -> Result<Self, RulesError> {
        let breached = settings.breached.as_deref().map(BreachedList::open);
        Ok(Self {
            cost: settings.cost,
            peppers: pepper::load(&settings.pepper_files)?,
            breached: breached.transpose()?,
        })
    }

    /// The peppers that are known.
    pub fn peppers(&self) -> &Peppers {
        &self.peppers
    }

    /// Whether a person may choose this password, as far as the list of breached passwords goes.
    ///
    /// # Errors
    /// [`PasswordError::Breached`]; [`PasswordError::List`] when the list cannot be read. Then nobody may choose any.
    pub fn allow(&self, password: &[u8]) -> Result<(), PasswordError> {
        let Some(list) = &self.breached else {
            return Ok(());
        };
        match list.contains(password) {
            Ok(false) => Ok(()),
            Ok(true) => Err(PasswordError::Breached),
            Err(why) => Err(PasswordError::List(why.to_string())),
        }
    }

    /// The form in which a password is stored.
    ///
    /// # Errors
    /// Those of [`password::hash`].
    pub fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
        password::hash_with(password, salt, self.cost, self.peppers.current())
    }

    fn is_current(&self, stored: &str) -> bool {
        let pepper = self.peppers.current().map(|pepper| pepper.id().to_owned());
        Cost::of(stored) == Ok(self.cost) && password::pepper_of(stored) == Ok(pepper)
    }
}

/// argon2id, as deployed.
#[derive(Debug)]
pub struct Argon2id(RwLock<Arc<PasswordRules>>);

impl Argon2id {
    /// New hashes are made at this cost, without a pepper.
    pub fn new(cost: Cost) -> Self {
        Self::with(PasswordRules::new(cost))
    }

    /// New passwords obey these rules.
    pub fn with(rules: PasswordRules) -> Self {
        Self(RwLock::new(Arc::new(rules)))
    }

    /// From now on new passwords obey these rules.
    pub fn set_rules(&self, rules: PasswordRules) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    fn rules(&self) -> Arc<PasswordRules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PasswordCheck for Argon2id {
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError> {
        password::verify_with(stored, password, self.rules().peppers())
    }

    fn allow(&self, password: &[u8]) -> Result<(), PasswordError> {
        self.rules().allow(password)
    }

    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
        self.rules().hash(password, salt)
    }

    fn is_current(&self, stored: &str) -> bool {
        self.rules().is_current(stored)
    }
}
