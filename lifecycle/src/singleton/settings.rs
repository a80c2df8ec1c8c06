//! What a declaration says beside its factory: rarely much, so it stands behind one reference.

use super::creation::Limits;
use super::hooks::{Health, HealthRun, HookResult, HookRun};
use crate::singleton::{AnySingleton, Snapped};
use std::time::Duration;

/// Another singleton that a declaration names in `depends_on(..)`.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Needs {
    /// A type's or a static's.
    Component(&'static dyn AnySingleton),
    /// A function's, by the name of its item.
    Function(&'static str),
    /// By name.
    Name(&'static str),
}

/// How to find one: statics cannot refer to each other in constants.
#[doc(hidden)]
pub type Dependency = fn() -> Needs;

/// A hook that may be a future, and borrows what it is given.
pub(super) type InstanceHook<T> = for<'a> fn(&'a T) -> HookRun<'a>;

/// The options of one declaration.
#[doc(hidden)]
pub struct Settings<T: 'static> {
    pub(super) eager: bool,
    pub(super) limits: Limits,
    pub(super) refresh: Option<Duration>,
    pub(super) depends_on: &'static [Dependency],
    pub(super) shutdown: Option<fn(&'static T) -> HookRun<'static>>,
    /// The same of what lives for an invocation, and is gone after that.
    pub(super) leave: Option<InstanceHook<T>>,
    pub(super) before_snapshot: Option<InstanceHook<T>>,
    pub(super) after_restore: Option<InstanceHook<T>>,
    pub(super) on_retire: Option<fn(&T)>,
    pub(super) reset: Option<fn(&T) -> HookResult>,
    pub(super) pressure: Option<fn(&T) -> usize>,
    pub(super) health: Option<fn(&'static T) -> HealthRun>,
    /// The same, where the instance may be gone before a future of its check is.
    pub(super) health_ref: Option<fn(&T) -> Health>,
    pub(super) memory: Option<fn(&T) -> usize>,
    pub(super) on_change: Option<fn(&T, &T)>,
}

macro_rules! setters {
    ($($name:ident: $ty:ty),* $(,)?) => {
        $(
            /// Sets it.
            #[must_use]
            pub const fn $name(mut self, $name: $ty) -> Self {
                self.$name = Some($name);
                self
            }
        )*
    };
}

impl<T: 'static> Settings<T> {
    /// Nothing but a factory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            eager: false,
            limits: Limits { init_timeout: None, retry_backoff: None },
            refresh: None,
            depends_on: &[],
            shutdown: None,
            leave: None,
            before_snapshot: None,
            after_restore: None,
            on_retire: None,
            reset: None,
            pressure: None,
            health: None,
            health_ref: None,
            memory: None,
            on_change: None,
        }
    }

    /// Created by `warm_up`.
    #[must_use]
    pub const fn eager(mut self) -> Self {
        self.eager = true;
        self
    }

    /// How long somebody waits for another's factory.
    #[must_use]
    pub const fn init_timeout(mut self, limit: Duration) -> Self {
        self.limits.init_timeout = Some(limit);
        self
    }

    /// After a failure nobody tries again for so long, doubling up to `most`.
    #[must_use]
    pub const fn retry_backoff(mut self, first: Duration, most: Duration) -> Self {
        self.limits.retry_backoff = Some((first, most));
        self
    }

    /// What else it uses, though not while it is created.
    #[must_use]
    pub const fn depends_on(mut self, others: &'static [Dependency]) -> Self {
        self.depends_on = others;
        self
    }

    /// The hook before or after a snapshot.
    pub(super) const fn around(&self, when: Snapped) -> Option<InstanceHook<T>> {
        match when {
            Snapped::Before => self.before_snapshot,
            Snapped::After => self.after_restore,
        }
    }

    setters! {
        refresh: Duration,
        shutdown: fn(&'static T) -> HookRun<'static>,
        leave: InstanceHook<T>,
        before_snapshot: InstanceHook<T>,
        after_restore: InstanceHook<T>,
        on_retire: fn(&T),
        reset: fn(&T) -> HookResult,
        pressure: fn(&T) -> usize,
        health: fn(&'static T) -> HealthRun,
        health_ref: fn(&T) -> Health,
        memory: fn(&T) -> usize,
        on_change: fn(&T, &T),
    }
}

impl<T: 'static> Default for Settings<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> std::fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("eager", &self.eager).field("limits", &self.limits).finish_non_exhaustive()
    }
}
