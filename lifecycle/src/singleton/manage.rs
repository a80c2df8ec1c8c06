//! The by-name face of singletons, beside getting and creating: storing, taking away, numbers and the limit.

use super::any::AnySingleton;
use super::core::{SingletonCore, not_found, unless_async};
use super::creation::{GiveUp, Record, next_order};
use super::drop_apart;
use super::face::{Seen, short_type_name};
use super::names::{CoreState, Entry, Held};
use super::stats::SingletonStats;
use crate::clock::unix_seconds;
use crate::error::Error;
use crate::instance::AnyInstance;
use crate::registry::SingletonSnapshot;
use crate::telemetry;
use serde_json::Value;
use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

impl SingletonCore {
    /// Stores `value` under that name; counts start again. Gives the instance it replaces, which whoever holds it keeps; a
    /// declared singleton's is retired.
    ///
    /// While a factory runs under that name, `value` wins: the factory's own value is dropped, and those who wait get this one.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// assert!(singletons.set("region", "eu-west-1".to_owned())?.is_none());
    /// let old = singletons.set("region", "us-east-1".to_owned())?.unwrap();
    /// assert_eq!(*old.downcast::<String>().unwrap(), "eu-west-1");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Full`]; for a declared singleton [`Error::TypeMismatch`].
    pub fn set<T: Send + Sync + 'static>(&self, name: &str, value: T) -> Result<Option<AnyInstance>, Error> {
        let state = self.begin(name)?;
        let known = state.names.read(name, |named| named.entry.clone());
        let entry = match known {
            Some(entry) => entry,
            None => match self.declared_named(name)? {
                Some((declared, "")) => return declared.replace_any(Box::new(value), type_name::<T>()),
                Some(_) => return Err(not_found(name)),
                None => state.entry(name)?,
            },
        };
        let held = Held::new(value);
        // Clocks are somebody else's code: asked before the lock is taken.
        let now = state.clock.wall();
        let old = entry.creation.exclusively(
            |record| {
                let order = record.order.filter(|_| record.created_at.is_some()).unwrap_or_else(next_order);
                *record = Record { created_at: Some(now), order: Some(order), ..Record::default() };
                entry.accesses.reset();
                state.put(&entry, Some(held))
            },
            true,
        );
        Ok(old.map(Held::into_any))
    }

    /// Is there an instance of that name? Never refused, never counted.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// assert!(!singletons.has("region"));
    /// singletons.set("region", 1)?;
    /// assert!(singletons.has("region"));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let here = self.resolve().names.read(name, |named| named.held.is_some());
        here == Some(true)
            || matches!(self.declared_named(name), Ok(Some((declared, key))) if declared.existing_any(key).is_some())
    }

    /// Takes the instance of that name away; false when there is none. A declared one is retired: its memory stays.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// singletons.set("region", 1)?;
    /// assert!(singletons.delete("region")? && !singletons.delete("region")?);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Ambiguous`].
    pub fn delete(&self, name: &str) -> Result<bool, Error> {
        let state = self.begin(name)?;
        let entry = state.names.read(name, |named| named.held.is_some().then(|| named.entry.clone())).flatten();
        if let Some(held) = entry.and_then(|entry| take(&state, &entry)) {
            state.names.idle_again();
            drop_apart(held);
            telemetry::singleton_reset(name, "delete");
            return Ok(true);
        }
        Ok(match self.declared_named(name)? {
            Some((declared, "")) => declared.delete_any() > 0,
            Some((declared, key)) => declared.delete_key(key),
            None => false,
        })
    }

    /// Takes every instance away, the newest first; gives their number. Values made here are dropped (one whose destructor
    /// panics does not stop the rest), declared ones are retired: their memory stays.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// singletons.set("region", 1)?;
    /// singletons.set("zone", 2)?;
    /// assert_eq!(singletons.clear()?, 2);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn clear(&self) -> Result<usize, Error> {
        enum One {
            Named(Arc<Entry>),
            Declared(&'static dyn AnySingleton),
        }
        let state = self.resolve();
        state.gate.charge()?;
        let mut all: Vec<(Option<u64>, One)> = Vec::new();
        for named in state.holding() {
            all.push((named.entry.creation.order(), One::Named(named.entry)));
        }
        for declared in self.all_declared() {
            all.push((declared.order(), One::Declared(declared)));
        }
        // Those that depend on others were stored after them.
        all.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        let removed = all.into_iter().map(|(_, one)| match one {
            One::Named(entry) => take(&state, &entry).map_or(0, |held| {
                drop_apart(held);
                telemetry::singleton_reset(entry.descriptor.name(), "clear");
                1
            }),
            One::Declared(declared) => declared.delete_any(),
        });
        let removed = removed.sum();
        state.names.idle_again();
        Ok(removed)
    }

    /// Older name of [`clear`](Self::clear).
    ///
    /// ```
    /// #[allow(deprecated)]
    /// let removed = lifecycle::singletons().reset_all()?;
    /// assert_eq!(removed, 0);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    #[deprecated(note = "use `clear`")]
    pub fn reset_all(&self) -> Result<usize, Error> {
        self.clear()
    }

    /// Older name of [`has`](Self::has).
    ///
    /// ```
    /// #[allow(deprecated)]
    /// let there = lifecycle::singletons().exists("region");
    /// assert!(!there);
    /// ```
    #[must_use]
    #[deprecated(note = "use `has`")]
    pub fn exists(&self, name: &str) -> bool {
        self.has(name)
    }

    /// The core's numbers: the instances that exist. Never refused, changes no count.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// singletons.set("region", 1_u64)?;
    /// let stats = singletons.get_stats();
    /// assert_eq!((stats.singleton_names, stats.estimated_memory_bytes), (vec!["region".to_owned()], 8));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn get_stats(&self) -> SingletonStats {
        let state = self.resolve();
        let seen: Vec<_> = self.observe_all().into_iter().filter(|one| one.created).collect();
        SingletonStats::of(&seen, state.gate.rejected(), unix_seconds(state.clock.wall()))
    }

    /// What is declared, created or not.
    ///
    /// ```
    /// #[lifecycle::singleton]
    /// fn ledger() -> Vec<u64> {
    ///     Vec::new()
    /// }
    ///
    /// let declared = lifecycle::singletons().declared();
    /// let ledger = declared.iter().find(|one| one.name == "ledger").unwrap();
    /// assert!(!ledger.created && ledger.type_name == "Vec<u64>");
    /// ```
    #[must_use]
    pub fn declared(&self) -> Vec<SingletonSnapshot> {
        self.all_declared().into_iter().flat_map(AnySingleton::observe).collect()
    }

    fn observe_all(&self) -> Vec<SingletonSnapshot> {
        let mut all = self.declared();
        self.observe_dynamic(&mut all);
        all.sort_by_key(|one| one.order);
        all
    }

    /// What [`snapshot`](crate::snapshot) lists beside the declared ones.
    pub(crate) fn observe_dynamic(&self, all: &mut Vec<SingletonSnapshot>) {
        let holding = self.resolve().holding();
        all.reserve(holding.len());
        for named in holding {
            let Some(held) = &named.held else { continue };
            let (accesses, record) = (named.entry.accesses.read(0), named.entry.creation.record());
            let seen = Seen { created: true, accesses, record, ..Seen::default() };
            all.push(seen.snapshot(&named.entry.descriptor, held.type_name, held.size));
            // It may have been taken away meanwhile, and then this is its last owner.
            drop_apart(named);
        }
    }

    /// Gives up futures of factories.
    pub(crate) fn abandon(&self, which: GiveUp<'_>) {
        for (_, named) in self.resolve().names.entries() {
            named.entry.creation.abandon(which);
        }
    }

    /// The instances made here and what their factories reached for, as addresses of descriptors.
    pub(crate) fn needs(&self) -> Vec<(usize, Vec<usize>)> {
        let holding = self.resolve().holding().into_iter();
        holding.map(|named| (named.entry.descriptor.subject().key, named.entry.creation.record().needs())).collect()
    }

    /// Empties the limit's window and forgets its refusals; instances stay.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// singletons.set("region", 1)?;
    /// singletons.reset()?;
    /// assert!(singletons.has("region"));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`]; [`reset_unlimited`](Self::reset_unlimited) is never refused.
    pub fn reset(&self) -> Result<(), Error> {
        self.charge()?;
        self.reset_unlimited();
        Ok(())
    }

    /// [`reset`](Self::reset), by the name that says what it does.
    ///
    /// ```
    /// lifecycle::singletons().reset_limiter()?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn reset_limiter(&self) -> Result<(), Error> {
        self.reset()
    }

    /// [`reset`](Self::reset) for the operator: never refused.
    ///
    /// ```
    /// use lifecycle::{Error, singletons};
    /// use std::time::Duration;
    ///
    /// singletons().set_rate_limit(Some((1, Duration::from_secs(60))))?;
    /// singletons().set("region", 1)?;
    /// assert!(matches!(singletons().reset(), Err(Error::RateLimited { .. })));
    /// singletons().reset_unlimited();
    /// assert!(singletons().delete("region")?);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn reset_unlimited(&self) {
        self.resolve().gate.reset();
        telemetry::core_reset("singleton");
    }

    /// Changes the limit on operations: at most `limit` in any `window`; `None` removes it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let singletons = lifecycle::singletons();
    /// singletons.set_rate_limit(Some((2, Duration::from_secs(3600))))?;
    /// assert!(singletons.set("one", 1).is_ok() && singletons.set("two", 2).is_ok());
    /// assert!(singletons.set("three", 3).is_err());
    /// singletons.set_rate_limit(None)?;
    /// singletons.set("three", 3)?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn set_rate_limit(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        self.resolve().gate.set_rate_limit(limit)
    }

    /// The clock may read anything now: the limit's window is empty.
    pub(crate) fn restored(&self) {
        self.resolve().gate.restored();
    }

    /// `get` for the wire: JSON values as they are, others described.
    pub(super) fn get_value(&self, name: &str) -> Result<Value, Error> {
        let state = self.begin(name)?;
        let describe = |type_name| serde_json::json!({ "name": name, "type": short_type_name(type_name) });
        let here = state.names.read(name, |named| {
            let held = named.held.as_ref()?;
            named.entry.accesses.hit::<0>();
            Some(held.value.downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(held.type_name)))
        });
        if let Some(value) = here.flatten() {
            return Ok(value);
        }
        let Some((declared, key)) = self.declared_named(name)? else {
            return Ok(Value::Null);
        };
        Ok(match declared.ask_any(key).or_else(unless_async)? {
            Some(instance) => {
                (*instance).downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(declared.type_name()))
            }
            None => Value::Null,
        })
    }
}

/// Takes an entry's value out; to be dropped by the caller.
fn take(state: &CoreState, entry: &Arc<Entry>) -> Option<Held> {
    entry.creation.exclusively(
        |record| {
            *record = Record::default();
            entry.accesses.reset();
            state.put(entry, None)
        },
        false,
    )
}
