//! A limiter's numbers: as they are written, and what settings make of them.

use super::handle::{LimiterState, RateLimiter};
use super::keyed::{KeyedRateLimiter, LimiterKey};
use crate::clock::nanos;
use crate::error::Error;
use crate::registry::{Component, Descriptor, SettingSnapshot, register};
use crate::settings::{Configurable, LimiterConfig, Problem, Proposed, RateLimiterSettings};
use crate::telemetry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl RateLimiter {
    /// Puts the numbers in force, for the first time or anew: `by` says what changed. What was given goes on counting.
    #[cold]
    pub(super) fn configure(&self, state: &LimiterState, by: &'static str) {
        let base = LimiterConfig::of(self.written);
        let before = state.configured.load(Ordering::Acquire).then(|| state.cell.limit());
        let mut applied = None;
        // The lock is not held while numbers change, since that looks at the clock, which may be the user's. So whoever changed them
        // looks again what is wanted: of two changes the later one stays.
        let (home, wanted) = loop {
            let (home, wanted) = {
                let mut layers = state.layers.lock();
                layers.refresh(&self.descriptor);
                (layers.home(), layers.effective(&self.descriptor, &base))
            };
            if applied == Some(wanted) || state.cell.goes_by(wanted.limit, wanted.window) {
                break (home, wanted);
            }
            state.cell.reconfigure(wanted.limit, wanted.window, &state.clock);
            applied = Some(wanted);
        };
        state.configured.store(true, Ordering::Release);
        if let (None, Some(me)) = (before, self.me) {
            register(Component::Limiter(me()));
        }
        home.tell();
        let after = (wanted.limit, wanted.window);
        if let Some(before) = before.filter(|before| applied.is_some() && *before != after) {
            let words = |(limit, window): (u32, Duration)| format!("{limit}/{window:?}");
            let kind = self.descriptor.kind().as_str();
            telemetry::settings_changed(kind, self.name(), by, &words(before), &words(after));
        }
    }

    /// Another limit and window, from the next decision on; in a test world, for that world. It is
    /// [`reconfigure`](Self::reconfigure) with both numbers, so it counts more than what files and the environment say.
    ///
    /// What was given still counts: a permit is given only if the new window, counted back from it, holds no more than the new
    /// limit, together with it and with those given before. So a lowered limit may refuse for a while, and a raised one has room
    /// at once. Where the new window reaches further back than the old one remembers, it is taken to have been as full as it
    /// can have been. While somebody [waits](Self::acquire_within), a permit that a raised limit gives at once counts as long as the last
    /// of those does, as after a [`reset`](Self::reset). Decisions of other threads wait while this copies what is remembered to a larger
    /// place.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let limiter = RateLimiter::new(1, hour)?;
    /// limiter.try_acquire()?;
    /// assert!(limiter.try_acquire().is_err());
    /// limiter.set_limit(2, hour)?;
    /// limiter.try_acquire()?; // the first one counts too
    /// assert!(limiter.try_acquire().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for what [`new`](Self::new) refuses, and for a change from a limit of up to 1,048,576 to one above
    /// or back, which are counted in different ways. Nothing has changed then.
    pub fn set_limit(&self, limit: u32, window: Duration) -> Result<(), Error> {
        self.reconfigure(RateLimiterSettings::new().limit(limit).window(window))
    }

    /// Changes numbers while it runs; what is not given is as the layers below say. It replaces what an earlier `reconfigure` or
    /// [`set_limit`](Self::set_limit) gave, so [`RateLimiterSettings::new`] takes all of that back. It counts more than the
    /// environment, `configure` and the attribute ([`guide::settings`](crate::guide::settings)).
    ///
    /// ```
    /// use lifecycle::settings::RateLimiterSettings;
    ///
    /// let limiter = lifecycle::RateLimiter::per_second(100)?;
    /// limiter.reconfigure(RateLimiterSettings::new().limit(5))?; // the window stays
    /// assert_eq!(limiter.usage().limit, 5);
    /// limiter.reconfigure(RateLimiterSettings::new())?;
    /// assert_eq!(limiter.usage().limit, 100);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`set_limit`](Self::set_limit).
    pub fn reconfigure(&self, settings: RateLimiterSettings) -> Result<(), Error> {
        let state = self.state();
        state.layers.lock().reconfigure(&self.descriptor, &LimiterConfig::of(self.written), settings)?;
        self.configure(&state, "reconfigure");
        Ok(())
    }

    /// Reconfigures it to what its family is.
    pub(super) fn take_settings(&self, given: Option<&Arc<RateLimiterSettings>>) {
        let state = self.state();
        state.layers.lock().take(given.cloned());
        self.configure(&state, "reconfigure");
    }

    /// The numbers it goes by, and where each comes from.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use lifecycle::settings::Source;
    ///
    /// let limiter = RateLimiter::per_second(100)?;
    /// let limit = &limiter.settings()[0];
    /// assert_eq!((limit.option.as_str(), &limit.value, limit.source), ("limit", &100.into(), Source::Attribute));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn settings(&self) -> Vec<SettingSnapshot> {
        self.state().layers.lock().listed(&LimiterConfig::of(self.written))
    }
}

