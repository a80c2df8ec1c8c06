//! The core: initialized or not, with what, since when.

use super::config::InitConfig;
use super::flags::Flags;
use super::initializing::Installing;
use super::outcome::{InitOutcome, InitReset, InitStatus, millis};
use crate::clock::{Clock, ClockHandle, Moment, unix_seconds};
use crate::error::Error;
use crate::flag::AnyFlag;
use crate::registry::InitializationSnapshot;
use crate::scope::{Scoped, StateRef, Universe};
use crate::singleton::{Creation, Record};
use crate::sync::Mutex;
use crate::telemetry;
use crate::wire::Gate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// The process's configuration and its flags by name.
///
/// ```
/// use lifecycle::{InitConfig, initialization};
///
/// let core = initialization();
/// let outcome = core.initialize(InitConfig::new().with("region", "eu-west-1"))?;
/// assert!(!outcome.cached);
/// assert!(core.initialize(InitConfig::new())?.cached); // once only
/// assert_eq!(core.config()?.get("region"), Some(&"eu-west-1".into()));
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// Its operations share a limit of 1000 a second; [`is_initialized`](Self::is_initialized), the status, the reset and
/// declared flags are not charged.
#[derive(Debug)]
pub struct InitializationCore {
    state: Scoped<CoreState>,
}

#[derive(Debug)]
pub(super) struct CoreState {
    pub(super) gate: Gate,
    pub(super) flags: Flags,
    pub(super) clock: ClockHandle,
    /// Who initializes, who waits, and what is remembered of it.
    pub(super) creation: Creation<Done>,
    /// What the steps see meanwhile.
    pub(super) installing: Mutex<Option<Installing>>,
    /// A copy of "`done` is some" that is read without its lock; written with it.
    pub(super) initialized: AtomicBool,
    pub(super) done: Mutex<Option<Arc<Done>>>,
    /// A differing later configuration was told of.
    pub(super) told_of_ignored: AtomicBool,
}

/// An initialization that is complete.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) config: Arc<InitConfig>,
    pub(super) began: SystemTime,
    pub(super) began_mono: Moment,
    pub(super) took: Duration,
}

impl Done {
    pub(super) fn outcome(&self, cached: bool, ignored_keys: Vec<String>, now: Moment) -> InitOutcome {
        InitOutcome {
            cached,
            ignored: !ignored_keys.is_empty(),
            ignored_keys,
            timestamp: self.began,
            duration: self.took,
            uptime: now.since(self.began_mono),
            config_keys: self.config.keys().map(str::to_owned).collect(),
        }
    }
}

impl CoreState {
    const fn new() -> Self {
        Self {
            gate: Gate::new(MANAGER),
            flags: Flags::new(),
            clock: ClockHandle::System,
            creation: Creation::new(),
            installing: Mutex::new(None),
            initialized: AtomicBool::new(false),
            done: Mutex::new(None),
            told_of_ignored: AtomicBool::new(false),
        }
    }

    fn on(clock: ClockHandle) -> Self {
        Self { gate: Gate::for_universe(MANAGER, clock.clone()), clock, ..Self::new() }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self::on(universe.clock())
    }

    pub(super) fn done(&self) -> Option<Arc<Done>> {
        self.done.lock().clone()
    }
}

const MANAGER: &str = "initialization";

static CORE: InitializationCore = InitializationCore { state: Scoped::declared(CoreState::new()) };

/// The process's initialization core: see [`InitializationCore`] for an example.
#[inline]
#[must_use]
pub fn initialization() -> &'static InitializationCore {
    &CORE
}

/// [`initialization`], by its older name.
///
/// ```
/// assert!(std::ptr::eq(lifecycle::get_initialization_manager(), lifecycle::initialization()));
/// ```
#[inline]
#[must_use]
pub fn get_initialization_manager() -> &'static InitializationCore {
    initialization()
}

impl Default for InitializationCore {
    fn default() -> Self {
        Self::new()
    }
}

