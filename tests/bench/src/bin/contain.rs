//! `cargo xtask bench contain`: the containment job, journalled, against its six bare requests.
//!
//! The real KATA connector in its sandbox, a real automation directory, a real store on the disk, and a
//! product on loopback that answers at once; against the same six requests by plain reqwest to the same
//! product. And what kill -9 leaves when sixteen of them are under way.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordon_bench::central_node::CentralNode;
use cordon_bench::figure::{median, micro};
use cordon_bench::model::resident;
use cordon_bench::process::{apart, fdatasync, itself};
use cordon_bench::{Bound, Failed, Report};
use cordon_journal::run::Outcome;
use cordon_journal::sqlite::{Access, Options, SqliteStore};
use cordon_journal::store::Filter;
use cordon_journal::{Durability, RunId, State, Store};
use cordon_playbook::{Library, Playbook};
use cordon_run::bind;
use cordon_run::directory::Directory;
use cordon_run::event::Unwatched;
use cordon_run::executor::{Executor, Parts, create};
use cordon_run::inventory::Inventory;
use cordon_run::live::{LiveCatalogue, LiveSurroundings};
use cordon_run::order::{Terms, place};
use cordon_run::service::{Service, Until};
use cordon_run::world::Surroundings;
use uuid::Uuid;

/// Measured runs, young and old.
const ROUNDS: usize = 200;
/// Runs between young and old.
const AGE: usize = 5_000;
/// Callers at a time, and runs of each.
const CALLERS: usize = 16;
const RUNS_EACH: usize = 40;
const SENSOR: &str = "DF64838B-B518-414B-B769-2B8BE341A2F0";

/// The job: six requests, no pause between polls.
const JOB: &str = r#"
const PLAYBOOK = #{ title: "Contain", inputs: #{ host: "string" }, uses: #{ edr: "kata" } };

