//! A loaded connector, and one call of it from arguments to result.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cordon_connection::{Connection, Observer, Secrets};
use cordon_contract::conform::present;
use cordon_contract::types::Type;
use cordon_contract::value::Map;
use cordon_contract::{
    Action, ConnectorModel, ErrorKind, Failure, SecretReference, Value, conform, name,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;
use wasmtime::component::{ComponentExportIndex, InstancePre, Val};

use crate::answer;
use crate::limits::{Limit, Limits};
use crate::load::Loaded;
use crate::outcome::Ending;
use crate::sandbox::{Prepared, Purpose, Sandbox};
use crate::scrub::Scrub;
use crate::values::{JsonBounds, lower};

/// A connector that is compiled, linked and known. Calls of it share nothing.
pub struct Connector {
    model: Arc<ConnectorModel>,
    name: Arc<str>,
    pre: InstancePre<Sandbox>,
    functions: HashMap<String, Function>,
    test_connection: Function,
    limits: Arc<Limits>,
    instances: Arc<Semaphore>,
}

/// What a call of an exported function needs, made once.
struct Function {
    index: ComponentExportIndex,
    script_name: Arc<str>,
    /// The parameters as one record.
    arguments: Type,
    result: Option<Type>,
    timeout: Option<Duration>,
}

/// What a caller may add to a call. Most add nothing.
#[derive(Clone, Default)]
pub struct Extras {
    /// The values of secrets among the arguments, by the name of their reference. A request that
    /// uses one that is not here is not sent.
    pub secrets: Secrets,
    /// Sees each HTTP exchange of the call, scrubbed.
    pub observer: Option<Arc<dyn Observer>>,
}

/// A call of an action.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The product to call it on.
    pub connection: &'a Arc<Connection>,
    /// The action, or a reconcile companion, in either spelling.
    pub action: &'a str,
    /// Its arguments as a playbook writes them.
    pub arguments: &'a Map,
    /// The same whenever the same step is tried again.
    pub idempotency_key: Uuid,
    /// How long it may take; else the manifest says, else the limit `call_time`.
    pub timeout: Option<Duration>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("name", &self.name)
            .field("digest", &self.model.digest)
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) fn new(loaded: Loaded, limits: Arc<Limits>, instances: Arc<Semaphore>) -> Self {
        let Loaded {
            model,
            pre,
            indices,
            test_connection,
        } = loaded;
        let functions = model
            .actions
            .iter()
            .chain(&model.companions)
            .filter_map(|action| {
                let index = *indices.get(&action.name)?;
                Some((action.name.clone(), Function::of(action, index)))
            });
        Self {
            functions: functions.collect(),
            name: model.manifest.name.as_str().into(),
            test_connection: Function::test_connection(test_connection),
            model: Arc::new(model),
            pre,
            limits,
            instances,
        }
    }

    /// What is known of it.
    #[must_use]
    pub fn model(&self) -> &Arc<ConnectorModel> {
        &self.model
    }

    /// Calls an action or a reconcile companion in a sandbox of its own, and gives its result as
    /// playbooks see it. Dropping the future ends the call at once; what was sent by then stays sent.
    ///
    /// # Errors
    /// Where the arguments are wrong, the product or the connector says no, or the sandbox ended the
    /// call. [`Failure::delivery`] says what the product may have seen.
    pub async fn call(&self, call: Call<'_>) -> Result<Value, Failure> {
        self.call_with(call, &Extras::default()).await
    }

    /// [`Connector::call`] with the secrets among the arguments, or with somebody who watches.
    ///
    /// # Errors
    /// As [`Connector::call`].
    pub async fn call_with(&self, call: Call<'_>, extras: &Extras) -> Result<Value, Failure> {
        let Some(function) = self.function(call.action) else {
            return Err(self
                .unknown_action(call.action)
                .of(call.connection.name(), name::snake(call.action)));
        };
        self.call_function(function, &call, extras).await
    }

    /// Asks a reconcile companion whether the action with these arguments has happened: some result
    /// if it has, none if it has not.
    ///
    /// # Errors
    /// Where that cannot be known.
    pub async fn reconcile(&self, call: Call<'_>) -> Result<Option<Value>, Failure> {
        self.reconcile_with(call, &Extras::default()).await
    }

    /// [`Connector::reconcile`] with the secrets among the arguments, or with somebody who watches.
    ///
    /// # Errors
    /// As [`Connector::reconcile`].
    pub async fn reconcile_with(
        &self,
        call: Call<'_>,
        extras: &Extras,
    ) -> Result<Option<Value>, Failure> {
        let result = self
            .function(call.action)
            .and_then(|function| function.result.as_ref());
        let wrapped = matches!(result, Some(Type::Option(inner)) if inner.can_be_null());
        Ok(match self.call_with(call, extras).await? {
            Value::Null => None,
            Value::Map(mut some) if wrapped => Some(some.remove("some").unwrap_or_default()),
            result => Some(result),
        })
    }

    /// One cheap request that says whether the connection works: what the product said about itself.
    ///
    /// # Errors
    /// Where it does not work, in the product's own words.
    pub async fn test_connection(&self, connection: &Arc<Connection>) -> Result<String, Failure> {
        self.test_connection_with(connection, &Extras::default())
            .await
    }

    /// [`Connector::test_connection`] with somebody who watches.
    ///
    /// # Errors
    /// As [`Connector::test_connection`].
    pub async fn test_connection_with(
        &self,
        connection: &Arc<Connection>,
        extras: &Extras,
    ) -> Result<String, Failure> {
        let call = Call {
            connection,
            action: "test-connection",
            arguments: &Map::new(),
            idempotency_key: Uuid::new_v4(),
            timeout: None,
        };
        let health = self
            .call_function(&self.test_connection, &call, extras)
            .await?;
        Ok(health
            .get("summary")
            .and_then(Value::as_text)
            .unwrap_or_default()
            .to_owned())
    }

    fn function(&self, action: &str) -> Option<&Function> {
        self.functions
            .get(action)
            .or_else(|| self.functions.get(&name::kebab(action)))
    }

    fn unknown_action(&self, action: &str) -> Failure {
        let known: Vec<String> = self.model.actions.iter().map(Action::script_name).collect();
        let hint = match name::nearest(action, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has `{}`", known.join("`, `")),
        };
        let message = format!(
            "the connector `{}` has no action `{}`; {hint}",
            self.name,
            name::snake(action)
        );
        Failure::new(ErrorKind::InvalidInput, message).with_code("action.unknown")
    }

    /// The result as playbooks see it, or the failure, neither with a secret in it.
    async fn call_function(
        &self,
        function: &Function,
        call: &Call<'_>,
        extras: &Extras,
    ) -> Result<Value, Failure> {
        let scrub = Scrub::new(Some(call.connection), &extras.secrets);
        match self.run(function, call, extras, &scrub).await {
            Ok(exact) => {
                let seen = function
                    .result
                    .as_ref()
                    .map_or(Value::Null, |result| present(&exact, result));
                Ok(scrub.value(seen))
            }
            Err(failure) => Err(scrub
                .failure(failure)
                .of(call.connection.name(), &*function.script_name)),
        }
    }

    /// The result in its exact form.
    async fn run(
        &self,
        function: &Function,
        call: &Call<'_>,
        extras: &Extras,
        scrub: &Scrub,
    ) -> Result<Value, Failure> {
        let json = JsonBounds::of(&self.limits);
        let mut passed = Vec::new();
        let arguments = function.arguments_of(call.arguments, json, &mut passed)?;
        let timeout = call
            .timeout
            .or(function.timeout)
            .unwrap_or_else(|| self.limits.time(Limit::CallTime));
        let deadline = Instant::now() + timeout;
        // Held until the store is gone, and with it its place in the pool.
        let Ok(_place) = tokio::time::timeout_at(deadline, self.instances.acquire()).await else {
            return Err(answer::no_instance(&self.limits));
        };
        let purpose = Purpose {
            connection: Some(call.connection.clone()),
            connector: self.name.clone(),
            action: function.script_name.clone(),
            idempotency_key: call.idempotency_key,
            deadline,
            passed: passed.clone(),
            secrets: extras.secrets.clone(),
            scrub: scrub.clone(),
            observer: extras.observer.clone(),
        };
        let mut prepared = Sandbox::prepare(self.pre.engine(), &self.limits, purpose);
        let ended =
            tokio::time::timeout_at(deadline, self.enter(function, &arguments, &mut prepared))
                .await;
        let Prepared {
            store,
            meter,
            output,
        } = prepared;
        drop(store);
        answer::log_output(scrub, &self.name, &function.script_name, &output);
        match ended {
            Ok(Ok(result)) => answer::read(result, function.result.as_ref(), json, &passed, &meter),
            Ok(Err(error)) => {
                let ending = Ending::of(&error, &output, &self.limits);
                let trace = scrub.text(&format!("{error:?}"));
                tracing::debug!(
                    connector = &*self.name,
                    action = &*function.script_name,
                    trace,
                    "the guest did not answer"
                );
                Err(answer::broken(&ending, meter.delivery_of_broken_call()))
            }
            Err(_) => Err(answer::timed_out(timeout, meter.delivery_of_broken_call())),
        }
    }

    async fn enter(
        &self,
        function: &Function,
        arguments: &[Val],
        prepared: &mut Prepared,
    ) -> wasmtime::Result<Val> {
        let instance = self.pre.instantiate_async(&mut prepared.store).await?;
        let Some(callable) = instance.get_func(&mut prepared.store, function.index) else {
            return Err(wasmtime::Error::msg(
                "its function is not where its types say",
            ));
        };
        let mut results = [Val::Bool(false)];
        callable
            .call_async(&mut prepared.store, arguments, &mut results)
            .await?;
        let [result] = results;
        Ok(result)
    }
}