impl<K: LimiterKey> KeyedRateLimiter<K> {
    /// The numbers its limiters begin with.
    fn config(&self) -> LimiterConfig {
        LimiterConfig::of(self.written)
    }

    /// What is said of it may have changed.
    pub(super) fn look_at_window(&self) {
        let family = self.resolve();
        let mut layers = family.settings.layers(family.settings.get());
        layers.refresh(&self.descriptor);
        let window = nanos(layers.holds(&self.config()).window);
        family.window.store(window.max(1), Ordering::Relaxed);
    }

    /// Another limit and window, for the keys there are and for new ones: see [`RateLimiter::set_limit`].
    ///
    /// To change it for one key, change its own limiter afterwards, for this overrides what one key was given; a key with numbers
    /// of its own is not given up.
    /// A longer window reaches back no further than a key has had its limiter.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let clients = KeyedRateLimiter::new("client", 10, hour)?;
    /// clients.set_limit(1, hour)?;
    /// clients.at("acme").set_limit(2, hour)?; // who pays for more
    /// clients.at("acme").try_acquire_n(2)?;
    /// clients.try_acquire("initech")?;
    /// assert!(clients.try_acquire("initech").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`RateLimiter::set_limit`]; nothing has changed then.
    pub fn set_limit(&self, limit: u32, window: Duration) -> Result<(), Error> {
        self.reconfigure(RateLimiterSettings::new().limit(limit).window(window))
    }

    /// Changes numbers of all keys, those to come too; see [`RateLimiter::reconfigure`]. It replaces what an earlier `reconfigure` or
    /// [`set_limit`](Self::set_limit) gave, to all or to one of them.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use lifecycle::settings::RateLimiterSettings;
    /// use std::time::Duration;
    ///
    /// let clients = KeyedRateLimiter::new("client", 10, Duration::from_secs(1))?;
    /// clients.at("acme");
    /// clients.reconfigure(RateLimiterSettings::new().limit(20))?;
    /// assert_eq!((clients.at("acme").usage().limit, clients.at("new").usage().limit), (20, 20));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`RateLimiter::set_limit`]; nothing has changed then.
    pub fn reconfigure(&self, settings: RateLimiterSettings) -> Result<(), Error> {
        let family = self.resolve();
        family.settings.reconfigure(&self.descriptor, &self.config(), settings, |given| {
            family.all().iter().for_each(|limiter| limiter.take_settings(given));
        })?;
        self.look_at_window();
        Ok(())
    }
}

impl Configurable for RateLimiter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn accepts(&self, settings: &Proposed<'_>) -> Result<(), Error> {
        let said = settings.of(&self.descriptor);
        self.state().layers.lock().accepts(&self.descriptor, &LimiterConfig::of(self.written), said)
    }

    fn settings_problems(&self) -> Vec<Problem> {
        let layers = self.unused().layers.lock().clone();
        layers.problems(&self.descriptor, &LimiterConfig::of(self.written))
    }

    fn settings_changed(&self) {
        self.configure(&self.state(), "configure");
    }
}

/// The family as such, for keys to come; each limiter it has is told by itself.
impl Configurable for KeyedRateLimiter {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor()
    }

    fn accepts(&self, settings: &Proposed<'_>) -> Result<(), Error> {
        let mut layers = self.resolve().settings.layers(None);
        layers.refresh(self.descriptor());
        layers.accepts(self.descriptor(), &self.config(), settings.of(self.descriptor()))
    }

    fn settings_problems(&self) -> Vec<Problem> {
        let family = self.resolve();
        family.settings.layers(family.settings.get()).problems(self.descriptor(), &self.config())
    }

    fn settings_changed(&self) {
        self.look_at_window();
    }
}
