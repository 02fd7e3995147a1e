//! From an address to an open session: which key the host must have, the password, the outbox, the login. And from an
//! invitation to an account.
//!
//! All that a person is asked or shown goes through [`Person`], so a program, a lab and a test use the same steps.

use std::{io, path::PathBuf, time::Duration};

use latchstring_net::protocol::hardened::{
    full::Deployable,
    message::{Fingerprint, Invite},
};
use thiserror::Error;
use tokio::{net::TcpStream, time::timeout};
use zeroize::Zeroizing;

use crate::{
    address::Address,
    connection::Connection,
    error::ClientError,
    known_hosts::{Changed, KnownHosts, KnownHostsError},
    login::Client,
    outbox::{Outbox, OutboxError, Owner, Stray},
    password::{PasswordError, Source},
    retry::{Retry, Why},
};

/// A TCP connection must be there within this time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// The person who logs in, or the script.
pub trait Person {
    /// Whether somebody is there to be asked.
    fn can_be_asked(&self) -> bool;

    /// Asks whether this is the fingerprint of the host; the answer is the fingerprint that the host must have. `None`
    /// is a no.
    fn confirm(&self, host: &str, met: Fingerprint) -> io::Result<Option<Fingerprint>>;

    /// Shows what was done.
    fn note(&self, text: &str);

    /// Shows what should not be overlooked.
    fn warn(&self, text: &str);

    /// Shows that the server has no room yet, and that the next attempt comes after `wait`.
    fn waiting(&self, why: Why, wait: Duration, attempt: u32);
}

/// Why there is no session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DialError {
    /// The connection or the peer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A known host has another key.
    #[error(transparent)]
    Changed(#[from] Box<Changed>),
    /// The file of known hosts.
    #[error(transparent)]
    KnownHosts(#[from] KnownHostsError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The host is new, and there is nobody to confirm its key.
    #[error(
        "the host {0} is not known, and nobody can be asked because the standard input is not a terminal. Get its \
         fingerprint from the operator (latchstring-server prints it) and give it with --fingerprint SHA256:…"
    )]
    UnknownHost(String),
    /// The person said no.
    #[error("the host key was not confirmed; nothing was sent")]
    NotConfirmed,
    /// The person could not be asked.
    #[error("cannot read the answer: {0}")]
    Answer(io::Error),
}

impl From<PasswordError> for DialError {
    fn from(error: PasswordError) -> Self {
        Self::Client(error.into())
    }
}

impl DialError {
    /// The exit code of a program that ends with this error; see [`ClientError::exit_code`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => error.exit_code(),
            Self::Changed(_) | Self::KnownHosts(KnownHostsError::Changed(_)) => 3,
            _ => 1,
        }
    }
}

/// Everything that decides about a login.
pub struct Dial<'a> {
    /// User and key.
    pub client: &'a Client,
    /// User and host.
    pub address: &'a Address,
    /// The fingerprint of the host that the user was given, if any.
    pub given: Option<Fingerprint>,
    /// The password, or where it comes from.
    pub source: &'a Source,
    /// The directory of outboxes.
    pub outboxes: PathBuf,
    /// The pins.
    pub hosts: KnownHosts,
    /// How long to try.
    pub retry: Retry<'a>,
    /// The person.
    pub person: &'a dyn Person,
}

