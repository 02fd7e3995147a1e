//! The same promises, asked of both stores.

mod common;

use common::{account, message, name};
use latchstring_store::protocol::hardened::message::Fingerprint;
use latchstring_store::{
    Accounts, Appended, INVITE_LASTS, Invitation, Invite, Memory, Removed, StoreError,
    StoredMessage,
};
use latchstring_store_sqlite::Sqlite;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A key that nobody has.
fn stranger() -> Fingerprint {
    Fingerprint::of(b"a stranger's key")
}

/// Runs every check against a fresh `Memory` and a fresh `Sqlite`.
macro_rules! both {
    ($($check:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $check() { super::$check(&super::Memory::new()).await })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $check() {
                let dir = tempfile::tempdir().expect("a directory");
                let path = dir.path().join("accounts.db");
                super::$check(&super::Sqlite::create(&path).await.expect("created")).await
            })*
        }
    };
}

both!(
    accounts_are_found_by_name_and_key,
    accounts_are_never_replaced,
    an_invitation_is_good_once_for_one_name_and_one_day,
    an_invitation_that_is_not_used_is_replaced_by_the_next,
    nobody_is_invited_to_an_account_that_is_there,
    removing_a_user_revokes_the_invitation,
    invitations_are_listed_and_revoked,
    a_clock_that_is_set_back_revives_no_invitation,
    a_clock_that_was_wrong_for_a_while_spoils_no_later_invitation,
    of_two_who_bring_one_token_one_is_enrolled,
    removing_and_changing_nobody_is_an_error,
    the_list_is_sorted,
    a_user_has_several_keys_one_password_and_a_log_for_each_key,
    a_disabled_user_stays_and_sends_nothing,
    messages_are_kept_once_and_in_order,
    another_message_under_a_taken_id_is_no_duplicate,
    a_duplicate_that_comes_later_does_not_change_the_time,
    a_message_is_found_by_its_id,
    a_gap_is_refused,
    absurd_ids_are_refused,
    logs_belong_to_user_and_key,
    wrong_passwords_are_counted_for_user_and_key,
    messages_outlive_their_account,
    any_text_comes_back_as_it_was,
    one_id_brought_thrice_at_once_is_kept_once,
);

async fn accounts_are_found_by_name_and_key(store: &dyn Accounts) {
    let alice = account("alice");
    assert_eq!(store.find(&alice.user, &alice.kid).await.unwrap(), None);
    store.add(&alice).await.unwrap();
    let found = store.find(&alice.user, &alice.kid).await.unwrap();
    assert_eq!(found.as_ref(), Some(&alice));
    assert_eq!(store.find(&alice.user, &stranger()).await.unwrap(), None);
    assert_eq!(store.find(&name("bob"), &alice.kid).await.unwrap(), None);
    assert_eq!(store.find(&name("alic"), &alice.kid).await.unwrap(), None);

    store.set_password(&alice.user, "$new").await.unwrap();
    let found = store.find(&alice.user, &alice.kid).await.unwrap().unwrap();
    assert_eq!(found.password_hash, "$new");
    assert_eq!(found.spki, alice.spki);

    // A hash is renewed only while it is the one that was looked at.
    assert!(
        store
            .renew_hash(&alice.user, "$new", "$again")
            .await
            .unwrap()
    );
    assert!(
        !store
            .renew_hash(&alice.user, "$new", "$late")
            .await
            .unwrap()
    );
    assert!(
        !store
            .renew_hash(&name("bob"), "$new", "$late")
            .await
            .unwrap()
    );
    let found = store.find(&alice.user, &alice.kid).await.unwrap().unwrap();
    assert_eq!(found.password_hash, "$again");

    store.remove(&alice.user).await.unwrap();
    assert_eq!(store.find(&alice.user, &alice.kid).await.unwrap(), None);
}

