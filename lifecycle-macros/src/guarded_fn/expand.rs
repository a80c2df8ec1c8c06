//! The wrapper: ask the guards, then run the body as it is written.

use super::arguments::{Named, named};
use super::check_options;
use super::component::dispatched;
use super::judge::judge;
use super::limit;
use super::parts::Guards;
use super::reach::{Reach, asks_arguments, reach};
use super::refusal::{calls_fallback, refusal};
use super::shape::{Form, Shape};
use crate::item::{Function, braced};
use crate::runtime::{Runtime, generated};
use proc_macro2::{Group, TokenStream};

/// Input: a function and its guards -> Output: the function, its body behind the guards.
pub(super) fn expand(guards: &Guards, function: &Function) -> syn::Result<TokenStream> {
    let runtime = guards.runtime();
    let shape = Shape::of(function);
    let mut function = Function {
        attrs: function.attrs.clone(),
        vis: function.vis.clone(),
        sig: function.sig.clone(),
        body: function.body.clone(),
    };
    let mut bindings = TokenStream::new();
    let mut arguments = Vec::new();
    if calls_fallback(guards) {
        let Named { sig, names, bindings: rebound } = named(&function.sig);
        (function.sig, arguments, bindings) = (sig, names, rebound);
    }
    let parts = Parts {
        runtime: &runtime,
        breaks: guards.breaker.is_some(),
        declarations: Declarations::of(guards, &runtime, &function, &shape),
        admit: limit::admit(guards, &runtime, &shape),
        refusal: refusal(guards, &runtime, &shape, &arguments)?,
        judge: judge(guards, &runtime, &shape),
        shape: &shape,
        bindings,
    };
    let body = match &shape.form {
        Form::Sync => parts.sync(&function.body),
        Form::Async => parts.in_async(&function.body),
        Form::Written { pin, capture, block } => {
            let inner = parts.in_async(block);
            let dead_return = parts.dead_return();
            let future = generated!(#capture { #dead_return #inner });
            if pin.is_empty() { generated!(return #future;) } else { generated!(return #pin(#future);) }
        }
        Form::Built { boxed, returned } => parts.around_built(&function.body, *boxed, returned),
    };
    let Some(dispatch) = guards.breaker.as_ref().and_then(|breaker| breaker.dispatch.as_ref()) else {
        return Ok(function.with_body(body));
    };
    check_options::on_dispatched(&function, &body)?;
    Ok(dispatched(&function, &body, dispatch))
}

/// What says which breaker and limiter are asked.
#[derive(Default)]
struct Declarations {
    /// Before anything else: it needs the arguments, which the body of a function that builds a future takes at the call.
    at_call: TokenStream,
    /// Where the guards are asked.
    at_admission: TokenStream,
}

impl Declarations {
    fn of(guards: &Guards, runtime: &Runtime, function: &Function, shape: &Shape) -> Self {
        let builds_future = matches!(shape.form, Form::Built { .. });
        let mut declarations = Self::default();
        let asks = |expression| asks_arguments(expression, &function.sig);
        for guard in guards.all() {
            // First, while nothing is borrowed for the time of the call.
            if let Some(permits) = &guard.per_call.permits {
                let early = builds_future && asks(permits);
                let place = if early { &mut declarations.at_call } else { &mut declarations.at_admission };
                place.extend(limit::permits(permits, runtime));
            }
        }
        for guard in guards.all() {
            let reach: Reach = reach(guard, &function.sig, builds_future);
            let early = builds_future && guard.chooses().is_some_and(asks);
            let place = if early { &mut declarations.at_call } else { &mut declarations.at_admission };
            place.extend(guard.local(runtime, function, reach));
        }
        declarations
    }
}

struct Parts<'a> {
    runtime: &'a Runtime,
    /// A breaker watches the call; a limiter alone only stands before it.
    breaks: bool,
    declarations: Declarations,
    admit: TokenStream,
    refusal: TokenStream,
    judge: TokenStream,
    shape: &'a Shape,
    bindings: TokenStream,
}

impl Parts<'_> {
    /// Input: `{ body }`
    /// Output: `match admit() { Ok(admission) => admission.run(|| -> R { body }, judge), Err(rejected) => refusal }`
    ///
    /// The closure stands in the argument itself: bound to a `let` first, bodies that return `&mut self.x` fail.
    fn sync(&self, body: &Group) -> TokenStream {
        if !self.breaks {
            return self.limited(body);
        }
        let Self { judge, shape, bindings, .. } = self;
        let value = &shape.value;
        let stream = body.stream();
        let body = braced(generated!(#bindings #stream), body);
        self.decided(&generated!(lifecycle_admission.run(|| -> #value #body, #judge)))
    }

    /// Input: `{ body }`, in an async context
    /// Output: `admission.run_async(async move { body }, judge).await`, once decided
    fn in_async(&self, block: &Group) -> TokenStream {
        if !self.breaks {
            return self.limited(block);
        }
        let Self { judge, bindings, .. } = self;
        let dead_return = self.dead_return();
        let body = block.stream();
        let body = braced(generated!(#dead_return #bindings #body), block);
        self.decided(&generated!(lifecycle_admission.run_async(async move #body, #judge).await))
    }

    /// Input: `{ body }`, which builds a future
    /// Output: `let future = body; Box::pin(async move { match admit() { Ok(..) => admission.run_async(future, judge).await, .. } })`
    fn around_built(&self, body: &Group, boxed: bool, returned: &TokenStream) -> TokenStream {
        let Self { judge, .. } = self;
        let private = self.runtime.private();
        let run = if self.breaks {
            generated!(lifecycle_admission.run_async(lifecycle_future, #judge).await)
        } else {
            generated!(lifecycle_future.await)
        };
        let decided = self.decided(&run);
        let dead_return = self.dead_return();
        let guarded = generated!(async move { #dead_return #decided });
        let guarded = if boxed { generated!(#private::std::boxed::Box::pin(#guarded)) } else { guarded };
        let at_call = &self.declarations.at_call;
        generated! {
            #at_call
            let lifecycle_future = #private::guard::call(|| -> #returned #body);
            return #guarded;
        }
    }

    /// Input: `{ body }`
    /// Output: `if let Err(rejected) = admit() { return refusal; } body`
    fn limited(&self, body: &Group) -> TokenStream {
        let Self { declarations: Declarations { at_admission, .. }, admit, refusal, bindings, .. } = self;
        let private = self.runtime.private();
        let body = body.stream();
        generated! {
            #at_admission
            if let #private::core::result::Result::Err(lifecycle_rejected) = #admit {
                return #refusal;
            }
            #bindings
            #body
        }
    }

    /// Input: `run`, which uses `admission`
    /// Output: `let admission = match admit() { Ok(admission) => admission, Err(rejected) => return refusal }; run`
    ///
    /// `return`, because `clippy::implicit_return` judges the wrapper as the user's function; no lint minds a generated one.
    /// The `match` ends before `run`: an async function would keep its scrutinee through every `.await` inside it.
    fn decided(&self, run: &TokenStream) -> TokenStream {
        let Self { declarations: Declarations { at_admission, .. }, admit, refusal, .. } = self;
        let private = self.runtime.private();
        let admission = if self.breaks { generated!(lifecycle_admission) } else { generated!(()) };
        generated! {
            #at_admission
            let #admission = match #admit {
                #private::core::result::Result::Ok(lifecycle_admitted) => lifecycle_admitted,
                #private::core::result::Result::Err(lifecycle_rejected) => return #refusal,
            };
            return #run;
        }
    }

    /// `if false { return never::<R>(); }`: tells inference the type of an async block, as a signature does for a function.
    fn dead_return(&self) -> TokenStream {
        if self.shape.opaque {
            return TokenStream::new();
        }
        let private = self.runtime.private();
        let value = &self.shape.value;
        generated! {
            if false {
                return #private::guard::never::<#value>();
            }
        }
    }
}
