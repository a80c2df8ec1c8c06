//! `initialize`: a creation of what is [`Done`], by the machinery of the singletons. So of callers at the same time one runs the
//! steps and the others wait, a failure leaves everything as it was, and who calls it from within is told of the circle.

use super::config::InitConfig;
use super::core::{CoreState, Done, InitializationCore, initialization};
use super::outcome::InitOutcome;
use super::steps;
use crate::error::{CreateError, Error, SingletonError, chain};
use crate::name::Name;
use crate::process::block_on;
use crate::scope::{self, Frame, FrameId, StateRef, Subject};
use crate::singleton::{GiveUp, Limits, Making, Plan, Waiting};
use crate::telemetry::{self, Creates};
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The configuration that steps see while they run: nothing is published yet.
#[derive(Debug)]
pub(super) struct Installing {
    frame: FrameId,
    config: Arc<InitConfig>,
}

/// Keeps it visible to the steps of the initialization with that frame.
struct Visible<S: Deref<Target = CoreState>> {
    state: S,
    frame: Option<FrameId>,
}

impl<S: Deref<Target = CoreState>> Visible<S> {
    /// Called in the frame of the initialization.
    fn to_steps(state: S, config: &Arc<InitConfig>) -> Self {
        let frame = scope::frame().map(|frame| frame.id);
        *state.installing.lock() = frame.map(|frame| Installing { frame, config: config.clone() });
        Self { state, frame }
    }
}

impl<S: Deref<Target = CoreState>> Drop for Visible<S> {
    fn drop(&mut self) {
        let mut installing = self.state.installing.lock();
        // One that was given up goes when the next may have begun: what that one shows stays.
        let gone = installing.take_if(|installing| Some(installing.frame) == self.frame);
        drop(installing);
        drop(gone);
    }
}

impl CoreState {
    /// The configuration that is being installed, if the initialization waits for this code.
    pub(super) fn being_installed(&self) -> Option<Arc<InitConfig>> {
        let (frame, config) = {
            let installing = self.installing.lock();
            let installing = installing.as_ref()?;
            (installing.frame, installing.config.clone())
        };
        let here: Vec<FrameId> = scope::frames().iter().map(|frame| frame.id).collect();
        Frame::waits_for_any(frame, &here).then_some(config)
    }

    fn plan(&self) -> Plan<'_> {
        let subject =
            Subject { name: Name::from_static("initialize"), place: ("", 0), key: std::ptr::from_ref(self).addr() };
        Plan::new(subject, "InitConfig", &self.clock, Limits::default()).of(Creates::Initialization)
    }

    fn begin(&self) -> Done {
        Done {
            config: Arc::default(),
            began: self.clock.wall(),
            began_mono: self.clock.now(),
            took: Default::default(),
        }
    }

    fn end(&self, begun: Done, config: Arc<InitConfig>) -> Done {
        Done { config, took: self.clock.now().since(begun.began_mono), ..begun }
    }

    /// Under the lock of the creation: from here on it is initialized.
    fn publish(&self, done: Done) -> Arc<Done> {
        let done = Arc::new(done);
        let mut published = self.done.lock();
        *published = Some(done.clone());
        // With the lock held: who reads either of the two and then the other finds them alike.
        self.initialized.store(true, Ordering::Release);
        drop(published);
        done
    }

    /// What this caller is told; `mine`: its call is the one that initialized.
    fn answer(&self, done: &Done, mine: bool, config: &InitConfig) -> InitOutcome {
        let ignored_keys = if config.is_empty() { Vec::new() } else { config.differing(&done.config) };
        if !ignored_keys.is_empty() && !self.told_of_ignored.swap(true, Ordering::Relaxed) {
            telemetry::init_config_ignored(&ignored_keys);
        }
        let now = self.clock.now();
        if mine {
            telemetry::init_completed(done.took);
        }
        done.outcome(!mine, ignored_keys, now)
    }
}

