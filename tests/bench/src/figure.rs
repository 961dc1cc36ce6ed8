//! Figures, their budgets, and the report at the end of a benchmark.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// On which side of its budget a figure is good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Good up to this.
    AtMost(f64),
    /// Good from this on.
    AtLeast(f64),
    /// Only to be looked at.
    None,
}

impl Bound {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(budget) => value <= budget,
            Self::AtLeast(budget) => value >= budget,
            Self::None => true,
        }
    }
}

/// One measured figure.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    bound: Bound,
    yardstick: String,
}

/// All figures of one benchmark.
pub struct Report {
    bench: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    /// An empty report of this benchmark.
    #[must_use]
    pub fn new(bench: &'static str) -> Self {
        Self {
            bench,
            figures: Vec::new(),
        }
    }

    /// Adds a figure; `yardstick` says what it was measured against, with its own number.
    pub fn add(
        &mut self,
        name: &'static str,
        value: f64,
        unit: &'static str,
        bound: Bound,
        yardstick: impl Into<String>,
    ) {
        self.figures.push(Figure {
            name,
            value,
            unit,
            bound,
            yardstick: yardstick.into(),
        });
    }

    /// Prints the table and the line of JSON.
    pub fn print(&self) {
        println!(
            "{:<26} {:>12} {:>12}  {:<5} measured against",
            "figure", "value", "budget", "met"
        );
        for figure in &self.figures {
            let budget = match figure.bound {
                Bound::AtMost(budget) => format!("≤ {budget} {}", figure.unit),
                Bound::AtLeast(budget) => format!("≥ {budget} {}", figure.unit),
                Bound::None => "–".to_owned(),
            };
            let met = match figure.bound {
                Bound::None => "",
                bound if bound.is_met(figure.value) => "yes",
                _ => "NO",
            };
            println!(
                "{:<26} {:>12} {budget:>12}  {met:<5} {}",
                figure.name,
                format!("{:.2} {}", figure.value, figure.unit),
                figure.yardstick
            );
        }
        println!("{}", self.to_json());
    }

    fn to_json(&self) -> Value {
        let figures: Map<String, Value> = self
            .figures
            .iter()
            .map(|figure| {
                let budget = match figure.bound {
                    Bound::AtMost(budget) | Bound::AtLeast(budget) => json!(budget),
                    Bound::None => Value::Null,
                };
                let value = (figure.value * 1000.0).round() / 1000.0;
                let met = figure.bound.is_met(figure.value);
                (
                    figure.name.to_owned(),
                    json!({ "value": value, "unit": figure.unit, "budget": budget, "met": met }),
                )
            })
            .collect();
        json!({ "bench": self.bench, "figures": figures })
    }
}

/// The median of some times.
///
/// # Panics
/// Where there are none.
#[must_use]
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A time in microseconds.
#[must_use]
pub fn micro(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The quotient of two times.
#[must_use]
pub fn ratio(time: Duration, yardstick: Duration) -> f64 {
    time.as_secs_f64() / yardstick.as_secs_f64()
}
