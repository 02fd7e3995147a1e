//! Steps 1 to 3 between a login's arrival and its answer. The steps are the user, the key (for strangers the same work
//! with a dummy key), and only then the password. The key before the password is what keeps strangers from spending
//! argon2, from locking a user out and from learning who exists.

use std::sync::Arc;

use latchstring_net::protocol::hardened::{
    defence::Defence,
    handshake::{Authenticated, Claimant, KeyHolder, Refusal, RefusalReason},
    parts::Parts,
};
use latchstring_store::Account;

use crate::{
    Event, Server, cost::Work, error::HandshakeError, hashing::Looked, lookup::Wanted,
    throttle::NotChecked,
};

/// A user who may log in, or a refusal.
pub(crate) type Verified<D> = Result<Authenticated<D>, Refusal<D>>;

pub(crate) async fn verify<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    claimant: Claimant<D>,
) -> Result<Verified<D>, HandshakeError> {
    let account = find(server, connection, &claimant).await?;
    let known = account.as_ref().map(|account| &account.spki[..]);
    let stand_in = server.setup.lookup.stand_in();
    if known.or(stand_in).is_some() {
        server.spend(connection, Work::Verify).await;
    }
    let holder = match claimant.prove_key(known, stand_in, &*server.setup.verifier) {
        Ok(holder) => holder,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if account.as_ref().is_some_and(|account| account.disabled) {
        return Ok(Err(holder.refuse(RefusalReason::UserDisabled)));
    }
    // Nobody proves the key of an account that is not there.
    let stored = account.map(|account| account.password_hash);
    check_password(server, connection, holder, stored.unwrap_or_default()).await
}

/// Looks at the password if it is time for that, and only once it is counted.
async fn check_password<D: Parts + Clone>(
    server: &Server<D>,
    connection: u64,
    holder: KeyHolder<D>,
    stored: String,
) -> Result<Verified<D>, HandshakeError> {
    let accounts = &*server.setup.accounts;
    let mut turn = None;
    if server.keeps(Defence::Throttling) {
        let (user, kid) = (holder.user(), holder.kid());
        match server.throttle.turn(accounts, user, kid).await? {
            Ok(granted) => turn = Some(granted),
            Err(NotChecked::TooSoon) => return Ok(Err(holder.refuse(RefusalReason::TooSoon))),
            Err(NotChecked::Disabled) => return Ok(Err(holder.refuse(RefusalReason::Disabled))),
        }
    }
    server.spend(connection, Work::Hash).await;
    // Waited for first: whoever is turned away from the queue has guessed nothing.
    let computing = server.hashing.turn().await?;
    let mut counted = None;
    if let Some(turn) = turn {
        counted = Some(turn.count(accounts).await?);
    }
    let (user, entropy) = (holder.user().clone(), Arc::clone(&server.setup.entropy));
    let salt = move || {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        salt
    };
    let looked = (server.hashing)
        .prove(computing, holder, stored.clone(), salt)
        .await;
    if let Some(counted) = counted {
        match &looked {
            Ok(looked) if looked.verified.is_ok() => counted.right(accounts).await?,
            Ok(_) => counted.wrong(),
            Err(_) => counted.not_looked_at(accounts).await?,
        }
    }
    let Looked {
        verified,
        renewed,
        breached,
    } = looked?;
    if breached {
        let user = user.clone();
        server.saw(connection, &Event::BreachedPassword { user });
    }
    if let Some(renewed) = renewed
        && accounts.renew_hash(&user, &stored, &renewed).await?
    {
        server.saw(connection, &Event::HashRenewed { user });
    }
    Ok(verified)
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
        password: &claimant.auth().password,
        accounts: &*server.setup.accounts,
        signed_by: &signed_by,
        connection,
    };
    Ok(server.setup.lookup.find(wanted).await?)
}
