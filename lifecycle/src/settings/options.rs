//! What the settings of a kind of component are to layers, environment and `configure`: a table of options.

use super::table::Entry;
use super::value::Reason;
use crate::error::Error;
use serde_json::{Map, Value};

/// The settings of one kind of component: each option given or not.
pub(crate) trait ComponentSettings: Clone + Default + PartialEq + Send + Sync + 'static {
    /// What the component goes by.
    type Config: Clone + PartialEq;

    /// The options as they are written.
    const OPTIONS: &'static [Setting<Self>];

    /// The numbers of the configuration, which are what the options set.
    const NUMBERS: &'static [Number<Self>];

    /// `config` with what is given here.
    fn overlay(&self, config: Self::Config) -> Self::Config;

    /// `self`, and what is given in `over` in place of its own.
    fn merged(self, over: &Self) -> Self;

    /// Options that take others with them when they are off.
    const TAKE_OTHERS: &'static [&'static str] = &[];

    /// The numbers of a configuration, those that have one.
    fn numbers(config: &Self::Config) -> Self;

    /// Can a component go by `config`, which came of this over its declaration?
    fn validate(&self, config: &Self::Config, name: &str) -> Result<(), Error>;

    /// This kind's part of what is said under a name.
    fn part(entry: &Entry) -> Option<&Self>;

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// An option as it is written.
pub(crate) struct Setting<S> {
    pub(super) name: &'static str,
    pub(super) read: fn(&mut S, &Value) -> Result<(), Reason>,
    /// `None` when it is not given.
    pub(super) write: fn(&S) -> Option<Value>,
}

/// A number of a configuration.
pub(crate) struct Number<S: ComponentSettings> {
    pub(super) name: &'static str,
    pub(super) given: fn(&S) -> bool,
    /// Is it other than where nothing is said?
    pub(super) said: fn(&S::Config) -> bool,
    pub(super) write: fn(&S) -> Option<Value>,
}

pub(super) fn option<S: ComponentSettings>(name: &str) -> Option<&'static Setting<S>> {
    S::OPTIONS.iter().find(|option| option.name == name)
}

/// Writes what is given into a table.
pub(super) fn write<S: ComponentSettings>(settings: &S, table: &mut Map<String, Value>) {
    for option in S::OPTIONS {
        if let Some(value) = (option.write)(settings) {
            table.insert(option.name.to_owned(), value);
        }
    }
}