async fn accounts_are_never_replaced(store: &dyn Accounts) {
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    let mut impostor = account("mallory");
    impostor.user = alice.user.clone();
    let refused = store.add(&impostor).await;
    assert!(matches!(refused, Err(StoreError::UserExists(user)) if user == alice.user));
    assert_eq!(store.list().await.unwrap(), [alice]);
}

const TOKEN: [u8; 32] = [7; 32];
const OTHER_TOKEN: [u8; 32] = [8; 32];

/// An invitation that is good at the time when [`account`]s are made.
fn invite(user: &str, token_hash: [u8; 32]) -> Invite {
    Invite::new(name(user), token_hash, account(user).created_at)
}

async fn an_invitation_is_good_once_for_one_name_and_one_day(store: &dyn Accounts) {
    let (alice, invite) = (account("alice"), invite("alice", TOKEN));
    assert_eq!(INVITE_LASTS, 86_400);
    let (from, until) = (alice.created_at, alice.created_at + INVITE_LASTS);
    store.invite(&invite).await.unwrap();
    for (user, token, now, good) in [
        ("alice", TOKEN, from, true),
        ("alice", TOKEN, until - 1, true),
        ("alice", TOKEN, until, false),
        ("alice", TOKEN, u64::MAX, false),
        ("alice", OTHER_TOKEN, from, false),
        ("bob", TOKEN, from, false),
    ] {
        let user = name(user);
        let invited = store.is_invited(&user, &token, now).await.unwrap();
        assert_eq!(invited, good, "{user} {now}");
        if !good {
            let mut account = account(user.as_str());
            account.created_at = now;
            let refused = store.enrol(&account, &token).await;
            assert!(matches!(refused, Err(StoreError::NotInvited(who)) if who == user));
        }
    }
    assert_eq!(store.list().await.unwrap(), []);
    store.enrol(&alice, &TOKEN).await.unwrap();
    assert_eq!(store.list().await.unwrap(), std::slice::from_ref(&alice));
    assert!(!store.is_invited(&alice.user, &TOKEN, from).await.unwrap());

    store.remove(&alice.user).await.unwrap();
    let again = store.enrol(&alice, &TOKEN).await;
    assert!(matches!(again, Err(StoreError::NotInvited(_))));
    assert_eq!(store.list().await.unwrap(), []);
}

async fn an_invitation_that_is_not_used_is_replaced_by_the_next(store: &dyn Accounts) {
    let alice = account("alice");
    store.invite(&invite("alice", TOKEN)).await.unwrap();
    store.invite(&invite("bob", TOKEN)).await.unwrap();
    store.invite(&invite("alice", OTHER_TOKEN)).await.unwrap();
    let refused = store.enrol(&alice, &TOKEN).await;
    assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    store.enrol(&alice, &OTHER_TOKEN).await.unwrap();
    store.enrol(&account("bob"), &TOKEN).await.unwrap();
}

async fn nobody_is_invited_to_an_account_that_is_there(store: &dyn Accounts) {
    let alice = account("alice");
    store.invite(&invite("alice", TOKEN)).await.unwrap();
    // The operator did not wait.
    store.add(&alice).await.unwrap();
    let refused = store.invite(&invite("alice", OTHER_TOKEN)).await;
    assert!(matches!(refused, Err(StoreError::UserExists(_))));
    let mut impostor = account("mallory");
    impostor.user = alice.user.clone();
    let refused = store.enrol(&impostor, &TOKEN).await;
    assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    assert_eq!(store.list().await.unwrap(), std::slice::from_ref(&alice));
    assert_eq!(store.invitations(alice.created_at).await.unwrap(), []);
}

