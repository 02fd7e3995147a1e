//! Many clients at a time over real TCP.

mod support;

use std::{net::SocketAddr, sync::Arc};

use latchstring_server_core::{AdmissionError, Event, Server, balancers::Balancers, listener};
use latchstring_store::Accounts;
use support::{ALICE, Login, World, account, alice_kid, name, rest, seconds};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

const CLIENTS: usize = 50;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<usize>,
}

async fn serve(server: &Arc<Server>) -> Running {
    serve_behind(Balancers::default(), server).await
}

async fn serve_behind(balancers: Balancers, server: &Arc<Server>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let until = async { stopped.await.unwrap_or_default() };
    let serving = listener::serve(Arc::clone(server), listener, balancers, until);
    let served = tokio::spawn(serving);
    Running {
        address,
        stop,
        served,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_at_once_lose_nothing_and_mix_nothing_up() {
    let world = World::with(|setup| {
        // All of them are one source.
        setup.limits.max_unauthenticated_per_source = CLIENTS;
        setup.limits.connection_burst = 2 * CLIENTS;
        setup.limits.early_drop_from = CLIENTS;
        setup.limits.password_queue = CLIENTS;
    })
    .await;
    for i in 0..CLIENTS {
        let account = account(&format!("user{i}"), &ALICE);
        world.store.add(&account).await.unwrap();
    }
    let running = serve(&world.server).await;
    let mut clients = JoinSet::new();
    for i in 0..CLIENTS {
        let address = running.address;
        clients.spawn(async move {
            let user = name(&format!("user{i}"));
            let stream = TcpStream::connect(address).await.unwrap();
            let login = Login {
                user: user.clone(),
                ..Login::alice()
            };
            let mut chat = login.open(stream).await;
            for n in 0..20 {
                chat.say_and_hear_back(&format!("{user} says {n}")).await;
            }
            chat.close().await;
        });
    }
    timeout(seconds(60), clients.join_all()).await.unwrap();
    running.stop.send(()).unwrap();
    assert_eq!(running.served.await.unwrap(), 0, "nothing was cut");
    for i in 0..CLIENTS {
        let user = name(&format!("user{i}"));
        let log = world.store.messages(&user, &alice_kid()).await.unwrap();
        let texts = log.iter().map(|m| m.text.clone());
        let expected = (0..20).map(|n| format!("{user} says {n}"));
        assert!(texts.eq(expected), "{user}");
    }
}

#[tokio::test]
async fn there_are_never_more_connections_than_allowed() {
    let world = World::with(|setup| setup.limits.max_connections = 2).await;
    let running = serve(&world.server).await;
    let connect = || TcpStream::connect(running.address);
    let mut first = connect().await.unwrap();
    let _second = connect().await.unwrap();
    let _proven = Login::hello(&mut first).await;
    let mut third = connect().await.unwrap();
    assert!(rest(&mut third).await.is_empty());
    assert!(matches!(
        world.seen.last_of(3),
        Event::TurnedAway {
            why: AdmissionError::Connections
        }
    ));
    drop(first);
    // The place is free as soon as the server has seen the end.
    let mut again = loop {
        let stream = connect().await.unwrap();
        let entered = timeout(seconds(1), async {
            let mut first_byte = [0];
            stream.peek(&mut first_byte).await
        });
        match entered.await {
            Ok(_) => continue,
            Err(_) => break stream,
        }
    };
    let _proven = Login::hello(&mut again).await;
}

/// Connects as a balancer on this machine does, for a client with this address.
async fn for_client(running: &Running, client: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let header = format!("PROXY TCP4 {client} 192.0.2.1 5000 22223\r\n");
    stream.write_all(header.as_bytes()).await.unwrap();
    stream
}

fn peer(event: &Event) -> Option<SocketAddr> {
    match event {
        Event::Connected { peer } => Some(*peer),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_balancer_each_client_is_a_source_of_its_own() {
    let world = World::with(|setup| setup.limits.max_unauthenticated_per_source = 2).await;
    let balancers: Balancers = serde_json::from_str("[\"127.0.0.1\"]").unwrap();
    let running = serve_behind(balancers, &world.server).await;
    // Two of one client wait, and the third is turned away; another client is not.
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut stream = for_client(&running, "203.0.113.9").await;
        Login::hello(&mut stream).await;
        waiting.push(stream);
    }
    let mut third = for_client(&running, "203.0.113.9").await;
    assert!(rest(&mut third).await.is_empty());
    let why = AdmissionError::UnauthenticatedOfSource;
    assert!(matches!(world.seen.last_of(3), Event::TurnedAway { why: of } if of == why));
    let mut chat = Login::alice()
        .open(for_client(&running, "203.0.113.10").await)
        .await;
    chat.say_and_hear_back("hello").await;
    chat.close().await;
    let expected = [9, 9, 9, 10].map(|last| Some(SocketAddr::from(([203, 0, 113, last], 5000))));
    let peers = [1, 2, 3, 4].map(|connection| peer(&world.seen.of(connection)[0]));
    assert_eq!(peers, expected);
    drop(waiting);
    running.stop.send(()).unwrap();
}

/// The twin: the same header from an address that is not named.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_anybody_else_is_no_hello_and_changes_no_address() {
    let world = World::new().await;
    let balancers: Balancers = serde_json::from_str("[\"192.0.2.7\"]").unwrap();
    let running = serve_behind(balancers, &world.server).await;
    let mut stream = for_client(&running, "203.0.113.9").await;
    let here = stream.local_addr().unwrap();
    stream.write_all(&[0; 74]).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    // The last event comes after the last byte.
    running.stop.send(()).unwrap();
    running.served.await.unwrap();
    assert_eq!(peer(&world.seen.of(1)[0]), Some(here));
    assert!(matches!(
        world.seen.last_of(1),
        Event::HandshakeFailed { .. }
    ));
    assert!(world.stored().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_that_names_nobody_is_dropped_and_the_log_says_what_to_do() {
    let world = World::new().await;
    let balancers: Balancers = serde_json::from_str("[\"127.0.0.1\"]").unwrap();
    let running = serve_behind(balancers, &world.server).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"latch/2\n").await.unwrap();
    stream.write_all(&[0; 66]).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    let Event::HandshakeFailed { why } = world.seen.last_of(1) else {
        panic!("it was served");
    };
    assert!(why.to_string().contains("send-proxy-v2"), "{why}");
    running.stop.send(()).unwrap();
}
