//! The declared singleton: one atomic pointer on the hot path, everything else outlined.

use super::creation::{Creation, Making, Plan, Record, Waiting, next_order};
use super::face::Seen;
use super::output::SingletonValue;
use super::settings::Settings;
use super::storage::{Static, Storage, Storing, Swapped};
use crate::clock::{ClockHandle, Moment};
use crate::counter::{self, Counters};
use crate::error::{BoxError, CreateError, SingletonError, chain};
use crate::instance::Instance;
use crate::registry::{Component, Descriptor, register};
use crate::scope::{self, Context, Entry, OverrideGuard, Scoped, StateRef, Universe};
use crate::telemetry;
use std::any::type_name;
use std::convert::Infallible;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{self, Poll};

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

/// The home of one declared singleton. Expansions put it into a static.
#[doc(hidden)]
pub struct Cell<T: 'static, S: Storage<T>> {
    slot: Scoped<Slot<T, S>>,
    pub(super) descriptor: Descriptor,
    ask: Ask<T, S::Handed>,
}

/// A singleton whose instance lives as long as the process.
#[doc(hidden)]
pub type SingletonCell<T> = Cell<T, Static<T>>;

/// A singleton whose instance can be replaced and freed.
#[doc(hidden)]
pub type SwapCell<T> = Cell<T, Swapped<T>>;

impl<T: SingletonValue, S: Storing<T>> std::fmt::Debug for Cell<T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cell").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

/// One world's instance.
pub(super) struct Slot<T: 'static, S: Storage<T>> {
    stored: S,
    accesses: Counters<1>,
    pub(super) creation: Creation<T>,
    retired: AtomicU64,
    /// Values put in place by hand; each wins over a factory that began before.
    replaced: AtomicU64,
    pub(super) clock: ClockHandle,
    pub(super) settings: &'static Settings<T>,
}

