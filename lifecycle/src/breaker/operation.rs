//! The JSON face of the circuit-breaker core.

use super::core::{CircuitBreakerCore, by_name};
use crate::error::Error;
use crate::instance::Instance;
use crate::registry::BreakerSnapshot;
use crate::wire::{Args, error_object, operations};
use serde::Serialize;
use serde_json::{Value, json};

operations! {
    /// What the circuit-breaker core does by name.
    ///
    /// ```
    /// use lifecycle::{CircuitBreakerOperation, Error};
    ///
    /// let operation: CircuitBreakerOperation = "get_stats".parse()?;
    /// assert_eq!(operation, CircuitBreakerOperation::GetStats);
    /// assert_eq!(operation.as_str(), "get_stats");
    /// let unknown = CircuitBreakerOperation::try_from("stats").unwrap_err();
    /// assert!(matches!(unknown, Error::UnknownOperation { known, .. } if known.contains(&"get_stats")));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub enum CircuitBreakerOperation {
        /// The state of one breaker, made with the defaults if there is none.
        Get = "get" { required: ["name"], optional: [] },
        /// Runs a guarded function that says `dispatch`; its value comes as JSON.
        Call = "call" { required: ["name"], optional: [] },
        /// The states of all breakers.
        GetAllStates = "get_all_states" { required: [], optional: [] },
        /// Closes all breakers.
        ResetAll = "reset_all" { required: [], optional: [] },
        /// The core's numbers.
        GetStats = "get_stats" { required: [], optional: [] },
        /// Removes all breakers.
        Reset = "reset" { required: [], optional: [] },
    }
}

/// The states of breakers as an object, by name.
#[derive(Serialize)]
#[serde(transparent)]
struct ByName(#[serde(serialize_with = "by_name_ref")] Vec<BreakerSnapshot>);

fn by_name_ref<S: serde::Serializer>(states: &[BreakerSnapshot], serializer: S) -> Result<S::Ok, S::Error> {
    by_name(states, serializer)
}

fn to_value(value: &impl Serialize) -> Value {
    // These types serialise without fail: their maps have string keys.
    serde_json::to_value(value).unwrap_or_default()
}

impl CircuitBreakerCore {
    /// Carries out an operation given as the enum or its name, from JSON arguments to the wire shape of its answer.
    ///
    /// ```
    /// use lifecycle::{Args, CircuitBreakerCore, CircuitBreakerOperation};
    ///
    /// let core = CircuitBreakerCore::new();
    /// let state = core.execute(CircuitBreakerOperation::Get, Args::new().with("name", "db"))?;
    /// assert_eq!((&state["state"], &state["threshold"]), (&"closed".into(), &5.into()));
    /// core.get("db")?.force_open();
    /// assert_eq!(core.execute("get_all_states", Args::new())?["db"]["state"], "forced_open");
    /// assert!(core.execute("get", Args::new()).is_err()); // without the name
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownOperation`], [`Error::UnknownArgument`], [`Error::MissingArgument`]; [`Error::NotDispatchable`] for
    /// `call`. What the operation itself refuses comes as an error object, or as the operation's plain answer.
    pub fn execute<O>(&self, operation: O, args: Args) -> Result<Value, Error>
    where
        O: TryInto<CircuitBreakerOperation>,
        Error: From<O::Error>,
    {
        use CircuitBreakerOperation as Op;
        let operation = operation.try_into()?;
        args.check(operation.signature())?.run(|mut args| {
            Ok(match operation {
                Op::Get => match self.get(&args.take_name("name")) {
                    Ok(breaker) => to_value(&breaker.metrics().into_wire()),
                    Err(error) => error_object(&error),
                },
                Op::Call => {
                    let name = args.take_name("name");
                    let call = match crate::registry::declared_breaker(&name) {
                        Ok(Some(Instance::Static(breaker))) => crate::registry::dispatch(breaker),
                        _ => None,
                    };
                    let Some(call) = call else {
                        let reason =
                            "only a guarded function without arguments that says `dispatch` can be called by name";
                        return Err(Error::NotDispatchable { name, reason });
                    };
                    match self.charge_one().map(|()| call()) {
                        Ok(Ok(value)) => value,
                        Ok(Err(message)) => {
                            // A refusal's own text begins with the name.
                            let message = match message.strip_prefix(&format!("`{name}`: ")) {
                                Some(rest) => rest.to_owned(),
                                None => message,
                            };
                            error_object(&Error::CallFailed { name, message })
                        }
                        Err(error) => error_object(&error),
                    }
                }
                Op::GetAllStates => to_value(&ByName(self.get_all_states())),
                Op::ResetAll => {
                    self.reset_all();
                    Value::Null
                }
                Op::GetStats => {
                    let data = to_value(&self.get_stats());
                    json!({ "success": true, "message": "Circuit breaker statistics", "data": data })
                }
                Op::Reset => self.reset().is_ok().into(),
            })
        })
    }
}

/// [`CircuitBreakerCore::execute`] on the process's core.
///
/// ```
/// use lifecycle::{Args, breaker::execute_circuit_breaker_operation};
///
/// let stats = execute_circuit_breaker_operation("get_stats", Args::new())?;
/// assert_eq!(stats["data"]["max_rate_limit"], 1000);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
pub fn execute_circuit_breaker_operation<O>(operation: O, args: Args) -> Result<Value, Error>
where
    O: TryInto<CircuitBreakerOperation>,
    Error: From<O::Error>,
{
    super::core::breakers().execute(operation, args)
}
