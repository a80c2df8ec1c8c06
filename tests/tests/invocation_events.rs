//! What is told of invocations: that they begin and end, and a span around what they do.

use lifecycle::testing::{advance, events, isolated};
use lifecycle::{before_snapshot_blocking, invocation, invocation_blocking};
use lifecycle_tests::{ByHand, gives_way};
use std::fmt::{Debug, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Everything that is told, a line each.
#[derive(Clone)]
struct Heard {
    lines: Arc<Mutex<Vec<String>>>,
    most: Level,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if !["message", "duration_us"].contains(&field.name()) {
            _ = write!(self.0, " {}={value:?}", field.name());
        }
    }
}

impl Heard {
    fn note(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }
}

impl Subscriber for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "lifecycle::invocation" && *metadata.level() <= self.most
    }
    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.most.into())
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        self.note(line.0);
        Id::from_u64(7)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().name()));
        event.record(&mut line);
        self.note(line.0);
    }
    fn enter(&self, _: &Id) {
        self.note("in".to_owned());
    }
    fn exit(&self, _: &Id) {
        self.note("out".to_owned());
    }
}

fn heard(most: Level, f: impl FnOnce()) -> Vec<String> {
    let heard = Heard { lines: Arc::default(), most };
    lifecycle_tests::told(heard.clone(), || isolated(f));
    let lines = heard.lines.lock().unwrap();
    lines.clone()
}

#[test]
fn beginning_and_end_are_told_and_what_is_between_is_in_a_span() {
    let lines = heard(Level::DEBUG, || invocation_blocking("req\n1", || ()));
    let fields = r#"invocation.id="req\\n1" invocation.count=1 cold=true"#;
    let correlation = r#"correlation_id="req\n1""#;
    assert_eq!(
        lines,
        [
            format!("DEBUG lifecycle.invocation.began {fields} {correlation}"),
            format!("span invocation {fields}"),
            "in".to_owned(),
            "out".to_owned(),
            format!(r#"DEBUG lifecycle.invocation.ended {fields} outcome="done" {correlation}"#),
        ]
    );
    let polls = heard(Level::INFO, || {
        let mut future = ByHand::new(invocation("req-1", gives_way(1)));
        assert_eq!(future.poll_while_woken(), Poll::Ready(()));
    });
    assert_eq!(polls[1..], ["in", "out", "in", "out"], "{polls:?}");
    assert!(polls[0].starts_with("span invocation"), "{polls:?}");
    assert_eq!(heard(Level::WARN, || invocation_blocking("req-1", || ())), [""; 0]);
}

#[test]
fn they_end_once_whichever_way() {
    isolated(|| {
        let ends = || {
            let all = events().into_iter().filter(|event| event.name == "lifecycle.invocation.ended");
            all.map(|event| (event.component, event.detail)).collect::<Vec<_>>()
        };
        let mut dropped = ByHand::new(invocation("dropped", gives_way(1)));
        assert!(dropped.poll().is_pending());
        drop(dropped);
        drop(invocation("never begun", async {}));
        let mut done = ByHand::new(invocation("done", async {}));
        assert!(done.poll().is_ready());
        drop(done);
        _ = catch_unwind(|| invocation_blocking("panicked", || panic!("no"))).unwrap_err();
        let panics = AssertUnwindSafe(|| ByHand::new(invocation("panicked too", async { panic!("no") })).poll());
        _ = catch_unwind(panics).unwrap_err();
        let all = ends();
        let pairs: Vec<_> = all.iter().map(|(id, how)| (id.as_str(), how.as_str())).collect();
        assert_eq!(
            pairs,
            [("dropped", "dropped"), ("done", "done"), ("panicked", "panicked"), ("panicked too", "panicked")]
        );
        let begun: Vec<_> = events().into_iter().filter(|event| event.name == "lifecycle.invocation.began").collect();
        let counts: Vec<_> = begun.iter().map(|event| event.detail.as_str()).collect();
        assert_eq!(counts, ["1", "2", "3", "4"]);
        advance(Duration::from_secs(1));
    });
}

#[test]
fn a_snapshot_that_is_prepared_while_some_are_under_way_is_warned_of() {
    let lines = heard(Level::WARN, || {
        assert_eq!(before_snapshot_blocking().active_invocations, 0);
        let mut other = ByHand::new(invocation("other", gives_way(1)));
        assert!(other.poll().is_pending());
        invocation_blocking("req-1", || {
            let report = before_snapshot_blocking();
            assert!(report.active_invocations == 2 && report.is_clean());
            assert!(report.to_string().ends_with("; 2 invocations were under way"), "{report}");
        });
        assert_eq!(lifecycle::on_restore_blocking().active_invocations, 1);
    });
    let told = r#"WARN lifecycle.invocation.snapshot_while_active invocations.active=2 correlation_id="req-1""#;
    assert_eq!(lines, [told]);
}
