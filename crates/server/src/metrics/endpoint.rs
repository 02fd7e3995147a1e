//! The HTTP server of the metrics: one page, `/metrics`, for programs on this machine.
//!
//! It takes nothing from the server of the logins. It has one thread, few connections at a time, and little time for
//! each. A further connection is dropped at once.

use std::{convert::Infallible, io, net::TcpListener, sync::Arc, thread, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use tokio::{
    net::TcpStream,
    runtime,
    sync::Semaphore,
    time::{sleep, timeout},
};

/// Connections at the same time. A monitoring system needs one.
const PLACES: usize = 16;
/// How long a request may take to arrive.
const REQUEST: Duration = Duration::from_secs(2);
/// How long a connection may last.
const CONNECTION: Duration = Duration::from_secs(5);
/// The longest request. Each connection may take twice this memory, and the page.
const LONGEST: usize = 8 * 1024;
/// How long to wait when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Page = Arc<dyn Fn() -> String + Send + Sync>;

/// Serves what `page` writes, in a separate thread, until the program ends.
///
/// # Errors
/// When the system has no thread left.
pub(super) fn serve(
    listener: TcpListener,
    page: impl Fn() -> String + Send + Sync + 'static,
) -> io::Result<()> {
    let thread = thread::Builder::new().name("metrics".to_owned());
    thread.spawn(move || {
        if let Err(why) = run(listener, Arc::new(page)) {
            tracing::error!(%why, "metrics are not served; serving logins all the same");
        }
    })?;
    Ok(())
}

fn run(listener: TcpListener, page: Page) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accept(listener, page).await
    })
}

async fn accept(listener: tokio::net::TcpListener, page: Page) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(PLACES));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the stream is dropped here.
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let page = Arc::clone(&page);
            tokio::spawn(async move {
                let _ = timeout(CONNECTION, talk(stream, page)).await;
                drop(place);
            });
        }
    }
}

/// One request, one answer. What a broken client did is of no interest.
async fn talk(stream: TcpStream, page: Page) {
    let answer = service_fn(move |request| {
        let answered = answer(&request, &page);
        async move { Ok::<_, Infallible>(answered) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .keep_alive(false)
        .max_buf_size(LONGEST)
        .serve_connection(TokioIo::new(stream), answer);
    let _ = served.await;
}

/// The body of a request is never read.
fn answer(request: &Request<Incoming>, page: &Page) -> Response<Full<Bytes>> {
    match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET | &Method::HEAD) => {
            response(StatusCode::OK, prometheus_text::CONTENT_TYPE, page())
        }
        ("/metrics", _) => {
            let mut refused = short(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(ALLOW, allowed);
            refused
        }
        _ => short(StatusCode::NOT_FOUND, "there is only /metrics here\n"),
    }
}

fn short(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", text.to_owned())
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests;
