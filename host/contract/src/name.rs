//! Names: WIT's kebab-case, the playbooks' snake_case, and the nearest right one for a wrong one.

/// A WIT name as people and playbooks see it: `sensor-id` is `sensor_id`. One to one, since a WIT
/// name has no underscore.
#[must_use]
pub fn snake(kebab: &str) -> String {
    kebab.replace('-', "_")
}

/// A playbook's name as WIT has it: `sensor_id` is `sensor-id`.
#[must_use]
pub fn kebab(snake: &str) -> String {
    snake.replace('_', "-")
}

/// Whether the two are the same name, in either spelling.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    left.len() == right.len()
        && left.bytes().zip(right.bytes()).all(|(left, right)| {
            left == right || (matches!(left, b'-' | b'_') && matches!(right, b'-' | b'_'))
        })
}

/// Names that the playbook language uses itself, so that no action can be called by them: its
/// keywords, and what Rhai treats specially wherever it stands. A connector that exports such a name
/// is refused when it is loaded. A test of the playbook crate holds this list and the language together.
pub const OF_THE_LANGUAGE: &[&str] = &[
    "as",
    "break",
    "call",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "do",
    "else",
    "eval",
    "export",
    "false",
    "fn",
    "for",
    "if",
    "import",
    "in",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "let",
    "loop",
    "print",
    "private",
    "return",
    "switch",
    "this",
    "throw",
    "to_debug",
    "to_string",
    "true",
    "try",
    "type_of",
    "until",
    "while",
];

/// Whether the name, in either spelling, can be an action's: see [`OF_THE_LANGUAGE`].
#[must_use]
pub fn can_be_an_action(name: &str) -> bool {
    !OF_THE_LANGUAGE.iter().any(|taken| same(taken, name))
}

/// The name among `known` that someone who wrote `wrong` most likely meant, if one is near: one
/// slip of the fingers away, or alike, or with the other one inside of it.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = snake(&wrong.to_lowercase());
    known
        .into_iter()
        .map(|name| {
            let plain = snake(&name.to_lowercase());
            let contained = wrong.len() > 2 && (plain.contains(&wrong) || wrong.contains(&plain));
            let slip = wrong.len() > 2 && strsim::damerau_levenshtein(&wrong, &plain) <= 1;
            let likeness = strsim::jaro_winkler(&wrong, &plain)
                + if contained { 0.2 } else { 0.0 }
                + if slip { 0.5 } else { 0.0 };
            (name, likeness)
        })
        .filter(|(_, likeness)| *likeness >= 0.8)
        .max_by(|left, right| left.1.total_cmp(&right.1))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_finds_nothing() {
        let known = ["list-sensors", "isolate", "release", "get-task"];
        assert_eq!(nearest("list_sensor", known), Some("list-sensors"));
        assert_eq!(nearest("isolat", known), Some("isolate"));
        assert_eq!(nearest("ulr", ["urls", "url"]), Some("url"));
        assert_eq!(nearest("Tasks", known), None);
        assert_eq!(nearest("xylophone", known), None);
    }
}