async fn removing_a_user_revokes_the_invitation(store: &dyn Accounts) {
    let removed = |account, invitation| Removed {
        account,
        invitation,
    };
    let alice = account("alice");
    // The line was never used, and must be worth nothing once the user is removed.
    store.invite(&invite("alice", TOKEN)).await.unwrap();
    assert_eq!(
        store.remove(&alice.user).await.unwrap(),
        removed(false, true)
    );
    let refused = store.enrol(&alice, &TOKEN).await;
    assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    // Nor may it wait behind an account that the operator made meanwhile.
    store.invite(&invite("alice", TOKEN)).await.unwrap();
    store.add(&alice).await.unwrap();
    assert_eq!(
        store.remove(&alice.user).await.unwrap(),
        removed(true, false)
    );
    let refused = store.enrol(&alice, &TOKEN).await;
    assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    let nobody = store.remove(&alice.user).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(_))));
}

async fn invitations_are_listed_and_revoked(store: &dyn Accounts) {
    let now = account("alice").created_at;
    store.invite(&invite("bob", TOKEN)).await.unwrap();
    let short = invite("alice", OTHER_TOKEN).lasting(60);
    store.invite(&short).await.unwrap();
    let listed = |user, seconds_left| Invitation {
        user: Some(name(user)),
        made_at: now,
        seconds_left,
    };
    let all = [listed("alice", 60), listed("bob", 86_400)];
    assert_eq!(store.invitations(now).await.unwrap(), all);
    let later = [listed("alice", 0), listed("bob", 86_340)];
    assert_eq!(store.invitations(now + 60).await.unwrap(), later);
    store.revoke(&name("bob")).await.unwrap();
    let gone = store.revoke(&name("bob")).await;
    assert!(matches!(gone, Err(StoreError::NoInvitation(user)) if user == name("bob")));
    assert!(!store.is_invited(&name("bob"), &TOKEN, now).await.unwrap());
    let refused = store.enrol(&account("bob"), &TOKEN).await;
    assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    store.revoke(&name("alice")).await.unwrap();
    assert_eq!(store.invitations(now).await.unwrap(), []);
}

async fn a_clock_that_is_set_back_revives_no_invitation(store: &dyn Accounts) {
    let alice = account("alice");
    let made = alice.created_at;
    let good = async |now| store.is_invited(&alice.user, &TOKEN, now).await.unwrap();
    let an_hour = invite("alice", TOKEN).lasting(3600);
    store.invite(&an_hour).await.unwrap();
    store.observe_clock(made + 3000).await.unwrap();
    // 50 minutes have passed, whatever the clock says now: ten are left.
    store.observe_clock(made).await.unwrap();
    assert!(good(made + 599).await);
    assert!(!good(made + 600).await);
    store.observe_clock(made + 600).await.unwrap();
    for now in [made + 600, made, 0] {
        store.observe_clock(now).await.unwrap();
        assert!(!good(now).await, "{now}");
        let mut account = alice.clone();
        account.created_at = now;
        let refused = store.enrol(&account, &TOKEN).await;
        assert!(matches!(refused, Err(StoreError::NotInvited(_))));
    }
}

async fn a_clock_that_was_wrong_for_a_while_spoils_no_later_invitation(store: &dyn Accounts) {
    let (alice, bob) = (account("alice"), account("bob"));
    let now = alice.created_at;
    store.invite(&invite("alice", TOKEN)).await.unwrap();
    store.observe_clock(now + 100 * 365 * 86_400).await.unwrap();
    store.observe_clock(now).await.unwrap();
    store.invite(&invite("bob", TOKEN)).await.unwrap();
    let good = async |user, now| store.is_invited(user, &TOKEN, now).await.unwrap();
    assert!(!good(&alice.user, now).await, "time was seen to pass");
    assert!(good(&bob.user, now + 86_399).await);
    assert!(!good(&bob.user, now + 86_400).await);
    store.enrol(&bob, &TOKEN).await.unwrap();
}

async fn of_two_who_bring_one_token_one_is_enrolled(store: &dyn Accounts) {
    for round in 0..10 {
        let user = format!("user-{round}");
        store.invite(&invite(&user, TOKEN)).await.unwrap();
        let (first, mut second) = (account(&user), account("mallory"));
        second.user = first.user.clone();
        let (one, two) = tokio::join!(store.enrol(&first, &TOKEN), store.enrol(&second, &TOKEN));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        let lost = one.err().or(two.err());
        assert!(matches!(lost, Some(StoreError::NotInvited(_))), "{lost:?}");
    }
    assert_eq!(store.list().await.unwrap().len(), 10);
}

