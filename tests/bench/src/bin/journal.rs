//! `cargo xtask bench journal`: what it costs to keep runs.
//!
//! Steps against the disk's own fdatasync and against plain SQLite doing the same writes, replay,
//! waiting, and taking up after a crash. The product answers at once, inside of this process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordon_bench::figure::{median, micro};
use cordon_bench::model::{Bench, Model, processor_time, resident};
use cordon_bench::process::{apart, fdatasync, itself};
use cordon_bench::{Bound, Failed, Report};
use cordon_journal::{Durability, Moment, State, Store as _};
use cordon_run::service::{Service, Until};

/// Steps of a run whose steps are measured.
const STEPS: u32 = 500;
/// Runs at a time, and the steps of each.
const RUNS: usize = 64;
const STEPS_EACH: u32 = 200;
/// Steps of a run that is replayed.
const REPLAYED: u32 = 20_000;
/// Branches that poll, and the looks of each.
const BRANCHES: [u32; 2] = [250, 1_000];
const LOOKS: u32 = 120;
/// Runs that wait.
const WAITING: [usize; 2] = [10_000, 100_000];
/// How long the idle process is watched.
const IDLE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
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
        [] => measure(),
        ["wait", folder, count] => wait(Path::new(folder), count.parse()?),
        ["crash", folder, count] => crash(Path::new(folder), count.parse()?),
        ["take-up", folder] => take_up(Path::new(folder)),
        other => Err(format!("not known: {other:?}").into()),
    }
}

fn measure() -> Result<(), Failed> {
    // On the disk that target directories are on: a folder for temporary files may be no disk at all.
    let beside = std::env::current_exe()?;
    let beside = beside.parent().ok_or("no folder")?;
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(beside)?;
    let mut report = Report::new("journal");
    let sync = fdatasync(folder.path())?;
    report.add(
        "fdatasync",
        micro(sync),
        "µs",
        Bound::None,
        "median of 200, 4 KiB appended each",
    );
    steps(&mut report, folder.path(), sync)?;
    together(&mut report, folder.path(), sync)?;
    replay(&mut report, folder.path())?;
    branches(&mut report, folder.path())?;
    waiting(&mut report, folder.path())?;
    recovery(&mut report, folder.path())?;
    report.print();
    Ok(())
}

/// Executes one run of this body and says how long it took.
fn one(folder: &Path, name: &str, body: &str) -> Result<Duration, Failed> {
    let model = Arc::new(Model::new(body)?);
    let bench = Bench::open(&folder.join(name), Arc::clone(&model))?;
    let id = bench.start(&model, Durability::Now)?;
    let began = Instant::now();
    bench.execute()?;
    let took = began.elapsed();
    let run = bench.store.run(id)?.ok_or("the run is lost")?;
    match run.status.end {
        Some(end) if end.message.is_none() => Ok(took),
        other => Err(format!("the run did not succeed: {other:?}").into()),
    }
}

fn steps(report: &mut Report, folder: &Path, sync: Duration) -> Result<(), Failed> {
    let loop_of = |action: &str| {
        format!("for n in 0..{STEPS} {{ product.{action}(#{{ number: `${{n}}` }}); }}")
    };
    let mut reads = Vec::new();
    let mut writes = Vec::new();
    let mut plain = Vec::new();
    for turn in 0..3 {
        reads.push(one(folder, &format!("reads-{turn}"), &loop_of("look"))? / STEPS);
        writes.push(one(folder, &format!("writes-{turn}"), &loop_of("act"))? / STEPS);
        plain.push(plain_sqlite(&folder.join(format!("plain-{turn}.db")), STEPS)? / STEPS);
    }
    let (read, write, plain) = (median(reads), median(writes), median(plain));
    let shown = |step: Duration| {
        format!(
            "{:.0} µs a step; fdatasync {:.0} µs",
            micro(step),
            micro(sync)
        )
    };
    report.add(
        "read_step_fsyncs",
        read.as_secs_f64() / sync.as_secs_f64(),
        "x",
        Bound::AtMost(0.3),
        shown(read),
    );
    report.add(
        "write_step_fsyncs",
        write.as_secs_f64() / sync.as_secs_f64(),
        "x",
        Bound::AtMost(2.2),
        shown(write),
    );
    report.add(
        "write_step_plain_sqlite",
        write.as_secs_f64() / plain.as_secs_f64(),
        "x",
        Bound::None,
        format!(
            "{:.0} µs for two rows in two full commits of plain SQLite",
            micro(plain)
        ),
    );
    Ok(())
}

