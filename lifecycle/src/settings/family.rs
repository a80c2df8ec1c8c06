//! What all keys of a family are reconfigured to, those to come too.

use super::layers::Layers;
use super::options::ComponentSettings;
use super::store::Home;
use crate::error::Error;
use crate::registry::Descriptor;
use crate::sync::Mutex;
use std::sync::{Arc, OnceLock};

/// One world's.
#[derive(Debug)]
pub(crate) struct OfAllKeys<S> {
    given: Mutex<Option<Arc<S>>>,
    /// The world of the family; where nobody said, that of its first use, as for [`Layers`].
    home: OnceLock<Home>,
}

impl<S: ComponentSettings> OfAllKeys<S> {
    pub(crate) const fn new() -> Self {
        Self { given: Mutex::new(None), home: OnceLock::new() }
    }

    /// Of a family that is built here, wherever it is used.
    pub(crate) fn here() -> Self {
        Self { home: OnceLock::from(Home::here()), ..Self::new() }
    }

    /// The layers of a key that begins with what was [given](Self::get).
    pub(crate) fn layers(&self, given: Option<Arc<S>>) -> Layers<S> {
        Layers::of_key(self.home.get_or_init(Home::here).clone(), given)
    }

    /// What a new key begins with.
    pub(crate) fn get(&self) -> Option<Arc<S>> {
        self.given.lock().clone()
    }

    /// Keeps `settings` for keys to come, if they go with what is said of the family, and hands them to the others.
    pub(crate) fn reconfigure(
        &self,
        descriptor: &Descriptor,
        base: &S::Config,
        settings: S,
        hand_out: impl Fn(Option<&Arc<S>>),
    ) -> Result<(), Error> {
        let mut layers = self.layers(None);
        layers.refresh(descriptor);
        layers.reconfigure(descriptor, base, settings)?;
        *self.given.lock() = layers.reconfigured();
        self.settle(hand_out);
        Ok(())
    }

    /// Another key is in, made with what there was `before`.
    pub(crate) fn joined(&self, before: Option<&Arc<S>>, take: impl Fn(Option<&Arc<S>>)) {
        if !is_same(self.get().as_ref(), before) {
            self.settle(take);
        }
    }

    /// Until what was handed out is what there is: of two changes the later one stays.
    fn settle(&self, hand_out: impl Fn(Option<&Arc<S>>)) {
        loop {
            let given = self.get();
            hand_out(given.as_ref());
            if is_same(self.get().as_ref(), given.as_ref()) {
                return;
            }
        }
    }
}

fn is_same<S>(one: Option<&Arc<S>>, other: Option<&Arc<S>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
