//! The hardened server and client in the arena: the deployable programs' own code, with seeded randomness.

use std::{io, sync::Arc, time::Duration};

use futures_util::FutureExt;
use latchstring_attacker::{
    Target,
    net::{entropy::Entropy, keyfile::public_from_pem},
    protocol::hardened::{
        defence::{Defence, Defences},
        message::{Fingerprint, Invite, Token, UserName},
        parts::Parts,
        signature::Signer,
    },
    protocol_faithful::message::QUIT,
    vantage::BoxStream,
};
use latchstring_client_core::{self as client, Client, ClientError};
use latchstring_server_core::{
    Event, HANDSHAKE_DEADLINE, Limits, Observer, Server, Setup,
    delivery::StoreOnly,
    enrol::ByInvitation,
    failures::ChargeSource,
    lookup::ByName,
    serve_connection,
    store::{Account, Accounts, Invite as Kept, Memory},
};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use zeroize::Zeroizing;

use super::{
    ALICE, Lingering, MALLORY, MALLORYS, PASSWORD, Visit,
    people::{NEWCOMERS, PEOPLE},
};
use crate::{
    cost::CostLog,
    keys::{PublishedKey, Seeded},
    memory::Watched,
    provider::Setting,
    seen::{Connection, Ending, Refusal, Seen},
    weakened::{
        generator::SeededWithTime,
        passwords::{self, EitherHash},
        server::weaken,
    },
    wire::Listener,
    witness::Witness,
};

/// Places for those who are not logged in: fewer than deployed, so that filling them is quick.
const PLACES: usize = 20;
/// The connections that one source may have, and the count from which the server drops at random: about the same shares
/// as deployed.
const PLACES_PER_SOURCE: usize = 4;
const CHANCE_FROM: usize = PLACES / 2;
/// The password of those who never log in here.
const NOBODYS: &str = "never said aloud";
/// How long alice waits for an acknowledgement before she types on.
const PATIENCE: Duration = Duration::from_millis(500);

/// Alice's session with the real client. She waits a while for each acknowledgement before she types on.
pub(super) async fn session<D: Parts + Clone>(
    stream: BoxStream,
    Setting { seed, provider }: Setting,
    visit: &Visit,
    defences: D,
) -> anyhow::Result<()> {
    let host = match visit.to_attacker {
        true => PublishedKey::mallory(seed),
        false => PublishedKey::host(seed),
    };
    let client = Client {
        user: UserName::parse(ALICE)?,
        key: provider.signer(PublishedKey::alice(seed + u64::from(visit.number - 1))),
        verifier: provider.verifier(),
        entropy: Arc::new(Seeded::new(seed, &who("alice", visit.number))),
        defences: Watched {
            parts: defences,
            memory: visit.memory.clone(),
        },
    };
    let pin = Fingerprint::of(host.public_key());
    let password = || Ok(Zeroizing::new(PASSWORD.as_bytes().to_vec()));
    let mut connection = client.login(stream, &pin, password).await?;
    if visit.outlives_keys {
        // What her program does by itself after 15 minutes.
        connection.change_keys().await?;
    }
    for text in &visit.script {
        connection.send(text)?;
        if let Ok(acknowledged) = timeout(PATIENCE, connection.wait_acknowledged()).await {
            acknowledged?;
        }
    }
    if let Some(lingering) = visit.lingers {
        return Ok(linger(connection, lingering).await?);
    }
    match timeout(PATIENCE, connection.close()).await {
        Ok(closed) => Ok(closed?),
        Err(_) => anyhow::bail!("the server did not acknowledge all messages in time"),
    }
}

/// The invitation that the operator has given to a newcomer.
fn invitation(name: &str, seed: u64) -> anyhow::Result<Invite> {
    let token = Seeded::new(seed, &format!("invitation of {name}")).array();
    Ok(Invite {
        user: UserName::parse(name)?,
        host: Fingerprint::of(PublishedKey::host(seed).public_key()),
        token: Token::new(token),
    })
}

/// A newcomer makes an account with the real client. Returns the public key if the server has taken it.
pub(super) async fn enrol<D: Parts + Clone>(
    stream: BoxStream,
    Setting { seed, provider }: Setting,
    (name, key): (&str, &str),
    defences: D,
) -> anyhow::Result<Option<Vec<u8>>> {
    let invite = invitation(name, seed)?;
    let key = PublishedKey::of_pem(key, seed, name);
    let public = key.public_key().to_vec();
    let client = Client {
        user: invite.user.clone(),
        key: provider.signer(key),
        verifier: provider.verifier(),
        entropy: Arc::new(Seeded::new(seed, name)),
        defences,
    };
    let password = Zeroizing::new(NOBODYS.as_bytes().to_vec());
    match client.enrol(stream, &invite, &password).await {
        Ok(connection) => connection.close().await?,
        Err(ClientError::NotEnrolled) => return Ok(None),
        Err(why) => return Err(why.into()),
    }
    Ok(Some(public))
}

