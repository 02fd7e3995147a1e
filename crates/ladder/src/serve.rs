//! A server of a rung on loopback, in real time: a thread for each connection.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use latchstring_attacker::net::loopback::Loopback;

use crate::{
    connection::Connection,
    network::HONEST,
    rung::{Idea, Rung},
    server::{Admission, Event, Server},
};

/// How often an idle listener looks whether it shall end.
const POLL: Duration = Duration::from_millis(10);
/// Between two writes on rung 0: the report's client reads each with one call.
const PAUSE: Duration = Duration::from_millis(20);

/// A server that listens, and can be ended.
pub struct Listening {
    address: Loopback,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
}

struct Shared {
    rung: Rung,
    server: Mutex<Server>,
    began: Instant,
    told: Mutex<usize>,
    tell: Box<dyn Fn(&Event) + Send + Sync>,
}

/// Serves on this address until [`Listening::stop`], or until a client ends the server. `tell` hears each event once.
///
/// # Errors
/// When the port is taken.
pub fn serve(
    rung: Rung,
    server: Server,
    address: Loopback,
    tell: impl Fn(&Event) + Send + Sync + 'static,
) -> io::Result<Listening> {
    let listener = TcpListener::bind(address.address())?;
    listener.set_nonblocking(true)?;
    let address = Loopback::new(listener.local_addr()?).map_err(io::Error::other)?;
    let shared = Arc::new(Shared {
        rung,
        server: Mutex::new(server),
        began: Instant::now(),
        told: Mutex::new(0),
        tell: Box::new(tell),
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (there, until) = (shared.clone(), stop.clone());
    let thread = thread::spawn(move || accept(&listener, &there, &until));
    Ok(Listening {
        address,
        stop,
        thread: Some(thread),
        shared,
    })
}

impl Listening {
    /// Where it listens.
    pub fn address(&self) -> Loopback {
        self.address
    }

    /// Looks at the server.
    pub fn server<T>(&self, look: impl FnOnce(&Server) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Waits until a client has ended the server.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed.
            let _ = thread.join();
        }
    }

    /// Ends it: no further connection is taken.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wait();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) && !shared.lock().is_stopped() {
        // Rung 0 serves one client at a time; the next one waits in the listen queue.
        let full = shared.lock().admits(HONEST) == Admission::Wait;
        match listener.accept() {
            Ok((stream, from)) if !full => admit(shared, stream, from.ip()),
            _ => thread::sleep(POLL),
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream, source: IpAddr) {
    let mut server = shared.lock();
    if server.admits(source) == Admission::Serve {
        let connection = Connection::begin(&mut server, source, shared.began.elapsed());
        let shared = shared.clone();
        thread::spawn(move || {
            // A client that vanishes is no error of the server.
            let _ = attend(&shared, connection, stream);
            shared.report();
        });
    }
}

fn attend(shared: &Shared, mut connection: Connection, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    let mut bytes = [0; 1024];
    loop {
        while let Some(bytes) = connection.write() {
            if let Err(error) = stream.write_all(&bytes) {
                connection.lost(&mut shared.lock());
                return Err(error);
            }
            if !shared.rung.has(Idea::Numbers) {
                thread::sleep(PAUSE);
            }
        }
        shared.report();
        if connection.is_over() {
            return stream.shutdown(Shutdown::Both);
        }
        stream.set_read_timeout(shared.until(connection.deadline()))?;
        let read = stream.read(&mut bytes);
        let (mut server, now) = (shared.lock(), shared.began.elapsed());
        match read {
            Ok(0) => connection.lost(&mut server),
            Ok(n) => connection.receive(&mut server, &bytes[..n], now),
            Err(error) if is_timeout(&error) => {}
            Err(_) => connection.lost(&mut server),
        }
        connection.tick(&mut server, now);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Server> {
        self.server
            .lock()
            .expect("no thread panicked in the server")
    }

    /// What is left until a deadline; `None` is for ever.
    fn until(&self, deadline: Option<Duration>) -> Option<Duration> {
        let left = deadline?.saturating_sub(self.began.elapsed());
        Some(left.max(Duration::from_millis(1)))
    }

    /// Tells of the events that nobody was told of yet.
    fn report(&self) {
        let mut told = self.told.lock().expect("no thread panicked while telling");
        let events: Vec<Event> = self.lock().log()[*told..].to_vec();
        *told += events.len();
        events.iter().for_each(&self.tell);
    }
}
