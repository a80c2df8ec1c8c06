//! Which functions cannot be guarded, each reason on its token.

use super::Kind;
use crate::errors::Errors;
use crate::item::{Function, ItemKind};
use proc_macro2::TokenStream;
use syn::{ReturnType, Type};

/// What stands where no function does, and has its own answer.
pub(super) fn other_item(kind: Kind, item: &TokenStream) -> Option<syn::Error> {
    let name = kind.macro_name();
    let (item, keyword) = ItemKind::of(item);
    let message = match item {
        ItemKind::Impl => format!(
            "`#[{name}]` on an impl block, one for all its methods, arrives with a later version: put it on the methods"
        ),
        ItemKind::Static => {
            format!("`#[{name}]` on a static, one to share, arrives with a later version: put it on the functions")
        }
        _ => return None,
    };
    Some(syn::Error::new(keyword, message))
}

pub(super) fn check(kind: Kind, function: &Function, errors: &mut Errors) {
    let name = kind.macro_name();
    let sig = &function.sig;
    if let Some(token) = &sig.constness {
        errors.on(token, format!("`#[{name}]` keeps state, which a `const fn` cannot have: remove `const`"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(variadic, format!("`#[{name}]` cannot pass variadic arguments on"));
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        if matches!(**ty, Type::Never(_)) {
            errors.on(ty, format!("`#[{name}]` guards calls that come back, and this one never does"));
        }
    }
}
