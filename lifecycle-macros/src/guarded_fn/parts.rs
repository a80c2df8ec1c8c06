//! The guards of one item, as they were written and as they are meant.

use super::check_options;
use super::guard::{Guard, Member};
use crate::errors::Errors;
use crate::runtime::Runtime;
use crate::{circuit_breaker, rate_limit};
use proc_macro2::{Span, TokenStream};

/// The guards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Breaker,
    Limiter,
}

impl Kind {
    pub(super) fn macro_name(self) -> &'static str {
        match self {
            Self::Breaker => circuit_breaker::GRAMMAR.name,
            Self::Limiter => rate_limit::GRAMMAR.name,
        }
    }

    /// What it is, and what the runtime's functions for it are named after.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Limiter => "limiter",
        }
    }

    pub(super) fn wants(self) -> &'static str {
        match self {
            Self::Breaker => "guards functions, methods and impl blocks, or declares a static",
            Self::Limiter => "limits functions, methods and impl blocks, or declares a static",
        }
    }

    /// How one is declared elsewhere.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Breaker => "#[circuit_breaker(threshold = 3)] static HA: CircuitBreaker;",
            Self::Limiter => "#[rate_limit(\"100/s\")] static API: RateLimiter;",
        }
    }

    /// The static of [`example`](Self::example).
    pub(super) fn user(self) -> &'static str {
        match self {
            Self::Breaker => "HA",
            Self::Limiter => "API",
        }
    }
}

/// One guard as it was written: which, for whom, where, with which options.
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) span: Span,
    pub(super) args: TokenStream,
}

/// Where a function's guard comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The attribute stands on the item.
    Own,
    /// From the impl block.
    OfImpl,
    /// From the impl block, if the method says `include`.
    Offered,
    /// There is a mistake in that of the impl block, which has been reported: it guards nothing.
    Mistaken,
}

/// The guards of one item, at most one of each kind.
#[derive(Default)]
pub(super) struct Guards {
    pub(super) breaker: Option<Guard>,
    pub(super) limiter: Option<Guard>,
}

impl Part {
    pub(super) fn read(&self, errors: &mut Errors) -> Guard {
        match self.kind {
            Kind::Breaker => circuit_breaker::read(self.args.clone(), self.span, errors),
            Kind::Limiter => rate_limit::read(self.args.clone(), self.span, errors),
        }
    }
}

impl Guards {
    /// Input: all parts, in the order in which their attributes were expanded. `what` they stand on.
    pub(super) fn of(parts: &[Part], what: &str, errors: &mut Errors) -> Self {
        Self { breaker: meant(Kind::Breaker, parts, what, errors), limiter: meant(Kind::Limiter, parts, what, errors) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Guard> {
        self.breaker.iter().chain(&self.limiter)
    }

    /// Where the runtime is: one `crate = path` is enough for both.
    pub(super) fn runtime(&self) -> Runtime {
        let mut runtimes = self.all().map(|guard| &guard.runtime);
        runtimes.find(|runtime| runtime.given().is_some()).cloned().unwrap_or_default()
    }
}

/// A method's own guard goes before that of its impl block, unless it speaks of that one.
fn meant(kind: Kind, parts: &[Part], what: &str, errors: &mut Errors) -> Option<Guard> {
    let of_impl = parts.iter().find(|part| part.kind == kind && part.role != Role::Own);
    let mut own = parts.iter().filter(|part| part.kind == kind && part.role == Role::Own);
    let Some(first) = own.next() else {
        return of_impl.filter(|part| part.role == Role::OfImpl).map(|part| part.read(errors));
    };
    for second in own {
        let name = kind.macro_name();
        let or = if what == "function" { ", or put the second on a function that this one calls" } else { "" };
        errors
            .at(second.span, format!("`#[{name}]` stands on this {what} already: write all its options into one{or}"));
    }
    let own = first.read(errors);
    match (&own.member, of_impl) {
        (None, _) => Some(own),
        (Some(member), None) => {
            check_options::without_impl(kind, member, errors);
            None
        }
        (Some(Member::Skip(_)), Some(_)) | (_, Some(Part { role: Role::Mistaken, .. })) => None,
        (Some(Member::Include(_)), Some(part)) => {
            let of_impl = part.read(errors);
            Some(Guard { per_call: own.per_call.or(of_impl.per_call), ..of_impl })
        }
    }
}
