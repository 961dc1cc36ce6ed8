//! Simulates seeds, one after another, and says what happened and what must not have.

#![allow(
    clippy::print_stdout,
    reason = "a program of developers that prints what it did"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cordon_simulation::seed::judge;
use cordon_simulation::tally::{FLOORS, Tally};

/// Simulate runs over a store, clocks, products and people that go wrong as seeds say
#[derive(Parser)]
#[command(name = "cordon-simulate")]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Go on after a seed that fails, and tell only its first line
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let total = Tally::default();
    let mut failed = 0;
    for (count, seed) in (1..).zip(arguments.from..arguments.from + arguments.seeds) {
        let judged = judge(seed);
        total.merge(&judged.tally);
        if let Some(failure) = judged.failure {
            failed += 1;
            if !arguments.all {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
            let line: Vec<&str> = failure.lines().filter(|line| !line.is_empty()).take(2).collect();
            println!("{}", line.join(": "));
        }
        if count % 500 == 0 {
            println!("{count} seeds, {:.0} a second", f64::from(count) / began.elapsed().as_secs_f64());
        }
    }
    for (what, count) in total.counts() {
        println!("{count:>9} {what}");
    }
    println!(
        "{} seeds in {:.1} s, trace of the last as it is run again",
        arguments.seeds,
        began.elapsed().as_secs_f64()
    );
    let counts = total.counts();
    let mut low = 0;
    for (what, floor) in FLOORS {
        let wanted = floor * arguments.seeds / 1000;
        let count = counts.get(what).copied().unwrap_or(0);
        if count < wanted && arguments.seeds >= 100 {
            println!("only {count} of {what}, and {wanted} are the least that proves anything");
            low += 1;
        }
    }
    match failed + low {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
