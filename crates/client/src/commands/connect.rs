//! `connect`: the login, then [`Talk`]; and how far the input was sent.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use latchstring_client_core::{Delivery, redial::Redial};

use super::{
    Connect,
    access::Login,
    exit_codes::exit_code,
    interrupted::Interrupted,
    screen::{InputCount, Report, Screen},
    talk::{Input, Talk},
};

/// After any end, the program reports how far the input was sent.
pub(super) async fn run(options: Connect) -> anyhow::Result<()> {
    let mut tally = InputCount::default();
    let login = options.access.resolve()?;
    let screen = Screen::new(login.quiet, options.json);
    let is_script = !io::stdin().is_terminal();
    let result = session(login, &screen, &mut tally).await;
    let result = result.map_err(|error| match is_script {
        // Nothing is left where the session ended as it should.
        true if tally.waiting.is_some_and(|n| n > 0) || !tally.end_of_input => {
            Interrupted::new(error, tally.rest_of_the_input()).into()
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

async fn session(login: Login, screen: &Screen, tally: &mut InputCount) -> anyhow::Result<()> {
    let host = login.address.host_port();
    let log_in_and_talk = async |mut redial: Redial<'_>| {
        let (connection, outbox) = redial.log_in().await?;
        let session = hex::encode(connection.session_id());
        let input = Input::open(screen)?;
        screen.note(&format!("Logged in at {host} (session {session})."));
        screen.report(&Report::LoggedIn {
            host: &host,
            session: &session,
            last_message: connection.last_message(),
        })?;
        let talk = Talk {
            delivery: Delivery::begin(connection, outbox)?,
            redial,
            input,
            ended: false,
            came_again: false,
            screen,
            tally,
        };
        talk.run().await
    };
    login.redial(screen, Duration::ZERO, log_in_and_talk).await
}
