//! A guard on a static: a breaker or limiter to share, `#[circuit_breaker] static HA: CircuitBreaker;`.

use super::guard::Guard;
use super::{Kind, check_options};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, cfgs};
use crate::names::snake_case;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

/// Input: `static HA: CircuitBreaker;`
/// Output: `static HA: CircuitBreaker = { consts CircuitBreaker::__declared(.., || &HA) }; const _: () = { listed };`
pub(super) fn declare(guard: &Guard, item: TokenStream, mut errors: Errors) -> TokenStream {
    let mut declared = match DeclaredStatic::read(item.clone()) {
        Ok(declared) => declared,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check_options::on_static(guard, &mut errors);
    check(guard.kind, &mut declared, &guard.runtime, &mut errors);
    let tokens = expand(guard, &declared);
    item_and(tokens, errors)
}

fn expand(guard: &Guard, declared: &DeclaredStatic) -> TokenStream {
    let (runtime, ident, ty) = (&guard.runtime, &declared.ident, &declared.ty);
    let (consts, arguments) = guard.numbers.tokens(runtime);
    let descriptor = guard.descriptor(runtime, &snake_case(ident));
    // Of the runtime's own type, and in the place of the author's: another type is told so there.
    let ours = ty.span().resolved_at(Span::mixed_site());
    let here = runtime.private_at(ours);
    let constructed = Ident::new(guard.kind.ty(), ours);
    let mut constructor = guard.numbers.constructor();
    constructor.set_span(ours);
    let me = respanned(ident, ours);
    let value = quote_spanned!(ours=> #here::#constructed::#constructor(#descriptor, #arguments, || &#me));
    let value = if consts.is_empty() { value } else { quote_spanned!(ours=> { #consts #value }) };
    let declaration = declared.with_value(&value);
    let listed = runtime.listed(guard.kind.noun(), &generated!(#ident));
    let cfgs = cfgs(&declared.attrs);
    generated! {
        #declaration
        #(#cfgs)*
        const _: () = {
            #listed
        };
    }
}

/// The name in another place; what it means is the user's.
fn respanned(ident: &Ident, place: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(place.resolved_at(ident.span()));
    ident
}

/// What is wrong becomes right, so that its users see no errors about it.
fn check(kind: Kind, declared: &mut DeclaredStatic, runtime: &Runtime, errors: &mut Errors) {
    let (name, noun, ty) = (kind.macro_name(), kind.noun(), kind.ty());
    if let Some(token) = &declared.mutability {
        errors.on(token, format!("a {noun} is shared, and changes on the inside: remove `mut`"));
    }
    if let Some(value) = &declared.value {
        let ident = &declared.ident;
        errors.on(value, format!("`#[{name}]` makes the value: write `static {ident}: {ty};`"));
    }
    if let Some(other) = other_type(&declared.ty, kind) {
        let message = match &*other {
            "CircuitBreaker" | "RateLimiter" => {
                let right = if kind == Kind::Breaker { Kind::Limiter } else { Kind::Breaker };
                format!("a `{other}` is declared by `#[{}]`", right.macro_name())
            }
            _ => format!("`#[{name}]` declares a {noun} to share: write `static {}: {ty};`", declared.ident),
        };
        errors.on(&declared.ty, message);
        let (root, ty) = (runtime.root(), Ident::new(ty, Span::mixed_site()));
        declared.ty = Type::Verbatim(quote!(#root::#ty));
    }
}

/// The type, if it is known to be another; one that nobody knows may be an alias, which is the compiler's to judge.
fn other_type(ty: &Type, kind: Kind) -> Option<String> {
    const KNOWN: [&str; 12] = [
        "CircuitBreaker",
        "RateLimiter",
        "KeyedCircuitBreaker",
        "KeyedRateLimiter",
        "Arc",
        "Box",
        "Lazy",
        "LazyLock",
        "OnceLock",
        "Mutex",
        "Option",
        "Flag",
    ];
    match ty {
        Type::Group(group) => other_type(&group.elem, kind),
        Type::Paren(paren) => other_type(&paren.elem, kind),
        Type::Path(path) => {
            let last = path.path.segments.last()?.ident.to_string();
            let other = last.starts_with(char::is_lowercase) || KNOWN.contains(&&*last);
            (other && last != kind.ty()).then_some(last)
        }
        other => Some(other.to_token_stream().to_string()),
    }
}
