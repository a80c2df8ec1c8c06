//! The JSON face of the singleton core.

use super::core::SingletonCore;
use crate::error::Error;
use crate::wire::{Args, error_object, operations};
use serde_json::{Value, json};

operations! {
    /// What the singleton core does by name.
    ///
    /// ```
    /// use lifecycle::SingletonOperation;
    ///
    /// assert_eq!("get_stats".parse::<SingletonOperation>()?, SingletonOperation::GetStats);
    /// assert_eq!(SingletonOperation::ALL[0].as_str(), "get");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub enum SingletonOperation {
        /// The instance of that name; a declared one is created by its factory.
        Get = "get" { required: ["name"], optional: [] },
        /// Stores a JSON value under a name.
        Set = "set" { required: ["name", "instance"], optional: [] },
        /// Is there an instance?
        Has = "has" { required: ["name"], optional: [] },
        /// Takes one instance away.
        Delete = "delete" { required: ["name"], optional: [] },
        /// Takes all instances away.
        Clear = "clear" { required: [], optional: [] },
        /// The core's numbers.
        GetStats = "get_stats" { required: [], optional: [] },
        /// Empties the limit's window; instances stay.
        Reset = "reset" { required: [], optional: [] },
        /// Older name of `clear`.
        ResetAll = "reset_all" { required: [], optional: [] },
        /// Older name of `has`.
        Exists = "exists" { required: ["name"], optional: [] },
    }
}

impl SingletonCore {
    /// Carries out an operation given as the enum or its name, from JSON arguments to the wire shape of its answer.
    ///
    /// `get` gives a stored JSON value itself, `null` where there is none, and for an instance of any other type an object
    /// with its `name` and `type`: objects do not fit in JSON.
    ///
    /// ```
    /// use lifecycle::{Args, SingletonOperation, singletons};
    ///
    /// singletons().execute("set", Args::new().with("name", "region").with("instance", "eu-west-1"))?;
    /// let there = singletons().execute(SingletonOperation::Has, Args::new().with("name", "region"))?;
    /// assert_eq!(there, true);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownOperation`], [`Error::UnknownArgument`], [`Error::MissingArgument`]. What the operation itself
    /// refuses comes as an error object, or as the operation's plain answer (`false`, `0`).
    pub fn execute<O>(&self, operation: O, args: Args) -> Result<Value, Error>
    where
        O: TryInto<SingletonOperation>,
        Error: From<O::Error>,
    {
        use SingletonOperation as Op;
        let operation = operation.try_into()?;
        args.check(operation.signature())?.run(|mut args| {
            let name = args.take_name("name");
            Ok(match operation {
                Op::Get => self.get_value(&name).unwrap_or_else(|error| error_object(&error)),
                Op::Set => match self.set(&name, args.take("instance")) {
                    Ok(_) => Value::Null,
                    Err(error) => error_object(&error),
                },
                Op::Has | Op::Exists => (self.charge().is_ok() && self.has(&name)).into(),
                Op::Delete => self.delete(&name).unwrap_or(false).into(),
                Op::Clear | Op::ResetAll => self.clear().unwrap_or(0).into(),
                Op::GetStats => json!(self.get_stats()),
                Op::Reset => self.reset().is_ok().into(),
            })
        })
    }
}

/// [`SingletonCore::execute`] on the process's core.
///
/// ```
/// use lifecycle::{Args, singleton::execute_singleton_operation};
///
/// execute_singleton_operation("set", Args::new().with("name", "region").with("instance", "eu-west-1"))?;
/// assert_eq!(execute_singleton_operation("get", Args::new().with("name", "region"))?, "eu-west-1");
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
pub fn execute_singleton_operation<O>(operation: O, args: Args) -> Result<Value, Error>
where
    O: TryInto<SingletonOperation>,
    Error: From<O::Error>,
{
    super::core::singletons().execute(operation, args)
}