async fn removing_and_changing_nobody_is_an_error(store: &dyn Accounts) {
    store.add(&account("alice")).await.unwrap();
    let removed = store.remove(&name("bob")).await;
    assert!(matches!(removed, Err(StoreError::NoSuchUser(_))));
    let changed = store.set_password(&name("bob"), "$new").await;
    assert!(matches!(changed, Err(StoreError::NoSuchUser(_))));
    assert_eq!(store.list().await.unwrap(), [account("alice")]);
}

async fn a_user_has_several_keys_one_password_and_a_log_for_each_key(store: &dyn Accounts) {
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    let (home, kid) = (b"the key at home", Fingerprint::of(b"the key at home"));
    store.add_key(&alice.user, home, 7).await.unwrap();
    let again = store.add_key(&alice.user, home, 8).await;
    assert!(matches!(again, Err(StoreError::KeyExists(_))));
    let nobody = store.add_key(&name("bob"), home, 8).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(_))));
    assert_eq!(store.list().await.unwrap().len(), 2);

    let found = store.find(&alice.user, &kid).await.unwrap().unwrap();
    assert_eq!(
        (&found.spki[..], found.created_at),
        (&home[..], alice.created_at)
    );
    store.set_password(&alice.user, "$new").await.unwrap();
    assert!(
        store
            .renew_hash(&alice.user, "$new", "$again")
            .await
            .unwrap()
    );
    for kid in [&alice.kid, &kid] {
        let found = store.find(&alice.user, kid).await.unwrap().unwrap();
        assert_eq!(found.password_hash, "$again");
    }

    // Wrong passwords with one key leave the other one alone, and a new password forgets both.
    store.set_failures(&alice.user, &kid, 9).await.unwrap();
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 0);
    assert_eq!(store.failures(&alice.user, &kid).await.unwrap(), 9);
    store.set_password(&alice.user, "$new").await.unwrap();
    assert_eq!(store.failures(&alice.user, &kid).await.unwrap(), 0);

    for kid in [&alice.kid, &kid] {
        let first = store
            .append(&alice.user, kid, &message(1, 0, "first"))
            .await;
        assert_eq!(first.unwrap(), Appended::Appended);
    }
    store.remove_key(&alice.user, &alice.kid).await.unwrap();
    assert_eq!(store.find(&alice.user, &alice.kid).await.unwrap(), None);
    let gone = store.remove_key(&alice.user, &alice.kid).await;
    assert!(matches!(gone, Err(StoreError::NoSuchUser(_))));
    let last = store.remove_key(&alice.user, &kid).await;
    assert!(matches!(last, Err(StoreError::OnlyKey(_))));
    assert!(store.find(&alice.user, &kid).await.unwrap().is_some());

    // What was acknowledged stays, whatever becomes of the key and of the user.
    store.remove(&alice.user).await.unwrap();
    assert!(store.list().await.unwrap().is_empty());
    let mut kids = vec![alice.kid, kid];
    kids.sort();
    assert_eq!(store.logs(&alice.user).await.unwrap(), kids);
    assert!(store.logs(&name("bob")).await.unwrap().is_empty());
    // The name begins anew, with one key.
    store.add(&alice).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [alice]);
}

async fn a_disabled_user_stays_and_sends_nothing(store: &dyn Accounts) {
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    store.set_disabled(&alice.user, true).await.unwrap();
    let found = store.find(&alice.user, &alice.kid).await.unwrap().unwrap();
    assert!(found.disabled);
    let sent = store
        .append(&alice.user, &alice.kid, &message(1, 0, "x"))
        .await;
    assert!(matches!(sent, Err(StoreError::NoSuchUser(_))));
    store.set_disabled(&alice.user, false).await.unwrap();
    let found = store.find(&alice.user, &alice.kid).await.unwrap();
    assert_eq!(found, Some(alice.clone()));
    let sent = store
        .append(&alice.user, &alice.kid, &message(1, 0, "x"))
        .await;
    assert_eq!(sent.unwrap(), Appended::Appended);
    let nobody = store.set_disabled(&name("bob"), true).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(_))));
}

