//! A client that takes each of the three replies with one `recv(1024)` gets in every time.

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use latchstring_faithful::protocol::{
    handshake::ExpectReplies, keys::SessionSecrets, record::Sealer,
};
use support::{PATIENCE, Server, enrolled, name};

/// The pause between the replies is what takes the time, so several servers run side by side.
const SERVERS: usize = 20;
const LOGINS_EACH: usize = 15;

/// A busy machine wakes a program late. Every second client is that slow before each of its reads, which is what makes
/// this test fail without the pause also on an idle machine.
const LATE: Duration = Duration::from_millis(20);

/// One login as the report's client does it: the sizes that three single reads return.
fn three_reads(port: u16, login: &[u8], late: Duration) -> [usize; 3] {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(login).unwrap();
    let mut buffers = [[0; 1024]; 3];
    let sizes = buffers.each_mut().map(|buffer| {
        thread::sleep(late);
        stream.read(buffer).unwrap_or(0)
    });
    let secrets = SessionSecrets::new(
        buffers[1][..32].try_into().unwrap(),
        buffers[2][..8].try_into().unwrap(),
    );
    if sizes == [26, 32, 8] {
        let change = Sealer::new(&secrets).seal(b"change()").unwrap();
        stream.write_all(&change).unwrap();
        assert_eq!(
            stream.read(&mut buffers[0]).unwrap(),
            0,
            "change() was not understood"
        );
    }
    sizes
}

#[test]
fn three_single_reads_succeed_300_times_of_300() {
    let (dir, keys) = enrolled(&["alice"]);
    let key = keys.public_key(&name("alice")).unwrap();
    let (_, login) = ExpectReplies::start(&name("alice"), &key).unwrap();

    let good: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..SERVERS)
            .map(|_| {
                scope.spawn(|| {
                    let server = Server::start(dir.path());
                    // To the first failure, since each waits for the reply that it has read already.
                    (0..LOGINS_EACH)
                        .map(|i| if i % 2 == 0 { Duration::ZERO } else { LATE })
                        .take_while(|late| three_reads(server.port, &login, *late) == [26, 32, 8])
                        .count()
                })
            })
            .collect();
        clients.into_iter().map(|c| c.join().unwrap()).sum()
    });
    assert_eq!((good, SERVERS * LOGINS_EACH), (300, 300));
}