/// The writes of as many writing steps by plain SQLite: an intent and an outcome, each committed to the
/// disk.
fn plain_sqlite(path: &Path, steps: u32) -> Result<Duration, Failed> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE journal (run INTEGER, seq INTEGER, record TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID;",
    )?;
    let record = "x".repeat(200);
    let mut insert = connection.prepare("INSERT INTO journal VALUES (1, ?1, ?2)")?;
    let began = Instant::now();
    for seq in 0..steps * 2 {
        insert.execute((seq, &record))?;
    }
    Ok(began.elapsed())
}

/// Many runs at a time.
fn together(report: &mut Report, folder: &Path, sync: Duration) -> Result<(), Failed> {
    let body = format!(
        "for n in 0..{STEPS_EACH} {{ if n % 4 == 3 {{ product.act(#{{ number: `${{n}}` }}); }} else {{ product.look(#{{ number: `${{n}}` }}); }} }}"
    );
    let model = Arc::new(Model::new(&body)?);
    let mut times = Vec::new();
    for turn in 0..3 {
        let bench = Bench::open(&folder.join(format!("together-{turn}")), Arc::clone(&model))?;
        for _ in 0..RUNS {
            bench.start(&model, Durability::Now)?;
        }
        let began = Instant::now();
        Service::start(bench.executor.clone(), RUNS, Until::Idle).finish()?;
        times.push(began.elapsed());
    }
    let steps = RUNS as f64 * f64::from(STEPS_EACH);
    report.add(
        "steps_64_runs",
        steps / median(times).as_secs_f64(),
        "/s",
        Bound::AtLeast(5_000.0),
        format!("a quarter of them writes; fdatasync {:.0} µs", micro(sync)),
    );
    Ok(())
}

/// The time of a replay alone: a run that waits at its end is taken up again.
fn replay(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    let body = format!(
        "for n in 0..{REPLAYED} {{ product.look(#{{ number: \"7\" }}); }} sleep(\"1s\"); 1"
    );
    let model = Arc::new(Model::new(&body)?);
    let bench = Bench::open(&folder.join("replay"), Arc::clone(&model))?;
    bench.start(&model, Durability::Now)?;
    bench.execute()?;
    let calls = model
        .products()
        .calls
        .load(std::sync::atomic::Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1_100));
    let began = Instant::now();
    bench.execute()?;
    let took = began.elapsed();
    let again = model
        .products()
        .calls
        .load(std::sync::atomic::Ordering::Relaxed);
    if again != calls {
        return Err("a step was performed again".into());
    }
    report.add(
        "replay_step",
        micro(took) / f64::from(REPLAYED),
        "µs",
        Bound::AtMost(5.0),
        format!("{REPLAYED} steps, reading the journal included"),
    );
    Ok(())
}