impl<T: SingletonValue, S: Storing<T>> Slot<T, S> {
    const fn new(settings: &'static Settings<T>) -> Self {
        Self {
            stored: S::EMPTY,
            accesses: Counters::new(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            clock: ClockHandle::System,
            settings,
        }
    }

    fn in_universe(universe: &Universe, settings: &'static Settings<T>) -> Self {
        Self {
            stored: S::EMPTY,
            accesses: Counters::local(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            clock: universe.clock(),
            settings,
        }
    }

    /// The instance that was put in place by hand since there were `seen` such.
    fn replaced_since(&self, seen: u64) -> Option<S::Owned> {
        if self.replaced.load(Ordering::Relaxed) == seen { None } else { self.stored.owned() }
    }

    /// Puts an instance, or none, in place; under the creation's lock.
    fn put(&self, new: Option<S::Owned>) -> Option<S::Owned> {
        if let Some((due, every)) = self.stored.due().zip(self.settings.refresh) {
            // Without an instance it is the creation that looks at the clock next.
            let next = if new.is_some() { self.clock.now().after(every) } else { Moment::NEVER };
            due.store(next.as_nanos(), Ordering::Relaxed);
        }
        let old = self.stored.put(new);
        if old.is_some() && S::KEEPS {
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
        old
    }
}

/// Stands in for an instance.
struct Override<O>(O);

/// What an access off the hot path finds.
enum Found<O> {
    /// An override: it has no age.
    StandsIn(O),
    Instance(O),
}

impl<O> Found<O> {
    fn into_inner(self) -> O {
        match self {
            Self::StandsIn(owned) | Self::Instance(owned) => owned,
        }
    }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// A singleton that does not exist yet. `ask` is how it is reached without naming its factory.
    #[must_use]
    pub const fn new(descriptor: Descriptor, settings: &'static Settings<T>, ask: Ask<T, S::Handed>) -> Self {
        Self { slot: Scoped::declared(Slot::new(settings)), descriptor, ask }
    }

    /// The instance of the process, counted, if that is what is meant, it exists and this thread has counted before: the
    /// hot path. Everything else is [`create`](Self::create)'s.
    #[inline(always)]
    pub(crate) fn hot(&self) -> Option<S::Handed> {
        // Where something is installed on this thread `try_hit` says no: one comparison asks both.
        let here = counter::here();
        let slot = self.slot.process();
        slot.stored.load().filter(|_| slot.stored.fresh() && slot.accesses.try_hit_in::<0>(here))
    }

    /// The instance, created by `factory` if there is none; `describe` gives an error's text for the records.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    #[inline(always)]
    pub fn get_or_create<E>(
        &'static self,
        factory: fn() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<S::Handed, CreateError<E>> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create_by(factory, describe),
        }
    }

    /// One for all declarations of one type: an accessor holds no more of this than the call.
    #[cold]
    #[inline(never)]
    fn create_by<E>(
        &'static self,
        factory: fn() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<S::Handed, CreateError<E>> {
        self.create(&mut || factory(), describe)
    }

    /// The instance, created by a `factory` that cannot fail if there is none. An access off the hot path that gives no more
    /// than a reference takes less room in each accessor than one that can give an error.
    ///
    /// # Panics
    /// On a refusal; the message is its text.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn get_or_make(&'static self, factory: fn() -> Result<T, Infallible>) -> S::Handed {
        match self.hot() {
            Some(found) => found,
            None => self.create_or_panic(factory),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn create_or_panic(&'static self, factory: fn() -> Result<T, Infallible>) -> S::Handed {
        or_panic(self.create(&mut || factory(), never))
    }

    /// One step of an access whose factory is a future that cannot fail; the rest as in [`get_or_make`](Self::get_or_make).
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn poll_or_panic(
        &'static self,
        waiting: &mut Option<Box<Place<T, S>>>,
        launch: &dyn Fn() -> Making<T, Infallible>,
        cx: &mut task::Context<'_>,
    ) -> Poll<S::Handed> {
        self.poll_create(waiting, launch, &never, cx).map(or_panic)
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    #[inline]
    pub fn existing(&'static self) -> Option<S::Handed> {
        if scope::quiet() { self.slot.process().stored.load() } else { self.owned().map(S::hand) }
    }

    pub(super) fn owned(&'static self) -> Option<S::Owned> {
        self.overridden().or_else(|| self.resolve().stored.owned())
    }

    pub(super) fn resolve(&'static self) -> StateRef<'static, Slot<T, S>> {
        self.slot.resolve(|universe| Slot::in_universe(universe, self.settings()))
    }

    pub(super) fn ask_kind(&self) -> &Ask<T, S::Handed> {
        &self.ask
    }

    pub(super) fn settings(&self) -> &'static Settings<T> {
        self.slot.process().settings
    }

    fn overridden(&'static self) -> Option<S::Owned> {
        let list = scope::overrides()?;
        list.find::<Override<S::Owned>>(self.slot.key()).map(|found| found.0.clone())
    }

    fn plan<'a>(&self, slot: &'a Slot<T, S>) -> Plan<'a> {
        Plan::new(self.descriptor.subject(), type_name::<T>(), &slot.clock, slot.settings.limits)
    }

    /// What every access off the hot path begins with: who asks is noted, and the world's slot found.
    fn enter(&'static self) -> (StateRef<'static, Slot<T, S>>, Option<Found<S::Owned>>) {
        scope::look_again();
        if let Some(asker) = scope::frame() {
            asker.accessed(self.descriptor.subject());
        }
        let slot = self.resolve();
        let found = self.overridden().map(Found::StandsIn).or_else(|| slot.stored.owned().map(Found::Instance));
        (slot, found)
    }

    /// [`get_or_create`](Self::get_or_create) off the hot path.
    #[cold]
    #[inline(never)]
    pub(super) fn create<E>(
        &'static self,
        factory: &mut dyn FnMut() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<S::Handed, CreateError<E>> {
        let (slot, found) = self.enter();
        let found = match found {
            // Handed out to nobody: not counted.
            _ if self.is_renewing() => return self.make(&slot, true, factory, describe).map(S::hand),
            // One caller makes it anew; the others go on with what is there, and so does this one if that fails.
            Some(Found::Instance(stale)) if self.is_due(&slot) => {
                self.make(&slot, true, factory, describe).unwrap_or(stale)
            }
            Some(found) => found.into_inner(),
            None => {
                register(Component::Singleton(self));
                self.make(&slot, false, factory, describe)?
            }
        };
        slot.accesses.hit::<0>();
        Ok(S::hand(found))
    }

    /// Does this code run by [`reload`](Self::reload)?
    fn is_renewing(&self) -> bool {
        scope::renewing() == Some(self.slot.key())
    }

    /// Is the instance to be made anew, by this caller? The others are told "no" meanwhile.
    fn is_due(&'static self, slot: &Slot<T, S>) -> bool {
        let Some((due, every)) = slot.stored.due().zip(slot.settings.refresh) else {
            return false;
        };
        let (at, now) = (Moment::from_nanos(due.load(Ordering::Relaxed)), slot.clock.now());
        at.has_come(now)
            && due
                .compare_exchange(at.as_nanos(), now.after(every).as_nanos(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
            // A factory that takes longer than the interval: nobody has to wait for it.
            && !slot.creation.is_under_way()
    }

    /// Runs the factory and puts its value in place; an error leaves everything as it is, and so does a value that is put in
    /// place by hand meanwhile. When it is made `anew`, the instance that is there is no answer.
    fn make<E>(
        &'static self,
        slot: &Slot<T, S>,
        anew: bool,
        factory: &mut dyn FnMut() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<S::Owned, CreateError<E>> {
        let mut old = None;
        let seen = slot.replaced.load(Ordering::Relaxed);
        let made = slot.creation.once(
            &self.plan(slot),
            || if anew { slot.replaced_since(seen) } else { slot.stored.owned() },
            factory,
            |value| {
                let instance = S::own(value);
                old = slot.put(Some(instance.clone()));
                instance
            },
            describe,
        )?;
        self.retire(slot, old, Some(&made), "reload");
        Ok(made)
    }

    /// Runs the factory again and puts its value in place; an error leaves everything as it is.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    pub fn reload(&'static self) -> Result<Instance<T>, SingletonError> {
        let _renewing = scope::install(Entry::Renew(self.slot.key()));
        if let Some(asked) = self.ask_sync() {
            return asked;
        }
        match &self.ask {
            Ask::Async(_) => Err(SingletonError::NeedsAsync { name: self.descriptor.name().to_owned() }),
            _ => Err(never_asked(self.descriptor.name().to_owned())),
        }
    }

    /// As [`reload`](Self::reload), also where the factory is a future.
    pub fn reload_async(&'static self) -> Asking<Instance<T>> {
        match &self.ask {
            Ask::Async(ask) => {
                let asked = Context::of(Entry::Renew(self.slot.key())).wrap(ask());
                Box::pin(async move { asked.await.map(S::handed_instance) })
            }
            _ => Box::pin(async move { self.reload() }),
        }
    }

    /// Lets `value` stand in for the instance until the guard is dropped.
    pub(super) fn override_with(&'static self, value: T) -> OverrideGuard {
        OverrideGuard::install(self.slot.key(), Override(S::own(value)))
    }

    pub(super) fn look(&'static self) -> Seen {
        let slot = self.resolve();
        let instance = slot.stored.owned();
        let retired = slot.retired.load(Ordering::Relaxed);
        Seen {
            created: instance.is_some(),
            accesses: slot.accesses.read(0),
            retired,
            retired_bytes: retired.saturating_mul(size_of::<T>() as u64),
            heap: instance.zip(slot.settings.memory).map(|(instance, memory)| {
                // A hook that panics knows nothing.
                catch_unwind(AssertUnwindSafe(|| memory(&instance))).unwrap_or(0)
            }),
            eager: slot.settings.eager,
            declared: slot.settings.depends_on,
            record: slot.creation.record(),
        }
    }

    /// Puts an instance, or none, in place; retires and gives what was there.
    pub(super) fn put(&'static self, value: Option<T>) -> Option<S::Owned> {
        register(Component::Singleton(self));
        let slot = self.resolve();
        let new = value.map(S::own);
        let old = slot.creation.exclusively(
            |record| {
                let old = slot.put(new.clone());
                if new.is_some() {
                    slot.replaced.fetch_add(1, Ordering::Relaxed);
                }
                slot.accesses.reset();
                let order =
                    if new.is_some() { old.as_ref().and(record.order).or_else(|| Some(next_order())) } else { None };
                *record = Record { created_at: new.as_ref().map(|_| slot.clock.wall()), order, ..Record::default() };
                old
            },
            new.is_some(),
        );
        self.retire(&slot, old.clone(), new.as_ref(), if new.is_none() { "delete" } else { "replace" });
        old
    }

    /// An instance has given way: hooks and events, with no lock held.
    fn retire(&self, slot: &Slot<T, S>, old: Option<S::Owned>, new: Option<&S::Owned>, reason: &'static str) {
        let Some(old) = old else { return };
        if S::KEEPS {
            let retired = slot.retired.load(Ordering::Relaxed);
            if retired.is_power_of_two() {
                telemetry::singleton_retired(self.descriptor.name(), retired, size_of::<T>() * retired as usize);
            }
        }
        let hook = |name, run: &dyn Fn()| {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                telemetry::singleton_hook_failed(self.descriptor.name(), name, "it panicked");
            }
        };
        if let Some((on_change, new)) = slot.settings.on_change.zip(new) {
            hook("on_change", &|| on_change(&old, new));
        }
        if let Some(on_retire) = slot.settings.on_retire {
            hook("on_retire", &|| on_retire(&old));
        }
        telemetry::singleton_reset(self.descriptor.name(), reason);
        super::drop_apart(old);
    }

    /// The instance by way of its own factory.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    pub fn ask(&'static self) -> Result<Instance<T>, SingletonError> {
        if let Some(asked) = self.ask_sync() {
            return asked;
        }
        match &self.ask {
            Ask::Async(_) => self.only_existing(|name| SingletonError::NeedsAsync { name }),
            _ => self.only_existing(never_asked),
        }
    }

    /// As [`ask`](Self::ask), also where the factory is a future.
    pub fn ask_async(&'static self) -> Asking<Instance<T>> {
        match &self.ask {
            Ask::Async(ask) => {
                let asked = ask();
                Box::pin(async move { asked.await.map(S::handed_instance) })
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

    fn only_existing(&'static self, missing: fn(String) -> SingletonError) -> Result<Instance<T>, SingletonError> {
        let (slot, found) = self.enter();
        let found = found.ok_or_else(|| missing(self.descriptor.name().to_owned()))?;
        slot.accesses.hit::<0>();
        Ok(S::instance(found.into_inner()))
    }
}

fn never(never: &Infallible) -> String {
    match *never {}
}

/// What an access gives that has no channel for a refusal.
#[track_caller]
fn or_panic<H>(outcome: Result<H, CreateError<Infallible>>) -> H {
    match outcome {
        Ok(handed) => handed,
        Err(CreateError::Factory(never)) => match never {},
        Err(CreateError::Refused(refused)) => panic!("{refused}"),
    }
}

fn never_asked(name: String) -> SingletonError {
    SingletonError::NotReachable {
        name,
        why: "its body says `Self`, so only a call of the function itself can create it",
    }
}

impl<T: 'static, S: Storage<T>> Drop for Slot<T, S> {
    /// A test world ends: what it created goes, or stays allocated for those who hold it.
    fn drop(&mut self) {
        self.creation.abandon(true);
        let Some(instance) = self.stored.put(None) else { return };
        if let Some(on_retire) = self.settings.on_retire {
            // Nobody is left to be told of a panic.
            _ = catch_unwind(AssertUnwindSafe(|| on_retire(&instance)));
        }
        super::drop_apart(instance);
    }
}

/// The future of an accessor: it takes no more room than its reference and a pointer, whatever the factory needs.
#[doc(hidden)]
#[must_use = "futures do nothing unless polled"]
pub struct Creating<T: 'static, S: Storage<T>, L, D> {
    cell: &'static Cell<T, S>,
    launch: L,
    describe: D,
    place: Taken<T, S>,
}

/// There from the first poll on that has to wait.
struct Taken<T: 'static, S: Storage<T>>(ManuallyDrop<Option<Box<Place<T, S>>>>);

impl<T: 'static, S: Storage<T>> Taken<T, S> {
    #[cold]
    #[inline(never)]
    fn leave(&mut self) {
        drop(self.0.take());
    }
}

/// By hand, so that an accessor's code holds no more of it than the question.
impl<T: 'static, S: Storage<T>> Drop for Taken<T, S> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.leave();
        }
    }
}

struct Place<T: 'static, S: Storage<T>> {
    slot: StateRef<'static, Slot<T, S>>,
    waiting: Waiting,
    /// The instance is being made anew: until that is done this one is good enough.
    stale: Option<S::Owned>,
    /// It is to be made anew, whatever is there.
    reloading: bool,
    /// Values put in place by hand when this began.
    seen: u64,
}

