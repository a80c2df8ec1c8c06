//! The enums of operations: one table declares names, strings and arguments.

use crate::error::Error;

/// What an operation takes.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) op: &'static str,
    pub(crate) required: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
    /// Takes arguments of any other name as well.
    pub(crate) any_other: bool,
}

pub(crate) fn unknown_operation(op: &str, known: impl Iterator<Item = &'static str>) -> Error {
    Error::UnknownOperation { op: op.to_owned(), known: known.collect() }
}

/// Declares a core's operations from a table; each has its wire name and the names of its arguments:
///
/// ```text
/// operations! {
///     /// Doc of the enum.
///     pub enum CacheOperation {
///         /// Doc of the operation.
///         Get = "get" { required: ["name"], optional: [] },
///         /// Takes arguments of other names as well.
///         Fill = "fill" { required: [], optional: ["from"], any_other },
///     }
/// }
/// ```
///
/// `correlation_id` is an argument of each and is not listed.
macro_rules! operations {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {$(
            $(#[$variant_meta:meta])*
            $variant:ident = $wire:literal {
                required: [$($required:literal),*], optional: [$($optional:literal),*] $(, $any_other:ident)?
            }
        ),+ $(,)?}
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        $vis enum $name {$(
            $(#[$variant_meta])*
            #[serde(rename = $wire)]
            $variant,
        )+}

        impl $name {
            /// All operations.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[doc = concat!("The operation's name on the wire: see [`", stringify!($name), "`] for an example.")]
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self {$( Self::$variant => $wire, )+}
            }

            pub(crate) const fn signature(self) -> &'static $crate::wire::Signature {
                match self {$(
                    Self::$variant => &$crate::wire::Signature {
                        op: $wire,
                        required: &[$($required),*],
                        optional: &[$($optional),*],
                        any_other: $crate::wire::operations!(@any_other $($any_other)?),
                    },
                )+}
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        /// Exact and case-sensitive; anything else is [`Error::UnknownOperation`](crate::Error::UnknownOperation).
        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(name: &str) -> Result<Self, $crate::Error> {
                let found = Self::ALL.iter().find(|operation| operation.as_str() == name).copied();
                found.ok_or_else(|| $crate::wire::unknown_operation(name, Self::ALL.iter().map(|known| known.as_str())))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::Error;

            fn try_from(name: &str) -> Result<Self, $crate::Error> {
                name.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::Error;

            fn try_from(name: String) -> Result<Self, $crate::Error> {
                name.parse()
            }
        }
    };
    (@any_other) => { false };
    (@any_other any_other) => { true };
}
pub(crate) use operations;
