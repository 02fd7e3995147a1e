//! The store, as a server uses it.

use std::{fmt, pin::Pin};

use latchstring_protocol::hardened::{
    message::{Fingerprint, Held, UserName},
    primitives::hash,
    session::content,
};

use crate::StoreError;

/// One user with one key and one password. A user with several keys, one for each computer, has an account for each: they share
/// the name, the password and the time.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub user: UserName,
    /// `H(spki)`.
    pub kid: Fingerprint,
    /// The public key: DER of a SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// A PHC string; see [`crate::password`].
    pub password_hash: String,
    /// When the account was made, in seconds since 1970.
    pub created_at: u64,
    /// The operator lets this user in no more, until further notice.
    pub disabled: bool,
}

impl Account {
    /// An account; the kid follows from the key. That the key is one the protocol allows is for the caller to check.
    pub fn new(user: UserName, spki: Vec<u8>, password_hash: String, created_at: u64) -> Self {
        Self {
            user,
            kid: Fingerprint::of(&spki),
            spki,
            password_hash,
            created_at,
            disabled: false,
        }
    }
}

/// How many users these accounts have, in the order of [`Accounts::list`].
pub fn users(accounts: &[Account]) -> usize {
    accounts.chunk_by(|one, next| one.user == next.user).count()
}

impl fmt::Debug for Account {
    /// Without the password hash: a reader of a log must not be able to start guessing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .field("kid", &self.kid)
            .field("created_at", &self.created_at)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// For how long an invitation is good unless its maker says otherwise, in seconds: a day.
pub const INVITE_LASTS: u64 = 24 * 60 * 60;

/// An invitation, as the store keeps it: a reader of the store cannot use it.
///
/// The invitation has remaining seconds, and not a moment at which it ends. Time that has passed is taken off each time
/// when the store looks at the clock. A clock that was set back gives nothing back, so no change of the clock revives
/// an invitation that the store has seen expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The only user who may make an account with it.
    pub user: UserName,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// The time of making, in seconds since 1970.
    pub made_at: u64,
    /// When the seconds that are left were last counted, in seconds since 1970.
    pub seen_at: u64,
    /// For how many seconds from then on it is good; 0 when it has expired.
    pub seconds_left: u64,
}

impl Invite {
    /// An invitation that is good from `now` for [`INVITE_LASTS`].
    pub fn new(user: UserName, token_hash: [u8; 32], now: u64) -> Self {
        Self {
            user,
            token_hash,
            made_at: now,
            seen_at: now,
            seconds_left: INVITE_LASTS,
        }
    }

    /// The same, valid for this number of seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: u64) -> Self {
        self.seconds_left = seconds;
        self
    }

    /// Takes off the time that has passed since the last look at the clock.
    pub(crate) fn observe(&mut self, now: u64) {
        self.seconds_left = self.left_at(now);
        self.seen_at = now;
    }

    pub(crate) fn admits(&self, token_hash: &[u8; 32], now: u64) -> bool {
        self.token_hash == *token_hash && self.left_at(now) > 0
    }

    fn left_at(&self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.seen_at);
        self.seconds_left.saturating_sub(passed)
    }
}

/// An invitation, as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The invited user; `None` when an older version, which kept no names, made it.
    pub user: Option<UserName>,
    /// The time of making, in seconds since 1970.
    pub made_at: u64,
    /// For how many seconds it is still good; 0 when it has expired.
    pub seconds_left: u64,
}

/// The removed parts of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// An account.
    pub account: bool,
    /// An invitation, used by nobody.
    pub invitation: bool,
}

/// The result of storing a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The message was the next one, and is on the disk now.
    Appended,
    /// This very message had been there before; nothing changed. Acknowledge it again.
    Duplicate,
}

/// A message in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Starts at 1 and goes up by 1.
    pub id: u64,
    /// The protocol's kind byte.
    pub kind: u8,
    /// The text.
    pub text: String,
    /// The public name of the session that brought it; `None` for what was stored before stores kept it. Two clients
    /// may say the same under the same id, and then this alone tells their messages apart.
    pub session: Option<[u8; 16]>,
    /// When the server got it, in seconds since 1970; `None` for what was stored before stores kept it. A duplicate
    /// that comes later does not change it.
    pub received_at: Option<u64>,
}

impl StoredMessage {
    /// What the protocol says of it to a client that asks.
    pub fn held(&self) -> Held {
        Held {
            session: self.session.unwrap_or_default(),
            content: content(self.kind, &self.text),
        }
    }

    /// Whether `other` is this very message, brought once more.
    fn is_again(&self, other: &Self) -> bool {
        let sessions = self.session.zip(other.session);
        (self.kind, &self.text) == (other.kind, &other.text)
            && sessions.is_none_or(|(one, two)| one == two)
    }
}

/// The future of an answer, boxed so that `dyn Accounts` is possible.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps accounts, and every acknowledged message exactly once.
///
/// Users are kept under `H(user)`, never under a path made from a name. A call that returns `Ok` is durable. Every
/// method may also fail with an error of the disk.
pub trait Accounts: Send + Sync {
    /// The account of this user, if its key is this one.
    fn find<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, Option<Account>>;

    /// Adds an account, and revokes an invitation for its name. Create-only: [`StoreError::UserExists`] rather than
    /// replace an account.
    fn add<'a>(&'a self, account: &'a Account) -> Answer<'a, ()>;

