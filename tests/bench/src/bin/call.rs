//! `cargo xtask bench call`: what the sandbox costs.
//!
//! An action through the sandbox against the same request by plain reqwest to the same server, in
//! turn, so that a noisy machine is noisy for both; and the bare call of a fresh instance.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordon_bench::figure::{median, micro, ratio};
use cordon_bench::{Bound, Failed, Report, product};
use cordon_connection::{Connection, ConnectionFile};
use cordon_connector::{Call, Connector, Limits, Runtime, RuntimeOptions};
use cordon_contract::Value;
use cordon_contract::value::Map;
use uuid::Uuid;

/// Measured pairs at one caller.
const ROUNDS: usize = 2_000;
/// Measured pairs against the product that pauses.
const ROUNDS_WITH_PAUSE: usize = 300;
/// Callers at a time.
const CALLERS: usize = 64;
/// Requests of each caller in one turn.
const REQUESTS_EACH: usize = 40;
/// Turns of each side.
const TURNS: usize = 5;
/// Calls without I/O.
const BARE_CALLS: usize = 5_000;

fn main() -> Result<(), Failed> {
    // reqwest asks the process for one even where no TLS is spoken.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return Err("a crypto provider was chosen before".into());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure())
}

async fn measure() -> Result<(), Failed> {
    let cache = tempfile::tempdir()?;
    let runtime = Runtime::new(RuntimeOptions {
        cache_dir: Some(cache.path().to_owned()),
        limits: Limits::default(),
    })?;
    let hosts = runtime.load(&component("measured/hosts")?).await?;
    let greeter = runtime.load(&component("measured/smallest")?).await?;
    let mut report = Report::new("call");

    let at_once = Pair::new(&hosts, Duration::ZERO)?;
    let (sandbox, plain) = at_once.one_caller(ROUNDS).await?;
    let yardstick = format!(
        "{} by reqwest, {} through the sandbox",
        show(plain),
        show(sandbox)
    );
    report.add(
        "ratio_1_caller",
        ratio(sandbox, plain),
        "x",
        Bound::AtMost(1.5),
        yardstick,
    );

    let (sandbox, plain) = at_once.many_callers().await?;
    let yardstick = format!("{plain:.0} requests/s by reqwest, {sandbox:.0} through the sandbox");
    report.add(
        "throughput_64_callers",
        sandbox / plain,
        "x",
        Bound::AtLeast(0.6),
        yardstick,
    );

    let pausing = Pair::new(&hosts, Duration::from_millis(5))?;
    let (sandbox, plain) = pausing.one_caller(ROUNDS_WITH_PAUSE).await?;
    let yardstick = format!(
        "{} by reqwest, {} through the sandbox",
        show(plain),
        show(sandbox)
    );
    report.add(
        "ratio_5ms_product",
        ratio(sandbox, plain),
        "x",
        Bound::AtMost(1.03),
        yardstick,
    );

    let bare = bare_call(&greeter).await?;
    let figure = micro(bare);
    report.add(
        "fresh_instance_call",
        figure,
        "µs",
        Bound::AtMost(25.0),
        "median of calls without I/O",
    );

    report.print();
    Ok(())
}

/// The same listing of hosts on the same server, in both ways.
struct Pair {
    connector: Arc<Connector>,
    connection: Arc<Connection>,
    client: reqwest::Client,
    url: String,
}

impl Pair {
    fn new(connector: &Arc<Connector>, pause: Duration) -> Result<Self, Failed> {
        let address = product::serve(pause)?;
        let connection = connection(connector, &format!("http://{address}"))?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{address}/sensors");
        Ok(Self {
            connector: Arc::clone(connector),
            connection,
            client,
            url,
        })
    }

    async fn through_the_sandbox(&self) -> Result<(), Failed> {
        let call = Call {
            connection: &self.connection,
            action: "list-hosts",
            arguments: &Map::new(),
            idempotency_key: Uuid::nil(),
            timeout: None,
        };
        match self.connector.call(call).await? {
            Value::List(hosts) if hosts.len() == 1 => Ok(()),
            other => Err(format!("not one host: {other}").into()),
        }
    }