impl Dial<'_> {
    /// Decides which key the host must have, and logs in with that as the pin.
    ///
    /// If a person has to be asked anything, the program first meets the host on a separate connection. Nobody confirms
    /// a fingerprint or types a password within the ten seconds of a handshake. The password is asked for only once the
    /// host has proven its key. A descriptor may be fed by a person too.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn log_in(mut self) -> Result<(Connection<TcpStream>, Outbox), DialError> {
        self.log_in_keeping(&mut None).await
    }

    /// The same, for a login that may be made again: the password is read once, and kept in `password`.
    pub(crate) async fn log_in_keeping(
        &mut self,
        password: &mut Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(Connection<TcpStream>, Outbox), DialError> {
        let host = self.address.host_port();
        let is_known = self.hosts.find(&host).is_some();
        let pin = self.hosts.pin(&host, self.given)?;
        let may_take_long = password.is_none() && !matches!(self.source, Source::File(_));
        if pin.is_none() && !self.person.can_be_asked() {
            return Err(DialError::UnknownHost(host));
        }

        let pin = match pin {
            Some(pin) if is_known && !may_take_long => pin,
            _ => {
                let met = self.meet_host().await?;
                let pin = match pin {
                    Some(pin) => pin,
                    None => (self.person.confirm(&host, met))
                        .map_err(DialError::Answer)?
                        .ok_or(DialError::NotConfirmed)?,
                };
                if met != pin {
                    return Err(refusal(&self.hosts, &host, pin, met));
                }
                if !is_known {
                    self.remember(&host, met)?;
                }
                if may_take_long {
                    // Nobody should type a password only to hear that another client has the outbox.
                    drop(self.open_outbox(&pin)?);
                    let question = format!("Password of {}: ", self.address);
                    *password = Some(self.source.read(&question)?);
                }
                pin
            }
        };
        // Locked before the login: a second client would only throw the first one out, and then find its outbox in use.
        let (outbox, strays) = self.open_outbox(&pin)?;
        for stray in strays {
            self.person.warn(&format!("Warning: {stray}."));
        }
        Ok((self.log_in_to(&pin, password).await?, outbox))
    }

    /// Logs in again to the host that it was logged in to, without a question.
    pub(crate) async fn log_in_again(
        &mut self,
        password: &mut Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Connection<TcpStream>, DialError> {
        let host = self.address.host_port();
        let pin = self.hosts.pin(&host, self.given)?;
        let pin = pin.ok_or(DialError::UnknownHost(host))?;
        self.log_in_to(&pin, password).await
    }

    /// Makes the account to which `invite` invites, and remembers its host.
    ///
    /// The host is met before a person has to think of a password: only the host of the invitation gets to see one.
    ///
    /// # Errors
    /// [`DialError`], and the error of `new_password`.
    pub async fn enrol<E: From<DialError>>(
        mut self,
        invite: &Invite,
        new_password: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<(), E> {
        let (host, pin) = (self.address.host_port(), invite.host);
        (self.hosts.pin(&host, Some(pin))).map_err(DialError::from)?;
        let met = self.meet_host().await.map_err(DialError::from)?;
        if met != pin {
            return Err(refusal(&self.hosts, &host, pin, met).into());
        }
        let password = new_password()?;
        let (client, address, person) = (self.client, self.address, self.person);
        let enrol = async || {
            let stream = reach(client, address).await?;
            client.enrol(stream, invite, &password).await
        };
        let waiting = |why, wait, attempt| person.waiting(why, wait, attempt);
        let mut retry = self.retry.for_an_enrolment();
        let connection = retry
            .connect(enrol, waiting)
            .await
            .map_err(DialError::from)?;
        if self.hosts.find(&host).is_none() {
            self.hosts.add(&host, pin).map_err(DialError::from)?;
        }
        Ok(connection.close().await.map_err(DialError::from)?)
    }

    fn remember(&mut self, host: &str, met: Fingerprint) -> Result<(), KnownHostsError> {
        self.hosts.add(host, met)?;
        let path = self.hosts.path().display();
        self.person
            .note(&format!("Remembered {host} {met} in {path}."));
        Ok(())
    }

    /// The outbox for the host that has this key, with what other files hold for it, and what waits elsewhere for nobody.
    fn open_outbox(&self, host: &Fingerprint) -> Result<(Outbox, Vec<Stray>), OutboxError> {
        let owner = Owner {
            host: *host,
            user: self.client.user.clone(),
            key: Fingerprint::of(self.client.key.public_key()),
        };
        let mut outbox = Outbox::open(&self.outboxes, owner)?;
        let known = self.hosts.all().map(|(name, key)| (name.to_owned(), key));
        let hosts: Vec<_> = known.chain([(self.address.host_port(), *host)]).collect();
        let strays = outbox.adopt(&self.outboxes, &hosts)?;
        Ok((outbox, strays))
    }

    async fn meet_host(&mut self) -> Result<Fingerprint, ClientError> {
        let (client, address, person) = (self.client, self.address, self.person);
        let meet = async || client.meet_host(&mut reach(client, address).await?).await;
        let waiting = |why, wait, attempt| person.waiting(why, wait, attempt);
        self.retry.connect(meet, waiting).await
    }

    /// A missing password is read once, after the host has proven its key, and kept for further attempts. A pipe can be
    /// read only once.
    async fn log_in_to(
        &mut self,
        pin: &Fingerprint,
        password: &mut Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Connection<TcpStream>, DialError> {
        let (client, address, source) = (self.client, self.address, self.source);
        let log_in = async || {
            let stream = reach(client, address).await?;
            let read = || match &*password {
                Some(password) => Ok(password.clone()),
                None => Ok(password.insert(source.read("")?).clone()),
            };
            client.login(stream, pin, read).await
        };
        let person = self.person;
        let waiting = |why, wait, attempt| person.waiting(why, wait, attempt);
        match self.retry.connect(log_in, waiting).await {
            Err(ClientError::HostKeyMismatch { presented, .. }) => {
                Err(refusal(&self.hosts, &address.host_port(), *pin, presented))
            }
            other => Ok(other?),
        }
    }
}

/// The error for a key that is not the pin: a loud one, if another key is known.
fn refusal(
    hosts: &KnownHosts,
    host: &str,
    expected: Fingerprint,
    presented: Fingerprint,
) -> DialError {
    match hosts.refusal(host, presented) {
        Some(changed) => changed.into(),
        None => DialError::Client(ClientError::HostKeyMismatch {
            expected,
            presented,
        }),
    }
}

/// Only a client with every defence goes out to a network.
async fn reach<D: Deployable>(_: &Client<D>, address: &Address) -> Result<TcpStream, ClientError> {
    let stream = match timeout(CONNECT_DEADLINE, address.place.connect()).await {
        Ok(stream) => stream,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer within 10 s",
        )),
    };
    // Records are small and each is written at once: waiting for more only delays them.
    stream
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(|source| ClientError::Unreachable {
            address: address.host_port(),
            source,
        })
}