impl<T: 'static, S: Storage<T>> Drop for Place<T, S> {
    fn drop(&mut self) {
        if let Some(due) = self.stale.as_ref().and_then(|_| self.slot.stored.due()) {
            // This caller goes before the new instance is there: the next one takes over.
            due.store(0, Ordering::Relaxed);
        }
    }
}

impl<T: 'static, S: Storage<T>, L, D> Unpin for Creating<T, S, L, D> {}

impl<T, S, L, D, E> Future for Creating<T, S, L, D>
where
    T: SingletonValue,
    S: Storing<T>,
    E: Send + 'static,
    L: Fn() -> Making<T, E>,
    D: Fn(&E) -> String,
{
    type Output = Result<S::Handed, CreateError<E>>;

    /// Without a look at the hot path: accessors look before they make this.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.cell.poll_create(&mut this.place.0, &this.launch, &this.describe, cx)
    }
}

impl<T: SingletonValue, S: Storing<T>, L, D> Creating<T, S, L, D> {
    /// The instance of `cell`, created by the future that `launch` makes if there is none.
    #[inline(always)]
    pub(crate) fn new(cell: &'static Cell<T, S>, launch: L, describe: D) -> Self {
        Self { cell, launch, describe, place: Taken(ManuallyDrop::new(None)) }
    }