async fn the_list_is_sorted(store: &dyn Accounts) {
    for user in ["carol", "alice", "bob", "a-b", "a_b", "z9"] {
        store.add(&account(user)).await.unwrap();
    }
    let all = store.list().await.unwrap();
    let names: Vec<_> = all.iter().map(|a| a.user.as_str()).collect();
    assert_eq!(names, ["a-b", "a_b", "alice", "bob", "carol", "z9"]);
}

async fn messages_are_kept_once_and_in_order(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    assert_eq!(store.last_message_id(&a.user, &a.kid).await.unwrap(), 0);
    for id in 1..=20 {
        let text = format!("message {id}");
        for expected in [Appended::Appended, Appended::Duplicate] {
            let got = store
                .append(&a.user, &a.kid, &message(id, 0, &text))
                .await
                .unwrap();
            assert_eq!(got, expected, "{id}");
        }
        assert_eq!(store.last_message_id(&a.user, &a.kid).await.unwrap(), id);
    }
    let expected: Vec<_> = (1..=20)
        .map(|id| message(id, 0, &format!("message {id}")))
        .collect();
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap(), expected);
}

async fn another_message_under_a_taken_id_is_no_duplicate(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    let kept = [message(1, 0, "yes"), message(2, 0, "no")];
    for message in &kept {
        store.append(&a.user, &a.kid, message).await.unwrap();
    }
    let elsewhere = |message: StoredMessage| StoredMessage {
        session: Some([2; 16]),
        ..message
    };
    for other in [
        message(1, 0, "changed"),
        message(1, 0, ""),
        message(1, 1, "yes"),
        message(2, 0, "yes"),
        // The same words, said by another client with the same key: to acknowledge them would lose them.
        elsewhere(message(1, 0, "yes")),
        elsewhere(message(2, 0, "no")),
    ] {
        let refused = store.append(&a.user, &a.kid, &other).await;
        let is = matches!(&refused, Err(StoreError::Conflict { user, id })
            if (user, *id) == (&a.user, other.id));
        assert!(is, "{other:?}: {refused:?}");
    }
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap(), kept);
}

async fn a_duplicate_that_comes_later_does_not_change_the_time(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    let first = message(1, 0, "in time");
    let late = StoredMessage {
        received_at: first.received_at.map(|at| at + 3600),
        ..first.clone()
    };
    for (message, done) in [(&first, Appended::Appended), (&late, Appended::Duplicate)] {
        let got = store.append(&a.user, &a.kid, message).await;
        assert_eq!(got.unwrap(), done);
    }
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap(), [first]);
}

async fn a_message_is_found_by_its_id(store: &dyn Accounts) {
    let (a, b) = (account("alice"), account("bob"));
    store.add(&a).await.unwrap();
    store.add(&b).await.unwrap();
    let unnamed = StoredMessage {
        session: None,
        received_at: None,
        ..message(2, 3, "zwei, größer")
    };
    for kept in [message(1, 0, ""), unnamed] {
        let id = kept.id;
        assert_eq!(store.message(&a.user, &a.kid, id).await.unwrap(), None);
        store.append(&a.user, &a.kid, &kept).await.unwrap();
        let found = store.message(&a.user, &a.kid, id).await.unwrap();
        assert_eq!(found, Some(kept));
        assert_eq!(store.message(&b.user, &b.kid, id).await.unwrap(), None);
        assert_eq!(store.message(&a.user, &b.kid, id).await.unwrap(), None);
    }
    for id in [0, 3, i64::MAX as u64, 1 << 63, u64::MAX] {
        assert_eq!(
            store.message(&a.user, &a.kid, id).await.unwrap(),
            None,
            "{id}"
        );
    }
    // Messages outlive their account, and so does the answer.
    store.remove(&a.user).await.unwrap();
    assert!(store.message(&a.user, &a.kid, 1).await.unwrap().is_some());
}

