//! Simulates seeds, one after another, and says what happened and what must not have.

#![allow(
    clippy::print_stdout,
    reason = "a program of developers that prints what it did"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use cordon_simulation::seed::judge;
use cordon_simulation::tally::{Tally, too_little};

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
            let line: Vec<&str> = failure
                .lines()
                .filter(|line| !line.is_empty())
                .take(2)
                .collect();
            println!("{}", line.join(": "));
        }
        if count % 500 == 0 {
            println!(
                "{count} seeds, {:.0} a second",
                f64::from(count) / began.elapsed().as_secs_f64()
            );
        }
    }
    for (what, count) in total.counts() {
        println!("{count:>9} {what}");
    }
    let took = began.elapsed().as_secs_f64();
    println!("{} seeds in {took:.1} s, {failed} failed", arguments.seeds);
    let mut low = Vec::new();
    if arguments.seeds >= 100 {
        low = too_little(&total, arguments.seeds);
    }
    for line in &low {
        println!("{line}");
    }
    match failed == 0 && low.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
