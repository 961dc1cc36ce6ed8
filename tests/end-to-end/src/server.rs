//! A product of a few lines: answers each request by a function. Plain HTTP on loopback.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What such a product was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The first line: `GET /hosts HTTP/1.1`.
    pub line: String,
    /// The header lines.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

/// A product that runs until the test ends.
pub struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts one that answers 200 with what `answer` says, and repeats all request headers in the
    /// header `x-echo`.
    #[must_use]
    pub fn start(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, &log, &*answer));
            }
        });
        Self { address, asked }
    }

    /// One that sends back the first line, the headers and the body of each request.
    #[must_use]
    pub fn mirror() -> Self {
        Self::start(|asked| {
            format!(
                "{}\n{}\n\n{}",
                asked.line,
                asked.headers.join("\n"),
                asked.body
            )
        })
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> String) {
    let mut reader = BufReader::new(stream);
    // Until the caller hangs up.
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let body = answer(&asked);
        let echo = asked.headers.join("; ");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-echo: {echo}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        if stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()))
            .is_err()
        {
            return;
        }
    }
}

fn read(reader: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let length = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let line = lines.remove(0);
    Some(Asked {
        line,
        headers: lines,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
