//! Many clients at a time over real TCP.

mod support;

use std::{net::SocketAddr, sync::Arc};

use latchstring_server_core::{AdmissionError, Event, Server, listener};
use latchstring_store::Accounts;
use support::{ALICE, Login, World, account, alice_kid, name, rest, seconds};
use tokio::{
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let until = async { stopped.await.unwrap_or_default() };
    let served = tokio::spawn(listener::serve(Arc::clone(server), listener, until));
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
