//! The declared singleton: one atomic pointer on the hot path, everything else outlined.

use super::asking::Ask;
use super::creating::Wait;
use super::creation::{Making, Plan};
use super::face::Seen;
use super::output::SingletonValue;
use super::settings::Settings;
use super::slot::Slot;
use super::storage::{Static, Storage, Storing, Swapped};
use crate::clock::Moment;
use crate::counter;
use crate::error::{CreateError, SingletonError, caught};
use crate::registry::{Component, Descriptor, Kind, register};
use crate::scope::{self, OverrideGuard, OverrideList, Scoped, StateRef};
use crate::telemetry::Creates;
use std::any::{Any, type_name};
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::task::{self, Poll};

/// The home of one declared singleton. Expansions put it into a static.
#[doc(hidden)]
pub struct Cell<T: 'static, S: Storage<T>> {
    pub(super) slot: Scoped<Slot<T, S>>,
    pub(super) descriptor: Descriptor,
    pub(super) ask: Ask<T, S::Handed>,
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

/// Stands in for an instance.
struct Override<O>(O);

/// What an access off the hot path finds.
pub(super) enum Found<O> {
    /// An override: it has no age.
    StandsIn(O),
    Instance(O),
}

/// The slot of the world that is meant, and what it has.
type Entered<T, S> = (StateRef<'static, Slot<T, S>>, Option<Found<<S as Storage<T>>::Owned>>);

impl<O> Found<O> {
    pub(super) fn into_inner(self) -> O {
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
        if S::BOUND {
            return None;
        }
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
    pub(super) fn poll_or_panic(
        &'static self,
        waiting: &mut Wait<T, S>,
        launch: &dyn Fn() -> Making<T, Infallible>,
        cx: &mut task::Context<'_>,
    ) -> Poll<S::Handed> {
        match self.poll_create(waiting, launch, &never, cx) {
            // Not by `map`: the panic's place would be inside of it.
            Poll::Ready(outcome) => Poll::Ready(or_panic(outcome)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    #[inline]
    pub fn existing(&'static self) -> Option<S::Handed> {
        if !S::BOUND && scope::quiet() { self.slot.process().stored.load() } else { self.owned().map(S::hand) }
    }

    pub(super) fn owned(&'static self) -> Option<S::Owned> {
        self.overridden().or_else(|| self.resolve().stored.owned())
    }

    /// The slot that is meant here. Of what lives for an invocation: the invocation's, if it has one, else an empty one.
    pub(super) fn resolve(&'static self) -> StateRef<'static, Slot<T, S>> {
        let bound = if S::BOUND { self.bound() } else { None };
        bound.map_or_else(|| self.home(), StateRef::Own)
    }

    /// The world's slot.
    pub(super) fn home(&'static self) -> StateRef<'static, Slot<T, S>> {
        self.slot.resolve(|universe| Slot::in_universe(universe, self.settings()))
    }

    pub(super) fn ask_kind(&self) -> &Ask<T, S::Handed> {
        &self.ask
    }

    pub(super) fn settings(&self) -> &'static Settings<T> {
        self.slot.process().settings
    }

    /// Is it a step, and no singleton to its users?
    pub(super) fn is_step(&self) -> bool {
        self.descriptor.kind() == Kind::Flag
    }

    /// This, as it stands on the list.
    pub(super) fn component(&'static self) -> Component {
        match (self as &dyn Any).downcast_ref::<SingletonCell<()>>() {
            Some(step) if self.is_step() => Component::Step(step),
            _ => Component::Singleton(self),
        }
    }

    fn overridden(&'static self) -> Option<S::Owned> {
        let find = |list: &OverrideList| list.find::<Override<S::Owned>>(self.slot.key()).map(|found| found.0.clone());
        let within = if S::BOUND { scope::invocation() } else { None };
        let within = within.and_then(|invocation| invocation.overrides().and_then(|list| find(list)));
        within.or_else(|| scope::overrides().and_then(|list| find(&list)))
    }

    pub(super) fn plan<'a>(&self, slot: &'a Slot<T, S>) -> Plan<'a> {
        let invocation = slot.bound.as_ref().map(|bound| bound.invocation().clone());
        let plan = Plan::new(self.descriptor.subject(), type_name::<T>(), &slot.clock, slot.settings.limits);
        let plan = plan.within(invocation);
        if self.is_step() { plan.of(Creates::Step) } else { plan }
    }

    /// What every access off the hot path begins with: who asks is noted, and the slot of the world or invocation found.
    pub(super) fn enter(&'static self) -> Result<Entered<T, S>, SingletonError> {
        scope::look_again();
        if let Some(asker) = scope::frame() {
            asker.accessed(self.descriptor.subject());
        }
        let stands_in = self.overridden().map(Found::StandsIn);
        // What stands in needs no invocation.
        let slot = if S::BOUND && stands_in.is_none() { self.bind()? } else { self.home() };
        let found = stands_in.or_else(|| slot.stored.owned().map(Found::Instance));
        Ok((slot, found))
    }

    /// [`get_or_create`](Self::get_or_create) off the hot path.
    #[cold]
    #[inline(never)]
    pub(super) fn create<E>(
        &'static self,
        factory: &mut dyn FnMut() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<S::Handed, CreateError<E>> {
        let (slot, found) = self.enter().map_err(CreateError::Refused)?;
        let found = match found {
            // Handed out to nobody: not counted.
            _ if self.is_renewing() => return self.make(&slot, true, factory, describe).map(S::hand),
            // One caller makes it anew; the others go on with what is there, and so does this one if that fails.
            Some(Found::Instance(stale)) if self.is_due(&slot) => {
                self.make(&slot, true, factory, describe).unwrap_or(stale)
            }
            Some(found) => found.into_inner(),
            None => {
                register(self.component());
                self.make(&slot, false, factory, describe)?
            }
        };
        slot.hit();
        Ok(S::hand(found))
    }

    /// Does this code run by [`reload`](Self::reload)?
    pub(super) fn is_renewing(&self) -> bool {
        scope::renewing() == Some(self.slot.key())
    }

    /// Is the instance to be made anew, by this caller? The others are told "no" meanwhile.
    pub(super) fn is_due(&'static self, slot: &Slot<T, S>) -> bool {
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
    pub(super) fn make<E>(
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

    /// Lets `value` stand in for the instance until the guard is dropped: in this invocation, for what lives for one.
    pub(super) fn override_with(&'static self, value: T) -> OverrideGuard {
        let (key, value) = (self.slot.key(), Override(S::own(value)));
        match if S::BOUND { scope::invocation() } else { None } {
            Some(invocation) => OverrideGuard::install_in(invocation.overrides_or_new().clone(), key, value),
            None => OverrideGuard::install(key, value),
        }
    }

    pub(super) fn look(&'static self) -> Seen {
        let slot = self.resolve();
        let instance = slot.stored.owned();
        // Of a step that ran again nothing stays behind.
        let retired = if self.is_step() { 0 } else { slot.retired.load(Ordering::Relaxed) };
        let mut record = slot.creation.record();
        if slot.bound.is_some() {
            record.failures = record.failures.saturating_add(self.home().creation.record().failures);
        }
        Seen {
            created: instance.is_some(),
            accesses: self.home().accesses.read(0),
            alive: S::BOUND.then(|| self.home().alive.load(Ordering::Relaxed)),
            retired,
            retired_bytes: retired.saturating_mul(size_of::<T>() as u64),
            heap: instance.zip(slot.settings.memory).map(|(instance, memory)| {
                // A hook that panics knows nothing.
                caught(|| memory(&instance)).unwrap_or(0)
            }),
            eager: slot.settings.eager,
            declared: slot.settings.depends_on,
            record,
        }
    }
}

pub(super) fn never(never: &Infallible) -> String {
    match *never {}
}

/// What an access gives that has no channel for a refusal.
#[track_caller]
pub(super) fn or_panic<H>(outcome: Result<H, CreateError<Infallible>>) -> H {
    match outcome {
        Ok(handed) => handed,
        Err(CreateError::Factory(never)) => match never {},
        Err(CreateError::Refused(refused)) => panic!("{refused}"),
    }
}
