//! Which functions cannot be guarded, each reason on its token.

use super::parts::{Guards, Part, Role};
use super::reach;
use super::refusal::calls_fallback;
use crate::errors::Errors;
use crate::item::Function;
use syn::{ReturnType, Type};

pub(super) fn check(part: &Part, function: &Function, errors: &mut Errors) {
    let name = part.kind.macro_name();
    let sig = &function.sig;
    let (guards, or_skip) = match part.role {
        Role::Own => (format!("`#[{name}]`"), String::new()),
        _ => (format!("`#[{name}]` of the impl block"), format!(", or leave it out with `#[{name}(skip)]`")),
    };
    if let Some(token) = &sig.constness {
        errors.on(token, format!("{guards} keeps state, which a `const fn` cannot have: remove `const`{or_skip}"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(variadic, format!("{guards} cannot pass variadic arguments on"));
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        if matches!(**ty, Type::Never(_)) {
            errors.on(ty, format!("{guards} guards calls that come back, and this one never does"));
        }
    }
}

/// What chooses the guard sees the arguments, which with a fallback have other names where they were patterns.
pub(super) fn check_fallback(guards: &Guards, function: &Function, errors: &mut Errors) {
    if calls_fallback(guards) {
        guards.all().for_each(|guard| reach::check_patterns(guard, &function.sig, errors));
    }
}
