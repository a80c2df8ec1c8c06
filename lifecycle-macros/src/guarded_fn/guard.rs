//! One guard as its attribute describes it, whichever its kind.

use super::{Kind, WayOut, check_options};
use crate::errors::Errors;
use crate::options::{Count, OnLimit, Options};
use crate::runtime::{Runtime, generated};
use crate::{circuit_breaker, rate_limit};
use proc_macro2::{Ident, Span, TokenStream};
use syn::Expr;

/// What an attribute says.
pub(crate) struct Guard {
    pub(super) kind: Kind,
    /// Where the attribute stands.
    pub(super) at: Span,
    pub(super) runtime: Runtime,
    pub(super) name: Option<String>,
    pub(super) source: Source,
    pub(super) numbers: Numbers,
    pub(super) per_call: PerCall,
    /// `skip` or `include`: it is about the guard of the impl block.
    pub(super) member: Option<Member>,
    /// `execute("call")` may call the function.
    pub(super) dispatch: Option<Ident>,
    /// The options' own tokens, for mistakes that depend on the item.
    pub(super) idents: Vec<Ident>,
}

/// Where the breaker or limiter is.
pub(super) enum Source {
    /// One that the attribute declares.
    Own,
    /// One for each key.
    Keyed { key: Expr, max_keys: Option<Count> },
    /// Declared elsewhere: any expression that gives a reference.
    Given(Expr),
}

/// What a component goes by.
pub(crate) enum Numbers {
    Breaker(Box<circuit_breaker::Numbers>),
    Limiter(Box<rate_limit::Numbers>),
}

impl Numbers {
    /// The runtime's constructor.
    pub(super) fn constructor(&self) -> Ident {
        let name = match self {
            Self::Breaker(_) => "__declared",
            Self::Limiter(numbers) => numbers.constructor(),
        };
        Ident::new(name, Span::mixed_site())
    }

    /// The consts that the values need, and the arguments of the runtime's constructor.
    pub(super) fn tokens(&self, runtime: &Runtime) -> (TokenStream, TokenStream) {
        match self {
            Self::Breaker(numbers) => numbers.tokens(runtime),
            Self::Limiter(numbers) => numbers.tokens(runtime),
        }
    }
}

/// How a method stands to the guard of its impl block.
pub(super) enum Member {
    Skip(Ident),
    Include(Ident),
}

/// What each call is about: it goes with the function, wherever the guard is.
pub(super) struct PerCall {
    pub(super) way_out: WayOut,
    pub(super) ignore: Option<Expr>,
    pub(super) failure_if: Option<Expr>,
    /// How many permits it takes, if not one; sees the arguments.
    pub(super) permits: Option<Expr>,
    pub(super) on_limit: Option<OnLimit>,
}

impl PerCall {
    fn take(options: &mut Options) -> Self {
        Self {
            way_out: WayOut::take(options),
            ignore: options.callable("ignore"),
            failure_if: options.callable("failure_if"),
            permits: options.expression("permits"),
            on_limit: options.on_limit("on_limit"),
        }
    }

    /// These, and for what they do not say the other's. What counts is said by both predicates together.
    pub(super) fn or(self, other: Self) -> Self {
        let way_out = if matches!(self.way_out, WayOut::From) { other.way_out } else { self.way_out };
        let counts = self.ignore.is_some() || self.failure_if.is_some();
        let (ignore, failure_if) =
            if counts { (self.ignore, self.failure_if) } else { (other.ignore, other.failure_if) };
        let (permits, on_limit) = (self.permits.or(other.permits), self.on_limit.or(other.on_limit));
        Self { way_out, ignore, failure_if, permits, on_limit }
    }

    /// As they are written, each with a comma before it.
    pub(super) fn tokens(&self) -> TokenStream {
        let way_out = match &self.way_out {
            WayOut::From => TokenStream::new(),
            WayOut::OnRejected(callable) => generated!(, on_rejected = #callable),
            WayOut::Fallback(path) => generated!(, fallback = #path),
        };
        let ignore = self.ignore.as_ref().map(|ignore| generated!(, ignore = #ignore));
        let failure_if = self.failure_if.as_ref().map(|failure_if| generated!(, failure_if = #failure_if));
        let permits = self.permits.as_ref().map(|permits| generated!(, permits = #permits));
        let on_limit = self.on_limit.as_ref().map(|on_limit| generated!(, on_limit = #on_limit));
        generated!(#way_out #ignore #failure_if #permits #on_limit)
    }
}

impl Guard {
    /// What the options say; `numbers` takes those of the kind.
    pub(crate) fn new(
        kind: Kind,
        at: Span,
        mut options: Options,
        numbers: impl FnOnce(&mut Options) -> Numbers,
        errors: &mut Errors,
    ) -> Self {
        check_options::check(kind, &options, errors);
        let idents = options.idents().cloned().collect();
        let numbers = numbers(&mut options);
        let dispatch = options.ident("dispatch").cloned();
        let member = options.ident("skip").cloned().map(Member::Skip);
        let member = member.or_else(|| options.ident("include").cloned().map(Member::Include));
        let max_keys = options.count("max_keys");
        let source = match (options.positional.take(), options.expression("key")) {
            (Some(given), _) => Source::Given(given),
            (None, Some(key)) => Source::Keyed { key, max_keys },
            (None, None) => Source::Own,
        };
        Self {
            kind,
            at,
            runtime: Runtime::at(options.path("crate")),
            name: options.text("name").map(|name| name.value()),
            source,
            numbers,
            per_call: PerCall::take(&mut options),
            member,
            dispatch,
            idents,
        }
    }

    /// The option's own token, where it was written.
    pub(super) fn ident(&self, key: &str) -> Option<&Ident> {
        self.idents.iter().find(|ident| *ident == key)
    }

    /// The expression that says which breaker or limiter it is, where one does.
    pub(super) fn chooses(&self) -> Option<&Expr> {
        match &self.source {
            Source::Own => None,
            Source::Keyed { key, .. } => Some(key),
            Source::Given(given) => Some(given),
        }
    }

    /// The expressions that may need the arguments before they move.
    pub(super) fn asks(&self) -> impl Iterator<Item = &Expr> {
        self.chooses().into_iter().chain(&self.per_call.permits)
    }
}
