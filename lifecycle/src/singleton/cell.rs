//! The declared singleton: one atomic pointer on the hot path, everything else outlined.

use super::creation::{Creation, Record};
use super::face::Seen;
use super::kept::keep;
use super::output::{FactoryOutput, SingletonValue, TryFactoryOutput};
use crate::clock::ClockHandle;
use crate::counter::{self, Counters};
use crate::error::{BoxError, CreateError, SingletonError, chain};
use crate::registry::{Component, Descriptor, register};
use crate::scope::{self, OverrideGuard, Scoped, StateRef, Universe};
use crate::telemetry;
use std::convert::Infallible;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// The home of one declared singleton. Expansions put it into a static.
pub struct SingletonCell<T: 'static> {
    slot: Scoped<InstanceSlot<T>>,
    pub(super) descriptor: Descriptor,
    ask: fn() -> Result<&'static T, SingletonError>,
}

impl<T> std::fmt::Debug for SingletonCell<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SingletonCell").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

/// One world's instance.
struct InstanceSlot<T: 'static> {
    /// Null, or from [`keep`]: what it points to is never freed.
    instance: AtomicPtr<T>,
    accesses: Counters<1>,
    creation: Creation,
    retired: AtomicU64,
    clock: ClockHandle,
}

impl<T: SingletonValue> InstanceSlot<T> {
    const fn new() -> Self {
        Self {
            instance: AtomicPtr::new(ptr::null_mut()),
            accesses: Counters::new(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            clock: ClockHandle::System,
        }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self { accesses: Counters::local(), clock: universe.clock(), ..Self::new() }
    }

    #[inline(always)]
    fn current(&self) -> Option<&'static T> {
        let instance = self.instance.load(Ordering::Acquire);
        // SAFETY: a non-null pointer came from `keep` and was stored with Release; it is never freed and never handed out
        // mutably.
        (!instance.is_null()).then(|| unsafe { &*instance })
    }

    /// Puts another instance, or none, in place, under the creation's lock.
    fn swap(&self, new: Option<&'static T>) -> Option<&'static T> {
        let old = self.current();
        self.instance.store(new.map_or(ptr::null_mut(), |new| ptr::from_ref(new).cast_mut()), Ordering::Release);
        if old.is_some() {
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
        old
    }
}

/// Stands in for an instance.
struct Override<T: 'static>(&'static T);

impl<T: SingletonValue> SingletonCell<T> {
    /// A singleton that does not exist yet. `ask` is how it is reached without naming its factory.
    #[must_use]
    pub const fn new(descriptor: Descriptor, ask: fn() -> Result<&'static T, SingletonError>) -> Self {
        Self { slot: Scoped::declared(InstanceSlot::new()), descriptor, ask }
    }

