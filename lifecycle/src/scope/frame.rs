//! Creation frames: one for each run of a factory, and the graph of which frame waits for which.
//!
//! The nodes are frames, not threads or tasks: a factory's future may move between threads, and one frame may wait for
//! several others at a time. A wait is entered under one lock and only if it closes no circle, so of the parties to a
//! deadlock the last one is told, before it blocks.

use crate::clock::Moment;
use crate::name::Name;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, process_static};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub(crate) type FrameId = u64;

/// Who is being created, for messages and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) name: Name,
    /// File and line of the declaration; empty and 0 for components made at run time.
    pub(crate) place: (&'static str, u32),
    /// What identifies the component to whoever compares.
    pub(crate) key: usize,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            ("", _) => write!(f, "{}", self.name),
            (file, line) => write!(f, "{} ({file}:{line})", self.name),
        }
    }
}

/// The frames of a circle, in order; the first is also where it closes.
#[derive(Debug)]
pub(crate) struct CyclePath(Vec<Subject>);

impl fmt::Display for CyclePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for subject in &self.0 {
            write!(f, "{subject} -> ")?;
        }
        f.write_str(self.0.first().map_or("", |first| first.name.as_ref()))
    }
}

/// One run of a factory.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) id: FrameId,
    pub(crate) subject: Subject,
    /// What it makes lives as long as the process, and not for an invocation.
    pub(crate) lasts: bool,
    /// The frames that wait for this one: those of the thread that asked for it.
    askers: Vec<FrameId>,
    noted: Mutex<Noted>,
    /// It has left the graph.
    ended: std::sync::atomic::AtomicBool,
}

/// What is observed of a factory while it runs.
#[derive(Debug, Default)]
struct Noted {
    /// What it reached for, in order, without repetition.
    accessed: Vec<Subject>,
    /// The creation it asked for that failed last, and what made that fail.
    failed: Vec<Subject>,
    /// What those on whose behalf it was begun had waited for, until it has led to a failure: who asks again after that, in the same
    /// run, does so on purpose, and has all of his time.
    before: Waited,
    /// What it waited for in vain itself.
    waited: Waited,
}

impl Noted {
    fn waited_for(&mut self, run: FrameId, since: Moment) {
        self.before.forget(run);
        // A factory may try for ever, and a graph has few nodes.
        self.waited = std::mem::take(&mut self.waited).under_way(&graph());
        self.waited.note(run, since);
    }
}

/// Runs that did not end within somebody's `init_timeout`, and since when those on whose behalf this is have been waiting for them.
/// A creation that fails for that is tried again by each who waited for it: for the same run he waits no longer than for one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waited(Vec<(FrameId, Moment)>);

impl Waited {
    /// What it is to somebody who began to wait at that time.
    pub(crate) fn since(mut self, moment: Moment) -> Self {
        for (_, since) in &mut self.0 {
            *since = moment.max(*since);
        }
        self
    }

    /// The longest of each.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (run, since) in &other.0 {
            self.note(*run, *since);
        }
        self
    }

    /// Who has to do with runs that are late again and again remembers those that are under way.
    fn under_way(mut self, graph: &BTreeMap<FrameId, Node>) -> Self {
        self.0.retain(|(run, _)| graph.contains_key(run));
        self
    }

    fn forget(&mut self, run: FrameId) {
        self.0.retain(|(known, _)| *known != run);
    }

    fn note(&mut self, run: FrameId, since: Moment) {
        match self.0.iter_mut().find(|(known, _)| *known == run) {
            Some((_, known)) => *known = since.min(*known),
            None => self.0.push((run, since)),
        }
    }
}

struct Node {
    subject: Subject,
    /// May name a frame twice: a factory may wait for one twice at a time (`join!`).
    waits_for: Vec<FrameId>,
}

process_static! {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    static GRAPH: Mutex<BTreeMap<FrameId, Node>> = Mutex::new(BTreeMap::new());
}

fn graph() -> MutexGuard<'static, BTreeMap<FrameId, Node>> {
    GRAPH.lock()
}

/// All edges of the graph, by frame.
#[cfg(loom)]
pub(crate) fn waits() -> BTreeMap<FrameId, Vec<FrameId>> {
    graph().iter().map(|(id, node)| (*id, node.waits_for.clone())).collect()
}