fn run(input) {
    let edr = connection("edr");
    let sensors = edr.list_sensors(#{ host: input.host });
    let id = sensors[0].sensor_id;
    let rule = edr.get_isolation(#{ sensor_id: id });
    edr.isolate(#{ sensor_id: id, duration: "2h", exclusions: rule.exclusions });
    let task = edr.create_run_task(#{ sensor_id: id, command: "collect.exe" });
    let done = poll(|| edr.get_task(#{ task_id: task.task_id }), |task| task.finished, #{ every: "0ms", timeout: "1m" });
    #{ sensor: id, state: done.state }
}
"#;

fn main() -> Result<(), Failed> {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return Err("a crypto provider was chosen before".into());
    }
    // As an executor's own threads: runs are executed on them directly.
    let (tell, told) = std::sync::mpsc::channel();
    cordon_playbook::stack::spawn("bench", move || {
        let _ = tell.send(bench());
    })?;
    told.recv()?
}

fn bench() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let _inside = runtime.enter();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => measure(&runtime),
        ["crash", folder] => crash(&runtime, Path::new(folder)),
        ["take-up", folder] => take_up(&runtime, Path::new(folder)),
        ["peak", folder] => peak(&runtime, Path::new(folder)),
        other => Err(format!("not known: {other:?}").into()),
    }
}

/// An automation directory over the product, and what executes its runs.
struct Job {
    inventory: Arc<Inventory>,
    store: Arc<SqliteStore>,
    surroundings: Arc<dyn Surroundings>,
    executor: Executor,
    playbook: Playbook,
    bound: bind::Bound,
}

impl Job {
    fn open(runtime: &tokio::runtime::Runtime, folder: &Path) -> Result<Self, Failed> {
        let directory = Directory::open(folder)?;
        let store = Arc::new(SqliteStore::open(
            &directory.data().join("cordon.db"),
            Options::new(Access::Execute),
        )?);
        let cache = folder.join("cache");
        let inventory = Arc::new(runtime.block_on(Inventory::load(directory, Some(cache)))?);
        let handle = runtime.handle().clone();
        let surroundings: Arc<dyn Surroundings> =
            Arc::new(LiveSurroundings::new(handle.clone(), store.latest()?));
        let executor = Executor::new(Parts {
            store: Arc::clone(&store) as Arc<dyn Store>,
            surroundings: Arc::clone(&surroundings),
            catalogue: Arc::new(LiveCatalogue::new(Arc::clone(&inventory), handle)),
            watcher: Arc::new(Unwatched),
            roles: BTreeMap::new(),
            only: None,
        });
        let playbook = Playbook::compile("contain.rhai", JOB, &Library::none())
            .map_err(|error| error.to_string())?;
        let bound = bind::choose(&inventory, playbook.header(), &BTreeMap::new())?;
        Ok(Self {
            bound,
            inventory,
            store,
            surroundings,
            executor,
            playbook,
        })
    }

    fn start(&self) -> Result<RunId, Failed> {
        let header = self.playbook.header();
        let given = BTreeMap::from([(
            "host".to_owned(),
            cordon_playbook::Given::Text("host4".to_owned()),
        )]);
        let input = header
            .convert_input(&given)
            .map_err(|errors| format!("{errors:?}"))?;
        let ordered = place(Terms {
            name: "contain",
            playbook: &self.playbook,
            input,
            bound: &self.bound,
            inventory: &self.inventory,
            store: &*self.store,
            by: "bench",
            now: self.surroundings.now(),
            deadline: None,
            tags: Vec::new(),
        })?;
        let id = RunId(Uuid::new_v4());
        let changes = create(id, ordered, &*self.store)?;
        self.store.commit(changes, Durability::Now)?;
        Ok(id)
    }

    /// One job from start to end, durable at both.
    fn once(&self) -> Result<Duration, Failed> {
        let began = Instant::now();
        let id = self.start()?;
        while let Some(claim) = self.executor.claim()? {
            claim.execute();
        }
        let took = began.elapsed();
        self.succeeded(id)?;
        Ok(took)
    }

    fn succeeded(&self, id: RunId) -> Result<(), Failed> {
        let run = self.store.run(id)?.ok_or("the run is lost")?;
        match &run.status.end {
            Some(end) if end.outcome == Outcome::Succeeded => Ok(()),
            other => {
                Err(format!("the run did not succeed: {other:?} {:?}", run.status.waits).into())
            }
        }
    }
}

fn measure(runtime: &tokio::runtime::Runtime) -> Result<(), Failed> {
    let beside = std::env::current_exe()?;
    let beside = beside.parent().ok_or("no folder")?;
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(beside)?;
    let node = CentralNode::serve()?;
    let mut report = Report::new("contain");
    let sync = fdatasync(folder.path())?;
    report.add(
        "fdatasync",
        micro(sync),
        "µs",
        Bound::None,
        "median of 200, 4 KiB appended each",
    );

    let place = prepare(&folder.path().join("one"), &node)?;
    let job = Job::open(runtime, &place)?;
    let bare = Bare::new(&node)?;
    let (young, plain) = pairs(runtime, &job, &bare)?;
    report.add(
        "ratio_young",
        young.as_secs_f64() / plain.as_secs_f64(),
        "x",
        Bound::AtMost(5.0),
        shown(young, plain),
    );
    for _ in 0..AGE.saturating_sub(ROUNDS) {
        job.once()?;
    }
    let (old, plain) = pairs(runtime, &job, &bare)?;
    report.add(
        "ratio_after_5000",
        old.as_secs_f64() / plain.as_secs_f64(),
        "x",
        Bound::AtMost(5.0),
        shown(old, plain),
    );
    drop(job);

    let place = prepare(&folder.path().join("many"), &node)?;
    let (runs, requests) = many(runtime, &place, &bare)?;
    report.add(
        "throughput_16_callers",
        runs / requests,
        "x",
        Bound::AtLeast(0.5),
        format!("{runs:.0} jobs/s against {requests:.0} times six bare requests/s"),
    );

    let place = prepare(&folder.path().join("peak"), &node)?;
    let peak = apart(&["peak", &place.to_string_lossy()])?;
    report.add(
        "peak_resident",
        peak[0] / 1e6,
        "MB",
        Bound::AtMost(90.0),
        "a process that does the job 500 times, 16 at a time",
    );

    killed(&mut report, folder.path(), &node)?;
    report.print();
    Ok(())
}

fn shown(job: Duration, plain: Duration) -> String {
    format!(
        "{:.0} µs a job, {:.0} µs its six bare requests",
        micro(job),
        micro(plain)
    )
}

/// Writes an automation directory for the product.
fn prepare(root: &Path, node: &CentralNode) -> Result<PathBuf, Failed> {
    for name in ["connections", "connectors", "playbooks", "credentials"] {
        std::fs::create_dir_all(root.join(name))?;
    }
    std::fs::write(root.join("cordon.toml"), "")?;
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("no target directory")?;
    let component = target.join("components/connectors/kata.wasm");
    std::fs::copy(&component, root.join("connectors/kata.wasm")).map_err(|error| {
        format!(
            "{}: {error}; run `cargo xtask bench contain`",
            component.display()
        )
    })?;
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["bench".to_owned()])?.self_signed(&key)?;
    std::fs::write(root.join("credentials/kata.pem"), certificate.pem())?;
    std::fs::write(root.join("credentials/kata.key"), key.serialize_pem())?;
    restrict(&root.join("credentials/kata.key"))?;
    let connection = format!(
        "connector = \"kata\"\nurl = \"http://{}\"\n[settings]\nexternal_system_id = \"00000000-0000-4000-8000-000000000001\"\n\
         [credentials]\nclient_certificate = {{ certificate = \"file:credentials/kata.pem\", key = \"file:credentials/kata.key\" }}\n\
         [limits]\nconcurrency = 64\n",
        node.address
    );
    std::fs::write(root.join("connections/edr.toml"), connection)?;
    Ok(root.to_owned())
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), Failed> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o600),
    )?)
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> Result<(), Failed> {
    Ok(())
}

