//! Why the record of a user's session is not as a check wants it.

use latchstring_arena::{seen::Ending, truth::counted};
use latchstring_confine::run::Ran;

use super::{Trouble, start_of};
use crate::{catalogue::SessionEnd, target::Visit, wire::printed_messages};

/// A program on the wire whose output is no list of messages.
pub fn no_messages(ran: &Ran) -> Option<Trouble> {
    match printed_messages(&ran.stdout) {
        Ok(messages) if !messages.is_empty() => None,
        Ok(_) => Some(Trouble::new(
            "the program printed no messages in hex, so the session went on as it was",
            "print the messages for the server in hex, one a line",
        )),
        Err(line) => Some(Trouble::new(
            format!(
                "line {line} of what the program printed is no message in hex, so the session went on as it was"
            ),
            "print one message a line, in hex digits, and nothing else; a message has 1 to 1024 bytes",
        )),
    }
}

/// Why the target's record of this user's messages is another than the wanted one. The wanted messages are not shown.
pub fn not_exactly_heard(wanted: &[String], user: &str, visits: &[Visit]) -> Option<Trouble> {
    let theirs = visits
        .iter()
        .find(|visit| visit.user.as_deref() == Some(user));
    let heard = theirs.map_or(&[][..], |visit| &visit.heard);
    if heard == wanted {
        return None;
    }
    let right = heard.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let read = counted(heard.len(), "message");
    let found = match heard.get(right) {
        None => format!("the server read {read}, all of them right so far, and more are wanted"),
        Some(other) if right == wanted.len() => format!(
            "the server read {read}, and number {} is one too many: {:?}",
            right + 1,
            start_of(other)
        ),
        Some(other) => format!(
            "the server read {read}, and number {} is another than wanted: {:?}",
            right + 1,
            start_of(other)
        ),
    };
    Some(Trouble::wrong(found))
}

/// Why the session of this user did not end as it should have.
pub fn other_end(wanted: SessionEnd, user: &str, visits: &[Visit]) -> Option<Trouble> {
    let mut theirs = visits
        .iter()
        .filter(|visit| visit.user.as_deref() == Some(user));
    let how = theirs.next()?.ended.as_ref();
    let right = match wanted {
        SessionEnd::Changed => how == Some(&Ending::Changed),
        SessionEnd::Vanished => how == Some(&Ending::Vanished),
    };
    (!right).then(|| {
        Trouble::wrong(match how {
            Some(how) => format!("the server's record of the session ends with: {how}"),
            None => "the server still waits for the session to go on".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(heard: &[&str], how: Option<Ending>) -> [Visit; 1] {
        [Visit {
            user: Some("klara".to_owned()),
            heard: heard.iter().map(|text| (*text).to_owned()).collect(),
            ended: how,
            ..Visit::default()
        }]
    }

    #[test]
    fn the_first_message_that_differs_is_named_and_the_wanted_one_is_not() {
        let wanted = ["a", "b"].map(str::to_owned);
        let found = |heard: &[&str]| not_exactly_heard(&wanted, "klara", &visit(heard, None));
        assert_eq!(found(&["a", "b"]), None);
        let other = found(&["a", "x"]).unwrap().found;
        assert!(
            other.contains("number 2 is another") && other.contains("\"x\""),
            "{other}"
        );
        assert!(!other.contains("\"b\""), "{other}");
        assert!(found(&["a"]).unwrap().found.contains("more are wanted"));
        let more = found(&["a", "b", "b"]).unwrap().found;
        assert!(more.contains("number 3 is one too many"), "{more}");
        assert!(not_exactly_heard(&wanted, "dorian", &visit(&["a", "b"], None)).is_some());
    }

    #[test]
    fn the_end_of_a_session_is_compared_with_the_record() {
        let ended = |how| other_end(SessionEnd::Vanished, "klara", &visit(&[], how));
        assert_eq!(ended(Some(Ending::Vanished)), None);
        assert!(
            ended(Some(Ending::Changed))
                .unwrap()
                .found
                .contains("change()")
        );
        assert!(ended(None).unwrap().found.contains("still waits"));
    }
}
