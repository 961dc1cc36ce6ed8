//! `cordon.toml`: what holds for a whole automation directory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cordon_connection::Reference;
use cordon_contract::{name, units};
use cordon_journal::run::Outcome;
use toml::de::{DeTable, DeValue};

/// What `cordon.toml` says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The limits of one call of a connector.
    pub connector_limits: cordon_connector::Limits,
    /// The limits of one run of a playbook.
    pub playbook_limits: cordon_playbook::Limits,
    /// What one run may record, in bytes. A warning comes at 80 %.
    pub journal_size: u64,
    /// What one run may record, in records; a read is one, a write two. A warning comes at 80 %.
    pub journal_records: u64,
    /// So many runs are executed at a time; each takes a thread, and further ones for `parallel`. Those
    /// that wait are not counted.
    pub runs_at_once: usize,
    /// Who has which role, for `approve(#{ role: … })`: names of users of this machine.
    pub roles: BTreeMap<String, Vec<String>>,
    /// How long ended runs are kept, by outcome.
    pub retention: BTreeMap<Outcome, Duration>,
    /// Secrets that playbooks may pass to actions, by the names that they call them by.
    pub secrets: BTreeMap<String, Reference>,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let kept = |outcome| match outcome {
            Outcome::Succeeded | Outcome::Skipped => DAY * 90,
            _ => DAY * 365,
        };
        Self {
            connector_limits: cordon_connector::Limits::default(),
            playbook_limits: cordon_playbook::Limits::default(),
            journal_size: 64 << 20,
            journal_records: 200_000,
            runs_at_once: 64,
            roles: BTreeMap::new(),
            secrets: BTreeMap::new(),
            retention: Outcome::ALL
                .into_iter()
                .map(|outcome| (outcome, kept(outcome)))
                .collect(),
        }
    }
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

/// How a limit of runs is set.
enum Run {
    Count(fn(&mut Settings, u64)),
    Size(fn(&mut Settings, u64)),
    Time(fn(&mut Settings, Duration)),
}

/// The limits of runs by name. What cannot be changed is not among them: it is bounded by the
/// stack of the threads that run scripts.
const RUN_LIMITS: [(&str, Run); 13] = [
    (
        "journal_size",
        Run::Size(|settings, number| settings.journal_size = number),
    ),
    (
        "journal_records",
        Run::Count(|settings, number| settings.journal_records = number),
    ),
    (
        "runs_at_once",
        Run::Count(|settings, number| settings.runs_at_once = size(number)),
    ),
    (
        "operations",
        Run::Count(|settings, number| settings.playbook_limits.operations = number),
    ),
    (
        "steps",
        Run::Count(|settings, number| settings.playbook_limits.steps = number),
    ),
    (
        "time",
        Run::Time(|settings, time| settings.playbook_limits.time = time),
    ),
    (
        "computing",
        Run::Time(|settings, time| settings.playbook_limits.computing = time),
    ),
    (
        "text_size",
        Run::Size(|settings, number| settings.playbook_limits.text_size = size(number)),
    ),
    (
        "list_size",
        Run::Count(|settings, number| settings.playbook_limits.list_size = size(number)),
    ),
    (
        "map_size",
        Run::Count(|settings, number| settings.playbook_limits.map_size = size(number)),
    ),
    (
        "variables",
        Run::Count(|settings, number| settings.playbook_limits.variables = size(number)),
    ),
    (
        "modules",
        Run::Count(|settings, number| settings.playbook_limits.modules = size(number)),
    ),
    (
        "threads",
        Run::Count(|settings, number| settings.playbook_limits.threads = size(number)),
    ),
];

