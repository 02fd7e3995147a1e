//! Each goal is judged by what the server believed: broken, held, and neither.

use super::*;

fn said(on: Connection, text: &str) -> Seen {
    let user = "alice".to_owned();
    Seen::Received {
        on,
        user,
        text: text.to_owned(),
    }
}

fn login(on: Connection) -> Seen {
    Seen::LoggedIn {
        on,
        user: "alice".to_owned(),
    }
}

/// An honest session of two messages, and what else the server saw.
fn truth(more: impl IntoIterator<Item = Seen>) -> Truth {
    let honest = [
        login(HONEST),
        said(HONEST, "hello"),
        said(HONEST, "pay bob 10"),
    ];
    Truth {
        user: "alice".to_owned(),
        typed: vec!["hello".to_owned(), "pay bob 10".to_owned()],
        seen: honest.into_iter().chain(more).collect(),
        attacker_connections: 1,
        ..Truth::default()
    }
}

fn known(text: &str) -> Vec<Option<u8>> {
    text.bytes().map(Some).collect()
}

fn logged_in(said: &str) -> Claim {
    Claim::LoggedIn {
        user: "alice".to_owned(),
        said: Some(said.to_owned()),
    }
}

#[test]
fn a_claimed_login_counts_only_if_the_server_believed_it() {
    let outcome = |truth: Truth, claim: &Claim| truth.judge(Goal::LogIn, claim).outcome;
    let claim = logged_in("it is me");
    assert_eq!(
        outcome(truth([login(2), said(2, "it is me")]), &claim),
        Outcome::Broke
    );
    assert_eq!(outcome(truth([]), &claim), Outcome::Held, "an empty boast");
    assert_eq!(
        outcome(truth([login(2)]), &claim),
        Outcome::Inconclusive,
        "the proof was not heard"
    );
    assert_eq!(
        outcome(truth([login(2)]), &Claim::Nothing),
        Outcome::Inconclusive,
        "let in, and silent about it"
    );
    let absent = Truth {
        attacker_connections: 0,
        ..truth([])
    };
    assert_eq!(
        outcome(absent, &Claim::Nothing),
        Outcome::Inconclusive,
        "nobody tried"
    );
}

#[test]
fn without_the_honest_session_there_is_no_verdict() {
    let silent = Truth {
        seen: Vec::new(),
        ..truth([])
    };
    for goal in [Goal::LogIn, Goal::Read, Goal::Alter] {
        assert_eq!(
            silent.judge(goal, &Claim::Nothing).outcome,
            Outcome::Inconclusive
        );
    }
}

#[test]
fn reading_counts_the_bytes_that_are_right_in_their_place() {
    let outcome = |claim: Claim| truth([]).judge(Goal::Read, &claim).outcome;
    assert_eq!(
        outcome(Claim::Read(vec![known("hello"), vec![]])),
        Outcome::Broke
    );
    assert_eq!(
        outcome(Claim::Read(vec![known("XXXXX"), known("XXXXXXXXXX")])),
        Outcome::Held
    );
    assert_eq!(
        outcome(Claim::Read(vec![known("pay bob 10"), known("hello")])),
        Outcome::Held,
        "not in its place"
    );
    assert_eq!(
        outcome(Claim::Read(vec![known("hellX"), vec![]])),
        Outcome::Inconclusive,
        "partly"
    );
    let mostly_invented = vec![known("hello"), known("XXXXXXXXXX")];
    assert_eq!(outcome(Claim::Read(mostly_invented)), Outcome::Inconclusive);
    assert_eq!(outcome(Claim::Nothing), Outcome::Held);
}

#[test]
fn an_altered_message_must_have_arrived() {
    let claim = Claim::Altered {
        from: "pay bob 10".to_owned(),
        to: "pay eve 99".to_owned(),
    };
    let arrived = |texts: &[&str]| {
        let seen =
            std::iter::once(login(HONEST)).chain(texts.iter().map(|text| said(HONEST, text)));
        let truth = Truth {
            seen: seen.collect(),
            ..truth([])
        };
        truth.judge(Goal::Alter, &claim).outcome
    };
    assert_eq!(arrived(&["hello", "pay eve 99"]), Outcome::Broke);
    assert_eq!(
        arrived(&["hello"]),
        Outcome::Held,
        "the session ended instead"
    );
    assert_eq!(arrived(&["hello", "pay bob 10"]), Outcome::Held);
    assert_eq!(
        arrived(&["hello", "pay abc 77"]),
        Outcome::Inconclusive,
        "another change than claimed"
    );
    assert_eq!(
        truth([]).judge(Goal::Alter, &Claim::Nothing).outcome,
        Outcome::Inconclusive,
        "nothing was tried"
    );
}
