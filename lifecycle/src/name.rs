//! A component's name, as everything that mentions the component carries it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A name: text that is cheap to clone, whether it was declared or made at run time. A refusal carries one, and never
/// allocates for it.
///
/// ```
/// use lifecycle::Name;
///
/// let declared = Name::from_static("users");
/// let made = Name::from(format!("fetch[{}]", "acme"));
/// assert_eq!(declared, "users");
/// assert!(made.starts_with("fetch"));
/// ```
#[derive(Clone)]
pub struct Name(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Name {
    /// A name that is in the program: see [`Name`] for an example.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(Text::Static(name))
    }

    /// The text. A `Name` derefs to it, too.
    ///
    /// ```
    /// assert_eq!(lifecycle::Name::from_static("users").as_str(), "users");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(name) => name,
            Text::Shared(name) => name,
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::from_static(name)
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(Text::Shared(name.into()))
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Self(Text::Shared(name))
    }
}

impl From<Cow<'static, str>> for Name {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::from_static(name),
            Cow::Owned(name) => name.into(),
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// `fetch` and `acme` of `fetch[acme]`.
pub(crate) fn key_of(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix(']')?.split_once('[')
}

/// What stands in the brackets for the component that keys without room share.
pub(crate) const SHARED: &str = "*";

/// A key as it stands in the brackets: as it is, but for `*`, which is `\*` (and that one `\\*`), so that none is taken for the
/// component that is shared.
pub(crate) fn in_brackets(key: &dyn fmt::Display) -> String {
    let text = key.to_string();
    if is_stars(&text) { format!("\\{text}") } else { text }
}

/// The key that stands so in the brackets; none, if it is the shared one.
pub(crate) fn out_of_brackets(text: &str) -> Option<&str> {
    match text {
        SHARED => None,
        stars if is_stars(stars) => stars.strip_prefix('\\'),
        key => Some(key),
    }
}

fn is_stars(text: &str) -> bool {
    text.trim_start_matches('\\') == SHARED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_taken_for_the_shared_one() {
        for key in ["*", "\\*", "\\\\*", "a", "", "**", "*\\", "\\"] {
            assert_ne!(in_brackets(&key), SHARED);
            assert_eq!(out_of_brackets(&in_brackets(&key)), Some(key));
        }
        assert_eq!(out_of_brackets(SHARED), None);
        assert_eq!(key_of("a[b[c]]"), Some(("a", "b[c]")));
        assert_eq!((key_of("a"), key_of("a]"), key_of("a[b"), key_of("")), (None, None, None, None));
    }
}
