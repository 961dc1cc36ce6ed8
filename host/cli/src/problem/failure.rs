//! A failed action: what failed, the status, what the product said.

use cordon_contract::{Delivery, ErrorKind, Failure, name, units};

use super::Problem;
use crate::exit::Exit;
use crate::output::value;

/// The problem of a failed action.
pub fn problem(failure: &Failure) -> Problem {
    let mut facts = vec![failure.kind.to_string()];
    facts.extend(failure.status.map(|status| format!("HTTP {status}")));
    let action = match failure.connection.as_str() {
        "" => String::new(),
        connection => format!("`{connection}.{}` failed: ", name::snake(&failure.action)),
    };
    let mut problem = Problem::new(
        exit(failure),
        format!("{action}{} ({})", failure.message, facts.join(", ")),
    );
    if !failure.details.is_null() {
        problem = problem.hint(format!(
            "the product added: {}",
            value::short(&failure.details)
        ));
    }
    if let Some(wait) = failure.retry_after_ms {
        problem = problem.hint(format!("try again in {}", units::format_duration(wait)));
    }
    match &failure.code {
        Some(code) => problem.code(code),
        None => problem,
    }
}

/// The codes of what has to be put right about a connection before anything can be asked over it. A
/// product that answers late, too much or half is none of them.
const NOT_USABLE: [&str; 5] = [
    "connection.address",
    "connection.client-certificate",
    "connection.connect",
    "connection.credential",
    "connection.tls",
];

fn exit(failure: &Failure) -> Exit {
    let code = failure.code.as_deref().unwrap_or_default();
    match failure.delivery {
        Delivery::NotSent if NOT_USABLE.contains(&code) => Exit::Connection,
        // The product does not know who is asking; every other call will be told the same.
        _ if failure.kind == ErrorKind::Unauthorized => Exit::Connection,
        Delivery::NotSent
            if failure.kind == ErrorKind::InvalidInput && code.starts_with("action.") =>
        {
            Exit::Usage
        }
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use cordon_contract::Value;

    use super::*;
    use crate::output::Look;

    #[test]
    fn a_failure_says_what_failed_the_status_and_what_the_product_said() {
        let failure = Failure {
            status: Some(429),
            retry_after_ms: Some(30_000),
            details: Value::map([("quota", Value::from(10_i64))]),
            delivery: Delivery::Answered,
            code: Some("action.refused".to_owned()),
            ..Failure::new(ErrorKind::RateLimited, "slow down").of("kata", "list-sensors")
        };
        insta::assert_snapshot!(problem(&failure).render(Look::PLAIN), @r"
        error: `kata.list_sensors` failed: slow down (rate_limited, HTTP 429)
        help: the product added: {quota: 10}
              try again in 30s
              `cordon explain action.refused` says more
        ");
        assert_eq!(problem(&failure).exit(), Exit::Failed);
    }

    #[test]
    fn what_never_left_because_of_the_connection_is_told_from_what_the_product_refused() {
        let failed = |code: &str, delivery| {
            let failure = Failure {
                code: Some(code.to_owned()),
                delivery,
                ..Failure::new(ErrorKind::Unavailable, "x")
            };
            problem(&failure).exit()
        };
        assert_eq!(
            failed("connection.tls", Delivery::NotSent),
            Exit::Connection
        );
        assert_eq!(failed("connection.tls", Delivery::Answered), Exit::Failed);
        assert_eq!(
            failed("connection.too-large", Delivery::NotSent),
            Exit::Failed
        );
        for code in NOT_USABLE {
            assert!(
                cordon_connection::CODES
                    .iter()
                    .any(|known| known.code == code),
                "{code}"
            );
        }
    }
}