    /// Keeps an invitation in place of any earlier one for the same name; [`StoreError::UserExists`] when there is
    /// nothing left to invite to.
    fn invite<'a>(&'a self, invite: &'a Invite) -> Answer<'a, ()>;

    /// Takes the time that has passed off every invitation. A server calls it once a minute, because a clock that is set
    /// back can only give back what was not counted yet.
    fn observe_clock(&self, now: u64) -> Answer<'_, ()>;

    /// Every invitation that was not used or revoked, by name, as of `now`; also those that have expired.
    fn invitations(&self, now: u64) -> Answer<'_, Vec<Invitation>>;

    /// Revokes the invitation for this name, or says [`StoreError::NoInvitation`].
    fn revoke<'a>(&'a self, user: &'a UserName) -> Answer<'a, ()>;

    /// Whether there is an invitation for this user with this token, and `now`, in seconds since 1970, it is still good.
    fn is_invited<'a>(
        &'a self,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool>;

    /// Uses the invitation up and adds the account, both or neither. The invitation must be valid at the second in
    /// which the account was made. [`StoreError::NotInvited`] without such an invitation; [`StoreError::UserExists`]
    /// rather than replace an account.
    fn enrol<'a>(&'a self, account: &'a Account, token_hash: &'a [u8; 32]) -> Answer<'a, ()>;

    /// Every key of every user, by name and key.
    fn list(&self) -> Answer<'_, Vec<Account>>;

    /// Gives a user one more key; [`StoreError::NoSuchUser`] without such a user, [`StoreError::KeyExists`] rather than add a key
    /// twice. `now` is in seconds since 1970. That the key is one the protocol allows is for the caller to check.
    fn add_key<'a>(&'a self, user: &'a UserName, spki: &'a [u8], now: u64) -> Answer<'a, ()>;

    /// Takes a key from a user, or says [`StoreError::NoSuchUser`]; [`StoreError::OnlyKey`] rather than leave none. The messages
    /// that came with the key stay.
    fn remove_key<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, ()>;

    /// Lets a user in no more, or again; or says [`StoreError::NoSuchUser`].
    fn set_disabled<'a>(&'a self, user: &'a UserName, disabled: bool) -> Answer<'a, ()>;

    /// Removes an account with all its keys, and revokes an invitation for its name; [`StoreError::NoSuchUser`] when there is neither. The
    /// messages stay: they were acknowledged.
    fn remove<'a>(&'a self, user: &'a UserName) -> Answer<'a, Removed>;

    /// Wrong passwords in a row by the holder of this key; 0 without such an account.
    fn failures<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u32>;

    /// Sets that count, or says [`StoreError::NoSuchUser`].
    fn set_failures<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        failures: u32,
    ) -> Answer<'a, ()>;

    /// Replaces the password hash, and forgets wrong passwords with any key; or says [`StoreError::NoSuchUser`].
    fn set_password<'a>(&'a self, user: &'a UserName, password_hash: &'a str) -> Answer<'a, ()>;

    /// Puts another hash of the same password in the place of this one. `false` when the account has a different hash by
    /// now: somebody has changed the password.
    fn renew_hash<'a>(&'a self, user: &'a UserName, old: &'a str, new: &'a str)
    -> Answer<'a, bool>;

    /// The id of the last message in the log of this user and key; 0 when it is empty.
    fn last_message_id<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u64>;

    /// The message with this id in the log of this user and key, if there is one.
    fn message<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<StoredMessage>>;

    /// What is held under this id in the log of this user and key. A store may know that of a message whose text was
    /// removed, too.
    fn held<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<Held>> {
        Box::pin(async move {
            let message = self.message(user, kid, id).await?;
            Ok(message.map(|message| message.held()))
        })
    }

    /// Appends a message exactly once: its id must be the last one plus 1, and a message that is there already is a
    /// [`Appended::Duplicate`]. [`StoreError::Conflict`] when the log holds another message under this id.
    /// [`StoreError::Gap`] when messages are missing in between. [`StoreError::NoSuchUser`] when there is no account
    /// with this key, or it is disabled.
    fn append<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        message: &'a StoredMessage,
    ) -> Answer<'a, Appended>;

    /// The keys with which this user has sent messages, also those that were removed, and those of a removed user.
    fn logs<'a>(&'a self, user: &'a UserName) -> Answer<'a, Vec<Fingerprint>>;

    /// The whole log of this user and key, in order.
    fn messages<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
    ) -> Answer<'a, Vec<StoredMessage>>;
}

/// The key of an account in a store: a hash of its name, so that a look-up takes the same time for every name.
pub fn key_of(user: &UserName) -> [u8; 32] {
    hash(&[user.as_str().as_bytes()])
}

/// Why a message that was not appended was not, given what the log holds under its id, and the log's last id.
///
/// # Errors
/// [`StoreError::Conflict`] when another message has the id, [`StoreError::Gap`] when messages are missing before it.
pub fn not_next(
    user: &UserName,
    held: Option<&StoredMessage>,
    last: u64,
    message: &StoredMessage,
) -> Result<Appended, StoreError> {
    let (user, id) = (user.clone(), message.id);
    match held {
        Some(held) if held.is_again(message) => Ok(Appended::Duplicate),
        Some(_) => Err(StoreError::Conflict { user, id }),
        None => Err(StoreError::Gap { user, last, id }),
    }
}