async fn a_gap_is_refused(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    let gap = store
        .append(&a.user, &a.kid, &message(2, 0, "second"))
        .await;
    assert!(matches!(gap, Err(StoreError::Gap { last: 0, id: 2, .. })));
    store
        .append(&a.user, &a.kid, &message(1, 0, "first"))
        .await
        .unwrap();
    let gap = store.append(&a.user, &a.kid, &message(3, 0, "third")).await;
    assert!(matches!(gap, Err(StoreError::Gap { last: 1, id: 3, .. })));
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap().len(), 1);
}

async fn absurd_ids_are_refused(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    for id in [0, 1 << 63, (1 << 63) + 1, u64::MAX, i64::MAX as u64] {
        let refused = store.append(&a.user, &a.kid, &message(id, 0, "x")).await;
        assert!(
            matches!(refused, Err(StoreError::Gap { last: 0, .. })),
            "{id}"
        );
    }
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap(), []);
}

async fn logs_belong_to_user_and_key(store: &dyn Accounts) {
    let (a, b) = (account("alice"), account("bob"));
    store.add(&a).await.unwrap();
    store.add(&b).await.unwrap();
    store
        .append(&a.user, &a.kid, &message(1, 0, "hers"))
        .await
        .unwrap();
    assert_eq!(store.last_message_id(&b.user, &b.kid).await.unwrap(), 0);
    store
        .append(&b.user, &b.kid, &message(1, 0, "his"))
        .await
        .unwrap();
    assert_eq!(
        store.messages(&a.user, &a.kid).await.unwrap()[0].text,
        "hers"
    );

    for (user, kid) in [(&a.user, &b.kid), (&a.user, &stranger())] {
        let refused = store.append(user, kid, &message(1, 0, "forged")).await;
        assert!(matches!(refused, Err(StoreError::NoSuchUser(_))));
        assert_eq!(store.messages(user, kid).await.unwrap(), []);
    }
}

async fn messages_outlive_their_account(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    store
        .append(&a.user, &a.kid, &message(1, 0, "kept"))
        .await
        .unwrap();
    store.remove(&a.user).await.unwrap();
    let refused = store.append(&a.user, &a.kid, &message(2, 0, "late")).await;
    assert!(matches!(refused, Err(StoreError::NoSuchUser(_))));
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap().len(), 1);

    store.add(&a).await.unwrap();
    let next = store.append(&a.user, &a.kid, &message(2, 0, "more")).await;
    assert_eq!(next.unwrap(), Appended::Appended);
}

async fn any_text_comes_back_as_it_was(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    let long = "ü".repeat(8000);
    let texts = [
        "",
        "\0",
        "a\0b",
        "'; DROP TABLE messages; --",
        "\r\n",
        "👋",
        &long,
    ];
    for (i, text) in texts.iter().enumerate() {
        let (id, kind) = (i as u64 + 1, 255 - i as u8);
        store
            .append(&a.user, &a.kid, &message(id, kind, text))
            .await
            .unwrap();
    }
    let log = store.messages(&a.user, &a.kid).await.unwrap();
    let back: Vec<_> = log.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(back, texts);
    assert_eq!((log[0].kind, log[6].kind), (255, 249));
}