/// The server's clock: it stands still, so that a run repeats.
fn now() -> u64 {
    1_795_000_000
}

/// Stays and says nothing, then leaves without ceremony.
async fn linger<D: Parts>(
    connection: client::Connection<BoxStream, D>,
    lingering: Lingering,
) -> Result<(), ClientError> {
    let mut connection = connection.asking_every(lingering.ask_every);
    let listening = async {
        loop {
            connection.event().await?;
        }
    };
    (timeout(lingering.stay, listening).await).unwrap_or(Ok(()))
}

/// The name of a party's stream of randomness; the first visit has the plain one.
fn who(name: &str, visit: u32) -> String {
    match visit {
        1 => name.to_owned(),
        n => format!("{name}, visit {n}"),
    }
}

/// A store in which everybody has an account who is to have one, and the newcomers are invited.
async fn enrolled(seed: u64, defences: &impl Defences) -> io::Result<Arc<Memory>> {
    let accounts = Arc::new(Memory::new());
    let (alice, mallory) = (PublishedKey::alice(seed), PublishedKey::mallory(seed));
    let spki = |pem: &str| public_from_pem(pem.as_bytes()).map_err(io::Error::other);
    let mut users = vec![
        (ALICE, alice.public_key().to_vec(), PASSWORD),
        (MALLORY, mallory.public_key().to_vec(), MALLORYS),
    ];
    for person in PEOPLE
        .iter()
        .filter(|person| person.enrolled && person.name != ALICE)
    {
        users.push((
            person.name,
            spki(person.public_key(Target::Hardened))?,
            NOBODYS,
        ));
    }
    for (name, spki, password) in users {
        let name = UserName::parse(name).map_err(io::Error::other)?;
        let account = Account::new(name, spki, passwords::stored(password, defences), 0);
        accounts.add(&account).await.map_err(io::Error::other)?;
    }
    for (name, _) in NEWCOMERS {
        let Invite { user, token, .. } = invitation(name, seed).map_err(io::Error::other)?;
        let kept = Kept::new(user, token.hash(), now());
        accounts.invite(&kept).await.map_err(io::Error::other)?;
    }
    Ok(accounts)
}

/// The server, for as many clients at a time as come.
pub(super) async fn serve<D: Parts + Clone>(
    listener: Listener,
    setting: Setting,
    (witness, costs): (Witness, CostLog),
    defences: D,
) -> io::Result<JoinHandle<()>> {
    let Setting { seed, provider } = setting;
    let accounts = enrolled(seed, &defences).await?;
    let command = Arc::new(Notify::new());
    let mut setup = Setup {
        host: host(setting, &defences),
        verifier: provider.verifier(),
        accounts: accounts.clone(),
        delivery: Arc::new(StoreOnly),
        lookup: Arc::new(ByName),
        failures: Arc::new(ChargeSource),
        handshake_deadline: HANDSHAKE_DEADLINE,
        enrolment: Arc::new(ByInvitation),
        passwords: Arc::new(EitherHash {
            memory_hard: defences.keeps(Defence::MemoryHardHash),
        }),
        now,
        entropy: entropy(seed, &defences),
        limits: Limits {
            max_unauthenticated: PLACES,
            max_unauthenticated_per_source: PLACES_PER_SOURCE,
            early_drop_from: CHANCE_FROM,
            // One after the other, so that the salts of its signatures come in the same order in every run.
            signing_permits: 1,
            ..Limits::default()
        },
        cost_model: Arc::new(costs.clone()),
        observer: Arc::new(HardenedWitness {
            witness,
            accounts,
            command: (!defences.keeps(Defence::NoInBand)).then(|| command.clone()),
        }),
        defences,
    };
    weaken(&mut setup, &costs);
    let server = Server::new(setup);
    let obedient = server.clone();
    tokio::spawn(async move {
        command.notified().await;
        obedient.stop();
    });
    Ok(tokio::spawn(accept(listener, server, costs)))
}

/// Serves each connection that comes, until nobody can come any more.
async fn accept<D: Parts + Clone>(mut listener: Listener, server: Arc<Server<D>>, costs: CostLog) {
    let mut on: Connection = 0;
    while let Some((stream, peer)) = listener.accept().await {
        on += 1;
        costs.opened(on);
        let served = serve_connection(server.clone(), stream, peer);
        let costs = costs.clone();
        tokio::spawn(async move {
            served.await;
            costs.closed(on);
        });
    }
}

