//! `cordon.toml`: what holds for a whole automation directory.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cordon_contract::{name, units};
use toml::de::{DeTable, DeValue};

/// What `cordon.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The limits of one call of a connector.
    pub connector_limits: cordon_connector::Limits,
    /// The limits of one run of a playbook.
    pub playbook_limits: cordon_playbook::Limits,
}

/// What is wrong with `cordon.toml`, and where.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct SettingsError {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What is wrong, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong with it.
    pub problem: String,
}

/// How a limit of playbooks is set.
enum Playbook {
    Count(fn(&mut cordon_playbook::Limits, u64)),
    Size(fn(&mut cordon_playbook::Limits, u64)),
    Time(fn(&mut cordon_playbook::Limits, Duration)),
}

/// The limits of playbooks by name. What cannot be changed is not among them: it is bounded by the
/// stack of the threads that run scripts.
const PLAYBOOK_LIMITS: [(&str, Playbook); 10] = [
    (
        "operations",
        Playbook::Count(|limits, number| limits.operations = number),
    ),
    (
        "steps",
        Playbook::Count(|limits, number| limits.steps = number),
    ),
    ("time", Playbook::Time(|limits, time| limits.time = time)),
    (
        "computing",
        Playbook::Time(|limits, time| limits.computing = time),
    ),
    (
        "text_size",
        Playbook::Size(|limits, number| limits.text_size = size(number)),
    ),
    (
        "list_size",
        Playbook::Count(|limits, number| limits.list_size = size(number)),
    ),
    (
        "map_size",
        Playbook::Count(|limits, number| limits.map_size = size(number)),
    ),
    (
        "variables",
        Playbook::Count(|limits, number| limits.variables = size(number)),
    ),
    (
        "modules",
        Playbook::Count(|limits, number| limits.modules = size(number)),
    ),
    (
        "threads",
        Playbook::Count(|limits, number| limits.threads = size(number)),
    ),
];

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Settings {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// Where it is no TOML, or says something that is not known or out of range.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let wrong = |span: Range<usize>, problem: String| SettingsError {
            path: path.to_owned(),
            text: text.to_owned(),
            span,
            problem,
        };
        let table = DeTable::parse(text)
            .map_err(|error| wrong(error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let mut settings = Self::default();
        for (key, value) in table.get_ref() {
            if key.get_ref() != "limits" {
                let problem = format!("`{}` is no section; there is `[limits]`", key.get_ref());
                return Err(wrong(key.span(), problem));
            }
            let DeValue::Table(limits) = value.get_ref() else {
                return Err(wrong(
                    value.span(),
                    "`limits` is a section: `[limits]`".to_owned(),
                ));
            };
            for (name, value) in limits {
                let text = match value.get_ref() {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Integer(number) => number.to_string(),
                    _ => {
                        let problem = "a limit is a number or a text such as \"64MiB\"";
                        return Err(wrong(value.span(), problem.to_owned()));
                    }
                };
                settings
                    .set_limit(name.get_ref(), &text)
                    .map_err(|problem| match problem {
                        Problem::Name(problem) => wrong(name.span(), problem),
                        Problem::Value(problem) => wrong(value.span(), problem),
                    })?;
            }
        }
        Ok(settings)
    }

    fn set_limit(&mut self, given: &str, text: &str) -> Result<(), Problem> {
        if let Some((name, playbook)) = PLAYBOOK_LIMITS.iter().find(|(name, _)| *name == given) {
            return set_playbook_limit(&mut self.playbook_limits, playbook, text)
                .map_err(|problem| Problem::Value(format!("limit `{name}`: {problem}")));
        }
        let connector = cordon_connector::limits::TABLE.iter().map(|row| row.name);
        if connector.clone().any(|name| name == given) {
            return self
                .connector_limits
                .set_text(given, text)
                .map_err(|error| Problem::Value(error.to_string()));
        }
        let known = connector.chain(PLAYBOOK_LIMITS.iter().map(|(name, _)| *name));
        let hint = match name::nearest(given, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.collect::<Vec<_>>().join("`, `")),
        };
        Err(Problem::Name(format!(
            "there is no limit `{given}`; {hint}"
        )))
    }
}

/// What is wrong with a line: what stands before `=`, or after it.
enum Problem {
    Name(String),
    Value(String),
}

fn set_playbook_limit(
    limits: &mut cordon_playbook::Limits,
    limit: &Playbook,
    text: &str,
) -> Result<(), String> {
    let count = |text: &str| match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a whole number above 0")),
    };
    match limit {
        Playbook::Count(set) => set(limits, count(text)?),
        Playbook::Size(set) => {
            set(limits, units::parse_size(text).or_else(|_| count(text))?);
        }
        Playbook::Time(set) => {
            let milliseconds = units::parse_duration(text).map_err(|error| error.to_string())?;
            set(limits, Duration::from_millis(milliseconds));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cordon_connector::limits::Limit;

    use super::*;

    fn parse(text: &str) -> Result<Settings, SettingsError> {
        Settings::parse(Path::new("cordon.toml"), text)
    }

    #[test]
    fn limits_of_connectors_and_playbooks_stand_in_one_section() {
        let settings = parse("[limits]\nmemory = \"64MiB\"\nsteps = 12\ntime = \"2h\"\n").unwrap();
        assert_eq!(settings.connector_limits.get(Limit::Memory), 64 << 20);
        assert_eq!(settings.playbook_limits.steps, 12);
        assert_eq!(settings.playbook_limits.time, Duration::from_secs(7200));
        assert_eq!(
            parse("").unwrap().playbook_limits,
            cordon_playbook::Limits::default()
        );
    }

    #[test]
    fn what_is_not_known_or_out_of_range_is_refused_where_it_stands() {
        for (text, marked, problem) in [
            (
                "[limits]\nmemroy = 1",
                "memroy",
                "there is no limit `memroy`; did you mean `memory`?",
            ),
            (
                "[limits]\nsteps = 0",
                "0",
                "limit `steps`: `0` is not a whole number above 0",
            ),
            (
                "[limits]\nmemory = \"9TB\"",
                "\"9TB\"",
                "limit `memory`: 9TB is not between 1MiB and 4194240KiB",
            ),
            (
                "[limit]\n",
                "limit",
                "`limit` is no section; there is `[limits]`",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), problem);
            assert_eq!(&text[error.span.clone()], marked);
        }
    }
}