impl Function {
    fn of(action: &Action, index: ComponentExportIndex) -> Self {
        Self {
            index,
            script_name: action.script_name().into(),
            arguments: action.arguments_type(),
            result: action.result.clone(),
            timeout: action.manifest.timeout_ms.map(Duration::from_millis),
        }
    }

    fn test_connection(index: ComponentExportIndex) -> Self {
        let record = |fields| {
            Type::Record(Arc::new(cordon_contract::types::Record {
                name: None,
                fields,
                docs: None,
            }))
        };
        let summary = cordon_contract::types::Field {
            name: "summary".to_owned(),
            r#type: Type::Text,
            docs: None,
        };
        Self {
            index,
            script_name: "test_connection".into(),
            arguments: record(Vec::new()),
            result: Some(record(vec![summary])),
            timeout: None,
        }
    }

    /// The arguments as wasmtime takes them, and the secrets among them.
    fn arguments_of(
        &self,
        given: &Map,
        json: JsonBounds,
        secrets: &mut Vec<SecretReference>,
    ) -> Result<Vec<Val>, Failure> {
        let wrong = |error: cordon_contract::ValueError| {
            Failure::new(ErrorKind::InvalidInput, error.to_string()).with_code("action.argument")
        };
        let exact = conform(&Value::Map(given.clone()), &self.arguments).map_err(wrong)?;
        collect_secrets(&exact, secrets);
        match lower(exact, &self.arguments, json).map_err(wrong)? {
            Val::Record(fields) => Ok(fields.into_iter().map(|(_, val)| val).collect()),
            _ => Ok(Vec::new()),
        }
    }
}

fn collect_secrets(value: &Value, secrets: &mut Vec<SecretReference>) {
    match value {
        Value::Secret(secret) => secrets.push(secret.clone()),
        Value::List(values) => values
            .iter()
            .for_each(|value| collect_secrets(value, secrets)),
        Value::Map(values) => values
            .values()
            .for_each(|value| collect_secrets(value, secrets)),
        _ => {}
    }
}
