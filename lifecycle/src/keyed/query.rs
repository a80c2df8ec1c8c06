//! Looking a key up by what the caller has of it: `&str` for a `String`, a tuple of references for a tuple of owned parts.
//!
//! `Borrow` cannot say this for tuples. Expansions of keyed singletons name what is here as `__private0::keyed`.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Finds keys of type `K`. Queries that are the same key hash alike, whatever their types: the map keeps the hash with which
/// a key came in.
#[diagnostic::on_unimplemented(
    message = "the arguments of this keyed singleton are no way to look up a key `{K}`",
    label = "cannot be looked up by `{Self}`",
    note = "a keyed singleton has one to eight arguments, each of them owned or behind a plain reference"
)]
pub trait Query<K> {
    /// Feeds the key to the hasher.
    fn hash_into<H: Hasher>(&self, state: &mut H);
    /// Is it this key?
    fn is(&self, key: &K) -> bool;
    /// The key to store.
    fn to_key(&self) -> K;
}

impl<K, Q: Query<K> + ?Sized> Query<K> for &Q {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        (**self).hash_into(state);
    }
    #[inline]
    fn is(&self, key: &K) -> bool {
        (**self).is(key)
    }
    fn to_key(&self) -> K {
        (**self).to_key()
    }
}

/// A key itself. It hashes as the parts that look it up do: owned and borrowed forms hash alike.
#[derive(Debug)]
pub(crate) struct Exactly<'a, K>(pub(crate) &'a K);

impl<K: Hash + Eq + Clone> Query<K> for Exactly<'_, K> {
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
    fn is(&self, key: &K) -> bool {
        self.0 == key
    }
    fn to_key(&self) -> K {
        self.0.clone()
    }
}

impl Query<String> for str {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        // Nothing follows the text, so it needs no end mark.
        state.write(self.as_bytes());
    }
    #[inline]
    fn is(&self, key: &String) -> bool {
        self == key
    }
    fn to_key(&self) -> String {
        self.to_owned()
    }
}

impl Query<String> for String {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        Query::<String>::hash_into(self.as_str(), state);
    }
    #[inline]
    fn is(&self, key: &String) -> bool {
        self == key
    }
    fn to_key(&self) -> String {
        self.clone()
    }
}

impl Query<Arc<str>> for str {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
    }
    #[inline]
    fn is(&self, key: &Arc<str>) -> bool {
        *self == **key
    }
    fn to_key(&self) -> Arc<str> {
        self.into()
    }
}

/// What an argument that is not a reference must be able to do; every type that is can.
#[diagnostic::on_unimplemented(
    message = "an argument of a keyed singleton must be `Hash + Eq + Clone + Send + Sync + 'static`, which `{Self}` is not",
    label = "`{Self}` cannot be a key",
    note = "arguments tell the instances apart and are kept as their keys: derive `Hash`, `PartialEq`, `Eq` and `Clone`, or take something that has them, such as an identifier"
)]
pub trait Argument: Sized + 'static {
    /// `Hash`, `Eq` and `Clone`, not as bounds: what lacks all three is one error, with the message above.
    fn hash_into<H: Hasher>(&self, state: &mut H);
    /// Is it this one?
    fn is(&self, other: &Self) -> bool;
    /// The same once more.
    fn again(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Hash + Eq + Clone + Send + Sync + 'static> Argument for T {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.hash(state);
    }
    #[inline]
    fn is(&self, other: &Self) -> bool {
        self == other
    }
    #[inline]
    fn again(&self) -> Self {
        self.clone()
    }
}

/// What an argument behind a reference must be able to do; its owned form ([`ToOwned`]) is kept.
#[diagnostic::on_unimplemented(
    message = "an argument `&{Self}` of a keyed singleton needs `{Self}: Hash + Eq + ToOwned` with an owned form that is `Hash + Eq + Clone + Send + Sync + 'static`",
    label = "`{Self}` cannot be a key",
    note = "arguments tell the instances apart and are kept, owned, as their keys: derive `Hash`, `PartialEq`, `Eq` and `Clone`, or take something that has them, such as `&str`"
)]
pub trait Referred {
    /// The owned form.
    type Key: Argument;
    /// Feeds it to the hasher.
    fn hash_into<H: Hasher>(&self, state: &mut H);
    /// Is it this one?
    fn is(&self, key: &Self::Key) -> bool;
    /// The owned form of this.
    fn to_key(&self) -> Self::Key;
    /// This form of an owned one.
    fn of(key: &Self::Key) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<X: Hash + Eq + ToOwned<Owned: Argument> + ?Sized> Referred for X {
    type Key = X::Owned;
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.hash(state);
    }
    #[inline]
    fn is(&self, key: &X::Owned) -> bool {
        self == key.borrow()
    }
    fn to_key(&self) -> X::Owned {
        self.to_owned()
    }
    fn of(key: &X::Owned) -> &Self {
        key.borrow()
    }
}

/// One argument of a keyed singleton, as a part of the key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a part of a keyed singleton's key",
    label = "not an argument a keyed singleton can have",
    note = "an argument is owned or behind a plain reference"
)]
pub trait Part {
    /// What the key holds of it.
    type Key;
    /// Feeds the part to the hasher.
    fn hash_into<H: Hasher>(&self, state: &mut H);
    /// Is it this part?
    fn is(&self, key: &Self::Key) -> bool;
    /// The part to store.
    fn to_key(&self) -> Self::Key;
}

/// An argument of type `&X`: the key holds its owned form.
#[derive(Debug)]
pub(crate) struct ByRef<'a, X: ?Sized>(pub(crate) &'a X);

/// An argument of any other type: the key holds a clone.
#[derive(Debug)]
pub(crate) struct ByValue<'a, T>(pub(crate) &'a T);

impl<X: Referred + ?Sized> Part for ByRef<'_, X> {
    type Key = X::Key;
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
    #[inline]
    fn is(&self, key: &X::Key) -> bool {
        self.0.is(key)
    }
    fn to_key(&self) -> X::Key {
        self.0.to_key()
    }
}

impl<T: Argument> Part for ByValue<'_, T> {
    type Key = T;
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
    #[inline]
    fn is(&self, key: &T) -> bool {
        self.0.is(key)
    }
    fn to_key(&self) -> T {
        self.0.again()
    }
}

macro_rules! tuples {
    ($($part:ident $at:tt),+) => {
        impl<$($part: Part),+> Query<($($part::Key,)+)> for ($($part,)+) {
            #[inline]
            fn hash_into<H: Hasher>(&self, state: &mut H) {
                $(self.$at.hash_into(state);)+
            }
            #[inline]
            fn is(&self, key: &($($part::Key,)+)) -> bool {
                $(self.$at.is(&key.$at))&&+
            }
            fn to_key(&self) -> ($($part::Key,)+) {
                ($(self.$at.to_key(),)+)
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, I 7);
