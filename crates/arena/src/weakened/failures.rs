//! A server that lets the account pay which was named, and not the source that named it.

use latchstring_attacker::protocol::hardened::handshake::RefusalReason;
use latchstring_server_core::{
    failures::{Liability, Refused},
    store::Answer,
};

/// Counts a login without the key as a wrong password of the account.
pub(super) struct ByAccount;

impl Liability for ByAccount {
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
