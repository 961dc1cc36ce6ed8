//! Proxies: the configured one and no other.

use std::sync::{Arc, Mutex};

use cordon_connection::{Delivery, FailureKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::{Certified, Kind, Server, Setup, Tls, answer, get};

/// An HTTP proxy that opens tunnels to `port` of this machine, whatever host it is asked for.
async fn proxy(port: u16, reply: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            log.lock().unwrap().push(
                String::from_utf8(head)
                    .unwrap()
                    .lines()
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            client.write_all(reply.as_bytes()).await.unwrap();
            if reply.contains("200") {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        }
    });
    (own_port, asked)
}

#[tokio::test]
async fn the_proxy_opens_a_tunnel_and_tls_is_with_the_product() {
    let certificate = Certified::self_signed(&Kind::server());
    let server = Server::start(Some(Tls::with(certificate.clone())), |_| {
        answer(200, &[], "ok")
    })
    .await;
    let (port, asked) = proxy(server.port, "HTTP/1.1 200 OK\r\n\r\n").await;
    // By its name, which leads to this machine: a proxy may be there.
    let network = format!("[network]\nproxy = \"http://localhost:{port}\"");
    let connection = Setup::to("https://kata.invalid")
        .with_ca(&certificate.pem)
        .with(&network)
        .open();
    assert_eq!(get(&connection, "/").await.unwrap().status, 200);
    assert_eq!(
        *asked.lock().unwrap(),
        ["CONNECT kata.invalid:443 HTTP/1.1"]
    );
}

#[tokio::test]
async fn a_proxy_that_refuses_means_that_nothing_was_sent() {
    let (port, _) = proxy(0, "HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let network = format!("[network]\nproxy = \"http://127.0.0.1:{port}\"");
    let failure = get(
        &Setup::to("https://kata.invalid").with(&network).open(),
        "/",
    )
    .await
    .unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Connect, Delivery::NotSent)
    );
    assert!(
        failure.message.contains("the proxy did not open the way"),
        "{failure}"
    );
}

/// A SOCKS 5 proxy that leads every name to `port` of this machine.
async fn socks_proxy(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            // Version, one method: no authentication.
            let mut greeting = [0; 3];
            client.read_exact(&mut greeting).await.unwrap();
            client.write_all(&[5, 0]).await.unwrap();
            // Version, connect, reserved, a name, its length.
            let mut head = [0; 5];
            client.read_exact(&mut head).await.unwrap();
            assert_eq!(head[..4], [5, 1, 0, 3], "a name, not an address");
            let mut name = vec![0; usize::from(head[4])];
            client.read_exact(&mut name).await.unwrap();
            let asked_port = client.read_u16().await.unwrap();
            log.lock()
                .unwrap()
                .push(format!("{}:{asked_port}", String::from_utf8(name).unwrap()));
            client
                .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
                .await
                .unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut client, &mut server).await },
            );
        }
    });
    (own_port, asked)
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_name_of_the_product() {
    let certificate = Certified::self_signed(&Kind::server());
    let server = Server::start(Some(Tls::with(certificate.clone())), |_| {
        answer(200, &[], "ok")
    })
    .await;
    let (port, asked) = socks_proxy(server.port).await;
    let network = format!("[network]\nproxy = \"socks5h://127.0.0.1:{port}\"");
    let connection = Setup::to("https://kata.invalid")
        .with_ca(&certificate.pem)
        .with(&network)
        .open();
    assert_eq!(get(&connection, "/").await.unwrap().status, 200);
    assert_eq!(*asked.lock().unwrap(), ["kata.invalid:443"]);
}