impl InitializationCore {
    /// A core of its own, which sees no declared flags. Made inside a test world it runs on that world's clock.
    ///
    /// ```
    /// use lifecycle::{InitConfig, InitializationCore};
    ///
    /// let ours = InitializationCore::new();
    /// ours.initialize(InitConfig::new())?;
    /// assert!(ours.is_initialized() && !lifecycle::initialization().is_initialized());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { state: Scoped::owned(CoreState::on(ClockHandle::in_force())) }
    }

    /// [`new`](Self::new), with a clock and a limit on operations of its own; `None` is no limit.
    ///
    /// ```
    /// use lifecycle::{InitializationCore, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let core = InitializationCore::with_clock_and_limit(clock.clone(), Some((1, Duration::from_secs(1))))?;
    /// core.set_flag("a", 1)?;
    /// assert!(core.set_flag("a", 1).is_err());
    /// clock.advance(Duration::from_millis(1001));
    /// core.set_flag("a", 1)?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn with_clock_and_limit(clock: Arc<dyn Clock>, limit: Option<(u32, Duration)>) -> Result<Self, Error> {
        let clock = ClockHandle::Custom(clock);
        let gate = Gate::limited(MANAGER, clock.clone(), limit)?;
        Ok(Self { state: Scoped::owned(CoreState { gate, ..CoreState::on(clock) }) })
    }

    pub(super) fn resolve(&self) -> StateRef<'_, CoreState> {
        self.state.resolve(CoreState::in_universe)
    }

    /// Only the process's core is fed by the macros.
    pub(super) const fn sees_declared(&self) -> bool {
        self.state.is_declared()
    }

    /// [`initialize`](Self::initialize) with the fields of a type of your own.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Settings { retries: u32 }
    ///
    /// let core = lifecycle::InitializationCore::new();
    /// core.initialize_with(&Settings { retries: 3 })?;
    /// assert_eq!(core.config_as::<Settings>()?.retries, 3);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] when the type does not serialise as an object, and as for `initialize`.
    pub fn initialize_with<T: Serialize + ?Sized>(&self, settings: &T) -> Result<InitOutcome, Error> {
        self.initialize(InitConfig::from_serialize(settings)?)
    }

    /// The configuration in force; to a step that `initialize` waits for, the one that is being installed. What was handed out
    /// stays as it is, also after a reset.
    ///
    /// ```
    /// use lifecycle::{Error, InitConfig, InitializationCore};
    ///
    /// let core = InitializationCore::new();
    /// assert!(matches!(core.config(), Err(Error::NotInitialized)));
    /// assert!(core.config_or_default().is_empty());
    /// core.initialize(InitConfig::new().with("region", "eu-west-1"))?;
    /// assert_eq!(core.config()?.get("region"), Some(&"eu-west-1".into()));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::NotInitialized`].
    pub fn config(&self) -> Result<Arc<InitConfig>, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        let installed = state.done().map(|done| done.config.clone());
        installed.or_else(|| state.being_installed()).ok_or(Error::NotInitialized)
    }

    /// [`config`](Self::config), empty where there is none or the limit refuses; the example there shows both.
    #[must_use]
    pub fn config_or_default(&self) -> Arc<InitConfig> {
        self.config().unwrap_or_default()
    }

    /// The configuration as a type of your own. See [`initialize_with`](Self::initialize_with) for an example.
    ///
    /// # Errors
    /// As for [`config`](Self::config), and [`Error::InvalidConfig`] when it does not fit.
    pub fn config_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.config()?.deserialize()
    }

    /// Is it initialized? Never charged, never refused: one load. See [`reset`](Self::reset) for an example.
    #[inline]
    #[must_use]
    pub fn is_initialized(&self) -> bool {
        self.resolve().initialized.load(Ordering::Acquire)
    }

    /// Back to the beginning: not initialized, no configuration, no flags by name, declared flags as declared, the limit's
    /// window empty and its refusals forgotten; steps run again when they are called next, so they must bear that. Never
    /// refused.
    ///
    /// While somebody initializes, it counts as before that: the steps that have run for it stay done.
    ///
    /// ```
    /// use lifecycle::{InitConfig, InitializationCore};
    ///
    /// let core = InitializationCore::new();
    /// core.initialize(InitConfig::new().with("region", "eu-west-1"))?;
    /// core.set_flag("beta", true)?;
    /// let kept = core.config()?;
    ///
    /// assert!(core.reset().was_initialized);
    /// assert!(!core.is_initialized() && core.get_flag("beta")?.is_none());
    /// assert_eq!(kept.get("region"), Some(&"eu-west-1".into())); // what was handed out stays
    /// assert!(!core.reset().was_initialized);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn reset(&self) -> InitReset {
        let state = self.resolve();
        // The clock is somebody else's code: asked before the lock is taken.
        let timestamp = state.clock.wall();
        state.gate.reset();
        let declared = self.declared_flags_here();
        let (gone, taken_back) = state.creation.exclusively(
            |record| {
                *record = Record::default();
                let gone = {
                    let mut done = state.done.lock();
                    state.initialized.store(false, Ordering::Release);
                    done.take()
                };
                // No step begins while this is held, and none that has begun is taken back.
                let installing = state.installing.lock();
                let stays = |flag: &&'static dyn AnyFlag| installing.is_some() && flag.__is_step();
                // Under this lock too: whoever initializes anew must not lose to this reset what is set after that.
                let taken_back: Vec<_> =
                    declared.into_iter().filter(|flag| !stays(flag)).filter_map(AnyFlag::__take_back).collect();
                ((gone, state.flags.clear()), taken_back)
            },
            false,
        );
        let was_initialized = gone.0.is_some();
        state.flags.tell_cleared(&gone.1);
        drop(gone);
        taken_back.into_iter().for_each(|tell| tell());
        telemetry::init_reset(was_initialized);
        InitReset { was_initialized, timestamp }
    }

    /// [`reset`](Self::reset): this core's is never refused, so it is the same. The other cores have one by this name.
    pub fn reset_unlimited(&self) -> InitReset {
        self.reset()
    }

    /// The state of initialization and the flags that were set. Never charged, never refused. See [`InitStatus`] for an example.
    #[must_use]
    pub fn get_status(&self) -> InitStatus {
        let state = self.resolve();
        let (now, done) = (state.clock.now(), state.done());
        let flags = self.flags_set(&state);
        InitStatus {
            initialized: done.is_some(),
            config: done.as_ref().map(|done| done.config.redacted()).unwrap_or_default(),
            flag_count: flags.len(),
            flags,
            init_timestamp: done.as_ref().map(|done| done.began),
            init_duration: done.as_ref().map(|done| done.took),
            uptime: done.as_ref().map(|done| now.since(done.began_mono)),
            config_keys: done.iter().flat_map(|done| done.config.keys()).map(str::to_owned).collect(),
            rate_limited_count: state.gate.rejected(),
        }
    }

    /// [`get_status`](Self::get_status), under its other name; [`InitStatus`] has an example.
    #[must_use]
    pub fn get_stats(&self) -> InitStatus {
        self.get_status()
    }

    /// The clock may read anything now: the limit's window is empty.
    pub(crate) fn restored(&self) {
        self.resolve().gate.restored();
    }

    /// Changes the limit on operations: at most `limit` in any `window`; `None` removes it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let core = lifecycle::InitializationCore::new();
    /// core.set_rate_limit(Some((1, Duration::from_secs(3600))))?;
    /// core.set_flag("beta", true)?;
    /// assert!(core.set_flag("beta", false).is_err());
    /// core.set_rate_limit(None)?;
    /// core.set_flag("beta", false)?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit of 0 or a window of no length.
    pub fn set_rate_limit(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        self.resolve().gate.set_rate_limit(limit)
    }

    /// Its state as it stands in [`snapshot`](crate::snapshot): of the configuration the names only.
    #[must_use]
    pub fn observe(&self) -> InitializationSnapshot {
        let state = self.resolve();
        let (done, record) = (state.done(), state.creation.record());
        InitializationSnapshot {
            steps: record.depends_on.iter().map(|step| step.name.to_string()).collect(),
            failures: record.failures,
            last_error: record.last_error,
            initialized: done.is_some(),
            timestamp: done.as_ref().map(|done| unix_seconds(done.began)),
            duration_ms: done.as_ref().map(|done| millis(done.took)),
            config_keys: done.iter().flat_map(|done| done.config.keys()).map(str::to_owned).collect(),
        }
    }
}