    /// As [`poll`](Future::poll), where the factory cannot fail.
    ///
    /// # Panics
    /// On a refusal.
    #[inline(always)]
    #[track_caller]
    pub(super) fn poll_or_panic(&mut self, cx: &mut task::Context<'_>) -> Poll<S::Handed>
    where
        L: Fn() -> Making<T, Infallible>,
    {
        self.cell.poll_or_panic(&mut self.place.0, &self.launch, cx)
    }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// [`Creating`] off the hot path: one for all declarations of one type.
    #[cold]
    #[inline(never)]
    fn poll_create<E: Send + 'static>(
        &'static self,
        waiting: &mut Option<Box<Place<T, S>>>,
        launch: &dyn Fn() -> Making<T, E>,
        describe: &dyn Fn(&E) -> String,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<S::Handed, CreateError<E>>> {
        if waiting.is_none() {
            let (slot, found) = self.enter();
            let reloading = self.is_renewing();
            let stale = match found {
                None => None,
                Some(_) if reloading => None,
                Some(Found::Instance(stale)) if self.is_due(&slot) => Some(stale),
                Some(found) => {
                    slot.accesses.hit::<0>();
                    return Poll::Ready(Ok(S::hand(found.into_inner())));
                }
            };
            register(Component::Singleton(self));
            let seen = slot.replaced.load(Ordering::Relaxed);
            *waiting = Some(Box::new(Place { slot, waiting: Waiting::default(), stale, reloading, seen }));
        }
        let Some(place) = waiting else { return Poll::Pending };
        let Place { slot, waiting: inner, stale, reloading, seen } = &mut **place;
        let mut old = None;
        let renewing = *reloading || stale.is_some();
        let polled = slot.creation.poll_once(
            inner,
            cx,
            &self.plan(slot),
            // While it is made anew, the instance that is there is no answer.
            || if renewing { slot.replaced_since(*seen) } else { slot.stored.owned() },
            launch,
            |value| {
                let instance = S::own(value);
                old = slot.put(Some(instance.clone()));
                instance
            },
            describe,
        );
        let Poll::Ready(outcome) = polled else { return Poll::Pending };
        if let Ok(new) = &outcome {
            self.retire(slot, old, Some(new), "reload");
        }
        let outcome = match (outcome, stale.take()) {
            (Err(_), Some(stale)) => Ok(stale),
            (outcome, _) => outcome,
        };
        if outcome.is_ok() && !*reloading {
            slot.accesses.hit::<0>();
        }
        *waiting = None;
        Poll::Ready(outcome.map(S::hand))
    }
}
