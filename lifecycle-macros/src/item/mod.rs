//! The user's item, read no further than a macro needs: attributes, visibility, signature. Bodies stay tokens.

mod declared_static;
mod declared_type;
mod function;
mod impl_block;
mod kind;
mod self_word;

pub(crate) use declared_static::{DeclaredStatic, constructed};
pub(crate) use declared_type::DeclaredType;
pub(crate) use function::{Function, braced};
pub(crate) use impl_block::{ImplBlock, ImplItem};
pub(crate) use kind::ItemKind;
pub(crate) use self_word::{outer_self_in, says_self, self_in};

use syn::Attribute;

/// The `#[cfg(..)]`s of an item: every generated companion carries them too.
pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}
