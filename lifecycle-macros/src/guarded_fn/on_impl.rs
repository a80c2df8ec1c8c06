//! A guard on an impl block: one breaker or limiter that its methods share.

use super::attributes::may_be_a_macro;
use super::guard::{Guard, Source};
use super::parts::{Guards, Part, Role};
use super::shape::Shape;
use super::{check_options, gathered, marker};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{Function, ImplBlock, ImplItem, cfgs};
use crate::names::snake_case;
use crate::runtime::{Runtime, generated};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser as _;
use syn::{Attribute, Meta, Type};

/// Input: `impl Service { fn load(&self) -> Result<..> { .. } fn id(&self) -> u64 { .. } }`
/// Output: `const _: () = { static .. impl Service { #[guard_part(..)] fn load .. fn id .. } };`
///
/// The methods' own attributes decide for themselves, whatever they are called: they find the marker below them.
pub(super) fn guard(part: Part, guard: &Guard, may_wait: bool, item: TokenStream, mut errors: Errors) -> TokenStream {
    let mut block = match ImplBlock::read(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check_options::on_impl(guard, &mut errors);
    check(guard, &block, &mut errors);
    if !errors.is_empty() {
        // A method's own `skip` still finds what it speaks of.
        let mistaken = Part { role: Role::Mistaken, args: quote!(skip), ..part };
        let marker = marker::attribute(&guard.runtime, &mistaken);
        let marked =
            block.marked(|method| if method.attrs.iter().any(may_be_a_macro) { marker.clone() } else { quote!() });
        return item_and(marked, errors);
    }
    if may_wait && block.attrs.iter().any(may_be_a_macro) {
        let marker = marker::attribute(&guard.runtime, &part);
        block.attrs.extend(Attribute::parse_outer.parse2(marker).unwrap_or_default());
        return block.marked(|_| quote!());
    }
    let parts = gathered(part, marker::take(&mut block.attrs));
    let guards = Guards::of(&parts, "impl block", &mut errors);
    let runtime = guards.runtime();
    let marked = block.marked(|method| {
        let marker = |guard: &Guard| Some(marker::attribute(&runtime, &part_of(guard, &runtime, role(method)?)));
        guards.all().filter_map(marker).collect()
    });
    let statics: TokenStream = guards.all().filter_map(|guard| shared(guard, &runtime, &block)).collect();
    if statics.is_empty() {
        return item_and(marked, errors);
    }
    let cfgs = cfgs(&block.attrs);
    item_and(generated!(#(#cfgs)* const _: () = { #statics #marked };), errors)
}

fn check(guard: &Guard, block: &ImplBlock, errors: &mut Errors) {
    let (name, noun) = (guard.kind.macro_name(), guard.kind.noun());
    let named = guard.name.is_some() || matches!(guard.source, Source::Given(_));
    if !named && block.type_name().is_none() {
        errors.on(
            &block.self_ty,
            format!("the {noun} is named after the type, and this one has no name: add `name = \"..\"`"),
        );
    }
    let takes = |item: &ImplItem| matches!(item, ImplItem::Method(method) if role(method).is_some());
    if !block.items.iter().any(takes) {
        let message = format!(
            "`#[{name}]` guards the methods whose signature says `Result`, and none does: put `#[{name}(include)]` on those that are meant, or `#[{name}]` on a method alone"
        );
        errors.at(block.impl_token, message);
    }
}

/// `static __LIFECYCLE_BREAKER_OF_IMPL: CircuitBreaker = ..;`, listed, if it is not declared elsewhere.
fn shared(guard: &Guard, runtime: &Runtime, block: &ImplBlock) -> Option<TokenStream> {
    if !matches!(guard.source, Source::Own) {
        return None;
    }
    let item = guard.kind.item_of_impl();
    let name = block.type_name().map(snake_case).unwrap_or_default();
    let declared = guard.declared(runtime, &item, &name);
    let listed = runtime.listed(guard.kind.noun(), &generated!(#item));
    Some(generated!(#declared #listed))
}

/// The guard as a method has it: where the shared one is, and what each call is about.
fn part_of(guard: &Guard, runtime: &Runtime, role: Role) -> Part {
    let shared = match &guard.source {
        Source::Given(given) => quote!(#given),
        Source::Own | Source::Keyed { .. } => {
            let item = guard.kind.item_of_impl();
            quote!(#item)
        }
    };
    let per_call = guard.per_call.tokens();
    let root = runtime.given().map(|path| quote!(, crate = #path));
    Part { kind: guard.kind, role, span: guard.at, args: quote!(#shared #per_call #root) }
}

/// Whether the guard is for this method: if its signature says `Result`, or if it says `include`.
fn role(method: &Function) -> Option<Role> {
    if says_result(&Shape::of(method).value) {
        return Some(Role::OfImpl);
    }
    // An alias of the attribute, or a `cfg_attr` around it, says `include` as well; who means something else by the word is
    // offered what it does not take.
    let includes = |meta: &Meta| matches!(meta, Meta::List(list) if has_word(list.tokens.clone(), "include"));
    method.attrs.iter().any(|attr| includes(&attr.meta)).then_some(Role::Offered)
}

fn says_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Result"),
        Type::Group(group) => says_result(&group.elem),
        Type::Paren(paren) => says_result(&paren.elem),
        _ => false,
    }
}

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_word(group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        _ => false,
    })
}
