//! `connect`: the login, then [`Talk`]; and how far the input was sent.

use std::io::{self, IsTerminal};

use latchstring_client_core::Delivery;

use super::{
    Connect, exit_code,
    screen::{InputCount, Report, Screen},
    talk::{Input, Talk},
};

/// After any end, the program reports how far the input was sent.
pub(super) async fn run(options: Connect) -> anyhow::Result<()> {
    let mut tally = InputCount::default();
    let mut screen = Screen::new(options.access.quiet, options.json);
    let is_script = !io::stdin().is_terminal();
    let result = session(options, &mut screen, &mut tally).await;
    let result = result.map_err(|error| match is_script {
        // Nothing is left where the session ended as it should.
        true if tally.waiting.is_some_and(|n| n > 0) || !tally.end_of_input => {
            Interrupted::new(error, &tally).into()
        }
        _ => error,
    });
    let error = result.as_ref().err();
    let text = error.map(|error| latchstring_net::report::line(error.as_ref()));
    let end = Report::End {
        exit_code: error.map_or(0, exit_code),
        error: text.as_deref(),
        tally,
    };
    match (screen.report(&end), result) {
        (Err(why), Ok(())) => Err(why.into()),
        (_, result) => result,
    }
}

/// An error, and where in the input it came.
#[derive(Debug)]
pub(super) struct Interrupted {
    why: anyhow::Error,
    rest_of_the_input: String,
}

impl Interrupted {
    fn new(why: anyhow::Error, tally: &InputCount) -> Self {
        let rest_of_the_input = tally.rest_of_the_input();
        Self {
            why,
            rest_of_the_input,
        }
    }

    /// The reason for the end of the session.
    pub(super) fn why(&self) -> &anyhow::Error {
        &self.why
    }
}

impl std::error::Error for Interrupted {}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = latchstring_net::report::line(self.why.as_ref());
        write!(f, "{why}. Input: {}", self.rest_of_the_input)
    }
}

async fn session(
    options: Connect,
    screen: &mut Screen,
    tally: &mut InputCount,
) -> anyhow::Result<()> {
    let host = options.access.address.host_port();
    let (connection, outbox) = options
        .access
        .dial(screen, async |dial| Ok(dial.log_in().await?))
        .await?;
    let session = hex::encode(connection.session_id());
    let input = Input::open(screen)?;
    screen.note(&format!("Logged in at {host} (session {session})."));
    screen.report(&Report::LoggedIn {
        host: &host,
        session: &session,
        last_message: connection.last_message(),
    })?;
    let delivery = Delivery::begin(connection, outbox)?;
    let talk = Talk {
        delivery,
        input,
        screen,
        tally,
    };
    talk.run().await
}
