//! Why the client that visited a student's program had something to complain about.

use super::Trouble;
use crate::visitor::Step;

/// Why the visitor did not leave in peace: nobody listened, or the client has complained.
pub fn noticed(steps: &[Step], broken: Option<&Trouble>) -> Option<Trouble> {
    match steps.last() {
        Some(Step::Left) => None,
        None => Some(broken.cloned().unwrap_or_else(|| {
            Trouble::new(
                "no client could connect to your program: it did not listen at the port that it was given",
                "listen at 127.0.0.1 and that port before anything else, and wait for one client",
            )
        })),
        Some(Step::Noticed(why)) => Some(match broken.filter(|broken| !broken.late) {
            Some(broken) => broken.clone(),
            None => Trouble::new(
                format!("the user noticed something. The client said: {why}"),
                "send all that the real server sends, 26, 32 and 8 bytes, and read until the client closes the connection",
            ),
        }),
        Some(Step::Connected) => Some(Trouble::new(
            "the client sent its login, and still waits for your program's answer",
            "read the login with one `recv`, and send the greeting, a session key and an IV: 26, 32 and 8 bytes",
        )),
        Some(Step::LoggedIn | Step::Said(_)) => Some(Trouble::new(
            "the client still had something to say when your program ended or its time was up",
            "read one message after the other, until the client closes the connection",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_visit_has_an_advice_of_its_own_and_a_good_one_has_none() {
        let visits = [
            vec![],
            vec![Step::Connected],
            vec![Step::Connected, Step::LoggedIn],
            vec![Step::Connected, Step::Noticed("it is gone".to_owned())],
        ];
        let mut said: Vec<_> = visits.iter().map(|steps| noticed(steps, None)).collect();
        assert!(said.iter().all(Option::is_some));
        said.dedup();
        assert_eq!(said.len(), visits.len());
        assert_eq!(
            noticed(&[Step::Connected, Step::LoggedIn, Step::Left], None),
            None
        );
    }

    #[test]
    fn a_program_that_failed_is_the_reason() {
        let broken = Trouble::wrong("the program ended in rogue.py, line 7");
        let noticed_it = [Step::Connected, Step::Noticed("it is gone".to_owned())];
        for steps in [&[][..], &noticed_it] {
            assert_eq!(noticed(steps, Some(&broken)), Some(broken.clone()));
        }
        assert_eq!(noticed(&[Step::Left], Some(&broken)), None);
    }
}