/// A wake of a run with many branches that poll: its time for each branch must not grow with them.
fn branches(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    let mut each = Vec::new();
    for count in BRANCHES {
        let body = format!(
            "let numbers = []; for n in 0..{count} {{ numbers.push(n); }}
             parallel(numbers, |n| {{
                 let looks = 0;
                 poll(|| product.look(#{{ number: \"7\" }}), |seen| false, #{{ every: \"200ms\", timeout: \"{}ms\" }})
             }}, #{{ max: {count}, on_error: \"continue\" }});
             1",
            u64::from(LOOKS) * 200
        );
        let model = Arc::new(Model::new(&body)?);
        let bench = Bench::open(
            &folder.join(format!("branches-{count}")),
            Arc::clone(&model),
        )?;
        bench.start(&model, Durability::Now)?;
        bench.execute()?;
        let mut wakes = Vec::new();
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(210));
            let began = Instant::now();
            bench.execute()?;
            wakes.push(began.elapsed());
        }
        each.push(median(wakes) / count);
    }
    report.add(
        "wake_branch_growth",
        each[1].as_secs_f64() / each[0].as_secs_f64(),
        "x",
        Bound::AtMost(1.5),
        format!(
            "{:.0} µs a branch with {} branches, {:.0} µs with {}, all due",
            micro(each[1]),
            BRANCHES[1],
            micro(each[0]),
            BRANCHES[0]
        ),
    );
    Ok(())
}

fn waiting(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    let place = |count: usize| folder.join(format!("waiting-{count}"));
    let idle = place(WAITING[0]);
    let figures = apart(&["wait", &idle.to_string_lossy(), &WAITING[0].to_string()])?;
    report.add(
        "idle_10000_resident",
        figures[0] / 1e6,
        "MB",
        Bound::AtMost(60.0),
        "10,000 waiting runs, after they were made; without connectors",
    );
    report.add(
        "idle_10000_processor",
        figures[1],
        "%",
        Bound::AtMost(0.5),
        format!("of a core, over {} s", IDLE.as_secs()),
    );
    let many = place(WAITING[1]);
    let figures = apart(&["wait", &many.to_string_lossy(), &WAITING[1].to_string()])?;
    report.add(
        "waiting_100000_resident",
        figures[0] / 1e6,
        "MB",
        Bound::AtMost(200.0),
        "100,000 waiting runs",
    );
    report.add(
        "waiting_100000_due",
        figures[2],
        "s",
        Bound::AtMost(1.0),
        "from due to ended, the slowest of 100 among them",
    );
    Ok(())
}

/// In a process of its own: makes so many runs that wait for an hour, and 100 that are due while it
/// idles. Prints resident bytes, the share of a core in percent, the longest delay in seconds.
fn wait(folder: &Path, count: usize) -> Result<(), Failed> {
    make_waiting(folder, count)?;
    let model = Arc::new(Model::new(
        "product.look(#{ number: \"7\" }); sleep(\"1h\"); 1",
    )?);
    let bench = Bench::open(folder, Arc::clone(&model))?;
    let service = Service::start(bench.executor.clone(), 64, Until::Closed);
    std::thread::sleep(Duration::from_secs(1));
    let before = processor_time().unwrap_or_default();
    std::thread::sleep(IDLE);
    let busy = processor_time().unwrap_or_default().saturating_sub(before);
    let resident = resident("VmRSS").unwrap_or_default();

    // Runs that were started long ago and become due in a second, all at once.
    let short = Arc::new(Model::new("sleep(\"1500ms\"); 1")?);
    drop(service);
    drop(bench);
    let bench = Bench::open(folder, Arc::clone(&short))?;
    let service = Service::start(bench.executor.clone(), 64, Until::Closed);
    let mut due = Vec::new();
    for _ in 0..100 {
        due.push(bench.start(&short, Durability::Later)?);
    }
    let mut slowest: f64 = 0.0;
    for id in due {
        let run = loop {
            match bench.store.run(id)? {
                Some(run) if run.status.state == State::Ended => break run,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let end = run.status.end.map_or(Moment(0), |end| end.at);
        let entries = bench.store.journal(id, 0)?;
        let until = entries.iter().find_map(|entry| match &entry.record.what {
            cordon_journal::What::Wait { until, .. } => Some(*until),
            _ => None,
        });
        let delay = end.since(until.unwrap_or(end));
        slowest = slowest.max(delay.as_secs_f64());
    }
    service.close()?;
    let share = busy.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    println!("{resident} {share} {slowest}");
    Ok(())
}

/// Runs that wait, as they are in the file: made by executing one and copying what it left.
fn make_waiting(folder: &Path, count: usize) -> Result<(), Failed> {
    let model = Arc::new(Model::new(
        "product.look(#{ number: \"7\" }); sleep(\"1h\"); 1",
    )?);
    let bench = Bench::open(folder, Arc::clone(&model))?;
    let first = bench.start(&model, Durability::Now)?;
    bench.execute()?;
    let run = bench.store.run(first)?.ok_or("the run is lost")?;
    let journal = bench.store.journal(first, 0)?;
    for batch in 0..count.div_ceil(500) {
        let mut changes = Vec::new();
        for _ in 0..500.min(count - batch * 500) {
            let id = cordon_journal::RunId(uuid::Uuid::new_v4());
            changes.push(cordon_journal::Change::Create(Box::new(
                cordon_journal::Run { id, ..run.clone() },
            )));
            for entry in &journal {
                changes.push(cordon_journal::Change::Append {
                    run: id,
                    seq: entry.seq,
                    record: entry.record.clone(),
                });
            }
        }
        bench.store.commit(changes, Durability::Now)?;
    }
    Ok(())
}

/// The body of the runs that are killed, some of them in the middle of their steps.
const KILLED: &str =
    "product.look(#{ number: \"7\" }); product.act(#{ number: \"7\" }); sleep(\"1h\"); 1";

fn recovery(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    let place = folder.join("recovery");
    let mut child: Child = itself()?
        .args(["crash", &place.to_string_lossy(), &WAITING[0].to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    // In the middle.
    std::thread::sleep(Duration::from_millis(300));
    child.kill()?;
    child.wait()?;
    let figures = apart(&["take-up", &place.to_string_lossy()])?;
    report.add(
        "taken_up_after_kill",
        figures[0],
        "s",
        Bound::AtMost(5.0),
        format!(
            "{} open runs, each executed to its next wait or step",
            figures[1]
        ),
    );
    Ok(())
}

/// In a process of its own, which is killed: so many runs, all open.
fn crash(folder: &Path, count: usize) -> Result<(), Failed> {
    let model = Arc::new(Model::new(KILLED)?);
    let bench = Bench::open(folder, Arc::clone(&model))?;
    for _ in 0..count {
        bench.start(&model, Durability::Later)?;
    }
    bench.store.commit(Vec::new(), Durability::Now)?;
    let _service = Service::start(bench.executor.clone(), 64, Until::Closed);
    println!("ready");
    std::thread::sleep(Duration::from_secs(600));
    Ok(())
}

/// In a process of its own: how long until every open run was taken up once. Prints seconds and runs.
fn take_up(folder: &Path) -> Result<(), Failed> {
    let began = Instant::now();
    let model = Arc::new(Model::new("1")?);
    let bench = Bench::open(folder, Arc::clone(&model))?;
    let now = bench.surroundings.now();
    let open = bench.store.due(now, usize::MAX)?;
    let killed = Arc::new(Model::new(KILLED)?);
    drop(bench);
    let bench = Bench::open(folder, killed)?;
    let mut left: std::collections::HashSet<_> = open.iter().copied().collect();
    let service = Service::start(bench.executor.clone(), 64, Until::Closed);
    while !left.is_empty() {
        std::thread::sleep(Duration::from_millis(50));
        let due: std::collections::HashSet<_> =
            bench.store.due(now, usize::MAX)?.into_iter().collect();
        left.retain(|id| due.contains(id));
    }
    let took = began.elapsed();
    service.close()?;
    println!("{} {}", took.as_secs_f64(), open.len());
    Ok(())
}