/// The sections of the file.
const SECTIONS: [&str; 4] = ["limits", "roles", "secrets", "retention"];

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
            let section = key.get_ref().as_ref();
            if !SECTIONS.contains(&section) {
                let hint = match name::nearest(section, SECTIONS) {
                    Some(near) => format!("did you mean `[{near}]`?"),
                    None => format!("there are `[{}]`", SECTIONS.join("]`, `[")),
                };
                let problem = format!("`{section}` is no section; {hint}");
                return Err(wrong(key.span(), problem));
            }
            let DeValue::Table(entries) = value.get_ref() else {
                return Err(wrong(
                    value.span(),
                    format!("`{section}` is a section: `[{section}]`"),
                ));
            };
            for (name, value) in entries {
                let set = match section {
                    "limits" => settings.limit(name.get_ref(), value.get_ref()),
                    "roles" => settings.role(name.get_ref(), value.get_ref()),
                    "secrets" => settings.secret(name.get_ref(), value.get_ref()),
                    _ => settings.kept(name.get_ref(), value.get_ref()),
                };
                set.map_err(|problem| match problem {
                    Problem::Name(problem) => wrong(name.span(), problem),
                    Problem::Value(problem) => wrong(value.span(), problem),
                    Problem::Hidden(problem) => SettingsError {
                        text: masked(text, value.span()),
                        ..wrong(value.span(), problem)
                    },
                })?;
            }
        }
        Ok(settings)
    }

    fn limit(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), Problem> {
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            _ => {
                let problem = "a limit is a number or a text such as \"64MiB\"";
                return Err(Problem::Value(problem.to_owned()));
            }
        };
        self.set_limit(name, &text)
    }

    fn role(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), Problem> {
        let wrong = || {
            let problem = "a role is a list of user names: `[\"alice\", \"bob\"]`";
            Problem::Value(problem.to_owned())
        };
        let DeValue::Array(people) = value else {
            return Err(wrong());
        };
        let people: Option<Vec<String>> = people
            .iter()
            .map(|person| match person.get_ref() {
                DeValue::String(person) => Some(person.to_string()),
                _ => None,
            })
            .collect();
        self.roles
            .insert(name.to_owned(), people.ok_or_else(wrong)?);
        Ok(())
    }

    fn secret(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), Problem> {
        let reference = match value {
            DeValue::String(text) => Reference::parse(text),
            _ => None,
        };
        let reference = reference.ok_or_else(|| {
            let problem = "a secret is named by a reference, \"env:NAME\" or \"file:PATH\", and never written here";
            Problem::Hidden(problem.to_owned())
        })?;
        self.secrets.insert(name.to_owned(), reference);
        Ok(())
    }

    fn kept(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), Problem> {
        let names = Outcome::ALL.map(Outcome::name);
        let outcome = Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name);
        let Some(outcome) = outcome else {
            let hint = match name::nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", names.join("`, `")),
            };
            return Err(Problem::Name(format!("runs do not end `{name}`; {hint}")));
        };
        let DeValue::String(text) = value else {
            let problem = "how long runs are kept is a duration: \"90d\"";
            return Err(Problem::Value(problem.to_owned()));
        };
        let milliseconds =
            units::parse_duration(text).map_err(|error| Problem::Value(error.to_string()))?;
        self.retention
            .insert(outcome, Duration::from_millis(milliseconds));
        Ok(())
    }

    fn set_limit(&mut self, given: &str, text: &str) -> Result<(), Problem> {
        if let Some((name, limit)) = RUN_LIMITS.iter().find(|(name, _)| *name == given) {
            return set_run_limit(self, limit, text)
                .map_err(|problem| Problem::Value(format!("limit `{name}`: {problem}")));
        }
        let connector = cordon_connector::limits::TABLE.iter().map(|row| row.name);
        if connector.clone().any(|name| name == given) {
            return self
                .connector_limits
                .set_text(given, text)
                .map_err(|error| Problem::Value(error.to_string()));
        }
        let known = connector.chain(RUN_LIMITS.iter().map(|(name, _)| *name));
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
    /// What stands after `=` may be a secret, and is not shown.
    Hidden(String),
}

/// The text with stars in this place of it.
fn masked(text: &str, place: Range<usize>) -> String {
    let stars = "*".repeat(place.len());
    let mut masked = text.to_owned();
    masked.replace_range(place, &stars);
    masked
}

fn set_run_limit(settings: &mut Settings, limit: &Run, text: &str) -> Result<(), String> {
    let count = |text: &str| match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a whole number above 0")),
    };
    match limit {
        Run::Count(set) => set(settings, count(text)?),
        Run::Size(set) => {
            set(settings, units::parse_size(text).or_else(|_| count(text))?);
        }
        Run::Time(set) => {
            let milliseconds = units::parse_duration(text).map_err(|error| error.to_string())?;
            set(settings, Duration::from_millis(milliseconds));
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
    fn roles_are_lists_of_people_and_retention_goes_by_outcome() {
        let settings =
            parse("[roles]\nduty = [\"alice\", \"bob\"]\n[retention]\nfailed = \"7d\"\n").unwrap();
        assert_eq!(settings.roles["duty"], ["alice", "bob"]);
        assert_eq!(
            settings.retention[&Outcome::Failed],
            Duration::from_secs(7 * 24 * 3600)
        );
        assert!(parse("[roles]\nduty = \"alice\"\n").is_err());
        assert!(parse("[retention]\nlost = \"7d\"\n").is_err());
    }

    #[test]
    fn a_secret_is_a_reference_and_one_that_was_written_out_is_refused_without_being_repeated() {
        let settings = parse("[secrets]\ntenant = \"file:credentials/tenant\"\n").unwrap();
        assert_eq!(
            settings.secrets["tenant"].to_string(),
            "file:credentials/tenant"
        );
        let error = parse("[secrets]\ntenant = \"hunter2\"\n").unwrap_err();
        assert!(
            !format!("{error} {}", error.text).contains("hunter2"),
            "{error:?}"
        );
        assert_eq!(&error.text[error.span.clone()], "*********");
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
                "`limit` is no section; did you mean `[limits]`?",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), problem);
            assert_eq!(&text[error.span.clone()], marked);
        }
    }
}
