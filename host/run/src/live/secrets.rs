//! The secrets that playbooks pass as arguments: names in the journal and everywhere else, values
//! only in the call that needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cordon_connection::{Reference, Secret, Secrets};
use cordon_contract::value::Map;
use cordon_contract::{ErrorKind, Failure, Value};

/// What `[secrets]` of `cordon.toml` names.
#[derive(Debug, Clone)]
pub struct NamedSecrets {
    references: BTreeMap<String, Reference>,
    automation_directory: PathBuf,
}

impl NamedSecrets {
    /// These references, whose files are below this directory.
    #[must_use]
    pub fn new(references: BTreeMap<String, Reference>, automation_directory: PathBuf) -> Self {
        Self {
            references,
            automation_directory,
        }
    }

    /// The values of those that are among the arguments. Read anew for every call, so that a changed
    /// one counts at once. A name that is not here may be a credential of the connection.
    pub(super) fn among(&self, arguments: &Map) -> Result<Secrets, Failure> {
        let mut secrets = Secrets::none();
        for value in arguments.values() {
            self.collect(value, &mut secrets)?;
        }
        Ok(secrets)
    }

    fn collect(&self, value: &Value, secrets: &mut Secrets) -> Result<(), Failure> {
        match value {
            Value::Secret(reference) => {
                let name = reference.name();
                let Some(found) = self.references.get(name) else {
                    return Ok(());
                };
                let secret = Secret::read(found, &self.automation_directory).map_err(|error| {
                    let message =
                        format!("the secret `{name}` of `cordon.toml` cannot be used: {error}");
                    Failure::new(ErrorKind::InvalidInput, message)
                        .with_code("connection.credential")
                })?;
                secrets.insert(name, secret);
                Ok(())
            }
            Value::List(values) => values
                .iter()
                .try_for_each(|value| self.collect(value, secrets)),
            Value::Map(values) => values
                .values()
                .try_for_each(|value| self.collect(value, secrets)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use cordon_contract::SecretReference;

    use super::*;

    fn named(content: &str, mode: u32) -> (tempfile::TempDir, NamedSecrets) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let reference = Reference::parse("file:tenant").unwrap();
        let references = BTreeMap::from([("tenant_password".to_owned(), reference)]);
        let root = folder.path().to_owned();
        (folder, NamedSecrets::new(references, root))
    }

    fn arguments(name: &str) -> Map {
        let secret = Value::Secret(SecretReference::new(name));
        let nested = Value::map([("credentials", Value::List(vec![secret]))]);
        Map::from_iter([("account".to_owned(), nested)])
    }

    #[test]
    fn only_those_among_the_arguments_are_read() {
        let (_folder, named) = named("S3cret!pass", 0o600);
        let found = named.among(&arguments("tenant_password")).unwrap();
        assert_eq!(found.names().collect::<Vec<_>>(), ["tenant_password"]);
        assert!(named.among(&arguments("api_token")).unwrap().is_empty());
        assert!(named.among(&Map::new()).unwrap().is_empty());
    }

    #[test]
    fn one_that_cannot_be_used_fails_the_call_before_anything_is_sent() {
        let (_folder, named) = named("S3cret!pass", 0o644);
        let failure = named.among(&arguments("tenant_password")).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidInput);
        assert!(failure.message.contains("chmod 600"), "{}", failure.message);
        assert!(!failure.message.contains("S3cret"), "{}", failure.message);
    }
}