/// The six requests without Cordon: asked, read, parsed.
#[derive(Clone)]
struct Bare {
    client: reqwest::Client,
    base: String,
}

impl Bare {
    fn new(node: &CentralNode) -> Result<Self, Failed> {
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().build()?,
            base: format!("http://{}/kata/response_api/v1/bare", node.address),
        })
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<serde_json::Value, Failed> {
        let body = request.send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    async fn job(&self) -> Result<(), Failed> {
        let Self { client, base } = self;
        let settings =
            format!("{base}/settings?sensor_id={SENSOR}&settings_type=network_isolation");
        let task = format!("{base}/tasks/{}", Uuid::new_v4());
        self.ask(client.get(format!("{base}/sensors?host=host4")))
            .await?;
        self.ask(client.get(&settings)).await?;
        let order = r#"{"settings":{"autoTurnoffTimeoutInSec":7200}}"#;
        self.ask(client.post(&settings).body(order)).await?;
        let order = r#"{"task":{"schedule":{"startNow":true},"execCommand":"collect.exe"}}"#;
        self.ask(
            client
                .post(format!("{task}?sensor_id={SENSOR}&task_type=run_process"))
                .body(order),
        )
        .await?;
        while self.ask(client.get(&task)).await?["state"] != "completed" {}
        Ok(())
    }
}

/// The median times of one job, through Cordon and bare, in turn.
fn pairs(
    runtime: &tokio::runtime::Runtime,
    job: &Job,
    bare: &Bare,
) -> Result<(Duration, Duration), Failed> {
    let (mut jobs, mut plain) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + ROUNDS / 10 {
        let took = job.once()?;
        let began = Instant::now();
        runtime.block_on(bare.job())?;
        if round >= ROUNDS / 10 {
            jobs.push(took);
            plain.push(began.elapsed());
        }
    }
    Ok((median(jobs), median(plain)))
}

