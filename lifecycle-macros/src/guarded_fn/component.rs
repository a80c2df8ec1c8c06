//! The breaker or limiter behind a guard: a static of its own, one for each key, or one that is declared elsewhere.

use super::Kind;
use super::guard::{Guard, Source};
use super::reach::Reach;
use crate::item::Function;
use crate::names::snake_case;
use crate::options::Count;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

/// The keys that are kept where nothing is said.
const MAX_KEYS: u32 = 65_536;

/// What `execute` calls.
const DISPATCHED: &str = "__lifecycle_dispatched";

impl Kind {
    /// The kind in the runtime's `Kind`.
    fn descriptor(self) -> &'static str {
        match self {
            Self::Breaker => "Breaker",
            Self::Limiter => "Limiter",
        }
    }

    /// The runtime's type.
    pub(super) fn ty(self) -> &'static str {
        match self {
            Self::Breaker => "CircuitBreaker",
            Self::Limiter => "RateLimiter",
        }
    }

    /// The local that the wrapper asks for admission.
    pub(super) fn local(self) -> Ident {
        format_ident!("lifecycle_{}", self.noun(), span = Span::mixed_site())
    }

    /// The static in a function's body.
    fn item(self) -> Ident {
        format_ident!("__LIFECYCLE_{}", self.noun().to_uppercase(), span = Span::mixed_site())
    }

    /// The static beside an impl block.
    pub(super) fn item_of_impl(self) -> Ident {
        format_ident!("__LIFECYCLE_{}_OF_IMPL", self.noun().to_uppercase(), span = Span::mixed_site())
    }
}

impl Guard {
    /// `let lifecycle_breaker = ..;`: in a block of its own, so that the body sees no item of ours. Locals are hygienic, but a
    /// const or unit struct of the user's would capture a bare pattern: hence the prefix.
    pub(super) fn local(&self, runtime: &Runtime, function: &Function, reach: Reach) -> TokenStream {
        let local = self.kind.local();
        match &self.source {
            Source::Own => {
                let item = self.kind.item();
                let declared = self.declared(runtime, &item, &snake_case(&function.sig.ident));
                let listed = self.listed(runtime, &item);
                generated!(let #local = { #declared #listed &#item };)
            }
            Source::Keyed { key, max_keys } => {
                let (private, item) = (runtime.private(), self.kind.item());
                let ty = format_ident!("Keyed{}", self.kind.ty(), span = Span::mixed_site());
                let (max_const, max_keys) =
                    max_keys.as_ref().unwrap_or(&Count::Literal(MAX_KEYS)).tokens(runtime, "max_keys");
                let (consts, arguments) = self.numbers.tokens(runtime);
                let constructor = self.numbers.constructor();
                let descriptor = self.descriptor(runtime, &snake_case(&function.sig.ident));
                let listed = runtime.listed(&format!("keyed_{}", self.kind.noun()), &generated!(#item));
                let here = runtime.private_at(key.span());
                let key = quote_spanned!(key.span()=> #here::channel::key(&(#key)));
                generated! {
                    let #local = {
                        #consts
                        #max_const
                        static #item: #private::#ty = #private::#ty::#constructor(
                            #descriptor,
                            #arguments,
                            #max_keys as #private::core::primitive::usize,
                            || &#item,
                        );
                        #listed
                        #item.at(#key)
                    };
                }
            }
            // With a name first: what the expression makes, such as an `Arc`, lives as long as the call.
            Source::Given(given) => {
                // All in its place, and all ours: only then what is wrong with it is said there.
                let ours = pointed(given).resolved_at(Span::mixed_site());
                let here = runtime.private_at(ours);
                let how = format_ident!("{}_{}", reach.how(), self.kind.noun(), span = ours);
                let named = format_ident!("lifecycle_given_{}", self.kind.noun(), span = ours);
                let given = quote_spanned!(ours=> let #named = &(#given););
                let found = quote_spanned!(ours=> #here::guard::#how(#named));
                generated!(#given let #local = #found;)
            }
        }
    }

    /// `consts.. static __LIFECYCLE_BREAKER: CircuitBreaker = ..;`
    pub(super) fn declared(&self, runtime: &Runtime, item: &Ident, name: &str) -> TokenStream {
        let private = runtime.private();
        let ty = Ident::new(self.kind.ty(), Span::mixed_site());
        let (consts, arguments) = self.numbers.tokens(runtime);
        let constructor = self.numbers.constructor();
        let descriptor = self.descriptor(runtime, name);
        generated! {
            #consts
            static #item: #private::#ty = #private::#ty::#constructor(#descriptor, #arguments, || &#item);
        }
    }

    pub(super) fn descriptor(&self, runtime: &Runtime, name: &str) -> TokenStream {
        runtime.descriptor(self.kind.descriptor(), self.name.as_deref().unwrap_or(name), self.at)
    }

    /// The entry of the link-time list; with the function where `execute` may call it.
    fn listed(&self, runtime: &Runtime, item: &Ident) -> TokenStream {
        let Some(dispatch) = &self.dispatch else {
            return runtime.listed(self.kind.noun(), &generated!(#item));
        };
        let private = runtime.private();
        // In the option's place: what the function returns may not be fit for it.
        let ours = dispatch.span().resolved_at(Span::mixed_site());
        let called = Ident::new(DISPATCHED, ours);
        let here = runtime.private_at(ours);
        let call = quote_spanned! {ours=>
            use #here::channel::DispatchedWhole as _;
            #here::channel::Dispatching(#called()).__dispatched()
        };
        generated! {
            #private::inventory::submit! { #private::Listed::breaker_with(&#item, || { #call }) }
        }
    }
}

/// Input: a function that `execute` may call, and its body behind the guards
/// Output: `fn f() -> R { fn __lifecycle_dispatched() -> R { body } return __lifecycle_dispatched(); }`
///
/// Under this name the list reaches it: an associated function's own is not to be seen from inside of it. Who calls it by name
/// only is told by no lint that nobody does.
///
/// It stands in the option's place: an impl block's generic parameters, which no attribute on a method can see, are not to be had in
/// it, and there the compiler says so.
pub(super) fn dispatched(function: &Function, body: &TokenStream, dispatch: &Ident) -> TokenStream {
    let called = Ident::new(DISPATCHED, dispatch.span().resolved_at(Span::mixed_site()));
    let output = &function.sig.output;
    let function = function.with_body(generated! {
        #[inline]
        fn #called() #output { #body }
        return #called();
    });
    generated!(#[allow(dead_code)] #function)
}

/// The token of an expression that says most about it: `breaker` of `self.breaker`.
fn pointed(expression: &Expr) -> Span {
    match expression {
        Expr::Field(field) => field.member.span(),
        Expr::MethodCall(call) => call.method.span(),
        Expr::Call(call) => pointed(&call.func),
        Expr::Path(path) => path.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span()),
        Expr::Reference(reference) => pointed(&reference.expr),
        Expr::Paren(paren) => pointed(&paren.expr),
        Expr::Group(group) => pointed(&group.expr),
        other => other.span(),
    }
}
