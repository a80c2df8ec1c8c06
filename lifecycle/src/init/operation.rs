//! The JSON face of the initialization core.

use super::config::InitConfig;
use super::core::{InitializationCore, initialization};
use super::outcome::{FlagChange, InitOutcome};
use crate::error::Error;
use crate::wire::{Args, Checked, operations};
use serde_json::Value;

operations! {
    /// What the initialization core does by name.
    ///
    /// ```
    /// use lifecycle::InitializationOperation;
    ///
    /// let operation: InitializationOperation = "is_initialized".parse()?;
    /// assert_eq!(operation, InitializationOperation::IsInitialized);
    /// assert_eq!(InitializationOperation::SetFlag.as_str(), "set_flag");
    /// assert!("SET_FLAG".parse::<InitializationOperation>().is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub enum InitializationOperation {
        /// Initializes with `config` and, over it, the arguments of any other name.
        Initialize = "initialize" { required: [], optional: ["config"], any_other },
        /// The configuration **in clear, secrets too**; empty before `initialize`. It is the old contract's answer, for callers that use
        /// the values. For all that is shown, sent or logged there is `get_status`, which has `***` for what is not
        /// [revealed](InitConfig::reveal).
        GetConfig = "get_config" { required: [], optional: [] },
        /// Is it initialized?
        IsInitialized = "is_initialized" { required: [], optional: [] },
        /// Back to the beginning.
        Reset = "reset" { required: [], optional: [] },
        /// The state, the flags that were set, and the configuration with hidden values.
        GetStatus = "get_status" { required: [], optional: [] },
        /// The same as `get_status`.
        GetStats = "get_stats" { required: [], optional: [] },
        /// Sets a flag.
        SetFlag = "set_flag" { required: ["flag_name", "value"], optional: [] },
        /// A flag's value, or `default`.
        GetFlag = "get_flag" { required: ["flag_name"], optional: ["default"] },
    }
}

/// The configuration of `initialize`: that of the argument `config`, then the other arguments.
fn config_of(mut args: Checked) -> Result<InitConfig, Error> {
    let config = match args.take("config") {
        Value::Null => InitConfig::new(),
        Value::Object(values) => values.into(),
        _ => {
            let reason = "the argument `config` must be an object".to_owned();
            return Err(Error::InvalidConfig { name: "config".to_owned(), reason });
        }
    };
    Ok(config.merge(args.rest().into()))
}

impl InitializationCore {
    /// Carries out an operation given as the enum or its name, from JSON arguments to the wire shape of its answer.
    ///
    /// **Not to be put behind an endpoint as it is**: `get_config` answers with every value in clear, `reset`, `set_flag` and
    /// `initialize` change the process. Let through what may be asked for, by name; see [the function](execute_initialization_operation).
    ///
    /// # Errors
    /// [`Error::UnknownOperation`], [`Error::UnknownArgument`], [`Error::MissingArgument`]; [`Error::InvalidConfig`] and
    /// [`Error::TooLarge`] from `initialize`. What an operation refuses otherwise comes as the operation's plain answer.
    pub fn execute<O>(&self, operation: O, args: Args) -> Result<Value, Error>
    where
        O: TryInto<InitializationOperation>,
        Error: From<O::Error>,
    {
        use InitializationOperation as Op;
        let operation = operation.try_into()?;
        args.check(operation.signature())?.run(|mut args| {
            Ok(match operation {
                Op::Initialize => match self.initialize(config_of(args)?) {
                    Ok(outcome) => outcome.to_wire(),
                    Err(Error::RateLimited { .. }) => InitOutcome::limited(self.is_initialized()),
                    Err(error) => return Err(error),
                },
                Op::GetConfig => Value::Object(self.config_or_default().values().clone()),
                Op::IsInitialized => (self.resolve().gate.charge().is_ok() && self.is_initialized()).into(),
                Op::Reset => self.reset().to_wire(),
                Op::GetStatus | Op::GetStats => self.get_status().to_wire(),
                Op::SetFlag => {
                    let given = args.take("flag_name");
                    match self.set_flag(given.as_str().unwrap_or_default(), args.take("value")) {
                        Ok(change) => change.to_wire(given),
                        Err(error) => FlagChange::refused(&error, given),
                    }
                }
                Op::GetFlag => {
                    let value = self.get_flag(&args.take_name("flag_name"));
                    value.ok().flatten().unwrap_or_else(|| args.take("default"))
                }
            })
        })
    }
}

/// [`InitializationCore::execute`] on the process's core.
///
/// ```
/// use lifecycle::{Args, execute_initialization_operation};
///
/// let answer = execute_initialization_operation("initialize", Args::new().with("region", "eu-west-1"))?;
/// assert_eq!(answer["status"], "initialized");
/// assert_eq!(answer["config_keys"][0], "region");
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// An endpoint lets through what shows no values and changes nothing. `get_config` is not of these: it answers **in clear**.
///
/// ```
/// use lifecycle::{Args, execute_initialization_operation};
/// # use lifecycle::{InitConfig, initialize};
///
/// fn endpoint(operation: &str) -> Result<String, lifecycle::BoxError> {
///     match operation {
///         "get_status" | "is_initialized" => Ok(execute_initialization_operation(operation, Args::new())?.to_string()),
///         _ => Err("not from outside".into()),
///     }
/// }
///
/// # initialize(InitConfig::new().with("token", "s3cr3t"))?;
/// assert!(endpoint("get_config").is_err());
/// assert!(endpoint("get_status")?.contains(r#""token":"***""#));
/// # Ok::<(), lifecycle::BoxError>(())
/// ```
///
/// # Errors
/// As there.
pub fn execute_initialization_operation<O>(operation: O, args: Args) -> Result<Value, Error>
where
    O: TryInto<InitializationOperation>,
    Error: From<O::Error>,
{
    initialization().execute(operation, args)
}