/// Jobs a second of many callers: through Cordon, bare. The medians of three turns.
fn many(
    runtime: &tokio::runtime::Runtime,
    place: &Path,
    bare: &Bare,
) -> Result<(f64, f64), Failed> {
    let job = Job::open(runtime, place)?;
    let count = CALLERS * RUNS_EACH;
    let (mut jobs, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let began = Instant::now();
        let service = Service::start(job.executor.clone(), CALLERS, Until::Idle);
        let mut ids = Vec::new();
        std::thread::scope(|threads| -> Result<(), Failed> {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    threads.spawn(|| {
                        (0..RUNS_EACH)
                            .map(|_| job.start())
                            .collect::<Result<Vec<_>, _>>()
                    })
                })
                .collect();
            for caller in callers {
                ids.extend(caller.join().map_err(|_| "a caller panicked")??);
            }
            Ok(())
        })?;
        service.finish()?;
        // What was started after the service saw nothing left.
        Service::start(job.executor.clone(), CALLERS, Until::Idle).finish()?;
        jobs.push(began.elapsed());
        for id in ids {
            job.succeeded(id)?;
        }
        let began = Instant::now();
        runtime.block_on(async {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    let bare = bare.clone();
                    tokio::spawn(async move {
                        for _ in 0..RUNS_EACH {
                            bare.job().await?;
                        }
                        Ok::<_, Failed>(())
                    })
                })
                .collect();
            for caller in callers {
                caller.await??;
            }
            Ok::<_, Failed>(())
        })?;
        plain.push(began.elapsed());
    }
    let rate = |times| count as f64 / median(times).as_secs_f64();
    Ok((rate(jobs), rate(plain)))
}

/// In a process of its own: prints the largest resident size.
fn peak(runtime: &tokio::runtime::Runtime, place: &Path) -> Result<(), Failed> {
    let job = Job::open(runtime, place)?;
    for _ in 0..500 {
        job.start()?;
    }
    Service::start(job.executor.clone(), CALLERS, Until::Idle).finish()?;
    println!("{}", resident("VmHWM").unwrap_or_default());
    Ok(())
}

/// Sixteen jobs under way, killed, taken up.
fn killed(report: &mut Report, folder: &Path, node: &CentralNode) -> Result<(), Failed> {
    let mut longest: f64 = 0.0;
    let mut caught = 0;
    let mut twice = 0;
    for turn in 0..10 {
        let place = prepare(&folder.join(format!("killed-{turn}")), node)?;
        let before = node.done(|done| done.tasks.clone());
        let mut child = itself()?
            .args(["crash", &place.to_string_lossy()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        // Somewhere in the middle of the six requests.
        std::thread::sleep(Duration::from_millis(2 + turn * 3));
        child.kill()?;
        child.wait()?;
        let figures = apart(&["take-up", &place.to_string_lossy()])?;
        longest = longest.max(figures[0]);
        caught += figures[1] as usize;
        // A task that was ordered twice was ordered under the same key: KATA takes it once. One job, one key.
        let keys = node.done(|done| {
            done.tasks
                .keys()
                .filter(|key| !before.contains_key(*key))
                .count()
        });
        twice += keys.saturating_sub(CALLERS);
    }
    report.add(
        "killed_16_complete",
        longest,
        "s",
        Bound::AtMost(1.2),
        format!("the longest of 10 kills, from the start of the process; {caught} of 160 jobs were under way"),
    );
    report.add(
        "killed_tasks_twice",
        twice as f64,
        "",
        Bound::AtMost(0.0),
        "tasks beyond one for each job",
    );
    Ok(())
}

/// In a process of its own, which is killed: sixteen jobs at a time.
fn crash(runtime: &tokio::runtime::Runtime, place: &Path) -> Result<(), Failed> {
    let job = Job::open(runtime, place)?;
    for _ in 0..CALLERS {
        job.start()?;
    }
    let _service = Service::start(job.executor.clone(), CALLERS, Until::Closed);
    println!("ready");
    std::thread::sleep(Duration::from_secs(600));
    Ok(())
}

/// In a process of its own: prints how long it takes from the start until every job is done, and how many
/// were open.
fn take_up(runtime: &tokio::runtime::Runtime, place: &Path) -> Result<(), Failed> {
    let began = Instant::now();
    let job = Job::open(runtime, place)?;
    let open = job.store.find(&Filter::default())?;
    let open = open
        .iter()
        .filter(|run| run.status.state != State::Ended)
        .count();
    let service = Service::start(job.executor.clone(), CALLERS, Until::Closed);
    loop {
        let runs = job.store.find(&Filter::default())?;
        if runs.iter().all(|run| run.status.state == State::Ended) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = began.elapsed();
    service.close()?;
    for run in job.store.find(&Filter::default())? {
        job.succeeded(run.id)?;
    }
    println!("{} {open}", took.as_secs_f64());
    Ok(())
}
