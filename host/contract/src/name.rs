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

/// The name among `known` that someone who wrote `wrong` most likely meant, if one is near.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = snake(&wrong.to_lowercase());
    known
        .into_iter()
        .map(|name| {
            let plain = snake(&name.to_lowercase());
            let contained = wrong.len() > 2 && (plain.contains(&wrong) || wrong.contains(&plain));
            let likeness = strsim::jaro_winkler(&wrong, &plain) + if contained { 0.2 } else { 0.0 };
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
        assert_eq!(nearest("Tasks", known), None);
        assert_eq!(nearest("xylophone", known), None);
    }
}
