//! How a function gives its value: at once, as an `async fn`, or as a future it builds.

use crate::item::Function;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, TypeParamBound};

/// The forms a body can take.
pub(super) enum Form {
    /// `fn f() -> R { .. }`
    Sync,
    /// `async fn f() -> R { .. }`
    Async,
    /// `fn f() -> impl Future<Output = R> { async move { .. } }`, or with `Box::pin(..)` around it, as `async_trait` writes it.
    /// The body does nothing before the first poll, so the guard can go inside: arguments stay visible, nothing is boxed twice.
    Written { pin: TokenStream, capture: TokenStream, block: Group },
    /// Another body that builds a future; it runs at the call, the guard decides at the first poll.
    Built { boxed: bool, returned: TokenStream },
}

/// How a function gives its value.
pub(super) struct Shape {
    pub(super) form: Form,
    /// The type of the value, with `_` for each `impl Trait`.
    pub(super) value: Type,
    /// The value's whole type is an `impl Trait`, which nothing but its bounds is known of.
    pub(super) opaque: bool,
}

impl Shape {
    pub(super) fn of(function: &Function) -> Self {
        let returned = match &function.sig.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => bare(ty),
        };
        if function.sig.asyncness.is_some() {
            return Self::new(Form::Async, returned);
        }
        let Some((value, boxed)) = future_output(&returned) else {
            return Self::new(Form::Sync, returned);
        };
        let form = match async_block(function.body.stream(), boxed) {
            Some((pin, capture, block)) => Form::Written { pin, capture, block },
            None => {
                let returned = without_impl(returned);
                Form::Built { boxed, returned: quote!(#returned) }
            }
        };
        Self::new(form, value)
    }

    fn new(form: Form, value: Type) -> Self {
        let opaque = matches!(value, Type::ImplTrait(_));
        Self { form, value: without_impl(value), opaque }
    }
}

/// A type that comes through a `macro_rules!` fragment is in an invisible group.
fn bare(ty: &Type) -> Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty.clone(),
    }
}

/// `impl Future<Output = R> + ..` -> `(R, false)`; `Pin<Box<dyn Future<Output = R> + ..>>`, `BoxFuture<'a, R>` -> `(R, true)`
fn future_output(ty: &Type) -> Option<(Type, bool)> {
    match ty {
        Type::ImplTrait(imp) => Some((output_of(imp.bounds.iter())?, false)),
        Type::Path(path) if last_is(&path.path, &["Pin"]) => {
            let inner = bare(type_argument(&path.path)?);
            let Type::Path(inner) = inner else {
                return None;
            };
            if !last_is(&inner.path, &["Box"]) {
                return None;
            }
            let Type::TraitObject(object) = bare(type_argument(&inner.path)?) else {
                return None;
            };
            Some((output_of(object.bounds.iter())?, true))
        }
        Type::Path(path) if last_is(&path.path, &["BoxFuture", "LocalBoxFuture"]) => {
            Some((bare(type_argument(&path.path)?), true))
        }
        _ => None,
    }
}

fn last_is(path: &Path, names: &[&str]) -> bool {
    path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

/// The only type among the generic arguments of the last segment.
fn type_argument(path: &Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(args) = &path.segments.last()?.arguments else {
        return None;
    };
    let mut types = args.args.iter().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.next().filter(|_| types.next().is_none())
}

/// `Future<Output = R>` among the bounds -> `R`
fn output_of<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<Type> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        if !last_is(&bound.path, &["Future"]) {
            return None;
        }
        let PathArguments::AngleBracketed(args) = &bound.path.segments.last()?.arguments else {
            return None;
        };
        args.args.iter().find_map(|arg| match arg {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(bare(&assoc.ty)),
            _ => None,
        })
    })
}

/// A body of nothing but `async move { .. }` or `Box::pin(async move { .. })` -> `(Box::pin, async move, { .. })`
fn async_block(body: TokenStream, boxed: bool) -> Option<(TokenStream, TokenStream, Group)> {
    if !boxed {
        return bare_async_block(body).map(|(capture, block)| (TokenStream::new(), capture, block));
    }
    let mut tokens: Vec<TokenTree> = body.into_iter().collect();
    let Some(TokenTree::Group(arguments)) = tokens.pop() else {
        return None;
    };
    let ends_in_pin = matches!(tokens.last(), Some(TokenTree::Ident(pin)) if pin == "pin");
    let only_a_path = tokens.iter().all(|token| match token {
        TokenTree::Ident(ident) => ident != "return",
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    if arguments.delimiter() != Delimiter::Parenthesis || !ends_in_pin || !only_a_path {
        return None;
    }
    let (capture, block) = bare_async_block(arguments.stream())?;
    Some((tokens.into_iter().collect(), capture, block))
}

fn bare_async_block(tokens: TokenStream) -> Option<(TokenStream, Group)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(a), TokenTree::Ident(m), TokenTree::Group(block)]
            if a == "async" && m == "move" && block.delimiter() == Delimiter::Brace =>
        {
            Some((quote!(#a #m), block.clone()))
        }
        _ => None,
    }
}

/// `Result<impl Display, E>` -> `Result<_, E>`, for places where `impl Trait` is not allowed.
fn without_impl(mut ty: Type) -> Type {
    infer_impl(&mut ty);
    ty
}

fn infer_impl(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = syn::parse_quote!(_),
        Type::Path(path) => path.path.segments.iter_mut().for_each(|segment| {
            if let PathArguments::AngleBracketed(args) = &mut segment.arguments {
                args.args.iter_mut().for_each(|arg| match arg {
                    GenericArgument::Type(ty) => infer_impl(ty),
                    GenericArgument::AssocType(assoc) => infer_impl(&mut assoc.ty),
                    _ => {}
                });
            }
        }),
        Type::Reference(reference) => infer_impl(&mut reference.elem),
        Type::Ptr(pointer) => infer_impl(&mut pointer.elem),
        Type::Slice(slice) => infer_impl(&mut slice.elem),
        Type::Array(array) => infer_impl(&mut array.elem),
        Type::Paren(paren) => infer_impl(&mut paren.elem),
        Type::Group(group) => infer_impl(&mut group.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer_impl),
        _ => {}
    }
}
