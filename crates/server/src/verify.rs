//! Steps 1 to 3 between a login's arrival and its answer: who is it, does the key fit (for strangers the same work with
//! a key that is nobody's), and only then the password. The key before the password is what keeps strangers from
//! spending argon2, from locking a user out and from learning who exists.

use latchstring_net::protocol::hardened::{
    defence::Defence,
    handshake::{Authenticated, Claimant, KeyHolder, Refusal, RefusalReason},
    parts::Parts,
};
use latchstring_store::Account;

use crate::{
    Server, dummy::DUMMY_KEY, error::HandshakeError, lookup::Wanted, meter::Work, throttle::Unheard,
};

/// Somebody who is let in, or a refusal.
pub(crate) type Verified<D> = Result<Authenticated<D>, Refusal<D>>;

pub(crate) async fn verify<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    claimant: Claimant<D>,
) -> Result<Verified<D>, HandshakeError> {
    let account = find(server, connection, &claimant).await?;
    if !server.keeps(Defence::SignatureFirst) {
        hash_for_anybody(server, connection, &claimant, account.as_ref()).await?;
    }
    if account.is_none() && !server.keeps(Defence::ConstantWork) {
        return Ok(Err(claimant.unknown()));
    }
    server.spend(connection, Work::Verify).await;
    let known = account.as_ref().map(|account| &account.spki[..]);
    let holder = match claimant.prove_key(known, &DUMMY_KEY, &*server.setup.verifier) {
        Ok(holder) => holder,
        Err(refusal) => {
            if let Some(account) = account.filter(|_| !server.keeps(Defence::SourceFirst)) {
                hold_against_account(server, &account).await?;
            }
            return Ok(Err(refusal));
        }
    };
    // Nobody proves the key of an account that is not there.
    let stored = account.map(|account| account.password_hash);
    let stored = stored.unwrap_or_default();
    match server.keeps(Defence::Throttling) {
        true => in_turn(server, connection, holder, stored).await,
        false => check_password(server, connection, holder, stored).await,
    }
}

/// Looks at the password if it is time for that, and only once it is counted.
async fn in_turn<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    holder: KeyHolder<D>,
    stored: String,
) -> Result<Verified<D>, HandshakeError> {
    let accounts = &*server.setup.accounts;
    let (user, kid) = (holder.user().clone(), *holder.kid());
    let turn = match server.throttle.turn(accounts, &user, &kid).await? {
        Ok(turn) => turn,
        Err(Unheard::TooSoon) => return Ok(Err(holder.refuse(RefusalReason::TooSoon))),
        Err(Unheard::Disabled) => return Ok(Err(holder.refuse(RefusalReason::Disabled))),
    };
    server.spend(connection, Work::Hash).await;
    // Waited for first: whoever is turned away from the queue has guessed nothing.
    let computing = server.gate.turn().await?;
    let counted = turn.count(accounts).await?;
    let verified = server.gate.prove(computing, holder, stored).await;
    match &verified {
        Ok(Ok(_)) => counted.right(accounts).await?,
        Ok(Err(_)) => counted.wrong(),
        Err(_) => counted.not_looked_at(accounts).await?,
    }
    verified
}

async fn check_password<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    holder: KeyHolder<D>,
    stored: String,
) -> Result<Verified<D>, HandshakeError> {
    server.spend(connection, Work::Hash).await;
    let computing = server.gate.turn().await?;
    server.gate.prove(computing, holder, stored).await
}

/// Without the source to hold it against: the account that was named pays for a login without its key.
async fn hold_against_account<D: Parts + Clone>(
    server: &Server<D>,
    account: &Account,
) -> Result<(), HandshakeError> {
    let accounts = &*server.setup.accounts;
    let turn = server.throttle.turn(accounts, &account.user, &account.kid);
    if let Ok(turn) = turn.await? {
        turn.count(accounts).await?.wrong();
    }
    Ok(())
}

async fn find<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    claimant: &Claimant<D>,
) -> Result<Option<Account>, HandshakeError> {
    let signed_by = |spki: &[u8]| claimant.is_signed_by(spki, &*server.setup.verifier);
    let wanted = Wanted {
        user: claimant.user(),
        kid: claimant.kid(),
        accounts: &*server.setup.accounts,
        signed_by: &signed_by,
        connection,
    };
    Ok(server.setup.lookup.find(wanted).await?)
}

/// Without the right order: the password of whoever asks is hashed, before anything is known about them.
async fn hash_for_anybody<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    claimant: &Claimant<D>,
    account: Option<&Account>,
) -> Result<(), HandshakeError> {
    server.spend(connection, Work::Hash).await;
    let stored = account.map(|account| account.password_hash.clone());
    let password = claimant.auth().password.clone();
    server.gate.hash(stored.unwrap_or_default(), password).await
}