/// The server's randomness: seeded, so that a run repeats, and new for every connection.
fn entropy(seed: u64, defences: &impl Defences) -> Arc<dyn Entropy> {
    let fresh: Arc<dyn Entropy> = match defences.keeps(Defence::SystemRandomness) {
        true => Arc::new(Seeded::new(seed, "hardened server")),
        false => Arc::new(SeededWithTime::new(seed)),
    };
    if defences.keeps(Defence::FreshServerValues) {
        return fresh;
    }
    let mut once = [0; 64];
    fresh.fill(&mut once);
    Arc::new(Stale(once))
}

/// The host key. The salts of its signatures count among the fresh values: `sigS` is in the transcript, and PSS makes
/// another salt each time.
fn host(Setting { seed, provider }: Setting, defences: &impl Defences) -> Arc<dyn Signer> {
    let key = PublishedKey::host(seed);
    match defences.keeps(Defence::FreshServerValues) {
        true => provider.signer(key),
        false => Arc::new(key.with_salts(Stale([0x5a; 64]))),
    }
}

/// Gives the same bytes every time.
struct Stale([u8; 64]);

impl Entropy for Stale {
    fn fill(&self, out: &mut [u8]) {
        for (byte, stale) in out.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *stale;
        }
    }
}

/// Turns the server's own events into the arena's record.
struct HardenedWitness {
    witness: Witness,
    accounts: Arc<Memory>,
    /// Without a defence: whom to tell that a user has typed a command.
    command: Option<Arc<Notify>>,
}

impl HardenedWitness {
    fn ended(&self, on: Connection, why: &impl ToString) {
        let how = Ending::Failed(why.to_string());
        self.witness.saw(Seen::Ended { on, how });
    }

    /// The text that the server has just made durable.
    fn stored(&self, user: &UserName, id: u64) -> Option<String> {
        let accounts = self.accounts.list().now_or_never()?.ok()?;
        let kid = accounts.iter().find(|account| account.user == *user)?.kid;
        let messages = self.accounts.messages(user, &kid).now_or_never()?.ok()?;
        (messages.into_iter())
            .find(|message| message.id == id)
            .map(|message| message.text)
    }
}

impl Observer for HardenedWitness {
    fn event(&self, on: Connection, event: &Event) {
        let name = |user: &UserName| user.as_str().to_owned();
        match event {
            Event::Connected { .. }
            | Event::Duplicate { .. }
            | Event::Conflict { .. }
            | Event::Enrolled { .. }
            | Event::WeakKey { .. }
            | Event::HashRenewed { .. }
            | Event::BreachedPassword { .. }
            | Event::NewKeys { .. } => {}
            Event::LoggedIn { user, .. } => self.witness.saw(Seen::LoggedIn {
                on,
                user: name(user),
            }),
            Event::Stored { user, id } => {
                let text = self.stored(user, *id).unwrap_or_default();
                if let Some(command) = self.command.as_ref().filter(|_| text == QUIT) {
                    command.notify_one();
                }
                self.witness.saw(Seen::Received {
                    on,
                    user: name(user),
                    text,
                });
            }
            Event::Refused { user, reason } => {
                self.witness.saw(Seen::Refused {
                    on,
                    why: Refusal::Hardened {
                        user: name(user),
                        reason: *reason,
                    },
                });
                self.witness.saw(Seen::Ended {
                    on,
                    how: Ending::Refused,
                });
            }
            Event::Closed { .. } => self.witness.saw(Seen::Ended {
                on,
                how: Ending::Agreed,
            }),
            Event::HandshakeFailed { why } | Event::LoginFailed { why } => self.ended(on, why),
            Event::Truncated { why, .. } => self.ended(on, why),
            Event::ProtocolError { why, .. } => self.ended(on, why),
            Event::StoreFailed { why, .. } => self.ended(on, why),
            Event::TurnedAway { why, .. } => self.witness.saw(Seen::Ended {
                on,
                how: Ending::TurnedAway(*why),
            }),
            Event::Silent { seconds, .. } => self.witness.saw(Seen::Ended {
                on,
                how: Ending::Silent(*seconds),
            }),
            Event::Panicked => self.witness.saw(Seen::Ended {
                on,
                how: Ending::Panicked,
            }),
            // The server may tell more one day. What it tells is not the end of a connection until it stands above.
        }
    }
}
