//! Lines between clients and a server: what an attacker and an honest client stand on. Two networks have them: this file's,
//! in memory with a clock that jumps, and loopback TCP ([`crate::tcp`]).

use std::{
    cell::RefCell,
    io,
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    time::Duration,
};

use crate::{
    connection::Connection,
    server::{Admission, Server},
};

/// The address of honest clients.
pub const HONEST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
/// The address of attackers.
pub const ATTACKER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 66));

/// How long a slow network waits before the next byte of a write. Its first bytes come so late that a reader is back at its
/// next read, also on a busy machine; the rest may come faster.
pub fn before_next_byte(sent: usize) -> Duration {
    match sent < 40 {
        true => Duration::from_millis(1),
        false => Duration::from_micros(50),
    }
}

/// A client's end of a connection.
pub trait Line {
    /// Sends, in one write.
    fn send(&mut self, bytes: &[u8]);
    /// What has come, or comes before this time is over. Empty if nothing does.
    fn receive(&mut self, wait: Duration) -> Vec<u8>;
    /// Whether the server has hung up, and all that it said is received.
    fn is_closed(&mut self) -> bool;
    /// Hangs up.
    fn hang_up(&mut self);
}

/// Where a server can be dialled.
pub trait Network {
    /// Dials the server from this address.
    ///
    /// # Errors
    /// When nobody listens.
    fn dial(&self, from: IpAddr) -> io::Result<Box<dyn Line>>;
    /// The time since the network began.
    fn now(&self) -> Duration;
    /// Lets this time pass.
    fn pass(&self, time: Duration);
}

/// A server in this thread, and a clock that jumps to the next thing that happens.
pub struct Memory {
    world: Rc<RefCell<World>>,
}

struct World {
    server: Server,
    connections: Vec<Wired>,
    now: Duration,
}

struct Wired {
    connection: Option<Connection>,
    written: Vec<u8>,
    closed: bool,
}

impl Memory {
    /// Puts the server onto a network of its own.
    pub fn new(server: Server) -> Self {
        let world = World {
            server,
            connections: Vec::new(),
            now: Duration::ZERO,
        };
        Self {
            world: Rc::new(RefCell::new(world)),
        }
    }

    /// Looks at the server.
    pub fn server<T>(&self, look: impl FnOnce(&Server) -> T) -> T {
        look(&self.world.borrow().server)
    }
}

impl Network for Memory {
    fn dial(&self, from: IpAddr) -> io::Result<Box<dyn Line>> {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        let (connection, closed) = match world.server.admits(from) {
            Admission::Serve => (Some(Connection::begin(&mut world.server, from, now)), false),
            Admission::Wait => (None, false),
            Admission::Drop => (None, true),
        };
        world.connections.push(Wired {
            connection,
            written: Vec::new(),
            closed,
        });
        Ok(Box::new(MemoryLine {
            world: self.world.clone(),
            id: world.connections.len() - 1,
        }))
    }

    fn now(&self) -> Duration {
        self.world.borrow().now
    }

    fn pass(&self, time: Duration) {
        let mut world = self.world.borrow_mut();
        let until = world.now + time;
        world.advance(until);
    }
}

impl World {
    /// Gives bytes to a connection. What the server does with them takes time.
    fn deliver(&mut self, id: usize, bytes: &[u8]) {
        let Some(connection) = &mut self.connections[id].connection else {
            return;
        };
        let before = self.server.spent().time();
        connection.receive(&mut self.server, bytes, self.now);
        let worked = self.server.spent().time() - before;
        self.collect(id);
        let until = self.now + worked;
        self.advance(until);
    }

    /// Runs to this time through every deadline before it.
    fn advance(&mut self, until: Duration) {
        while let Some((at, id)) = self.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            if let Some(connection) = &mut self.connections[id].connection {
                connection.tick(&mut self.server, self.now);
            }
            self.collect(id);
        }
        self.now = self.now.max(until);
    }

    fn next_deadline(&self) -> Option<(Duration, usize)> {
        let connections = self.connections.iter().enumerate();
        let deadlines = connections
            .filter_map(|(id, wired)| Some((wired.connection.as_ref()?.deadline()?, id)));
        deadlines.min()
    }

    /// Takes what a connection wrote.
    fn collect(&mut self, id: usize) {
        let wired = &mut self.connections[id];
        let Some(connection) = &mut wired.connection else {
            return;
        };
        while let Some(bytes) = connection.write() {
            wired.written.extend(bytes);
        }
        if connection.is_over() {
            wired.connection = None;
            wired.closed = true;
        }
    }
}

struct MemoryLine {
    world: Rc<RefCell<World>>,
    id: usize,
}

impl Line for MemoryLine {
    fn send(&mut self, bytes: &[u8]) {
        self.world.borrow_mut().deliver(self.id, bytes);
    }

    fn receive(&mut self, wait: Duration) -> Vec<u8> {
        let mut world = self.world.borrow_mut();
        let until = world.now + wait;
        loop {
            let wired = &mut world.connections[self.id];
            if !wired.written.is_empty() || wired.closed {
                return std::mem::take(&mut wired.written);
            }
            match world.next_deadline().filter(|(at, _)| *at <= until) {
                Some((at, _)) => world.advance(at),
                None => {
                    world.advance(until);
                    return Vec::new();
                }
            }
        }
    }

    fn is_closed(&mut self) -> bool {
        let world = self.world.borrow();
        let wired = &world.connections[self.id];
        wired.closed && wired.written.is_empty()
    }

    fn hang_up(&mut self) {
        let mut world = self.world.borrow_mut();
        let World {
            server,
            connections,
            ..
        } = &mut *world;
        if let Some(mut connection) = connections[self.id].connection.take() {
            connection.lost(server);
        }
        connections[self.id].closed = true;
    }
}

impl Drop for MemoryLine {
    fn drop(&mut self) {
        self.hang_up();
    }
}
