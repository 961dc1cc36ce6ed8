//! Faults that a server is told to show: which route, how often, and what goes wrong.
//!
//! The difference between failing *before* and *after* a change is applied is what proves that a
//! client neither loses nor doubles a write, so every fault that hides an answer says which it is.

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lock;

/// What goes wrong with one exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The answer is an error, made by the server or by a proxy in front of it.
    Status {
        /// From 400 to 599.
        status: u16,
        /// What the error page is written in.
        #[serde(default)]
        body: ErrorBody,
        /// Seconds for the `Retry-After` header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u32>,
        /// Whether the request took effect all the same, as behind a proxy that gave up waiting.
        #[serde(default)]
        applied: bool,
    },
    /// The request waits this long, in real time, and is then served as usual; it takes effect
    /// even when the caller has gone meanwhile.
    Delay {
        /// In milliseconds.
        delay_ms: u64,
    },
    /// The request takes effect; the connection breaks after half of the answer's body.
    HalfBody,
    /// The answer is 200 with JSON that goes on for this long.
    HugeBody {
        /// In bytes.
        size_bytes: u64,
    },
    /// The answer is 302.
    Redirect {
        /// Where to.
        location: String,
    },
    /// The connection is closed without an answer and without any effect.
    DropBefore,
    /// The request takes effect and the connection is closed without an answer.
    DropAfter,
}

/// What an error page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorBody {
    /// `{"error": "…"}`.
    #[default]
    Json,
    /// The page of a web server in front of the product.
    Html,
}

/// A fault and the requests that it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The route by the product's name for it; none strikes all.
    #[serde(default)]
    pub route: Option<String>,
    /// How many of the route's requests pass before it strikes.
    #[serde(default)]
    pub skip: u32,
    /// How many it strikes; none goes on until the faults are cleared.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// What goes wrong.
    pub fault: Fault,
}

fn once() -> Option<u32> {
    Some(1)
}

impl FaultRule {
    /// Strikes the next request of a route.
    pub fn next(route: &str, fault: Fault) -> Self {
        Self {
            route: Some(route.to_owned()),
            skip: 0,
            times: once(),
            fault,
        }
    }

    /// The same rule, striking this many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same rule, striking until the faults are cleared.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// The same rule, letting this many requests pass first.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn check(&self, routes: &[&str]) -> Result<(), String> {
        if let Some(route) = &self.route
            && !routes.contains(&route.as_str())
        {
            return Err(format!(
                "there is no route `{route}`; there are {}",
                routes.join(", ")
            ));
        }
        match &self.fault {
            Fault::Status { status, .. } if !(400..=599).contains(status) => Err(format!(
                "a fault cannot answer {status}: take a status from 400 to 599"
            )),
            Fault::Redirect { location } if http::HeaderValue::from_str(location).is_err() => {
                Err("a location cannot hold control characters".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// What one request has to suffer: waits add up, of all else the oldest rule counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Suffered {
    pub delay: Duration,
    pub fault: Option<Fault>,
}

/// The faults in force on one server.
#[derive(Debug)]
pub struct Faults {
    routes: &'static [&'static str],
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    pub(crate) fn new(routes: &'static [&'static str]) -> Self {
        Self {
            routes,
            rules: Mutex::new(Vec::new()),
        }
    }

    /// Puts a fault in force.
    ///
    /// # Errors
    /// A sentence, when the route does not exist or the fault cannot be sent.
    pub fn add(&self, rule: FaultRule) -> Result<(), String> {
        rule.check(self.routes)?;
        lock(&self.rules).push(rule);
        Ok(())
    }

    /// The rules that still have requests to strike.
    pub fn in_force(&self) -> Vec<FaultRule> {
        lock(&self.rules).clone()
    }

    /// Ends all faults.
    pub fn clear(&self) {
        lock(&self.rules).clear();
    }

    /// Uses up what strikes the request that has just come in.
    pub(crate) fn strike(&self, route: &str) -> Suffered {
        let mut rules = lock(&self.rules);
        let mut suffered = Suffered::default();
        for rule in rules.iter_mut() {
            if rule.route.as_deref().is_some_and(|named| named != route) {
                continue;
            }
            let is_wait = matches!(rule.fault, Fault::Delay { .. });
            if !is_wait && suffered.fault.is_some() {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            match &mut rule.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            match &rule.fault {
                Fault::Delay { delay_ms } => suffered.delay += Duration::from_millis(*delay_ms),
                fault => suffered.fault = Some(fault.clone()),
            }
        }
        rules.retain(|rule| rule.times != Some(0));
        suffered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROP: Suffered = Suffered {
        delay: Duration::ZERO,
        fault: Some(Fault::DropBefore),
    };

    fn faults() -> Faults {
        Faults::new(&["read", "write"])
    }

    #[test]
    fn a_rule_strikes_its_route_as_often_as_it_says_and_is_gone() {
        let faults = faults();
        faults
            .add(
                FaultRule::next("write", Fault::DropBefore)
                    .times(2)
                    .after(1),
            )
            .unwrap();
        assert_eq!(faults.strike("write"), Suffered::default());
        assert_eq!(faults.strike("read"), Suffered::default());
        assert_eq!(faults.strike("write"), DROP);
        assert_eq!(faults.strike("write"), DROP);
        assert_eq!(faults.strike("write"), Suffered::default());
        assert_eq!(faults.in_force(), []);
    }

    #[test]
    fn a_wait_goes_together_with_what_follows_it() {
        let faults = faults();
        let wait = Fault::Delay { delay_ms: 5 };
        faults.add(FaultRule::next("read", wait).always()).unwrap();
        faults
            .add(FaultRule::next("read", Fault::DropAfter))
            .unwrap();
        let both = faults.strike("read");
        assert_eq!(both.delay, Duration::from_millis(5));
        assert_eq!(both.fault, Some(Fault::DropAfter));
        assert_eq!(faults.strike("read").fault, None);
    }

    #[test]
    fn a_route_that_does_not_exist_is_refused_with_those_that_do() {
        let refused = faults().add(FaultRule::next("reed", Fault::DropAfter));
        assert_eq!(
            refused.unwrap_err(),
            "there is no route `reed`; there are read, write"
        );
    }

    #[test]
    fn a_rule_written_in_json_strikes_once_unless_it_says_otherwise() {
        let rule = |text: &str| serde_json::from_str::<FaultRule>(text);
        let once = rule(r#"{"route":"read","fault":{"kind":"drop-after"}}"#).unwrap();
        assert_eq!(once.times, Some(1));
        let endless = rule(r#"{"times":null,"fault":{"kind":"delay","delay_ms":3}}"#).unwrap();
        assert_eq!(endless.times, None);
        assert!(rule(r#"{"rout":"read","fault":{"kind":"drop-after"}}"#).is_err());
        assert!(rule(r#"{"fault":{"kind":"delay","seconds":3}}"#).is_err());
    }
}
