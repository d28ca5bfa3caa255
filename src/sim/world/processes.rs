//! Who runs, who is frozen and who is down; the ports they listen on; what waits for a frozen one.

use super::Turn;
use super::core::{Core, Due};
use crate::sim::clock::Time;
use crate::sim::conn::{ConnId, Side};
use crate::sim::network::Socket;
use crate::sim::process::{Halt, HostId, Input, ProcId, Wire};
use crate::sim::slab::Key;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How a process is, as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Running,
    /// SIGSTOP: the kernel of its host goes on for it.
    Frozen,
    /// Not running since it was halted that way; `None`: never started.
    Down(Option<Halt>),
}

/// A process, as the kernel sees it.
#[derive(Clone, Debug)]
pub(super) struct ProcState<W: Wire> {
    pub name: Rc<str>,
    pub host: HostId,
    pub status: Status,
    pub since: Time,
    /// How often it was thawed.
    thaws: u32,
    /// What came while it was frozen and is not handled yet.
    backlog: VecDeque<Late<W>>,
}

/// Something that came while its process was frozen.
#[derive(Clone, Debug)]
enum Late<W: Wire> {
    Input {
        input: Input<W>,
        from: Option<ProcId>,
        cause: u64,
    },
    /// A timer that ran out; until it is handled it can still be cancelled.
    Timer(Key),
}

impl<W: Wire> ProcState<W> {
    pub fn new(name: &str, host: HostId, now: Time) -> Self {
        ProcState {
            name: name.into(),
            host,
            status: Status::Down(None),
            since: now,
            thaws: 0,
            backlog: VecDeque::new(),
        }
    }

    /// What comes now has to wait: the process is frozen, or has not yet handled what came while it was.
    pub fn must_wait(&self) -> bool {
        self.status == Status::Frozen || !self.backlog.is_empty()
    }

    /// The backlog of that thaw is still to be worked off.
    pub fn has_backlog(&self, thaw: u32) -> bool {
        self.status == Status::Running && self.thaws == thaw && !self.backlog.is_empty()
    }

    pub fn is_down(&self) -> bool {
        matches!(self.status, Status::Down(_))
    }
}

impl<W: Wire> Core<W> {
    /// The port is that process's now, unless another one has it.
    pub(in crate::sim) fn listen(&mut self, me: ProcId, port: u16, local: bool) {
        let (host, socket) = (self.host_of(me), Socket::new(me, local));
        self.network.host_mut(host).ports.entry(port).or_insert(socket);
    }

    pub(in crate::sim) fn accept_queue_full(&mut self, me: ProcId, port: u16, full: bool) {
        let host = self.host_of(me);
        if let Some(socket) = self.network.host_mut(host).ports.get_mut(&port) {
            socket.full = full;
        }
    }

    /// The address of the host at the other end, as this one's host sees it.
    pub(in crate::sim) fn peer_address(&self, me: ProcId, conn: ConnId) -> Ipv4Addr {
        let other = self.conns.get(conn.key).map(|state| state.end(conn.side.other()).host);
        other.map_or(Ipv4Addr::UNSPECIFIED, |host| {
            self.network.address_for(self.host_of(me), host)
        })
    }

    pub(in crate::sim) fn unlisten(&mut self, me: ProcId, port: u16) {
        let host = self.host_of(me);
        let ports = &mut self.network.host_mut(host).ports;
        if ports.get(&port).is_some_and(|socket| socket.proc == me) {
            ports.remove(&port);
        }
    }

    fn set_status(&mut self, id: ProcId, status: Status) {
        let now = self.now;
        let proc = self.proc_mut(id);
        proc.status = status;
        proc.since = now;
    }

    /// Marks a process that is down as running. Its host gets power. False if it is not down.
    pub(super) fn revive(&mut self, id: ProcId) -> bool {
        if !self.proc(id).is_down() {
            return false;
        }
        let host = self.host_of(id);
        let place = self.network.host_mut(host);
        place.up = true;
        place.idle = false;
        self.set_status(id, Status::Running);
        true
    }

    /// A process is gone: its ports, timers and connections with it. False if it was down before.
    pub(super) fn end_process(&mut self, id: ProcId, how: Halt) -> bool {
        if self.proc(id).is_down() {
            return false;
        }
        let host = self.host_of(id);
        self.network.host_mut(host).ports.retain(|_, socket| socket.proc != id);
        self.set_status(id, Status::Down(Some(how)));
        if self.network.is_container(host) {
            let runs = self.procs.iter().any(|proc| proc.host == host && !proc.is_down());
            self.network.host_mut(host).idle = !runs;
        }
        self.proc_mut(id).backlog.clear();
        self.drop_timers(id);
        for conn in self.conns_of(id) {
            if how == Halt::PowerLoss {
                self.vanish(conn);
            } else {
                self.shut(conn);
            }
        }
        true
    }

    fn conns_of(&self, id: ProcId) -> Vec<ConnId> {
        let ends = |key| Side::BOTH.map(|side| ConnId { key, side });
        self.conns
            .iter()
            .flat_map(|(key, conn)| ends(key).map(|id| (id, conn.end(id.side))))
            .filter(|(_, end)| end.proc == Some(id) && end.open)
            .map(|(conn, _)| conn)
            .collect()
    }

    pub(super) fn freeze(&mut self, id: ProcId) {
        if self.runs(id) {
            self.set_status(id, Status::Frozen);
        }
    }

    pub(super) fn thaw(&mut self, id: ProcId) {
        if self.proc(id).status != Status::Frozen {
            return;
        }
        self.set_status(id, Status::Running);
        let proc = self.proc_mut(id);
        proc.thaws = proc.thaws.wrapping_add(1);
        self.schedule_backlog(id);
    }

    fn schedule_backlog(&mut self, id: ProcId) {
        let proc = self.proc(id);
        if !proc.backlog.is_empty() {
            let thaw = proc.thaws;
            self.queue.push(self.now, Due::Backlog(id, thaw));
        }
    }

    /// Keeps an input for a process that [must wait](ProcState::must_wait).
    pub(super) fn park(&mut self, to: ProcId, input: Input<W>, from: Option<ProcId>, cause: u64) {
        self.proc_mut(to).backlog.push_back(Late::Input { input, from, cause });
    }

    pub(super) fn park_timer(&mut self, to: ProcId, timer: Key) {
        self.proc_mut(to).backlog.push_back(Late::Timer(timer));
    }

    /// A thawed process takes what came first; the rest follows before anything new.
    pub(super) fn next_of_backlog(&mut self, id: ProcId, thaw: u32) -> Turn<W> {
        if !self.proc(id).has_backlog(thaw) {
            return Turn::Nothing;
        }
        let late = self.proc_mut(id).backlog.pop_front();
        self.schedule_backlog(id);
        match late {
            Some(Late::Input { input, from, cause }) => Turn::Hand {
                to: id,
                from,
                input,
                cause,
            },
            Some(Late::Timer(timer)) => self.take_timer(timer),
            None => Turn::Nothing,
        }
    }
}