impl Frame {
    /// Begins a factory run; the frames on whose behalf it was asked for wait for it from now on.
    /// It is begun by somebody who has waited for those.
    pub(crate) fn begin(subject: Subject, lasts: bool, askers: &[Arc<Self>], before: Waited) -> Arc<Self> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let askers: Vec<FrameId> = askers.iter().map(|asker| asker.id).collect();
        let mut graph = graph();
        graph.insert(id, Node { subject: subject.clone(), waits_for: Vec::new() });
        for asker in &askers {
            if let Some(asker) = graph.get_mut(asker) {
                asker.waits_for.push(id);
            }
        }
        let before = before.under_way(&graph);
        drop(graph);
        Arc::new(Self {
            id,
            subject,
            lasts,
            askers,
            noted: Mutex::new(Noted { before, ..Noted::default() }),
            ended: false.into(),
        })
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock()
    }

    /// Notes that the factory reached for `other`.
    pub(crate) fn accessed(&self, other: Subject) {
        let mut noted = self.noted();
        if !noted.accessed.iter().any(|known| known.key == other.key) {
            noted.accessed.push(other);
        }
    }

    /// What the factory has reached for so far.
    pub(crate) fn edges(&self) -> Vec<Subject> {
        self.noted().accessed.clone()
    }

    /// Notes that something the factory asked for failed: the path from that to what failed first, and what was waited for.
    pub(crate) fn asked_in_vain(&self, path: &[Subject], waited: &Waited) {
        let mut noted = self.noted();
        noted.failed = path.to_vec();
        for (run, since) in &waited.0 {
            noted.waited_for(*run, *since);
        }
    }

    /// Notes that `run` did not end in time for it, which has been waiting for it since then.
    pub(crate) fn waited_for(&self, run: FrameId, since: Moment) {
        self.noted().waited_for(run, since);
    }

    /// The same of all that it waits for.
    #[cfg(not(loom))]
    pub(crate) fn waited_for_all(&self, since: Moment) {
        let runs = graph().get(&self.id).map(|node| node.waits_for.clone()).unwrap_or_default();
        runs.into_iter().for_each(|run| self.waited_for(run, since));
    }

    /// What was waited for in vain, of what is still under way: for those who try again.
    pub(crate) fn waited(&self) -> Waited {
        let noted = self.noted();
        let all = noted.before.clone().and(&noted.waited);
        drop(noted);
        if all.0.is_empty() { all } else { all.under_way(&graph()) }
    }

    /// What those on whose behalf it runs had waited for when it began.
    pub(crate) fn waited_before(&self) -> Waited {
        self.noted().before.clone()
    }

    /// Somebody waits for it, too, who came at that time: he may be the one who is told that it failed.
    pub(crate) fn joined_at(&self, asked: Moment) {
        let mut noted = self.noted();
        noted.before = std::mem::take(&mut noted.before).since(asked);
    }

    /// Since when those on whose behalf it runs have been waiting for `run`, if that has been too long for them before.
    pub(crate) fn has_waited_for(&self, run: FrameId) -> Option<Moment> {
        self.noted().before.0.iter().find(|(known, _)| *known == run).map(|(_, since)| *since)
    }

    /// This creation, and what it asked for in vain, down to what failed first.
    pub(crate) fn failed_path(&self) -> Vec<Subject> {
        std::iter::once(self.subject.clone()).chain(self.noted().failed.iter().cloned()).collect()
    }

    /// This creation and what it waits for, down to what waits for nothing: for those who waited too long for it.
    pub(crate) fn waits(id: FrameId) -> Vec<Subject> {
        let graph = graph();
        let mut path = Vec::new();
        let mut at = Some(id);
        while let Some(node) = at.and_then(|id| graph.get(&id)) {
            if path.len() >= graph.len() {
                break;
            }
            path.push(node.subject.clone());
            at = node.waits_for.last().copied();
        }
        path
    }

    /// Does `id` wait for one of these, be it by way of others, or is it one of them?
    pub(crate) fn waits_for_any(id: FrameId, others: &[FrameId]) -> bool {
        if others.is_empty() {
            return false;
        }
        let graph = graph();
        others.iter().any(|other| path_between(&graph, id, *other).is_some())
    }

    /// The factory is over: the frame leaves the graph, whoever still holds it (a thread with a captured context may).
    pub(crate) fn end(&self) {
        if self.ended.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let mut graph = graph();
        let gone = graph.remove(&self.id);
        for asker in &self.askers {
            stop_waiting(&mut graph, *asker, self.id);
        }
        drop(graph);
        drop(gone);
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.end();
    }
}

/// Keeps "this frame waits for that one" in the graph.
#[derive(Debug)]
pub(crate) struct WaitEdge {
    from: FrameId,
    to: FrameId,
}

impl WaitEdge {
    /// Enters the wait, unless it would close a circle: then its path.
    pub(crate) fn enter(from: &Frame, to: FrameId) -> Result<Self, CyclePath> {
        let mut graph = graph();
        // A factory that is over waits for nothing; a captured context may still hold its frame.
        if !graph.contains_key(&from.id) {
            return Ok(Self { from: from.id, to });
        }
        if let Some(path) = path_between(&graph, to, from.id) {
            let subjects = path.iter().filter_map(|id| graph.get(id)).map(|node| node.subject.clone()).collect();
            return Err(CyclePath(subjects));
        }
        if let Some(node) = graph.get_mut(&from.id) {
            node.waits_for.push(to);
        }
        Ok(Self { from: from.id, to })
    }
}

impl Drop for WaitEdge {
    fn drop(&mut self) {
        stop_waiting(&mut graph(), self.from, self.to);
    }
}

fn stop_waiting(graph: &mut BTreeMap<FrameId, Node>, from: FrameId, to: FrameId) {
    let Some(node) = graph.get_mut(&from) else {
        return;
    };
    if let Some(at) = node.waits_for.iter().position(|id| *id == to) {
        node.waits_for.swap_remove(at);
    }
}

/// A path along "waits for" from `start` to `goal`, both included (depth first; frames are few).
fn path_between(graph: &BTreeMap<FrameId, Node>, start: FrameId, goal: FrameId) -> Option<Vec<FrameId>> {
    let mut seen = Vec::new();
    let mut path = vec![start];
    // Each level of the path remembers which of its node's waits to try next.
    let mut next = vec![0];
    loop {
        let at = *path.last()?;
        if at == goal {
            return Some(path);
        }
        let depth = next.len() - 1;
        let step = graph.get(&at).and_then(|node| node.waits_for.get(next[depth]).copied());
        next[depth] += 1;
        match step {
            Some(id) if seen.contains(&id) => {}
            Some(id) => {
                seen.push(id);
                path.push(id);
                next.push(0);
            }
            None => {
                path.pop();
                next.pop();
                if path.is_empty() {
                    return None;
                }
            }
        }
    }
}