async fn one_id_brought_thrice_at_once_is_kept_once(store: &dyn Accounts) {
    let a = account("alice");
    store.add(&a).await.unwrap();
    for id in 1..=30 {
        let [x, y, z] = ["x", "y", "z"].map(|text| message(id, 0, text));
        let (x, y, z) = tokio::join!(
            store.append(&a.user, &a.kid, &x),
            store.append(&a.user, &a.kid, &y),
            store.append(&a.user, &a.kid, &z),
        );
        let all = [x, y, z];
        let appended = |answer: &Result<_, _>| matches!(answer, Ok(Appended::Appended));
        assert_eq!(
            all.iter().filter(|a| appended(a)).count(),
            1,
            "{id}: {all:?}"
        );
        let refused = |answer: &Result<_, _>| matches!(answer, Err(StoreError::Conflict { .. }));
        assert_eq!(
            all.iter().filter(|a| refused(a)).count(),
            2,
            "{id}: {all:?}"
        );
    }
    assert_eq!(store.messages(&a.user, &a.kid).await.unwrap().len(), 30);
}

/// One random operation; what it answers, as text.
async fn random_operation(store: &dyn Accounts, rng: &mut ChaCha8Rng) -> String {
    let user = ["alice", "bob", "carol"][rng.random_range(0..3)];
    let a = account(user);
    let id = rng.random_range(0..12);
    match rng.random_range(0..23) {
        0 => format!("{:?}", store.add(&a).await),
        1 => format!("{:?}", store.remove(&a.user).await),
        2 => format!("{:?}", store.set_password(&a.user, &id.to_string()).await),
        3 => format!("{:?}", store.list().await),
        4 => format!("{:?}", store.messages(&a.user, &a.kid).await),
        5 => format!("{:?}", store.find(&a.user, &a.kid).await),
        6 => format!(
            "{:?}",
            store.invite(&invite(user, [id as u8 / 8; 32])).await
        ),
        7 => format!("{:?}", store.enrol(&a, &[id as u8 / 8; 32]).await),
        8 => format!(
            "{:?}",
            store.is_invited(&a.user, &[0; 32], a.created_at).await
        ),
        9 | 10 => format!("{:?}", store.message(&a.user, &a.kid, id).await),
        11 => format!("{:?}", store.add_key(&a.user, &[id as u8 / 3; 8], 0).await),
        12 => {
            let kid = Fingerprint::of(&[id as u8 / 3; 8]);
            format!("{:?}", store.remove_key(&a.user, &kid).await)
        }
        13 => format!("{:?}", store.set_disabled(&a.user, id < 3).await),
        14 => format!("{:?}", store.logs(&a.user).await),
        _ => format!(
            "{:?}",
            store.append(&a.user, &a.kid, &message(id, 0, user)).await
        ),
    }
}

#[tokio::test]
async fn both_stores_answer_a_thousand_random_questions_alike() {
    let dir = tempfile::tempdir().expect("a directory");
    for seed in 0..4 {
        let path = dir.path().join(seed.to_string());
        let (memory, sqlite) = (Memory::new(), Sqlite::create(&path).await.expect("created"));
        let (mut one, mut two) = (
            ChaCha8Rng::seed_from_u64(seed),
            ChaCha8Rng::seed_from_u64(seed),
        );
        for step in 0..250 {
            let expected = random_operation(&memory, &mut one).await;
            let got = random_operation(&sqlite, &mut two).await;
            assert_eq!(got, expected, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn an_account_in_a_log_line_shows_no_password_hash() {
    assert!(!format!("{:?}", account("alice")).contains("argon2id"));
}

async fn wrong_passwords_are_counted_for_user_and_key(store: &dyn Accounts) {
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 0);
    store
        .set_failures(&alice.user, &alice.kid, 7)
        .await
        .unwrap();
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 7);
    assert_eq!(store.failures(&alice.user, &stranger()).await.unwrap(), 0);
    let nobody = store.set_failures(&alice.user, &stranger(), 1).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(_))));
    // A new password, and a new account of the same name, begin at 0.
    store.set_password(&alice.user, "another").await.unwrap();
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 0);
    store
        .set_failures(&alice.user, &alice.kid, 7)
        .await
        .unwrap();
    store.remove(&alice.user).await.unwrap();
    store.add(&alice).await.unwrap();
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 0);
}
