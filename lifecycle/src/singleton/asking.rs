//! A declared singleton asked without naming its factory: by name, by `warm_up`, and to be made anew.

use super::cell::{Cell, never};
use super::output::SingletonValue;
use super::storage::Storing;
use crate::error::{BoxError, CreateError, SINGLETON, STEP, SingletonError, chain};
use crate::instance::Instance;
use crate::registry::Kind;
use crate::scope::{self, Context, Entry};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;

/// The answer of a singleton that is asked without naming its factory, to be awaited.
#[doc(hidden)]
pub type Asking<H> = Pin<Box<dyn Future<Output = Result<H, SingletonError>> + Send>>;

/// How a singleton is reached without naming its factory.
#[doc(hidden)]
pub enum Ask<T, H> {
    /// By a factory that cannot fail.
    Made(fn() -> Result<T, Infallible>),
    /// By a factory whose error is boxed.
    Tried(fn() -> Result<T, BoxError>),
    /// By an accessor, which knows its factory's error.
    Sync(fn() -> Result<H, SingletonError>),
    /// By a factory that is a future.
    Async(fn() -> Asking<H>),
    /// Not at all: only its accessor can create it.
    Never,
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// Runs the factory again and puts its value in place; an error leaves everything as it is.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    pub fn reload(&'static self) -> Result<Instance<T>, SingletonError> {
        let _renewing = scope::install(Entry::Renew(self.slot.key()));
        if let Some(asked) = self.ask_sync() {
            return asked.map_err(|error| error.of(self.what()));
        }
        match &self.ask {
            Ask::Async(_) => Err(self.needs_async(self.descriptor.name().to_owned())),
            _ => Err(self.never_asked(self.descriptor.name().to_owned())),
        }
    }

    /// As [`reload`](Self::reload), also where the factory is a future.
    pub fn reload_async(&'static self) -> Asking<Instance<T>> {
        match &self.ask {
            Ask::Async(ask) => {
                let asked = Context::of(Entry::Renew(self.slot.key())).wrap(ask());
                Box::pin(async move { asked.await.map(S::handed_instance).map_err(|error| error.of(self.what())) })
            }
            _ => Box::pin(async move { self.reload() }),
        }
    }

    /// The instance by way of its own factory.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    pub fn ask(&'static self) -> Result<Instance<T>, SingletonError> {
        if let Some(asked) = self.ask_sync() {
            return asked.map_err(|error| error.of(self.what()));
        }
        match &self.ask {
            Ask::Async(_) => self.only_existing(|name| self.needs_async(name)),
            _ => self.only_existing(|name| self.never_asked(name)),
        }
    }

    /// As [`ask`](Self::ask), also where the factory is a future.
    pub fn ask_async(&'static self) -> Asking<Instance<T>> {
        match &self.ask {
            Ask::Async(ask) => {
                let asked = ask();
                Box::pin(async move { asked.await.map(S::handed_instance).map_err(|error| error.of(self.what())) })
            }
            _ => Box::pin(async move { self.ask() }),
        }
    }

    /// The instance by way of its own factory, if that is none of a future.
    fn ask_sync(&'static self) -> Option<Result<Instance<T>, SingletonError>> {
        let handed = match &self.ask {
            Ask::Made(make) => self.get_or_create(*make, never).map_err(|error| match error {
                CreateError::Factory(never) => match never {},
                CreateError::Refused(refused) => refused,
            }),
            Ask::Tried(make) => self.get_or_create(*make, |error| chain(&**error)).map_err(|error| match error {
                CreateError::Factory(source) => SingletonError::factory(self.descriptor.name(), source),
                CreateError::Refused(refused) => refused,
            }),
            Ask::Sync(ask) => ask(),
            Ask::Async(_) | Ask::Never => return None,
        };
        Some(handed.map(S::handed_instance))
    }

    fn only_existing(&'static self, missing: impl Fn(String) -> SingletonError) -> Result<Instance<T>, SingletonError> {
        let (slot, found) = self.enter()?;
        let found = found.ok_or_else(|| missing(self.descriptor.name().to_owned()))?;
        slot.hit();
        Ok(S::share(found.into_inner()))
    }

    fn what(&self) -> &'static str {
        if self.descriptor.kind() == Kind::Flag { STEP } else { SINGLETON }
    }

    fn needs_async(&self, name: String) -> SingletonError {
        SingletonError::NeedsAsync { what: self.what(), name }
    }

    fn never_asked(&self, name: String) -> SingletonError {
        let why = "its body says `Self`, so only a call of the function itself can create it";
        SingletonError::NotReachable { what: self.what(), name, why }
    }
}
