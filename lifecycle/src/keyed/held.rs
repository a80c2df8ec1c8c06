//! The keys of keyed singletons, as expansions name them.
//!
//! An expansion says the type of each argument once, in an `impl Holds` or `impl Refers` in the argument's own place. A type
//! that cannot be a part of a key is one error there: all the rest, which only asks for these traits, is silent about it.

use super::query::{Argument, ByRef, ByValue, Part, Referred};
use std::hash::{Hash, Hasher};

/// An argument that is owned.
pub trait Holds: 'static {
    /// Its type.
    type Value: Argument;
}

/// An argument behind a reference.
pub trait Refers: 'static {
    /// What it refers to.
    type Target: Referred + ?Sized;
}

/// An owned argument in a key.
pub struct Held<P: Holds>(P::Value);

impl<P: Holds> Held<P> {
    /// The argument.
    pub const fn get(&self) -> &P::Value {
        &self.0
    }

    /// The argument for a factory, which may keep it.
    #[must_use]
    pub fn pass(&self) -> P::Value {
        self.0.again()
    }
}

/// The owned form of a borrowed argument in a key.
pub struct Kept<P: Refers>(<P::Target as Referred>::Key);

impl<P: Refers> Kept<P> {
    /// The owned form.
    pub const fn get(&self) -> &<P::Target as Referred>::Key {
        &self.0
    }

    /// The argument for a factory.
    #[must_use]
    pub fn pass(&self) -> &P::Target {
        P::Target::of(&self.0)
    }
}

/// Looks up by an owned argument.
pub struct Holding<'a, P: Holds>(pub &'a P::Value);

impl<P: Holds> Holding<'_, P> {
    /// The argument for a factory, which may keep it.
    #[must_use]
    pub fn pass(&self) -> P::Value {
        self.0.again()
    }
}

/// Looks up by a borrowed argument.
pub struct Referring<'a, P: Refers>(pub &'a P::Target);

impl<P: Holds> std::fmt::Debug for Holding<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holding")
    }
}

impl<P: Refers> std::fmt::Debug for Referring<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Referring")
    }
}

impl<P: Holds> Part for Holding<'_, P> {
    type Key = Held<P>;
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        ByValue(self.0).hash_into(state);
    }
    #[inline]
    fn is(&self, key: &Held<P>) -> bool {
        ByValue(self.0).is(&key.0)
    }
    fn to_key(&self) -> Held<P> {
        Held(ByValue(self.0).to_key())
    }
}

impl<P: Refers> Part for Referring<'_, P> {
    type Key = Kept<P>;
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        ByRef(self.0).hash_into(state);
    }
    #[inline]
    fn is(&self, key: &Kept<P>) -> bool {
        ByRef(self.0).is(&key.0)
    }
    fn to_key(&self) -> Kept<P> {
        Kept(ByRef(self.0).to_key())
    }
}

// Not derived: that would ask `P` to be what its type must be.
macro_rules! as_what_it_keeps {
    ($($key:ident: $bound:ident),+) => {$(
        impl<P: $bound> Clone for $key<P> {
            fn clone(&self) -> Self {
                Self(self.0.again())
            }
        }

        impl<P: $bound> PartialEq for $key<P> {
            fn eq(&self, other: &Self) -> bool {
                self.0.is(&other.0)
            }
        }

        impl<P: $bound> Eq for $key<P> {}

        impl<P: $bound> Hash for $key<P> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash_into(state);
            }
        }

        impl<P: $bound> std::fmt::Debug for $key<P> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($key))
            }
        }
    )+};
}
as_what_it_keeps!(Held: Holds, Kept: Refers);