    /// The instance of the process, counted, if that is what is meant, it exists and this thread has counted before: the
    /// hot path. Everything else is [`create`](Self::create)'s.
    #[inline(always)]
    fn hot(&'static self) -> Option<&'static T> {
        // Where something is installed on this thread `try_hit` says no: one comparison asks both.
        let here = counter::here();
        let slot = self.slot.process();
        slot.current().filter(|_| slot.accesses.try_hit_in::<0>(here))
    }

    /// The instance, created by `factory` if there is none.
    ///
    /// # Panics
    /// When the creation needs itself; the message names the circle.
    #[inline]
    #[track_caller]
    pub fn get_or_create<R: FactoryOutput<T>>(&'static self, factory: impl FnOnce() -> R) -> &'static T {
        match self.hot() {
            Some(found) => found,
            None => self.create_or_panic(factory),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn create_or_panic<R: FactoryOutput<T>>(&'static self, factory: impl FnOnce() -> R) -> &'static T {
        match self.create(|| Ok(factory().into_instance()), never) {
            Ok(found) => found,
            Err(CreateError::Factory(never)) => match never {},
            Err(CreateError::Refused(refused)) => panic!("{refused}"),
        }
    }

    /// The instance, created by `factory` if there is none.
    ///
    /// # Errors
    /// [`SingletonError::Cycle`] when the creation needs itself.
    #[inline]
    pub fn try_get_or_create<R: FactoryOutput<T>>(
        &'static self,
        factory: impl FnOnce() -> R,
    ) -> Result<&'static T, SingletonError> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(|| Ok(factory().into_instance()), never).map_err(|error| match error {
                CreateError::Factory(never) => match never {},
                CreateError::Refused(refused) => refused,
            }),
        }
    }

    /// The instance, created by a factory whose error is boxed.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error, or a cycle.
    #[inline]
    pub fn try_create<R: TryFactoryOutput<T>>(
        &'static self,
        factory: impl FnOnce() -> R,
    ) -> Result<&'static T, SingletonError> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(|| factory().into_result(), chain_of).map_err(|error| match error {
                CreateError::Factory(source) => SingletonError::factory(self.descriptor.name(), source),
                CreateError::Refused(refused) => refused,
            }),
        }
    }

    /// The instance, created by a factory with an error of its own, whose text `describe` gives for the records.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    #[inline]
    pub fn get_or_try_create<E>(
        &'static self,
        factory: impl FnOnce() -> Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<&'static T, CreateError<E>> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(factory, describe),
        }
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    #[inline]
    pub fn get(&'static self) -> Option<&'static T> {
        if scope::quiet() { self.slot.process().current() } else { self.get_slow() }
    }

    #[cold]
    fn get_slow(&'static self) -> Option<&'static T> {
        self.overridden().or_else(|| self.resolve().current())
    }

    /// The instance by way of its own factory.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error, or a cycle.
    pub fn ask(&'static self) -> Result<&'static T, SingletonError> {
        (self.ask)()
    }

    fn resolve(&'static self) -> StateRef<'static, InstanceSlot<T>> {
        self.slot.resolve(InstanceSlot::in_universe)
    }

    fn overridden(&'static self) -> Option<&'static T> {
        let list = scope::overrides()?;
        list.find::<Override<T>>(self.slot.key()).map(|found| found.0)
    }

    #[cold]
    #[inline(never)]
    fn create<E>(
        &'static self,
        factory: impl FnOnce() -> Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<&'static T, CreateError<E>> {
        scope::look_again();
        if let Some(asker) = scope::frame() {
            asker.accessed(self.descriptor.shared_name());
        }
        let slot = self.resolve();
        let found = match self.overridden().or_else(|| slot.current()) {
            Some(found) => found,
            None => {
                register(Component::Singleton(self));
                let subject = self.descriptor.subject();
                let store = |value| {
                    let instance = keep(value);
                    slot.swap(Some(instance));
                    instance
                };
                slot.creation.once(&subject, &slot.clock, || slot.current(), factory, store, describe)?
            }
        };
        slot.accesses.hit::<0>();
        Ok(found)
    }

    /// Lets `value` stand in for the instance until the guard is dropped.
    pub(super) fn override_with(&'static self, value: T) -> OverrideGuard {
        OverrideGuard::install(self.slot.key(), Override(keep(value)))
    }

    pub(super) fn look(&'static self) -> Seen {
        let slot = self.resolve();
        Seen {
            created: slot.current().is_some(),
            accesses: slot.accesses.read(0),
            retired: slot.retired.load(Ordering::Relaxed),
            record: slot.creation.record(),
        }
    }

    /// Puts an instance, or none, in place; retires and gives what was there.
    pub(super) fn put(&'static self, value: Option<T>) -> Option<&'static T> {
        register(Component::Singleton(self));
        let slot = self.resolve();
        let new = value.map(keep);
        let old = slot.creation.exclusively(|record| {
            let old = slot.swap(new);
            slot.accesses.reset();
            *record = Record { created_at: new.map(|_| slot.clock.wall()), ..Record::default() };
            old
        });
        if old.is_some() {
            let retired = slot.retired.load(Ordering::Relaxed);
            if retired.is_power_of_two() {
                telemetry::singleton_retired(self.descriptor.name(), retired, size_of::<T>() * retired as usize);
            }
            let reason = if new.is_none() { "delete" } else { "replace" };
            telemetry::singleton_reset(self.descriptor.name(), reason);
        }
        old
    }
}

fn never(never: &Infallible) -> String {
    match *never {}
}

fn chain_of(error: &BoxError) -> String {
    chain(&**error)
}