/// The refusals of a creation, said of this one.
fn refused(error: CreateError<Error>) -> Error {
    let because = |reason| Error::NotPossible { name: "initialize".to_owned(), reason };
    match error {
        CreateError::Factory(error) => error,
        CreateError::Refused(SingletonError::Cycle { path, .. }) => Error::Initializing { path },
        CreateError::Refused(SingletonError::NeedsAsync { .. }) => {
            because("a task is initializing by `initialize_async`: await the same here")
        }
        CreateError::Refused(SingletonError::ShuttingDown { .. }) => because("the process is shutting down"),
        CreateError::Refused(SingletonError::ContextEnded { .. }) => {
            because("the test world of this context has ended")
        }
        CreateError::Refused(SingletonError::Forked { .. }) => {
            because("this process was forked while its parent was initializing")
        }
        CreateError::Refused(other) => other.into(),
    }
}

fn text(error: &Error) -> String {
    chain(error)
}

impl InitializationCore {
    /// Initializes with `config`, the first time it is called: runs the steps that say `on_initialize`
    /// ([`#[init_flag]`](macro@crate::init_flag) on a function), each after what its `depends_on` names, and is complete when
    /// all have run. Of callers at the same time one initializes; the others wait and find it complete. Later calls change
    /// nothing; a differing configuration is ignored, which the outcome says (and a warning, once, with the names of what
    /// differs).
    ///
    /// Each call is charged to the limit of 1000 operations a second, later ones too: code that runs more often asks
    /// [`is_initialized`](Self::is_initialized) first, which is never refused.
    ///
    /// A step with an `init_timeout` that takes longer makes this fail, by an error that names it. Such a step runs on a thread of
    /// its own, with this context, and goes on there: when it ends it is done. Who waited for that call tries again, and has waited
    /// for that run of the step already: those who wait together fail together. Without one nothing gets past a step that hangs.
    ///
    /// Until it is complete, [`config`](Self::config) gives the new configuration to the steps, and to what runs on their behalf,
    /// and an error to all others.
    ///
    /// ```standalone_crate
    /// use lifecycle::{BoxError, InitConfig, init_flag, initialize};
    ///
    /// #[init_flag(on_initialize)]
    /// fn check_region() -> Result<(), BoxError> {
    ///     let config = lifecycle::initialization().config()?;
    ///     if config.get("region").is_none() {
    ///         return Err("no region".into());
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let error = initialize(InitConfig::new()).unwrap_err(); // nothing is initialized, and it can be tried again
    /// assert_eq!(error.to_string(), "step `check_region` failed, so nothing is initialized");
    /// assert!(initialize(InitConfig::new().with("region", "eu")).is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Step`] when a step fails; [`Error::AsyncSteps`] when one is async (see [`initialize_async`](Self::initialize_async)),
    /// [`Error::Initializing`] from within a step; [`Error::RateLimited`]; [`Error::TooLarge`] for more than 1 MiB;
    /// [`Error::NotPossible`] while the process shuts down, or a task initializes. After each of them it is as uninitialized as
    /// before; steps that have run stay done.
    ///
    /// # Panics
    /// When a step panics: as after an error, it is uninitialized and can be tried again.
    pub fn initialize(&self, config: InitConfig) -> Result<InitOutcome, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        config.check_size()?;
        if let Some(done) = state.done() {
            return Ok(state.answer(&done, false, &config));
        }
        let config = Arc::new(config);
        let mut mine = false;
        let done = state.creation.once(
            &state.plan(),
            || state.done(),
            || self.run_steps(&state, &config),
            |done| {
                mine = true;
                state.publish(done)
            },
            text,
        );
        Ok(state.answer(&*done.map_err(refused)?, mine, &config))
    }

    fn run_steps(&self, state: &CoreState, config: &Arc<InitConfig>) -> Result<Done, Error> {
        let begun = state.begin();
        // Only the process's core runs what is declared.
        let all = if self.sees_declared() { steps::in_order()? } else { Vec::new() };
        let asynchronous = all.iter().filter(|step| step.is_async() && !step.exists());
        let names: Vec<String> = asynchronous.map(|step| step.descriptor().name().to_owned()).collect();
        if !names.is_empty() {
            return Err(Error::AsyncSteps { names });
        }
        let visible = Visible::to_steps(state, config);
        for step in all {
            let ran = match step.init_timeout() {
                None => step.ask_any("").map(drop),
                Some(_) => block_on(steps::run(step, &state.clock)),
            };
            ran.map_err(|error| steps::failed(step, error))?;
        }
        drop(visible);
        Ok(state.end(begun, config.clone()))
    }

    /// [`initialize`](Self::initialize) where steps are async; the others run in the task that awaits this, but for those with an
    /// `init_timeout`, which have threads of their own.
    ///
    /// It belongs to nobody: whoever waits for it drives it on, so a caller that is dropped loses nothing as long as others
    /// wait (its configuration is the one that is installed). With the last one it is given up: it is uninitialized, and
    /// steps that have run stay done.
    ///
    /// ```standalone_crate
    /// use lifecycle::{InitConfig, init_flag, initialize_async};
    ///
    /// #[init_flag(on_initialize)]
    /// async fn connect() {
    ///     // ..
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let outcome = initialize_async(InitConfig::new().with("region", "eu")).await?;
    /// assert!(!outcome.cached && lifecycle::handle(connect)?.is_done());
    /// # Ok::<(), lifecycle::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for `initialize`, but for [`Error::AsyncSteps`].
    ///
    /// # Panics
    /// As there.
    pub async fn initialize_async(&self, config: InitConfig) -> Result<InitOutcome, Error> {
        if !self.sees_declared() {
            // Without steps there is nothing to wait for.
            return self.initialize(config);
        }
        let state = initialization().resolve();
        state.gate.charge()?;
        config.check_size()?;
        let config = Arc::new(config);
        let mut mine = false;
        let done = {
            let mut joined = Joined { state: state.clone(), waiting: Waiting::default() };
            poll_fn(|cx| {
                let Joined { state, waiting } = &mut joined;
                state.creation.poll_once(
                    waiting,
                    cx,
                    &state.plan(),
                    || state.done(),
                    || launch(state.clone(), config.clone()),
                    |done| {
                        mine = true;
                        state.publish(done)
                    },
                    text,
                )
            })
            .await
        };
        Ok(state.answer(&*done.map_err(refused)?, mine, &config))
    }
}

