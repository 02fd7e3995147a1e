//! Whether the metrics are served, or can be.

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use latchstring_server_core::config::Metrics;

use super::finding::Finding;
use crate::metrics::advice;

/// How long the endpoint may take to answer. It is on this machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// Nothing, if the operator wants no metrics. `server` is the process that serves, if there is one.
pub(super) fn finding(metrics: &Metrics, server: Option<u32>) -> Option<Finding> {
    let about = "metrics";
    let here = metrics.listen?.address();
    if here.port() == 0 {
        return Some(Finding::warning(
            about,
            "the system chooses another port at each start, and only the log names it; write a port into `listen` in [metrics]",
        ));
    }
    Some(match server {
        Some(process) => match TcpStream::connect_timeout(&here, PATIENCE) {
            Ok(_) => Finding::ok(about, format_args!("at http://{here}/metrics")),
            Err(why) => Finding::warning(
                about,
                format_args!(
                    "process {process} does not serve them on {here}: {why}; restart the server, since a change of [metrics] needs \
                     a restart"
                ),
            ),
        },
        None => match TcpListener::bind(here) {
            Ok(_) => Finding::ok(about, format_args!("{here} is free")),
            Err(why) => Finding::error(
                about,
                format_args!("could not be served on {here}: {why}{}", advice(why.kind())),
            ),
        },
    })
}
