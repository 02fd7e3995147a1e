//! An invited person becomes a user, with a new key and a new password.
//!
//! The order of the checks: whether the client holds the key that it brings, whether it is invited, and whether others
//! can compute the key. Only then the password is hashed. A stranger without a token costs one check of a signature, as
//! in a login, and learns as little from the answer.

use latchstring_net::{
    hygiene,
    protocol::hardened::{
        defence::Defence,
        handshake::{NewHolder, Newcomer, RefusalReason},
        parts::Parts,
    },
};
use latchstring_store::{Account, StoreError, password::PasswordError};
use tokio::task::spawn_blocking;

use crate::{Event, Server, cost::Work, error::HandshakeError, verify::Verified};

/// The result of an attempt: an account, or a reason for the local log.
type Made = Result<(), RefusalReason>;

pub(crate) async fn enrol<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    newcomer: Newcomer<D>,
) -> Result<Verified<D>, HandshakeError> {
    server.spend(connection, Work::Verify).await;
    let holder = match newcomer.prove_key(&*server.setup.verifier) {
        Ok(holder) => holder,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let made = make_account(server, connection, &holder).await?;
    Ok(holder.enrolled(made))
}

async fn make_account<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    holder: &NewHolder<D>,
) -> Result<Made, HandshakeError> {
    let setup = &server.setup;
    let (user, token_hash, now) = (holder.user(), holder.token().hash(), (setup.now)());
    let accounts = &*setup.accounts;
    let invited = (setup.enrolment).is_invited(accounts, user, &token_hash, now);
    if !invited.await? {
        return Ok(Err(RefusalReason::NotInvited));
    }
    if server.keeps(Defence::KeyHygiene)
        && let Err(why) = check_key(server, holder.spki()).await?
    {
        let user = user.clone();
        server.saw(connection, &Event::WeakKey { user, why });
        return Ok(Err(RefusalReason::WeakKey));
    }
    server.spend(connection, Work::Hash).await;
    let mut salt = [0; 16];
    setup.entropy.fill(&mut salt);
    let hash = match (server.hashing)
        .make(holder.password().clone(), salt)
        .await?
    {
        Ok(hash) => hash,
        Err(PasswordError::Breached) => return Ok(Err(RefusalReason::BreachedPassword)),
        Err(why @ (PasswordError::Hash(_) | PasswordError::List(_))) => return Err(why.into()),
        Err(_) => return Ok(Err(RefusalReason::BadPassword)),
    };
    let account = Account::new(user.clone(), holder.spki().to_vec(), hash, now);
    match (setup.enrolment)
        .enrol(accounts, &account, &token_hash)
        .await
    {
        Ok(()) => {
            let Account { user, kid, .. } = account;
            server.saw(connection, &Event::Enrolled { user, kid });
            Ok(Ok(()))
        }
        // Somebody else was faster, or the operator made the account.
        Err(StoreError::NotInvited(_) | StoreError::UserExists(_)) => {
            Ok(Err(RefusalReason::NotInvited))
        }
        Err(why) => Err(why.into()),
    }
}

/// Checks the key alone and beside every other one, in a separate thread: with many users it takes a while.
async fn check_key<D: Parts>(
    server: &Server<D>,
    spki: &[u8],
) -> Result<Result<(), hygiene::WeakKey>, HandshakeError> {
    let enrolled = server.setup.accounts.list().await?;
    let (spki, host) = (spki.to_vec(), server.setup.host.public_key().to_vec());
    let checking = spawn_blocking(move || {
        let others = enrolled.iter().map(|account| &account.spki[..]);
        hygiene::check(&spki, others.chain([&host[..]])).map(drop)
    });
    checking.await.map_err(|_| HandshakeError::Stopping)
}