impl InitializationCore {
    /// Gives up an initialization that is a future, if it is one of those.
    pub(crate) fn abandon(&self, which: GiveUp<'_>) {
        self.resolve().creation.abandon(which);
    }
}

/// A task that waits for the initialization. The last one to go takes it along.
struct Joined {
    state: StateRef<'static, CoreState>,
    waiting: Waiting,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.waiting = Waiting::default();
        self.state.creation.abandon(GiveUp::Unawaited);
    }
}

fn launch(state: StateRef<'static, CoreState>, config: Arc<InitConfig>) -> Making<Done, Error> {
    Box::pin(async move {
        let begun = state.begin();
        let all = steps::in_order()?;
        let visible = Visible::to_steps(state.clone(), &config);
        for step in all {
            let ran = if step.is_async() {
                step.ask_any_async().await.map(drop)
            } else {
                steps::run(step, &state.clock).await
            };
            ran.map_err(|error| steps::failed(step, error))?;
        }
        drop(visible);
        Ok(state.end(begun, config))
    })
}

/// Initializes the process: [`InitializationCore::initialize`] on its core.
///
/// ```
/// let outcome = lifecycle::initialize(lifecycle::InitConfig::new().with("debug", true))?;
/// assert_eq!(outcome.config_keys, ["debug"]);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn initialize(config: InitConfig) -> Result<InitOutcome, Error> {
    initialization().initialize(config)
}

/// Initializes the process where steps are async: [`InitializationCore::initialize_async`] on its core.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub async fn initialize_async(config: InitConfig) -> Result<InitOutcome, Error> {
    initialization().initialize_async(config).await
}