    /// What a program without Cordon does: ask, read all of it, parse it.
    async fn by_reqwest(&self) -> Result<(), Failed> {
        let body = self
            .client
            .get(&self.url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        let answer: serde_json::Value = serde_json::from_slice(&body)?;
        match answer["sensors"].as_array() {
            Some(hosts) if hosts.len() == 1 => Ok(()),
            _ => Err(format!("not one host: {answer}").into()),
        }
    }

    /// The median times of one caller: through the sandbox, by reqwest.
    async fn one_caller(&self, rounds: usize) -> Result<(Duration, Duration), Failed> {
        for _ in 0..rounds / 10 {
            self.through_the_sandbox().await?;
            self.by_reqwest().await?;
        }
        let (mut sandbox, mut plain) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
        for _ in 0..rounds {
            sandbox.push(timed(self.through_the_sandbox()).await?);
            plain.push(timed(self.by_reqwest()).await?);
        }
        Ok((median(sandbox), median(plain)))
    }

    /// Requests a second of many callers: through the sandbox, by reqwest. The medians of turns.
    async fn many_callers(self) -> Result<(f64, f64), Failed> {
        let pair = Arc::new(self);
        let (mut sandbox, mut plain) = (Vec::new(), Vec::new());
        for turn in 0..=TURNS {
            let times = [
                timed(many(&pair, |pair| async move {
                    pair.through_the_sandbox().await
                }))
                .await?,
                timed(many(&pair, |pair| async move { pair.by_reqwest().await })).await?,
            ];
            // The first turn opens the connections.
            if turn > 0 {
                sandbox.push(times[0]);
                plain.push(times[1]);
            }
        }
        let rate = |times| (CALLERS * REQUESTS_EACH) as f64 / median(times).as_secs_f64();
        Ok((rate(sandbox), rate(plain)))
    }
}

async fn many<F>(pair: &Arc<Pair>, ask: fn(Arc<Pair>) -> F) -> Result<(), Failed>
where
    F: Future<Output = Result<(), Failed>> + Send + 'static,
{
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let pair = Arc::clone(pair);
            tokio::spawn(async move {
                for _ in 0..REQUESTS_EACH {
                    ask(Arc::clone(&pair)).await?;
                }
                Ok::<_, Failed>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

/// The median time of a call that does nothing but return a text.
async fn bare_call(greeter: &Arc<Connector>) -> Result<Duration, Failed> {
    let connection = connection(greeter, "http://127.0.0.1:9")?;
    let arguments = Map::from([("name".to_owned(), Value::text("Ada"))]);
    let call = Call {
        connection: &connection,
        action: "greet",
        arguments: &arguments,
        idempotency_key: Uuid::nil(),
        timeout: None,
    };
    let mut times = Vec::with_capacity(BARE_CALLS);
    for round in 0..BARE_CALLS + BARE_CALLS / 10 {
        let began = Instant::now();
        greeter.call(call).await?;
        if round >= BARE_CALLS / 10 {
            times.push(began.elapsed());
        }
    }
    Ok(median(times))
}

async fn timed(work: impl Future<Output = Result<(), Failed>>) -> Result<Duration, Failed> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed())
}

fn show(time: Duration) -> String {
    format!("{:.0} µs", micro(time))
}

fn connection(connector: &Connector, url: &str) -> Result<Arc<Connection>, Failed> {
    let manifest = &connector.model().manifest;
    let text = format!(
        "connector = \"{}\"\nurl = \"{url}\"\n[limits]\nconcurrency = 256\n",
        manifest.name
    );
    let file = ConnectionFile::parse(Path::new("bench.toml"), &text)?;
    Ok(Connection::open(&file, manifest, Path::new("."))?)
}

/// A component that `cargo xtask bench` has built, beside this program's target directory.
fn component(name: &str) -> Result<PathBuf, Failed> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("no target directory")?;
    let path = target.join("components").join(format!("{name}.wasm"));
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{} is missing; run `cargo xtask bench call`",
            path.display()
        )
        .into())
    }
}
