//! The exit codes of the program: one table for the help, the operator's page and the tests.

use latchstring_client_core::{
    ClientError,
    dial::DialError,
    known_hosts::{Changed, KnownHostsError},
    send_file::SendError,
    send_text::SendTextError,
    transfer::TransferError,
};

use super::interrupted::Interrupted;
use crate::usage::Usage;

/// Each code, and its meaning as the help and the operator's page say it.
pub(super) const CODES: [(u8, &str); 8] = [
    (0, "all messages are acknowledged, or the command is done"),
    (1, "another error"),
    (2, "wrong usage, or an error in the configuration file"),
    (
        3,
        "the host key is not the expected one; nothing about the user was sent",
    ),
    (4, "the server refused the login or the enrolment"),
    (
        5,
        "the session ended early; unacknowledged messages wait in the outbox",
    ),
    (
        6,
        "the server had no room for this connection, at every attempt",
    ),
    (7, "the server cannot be reached"),
];

/// The codes as one paragraph of a help text.
pub(super) fn help() -> String {
    let codes: Vec<String> = CODES
        .iter()
        .map(|(code, meaning)| format!("  {code}  {meaning}"))
        .collect();
    format!("Exit codes:\n{}", codes.join("\n"))
}

/// The exit code after `error`; see [`ClientError::exit_code`].
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        return exit_code(interrupted.why());
    }
    if let Some(error) = error.downcast_ref::<DialError>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<TransferError>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<SendError>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<SendTextError>() {
        return error.exit_code();
    }
    if let Some(error) = error.downcast_ref::<ClientError>() {
        return error.exit_code();
    }
    let changed = matches!(
        error.downcast_ref::<KnownHostsError>(),
        Some(KnownHostsError::Changed(_))
    );
    match () {
        () if changed || error.is::<Box<Changed>>() => 3,
        () if error.is::<Usage>() => 2,
        () => 1,
    }
}

#[cfg(test)]
mod tests {
    use latchstring_client_core::Stage;
    use latchstring_net::{
        protocol::hardened::{message::Fingerprint, session::CloseCode},
        wire::WireError,
    };

    use super::*;

    #[test]
    fn codes_are_in_order_and_each_means_something_else() {
        for (at, (code, meaning)) in CODES.iter().enumerate() {
            assert_eq!(*code as usize, at);
            assert!(!meaning.is_empty());
            let others = CODES.iter().filter(|(_, other)| other == meaning);
            assert_eq!(others.count(), 1, "{meaning}");
        }
    }

    #[test]
    fn every_kind_of_error_ends_with_its_code() {
        let (expected, presented) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let unreachable = ClientError::Unreachable {
            address: "h:1".to_owned(),
            source: std::io::ErrorKind::ConnectionRefused.into(),
        };
        let closed = ClientError::Closed {
            code: CloseCode::Stopping,
            unacknowledged: vec![1],
        };
        let wire = ClientError::Wire {
            stage: Stage::Hello,
            source: WireError::BadLength(7),
        };
        let mismatch = ClientError::HostKeyMismatch {
            expected,
            presented,
        };
        let away = ClientError::TurnedAway {
            stage: Stage::Hello,
            attempts: 1,
            seconds: 0,
        };
        for (error, code) in [
            (wire, 1),
            (mismatch, 3),
            (ClientError::Refused, 4),
            (ClientError::NotEnrolled, 4),
            (closed, 5),
            (away, 6),
            (unreachable, 7),
        ] {
            assert_eq!(error.exit_code(), code, "{error}");
            let dialled = anyhow::Error::from(DialError::Client(error));
            assert_eq!(exit_code(&dialled), code, "{dialled}");
        }
        assert_eq!(exit_code(&Usage("no".to_owned()).into()), 2);
        assert_eq!(exit_code(&anyhow::anyhow!("else")), 1);
    }
}
