//! Texts: shared, behind one atomic pointer.

use super::value::{FlagValue, Published, sealed};
use arc_swap::ArcSwapOption;
use serde_json::Value;
use std::sync::Arc;

/// The longest text that is taken from the environment.
const MAX_BYTES: usize = 64 * 1024;

/// A text as readers see it. The pointer must be a thin one, hence two.
#[derive(Debug)]
#[doc(hidden)]
pub struct Text(ArcSwapOption<Arc<str>>);

impl Published<Arc<str>> for Text {
    #[allow(clippy::declare_interior_mutable_const, reason = "each use makes one of its own")]
    const HIDDEN: Self = Self(ArcSwapOption::const_empty());

    fn show(&self, held: &Arc<str>) {
        self.0.store(Some(Arc::new(held.clone())));
    }

    fn hide(&self) {
        self.0.store(None);
    }
}

impl sealed::Sealed for String {}

impl FlagValue for String {
    type Given = Arc<str>;
    type Init = &'static str;
    type Held = Arc<str>;
    type Published = Text;
    const __NAME: &'static str = "String";

    #[inline]
    fn __read(published: &Text) -> Option<Arc<str>> {
        published.0.load().as_deref().cloned()
    }

    fn __initial(init: &&'static str) -> Arc<str> {
        Arc::from(*init)
    }

    fn __hold(self) -> Arc<str> {
        self.into()
    }

    fn __give(held: &Arc<str>) -> Arc<str> {
        held.clone()
    }

    fn __parse(text: &str) -> Option<Arc<str>> {
        (text.len() <= MAX_BYTES).then(|| text.into())
    }

    fn __to_json(held: &Arc<str>) -> Value {
        Value::String((**held).to_owned())
    }

    fn __given_to_json(given: &Arc<str>) -> Value {
        Self::__to_json(given)
    }

    fn __from_json(value: &Value) -> Option<Arc<str>> {
        value.as_str().map(Arc::from)
    }
}
