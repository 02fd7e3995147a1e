//! A server that charges a refused login to the named account, and not to its source.

use latchstring_attacker::protocol::hardened::handshake::RefusalReason;
use latchstring_server_core::{
    failures::{FailurePolicy, Refused},
    store::Answer,
};

/// Counts a login without the key as a wrong password of the account.
pub(super) struct ChargeAccount;

impl FailurePolicy for ChargeAccount {
    fn refused<'a>(&'a self, login: Refused<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let Refused { user, kid, .. } = login;
            let account = login.accounts.find(user, kid).await?;
            if login.reason == RefusalReason::BadKeyProof && account.is_some() {
                let turn = login.throttle.turn(login.accounts, user, kid).await?;
                if let Ok(turn) = turn {
                    turn.count(login.accounts).await?.wrong();
                }
            }
            Ok(())
        })
    }
}
