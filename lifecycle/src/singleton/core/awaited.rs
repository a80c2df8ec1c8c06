//! The operations that await async factories.

use super::{Found, SingletonCore, fits, given, keep, not_found, plan, stored, typed};
use crate::error::{BoxError, Error, chain};
use crate::instance::Instance;
use crate::singleton::creation::Waiting;
use crate::singleton::names::Held;
use std::future::Future;

impl SingletonCore {
    /// [`get`](Self::get), where a declared singleton may have an async factory.
    ///
    /// ```
    /// #[lifecycle::singleton]
    /// async fn prices() -> Vec<u32> {
    ///     vec![1, 2, 3]
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let singletons = lifecycle::singletons();
    /// assert!(singletons.get::<Vec<u32>>("prices")?.is_none()); // its factory has to be awaited
    /// assert_eq!(singletons.get_async::<Vec<u32>>("prices").await?.unwrap().len(), 3);
    /// # Ok::<(), lifecycle::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn get_async<T: Send + Sync + 'static>(&self, name: &str) -> Result<Option<Instance<T>>, Error> {
        let declared = {
            let state = self.begin(name)?;
            if let Some(found) = stored(&state, name) {
                return found.map(Some);
            }
            self.declared_named(name)?
        };
        if let Some((declared, _)) = declared {
            fits::<T>(declared)?;
        }
        match declared {
            Some((declared, "")) => Ok(Some(typed(declared, declared.ask_any_async().await?)?)),
            Some((declared, key)) => declared.ask_any(key)?.map(|found| typed(declared, found)).transpose(),
            None => Ok(None),
        }
    }

    /// [`get_or_create`](Self::get_or_create) with an async factory. Its future is driven by whoever waits for it, so a
    /// caller that goes away stops nothing; it is called again only after a failure.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let lookup = lifecycle::singletons().get_or_create_async("lookup", || async { vec![1, 2, 3] }).await?;
    /// assert_eq!(lookup.len(), 3);
    /// # Ok::<(), lifecycle::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn get_or_create_async<T, F, Fut>(&self, name: &str, factory: F) -> Result<Instance<T>, Error>
    where
        T: Send + Sync + 'static,
        F: Fn() -> Fut,
        Fut: Future<Output = T> + Send + 'static,
    {
        let factory = || {
            let made = factory();
            async move { Ok::<_, BoxError>(made.await) }
        };
        self.get_or_try_create_async(name, factory).await
    }

    /// [`get_or_try_create`](Self::get_or_try_create) with an async factory; see
    /// [`get_or_create_async`](Self::get_or_create_async).
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let connect = || async { "8080".parse::<u16>() };
    /// let port = lifecycle::singletons().get_or_try_create_async("port", connect).await?;
    /// assert_eq!(*port, 8080);
    /// # Ok::<(), lifecycle::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn get_or_try_create_async<T, E, F, Fut>(&self, name: &str, factory: F) -> Result<Instance<T>, Error>
    where
        T: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (state, found) = {
            let state = self.begin(name)?;
            let found = self.entry_for(&state, name)?;
            (state, found)
        };
        let entry = match found {
            Found::Here(found) => return found,
            Found::Declared(declared, "") => return typed(declared, declared.ask_any_async().await?),
            Found::Declared(declared, key) => {
                return match declared.ask_any(key)? {
                    Some(found) => typed(declared, found),
                    None => Err(not_found(name)),
                };
            }
            Found::Vacant(entry) => entry,
        };
        let mut waiting = Waiting::default();
        let made = std::future::poll_fn(|cx| {
            entry.creation.poll_once(
                &mut waiting,
                cx,
                &plan::<T>(&state, &entry),
                || state.held(name),
                || {
                    let made = factory();
                    Box::pin(async move { made.await.map(Held::new).map_err(Into::<BoxError>::into) })
                },
                |held| keep(&state, &entry, held),
                |error: &BoxError| chain(&**error),
            )
        });
        let made = made.await;
        given(&entry, made)
    }
}
