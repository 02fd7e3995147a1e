//! Steps 1 to 3 between a login's arrival and its answer: who is it, does the key fit (for strangers the same work with
//! a key that is nobody's), and only then the password. The key before the password is what keeps strangers from
//! spending argon2, from locking a user out and from learning who exists.

use latchstring_net::protocol::hardened::{
    defence::{Defence, Defences},
    handshake::{Authenticated, Claimant, Refusal},
};
use latchstring_store::Account;

use crate::{Server, dummy::DUMMY_KEY, login::HandshakeError, lookup::Wanted, meter::Work};

/// Somebody who is let in, or a refusal.
type Verified<D> = Result<Authenticated<D>, Refusal<D>>;

pub(crate) async fn verify<D: Defences + Clone>(
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
        Err(refusal) => return Ok(Err(refusal)),
    };
    server.spend(connection, Work::Hash).await;
    // Nobody proves the key of an account that is not there.
    let stored = account.map(|account| account.password_hash);
    server.gate.prove(holder, stored.unwrap_or_default()).await
}

async fn find<D: Defences + Clone>(
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
async fn hash_for_anybody<D: Defences + Clone>(
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
