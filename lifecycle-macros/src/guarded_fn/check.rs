//! Which functions cannot be guarded, each reason on its token.

use super::Kind;
use crate::errors::Errors;
use crate::item::Function;
use syn::{ReturnType, Type};

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
