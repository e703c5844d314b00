//! Clients that hold on to what all share: connections, and memory for bodies and answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::api_office::{Answer, Office};

/// Cut off after a second.
const QUICK: &str = "limits = { header_seconds = 1, requests_per_second = 10000, burst = 10000 }";
const ADDRESS: &str = "address = \"127.0.0.1:0\"";

async fn connected(office: &Office) -> TcpStream {
    TcpStream::connect(office.address()).await.unwrap()
}

/// What is awaited, if it comes to be.
async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), awaited)
        .await
        .expect("it comes to be")
}

/// Takes what comes until the gateway hangs up.
async fn hung_up(stream: &mut (impl AsyncRead + Unpin)) {
    let mut part = [0_u8; 4_096];
    while let Ok(1..) = stream.read(&mut part).await {}
}

/// Whether a request on a connection is answered.
async fn is_served(stream: &mut TcpStream) -> bool {
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut part = [0_u8; 4_096];
    stream.write_all(request).await.is_ok() && matches!(stream.read(&mut part).await, Ok(1..))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_of_a_request_is_cut_off() {
    let office = Office::with(QUICK).await;
    let mut streams = Vec::new();
    for sent in ["", "P", "PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = connected(&office).await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    for stream in &mut streams {
        soon(hung_up(stream)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_under_tls_that_says_nothing_is_cut_off() {
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let office = Office::changed(|folder, text| {
        std::fs::write(folder.join("chain.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        let tls = format!("{ADDRESS}, certificate = \"chain.pem\", key = \"key.pem\"");
        text.replace(ADDRESS, &tls)
            .replace("limits = { ", "limits = { header_seconds = 1, ")
    })
    .await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let mut before = connected(&office).await;
    let name = ServerName::try_from("localhost").unwrap();
    let after = connected(&office).await;
    let mut after = connector.connect(name, after).await.unwrap();
    soon(hung_up(&mut before)).await;
    soon(hung_up(&mut after)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_is_closed_and_leaves_the_others_alone() {
    let office = Office::changed(|_, text| {
        // A quarter of them for one address: two.
        text.replace(ADDRESS, &format!("{ADDRESS}, connections = 8"))
    })
    .await;
    let (mut first, mut second) = (connected(&office).await, connected(&office).await);
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    assert!(!is_served(&mut connected(&office).await).await);
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    drop(first);
    let again = async {
        while !is_served(&mut connected(&office).await).await {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
}

/// Sends a small body until it is refused for want of room, or no longer is.
async fn sent_until(office: &Office, is_refused: bool) -> Answer {
    let sending = async {
        loop {
            let body = Some(" ".repeat(1_000));
            let json = [("content-type", "application/json")];
            let answer = office
                .send("cws", Method::POST, "/v1/match", &json, body)
                .await;
            if (answer.status == StatusCode::SERVICE_UNAVAILABLE) == is_refused {
                return answer;
            }
        }
    };
    soon(sending).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_under_way_share_the_memory_and_give_it_back() {
    let office = Office::with(
        "limits = { requests_per_second = 10000, burst = 10000, body_bytes = 102400, body_memory = \"100 KiB\" }",
    )
    .await;
    let mut held = connected(&office).await;
    let head = "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer calworks\r\ncontent-length: 102400\r\n\r\n";
    let most = format!("{head}{}", " ".repeat(102_000));
    held.write_all(most.as_bytes()).await.unwrap();
    let refused = sent_until(&office, true).await;
    assert_eq!(refused.header("retry-after"), "5");
    assert!(is_served(&mut connected(&office).await).await);
    drop(held);
    let read = sent_until(&office, false).await;
    assert_eq!(read.status, StatusCode::BAD_REQUEST, "{}", read.text);
}
