//! A product of a few lines on a loopback socket, and connections to it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use cordon_connection::{Connection, ConnectionFile};
use cordon_connector::Connector;

/// The connection `lab` to this URL, with more lines in its file.
pub fn connection(connector: &Connector, url: &str, more: &str) -> Arc<Connection> {
    let text = format!("connector = \"test\"\nurl = \"{url}\"\n{more}");
    let file = ConnectionFile::parse(Path::new("connections/lab.toml"), &text).unwrap();
    Connection::open(&file, &connector.model().manifest, Path::new(".")).unwrap()
}

/// The URL of a product that answers each path with these bytes, and closes the connection after it;
/// other paths get 404.
pub fn product(answers: &[(&str, &str)]) -> String {
    let answers: BTreeMap<String, String> = answers
        .iter()
        .map(|(path, answer)| ((*path).to_owned(), (*answer).to_owned()))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, answers) = (socket.unwrap(), answers.clone());
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match socket.read(&mut buffer) {
                        Ok(0) | Err(_) => return,
                        Ok(read) => request.extend_from_slice(&buffer[..read]),
                    }
                }
                let text = String::from_utf8_lossy(&request).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let missing =
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        .to_owned();
                let _ = socket.write_all(answers.get(path).unwrap_or(&missing).as_bytes());
            });
        }
    });
    format!("http://{address}")
}

/// A whole answer with this body.
pub fn ok_answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
