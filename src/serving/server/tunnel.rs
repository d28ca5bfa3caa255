//! `CONNECT`: a connection for the client to whom it names, then bytes both ways that the proxy does not look into.

use super::connection::Phase;
use super::passing::Outward;
use super::{WebServer, split_address};
use crate::serving::http::{CacheControl, Msg, Response};
use crate::serving::site::{Action, Target};
use crate::serving::wire::Ctx;
use crate::sim::ConnId;
use std::net::SocketAddrV4;
use std::rc::Rc;

impl WebServer {
    /// `CONNECT host:port`: a connection for the client, then bytes both ways.
    pub(super) fn open_tunnel(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let Some(request) = self.request_of(id).cloned() else {
            return;
        };
        let forward = self.site.location("/").map(|location| &location.action);
        if !matches!(forward, Some(Action::Pass(pass)) if pass.to == Target::Requested) {
            return self.refuse(id, 405, ctx);
        }
        let (name, port) = split_address(&request.host);
        let Some(ip) = ctx.look_up(name) else {
            return self.not_resolved(id, &request, ctx);
        };
        self.set_phase(id, Phase::Tunnel);
        self.connect_tunnel(id, SocketAddrV4::new(ip, port), ctx);
    }

    fn connect_tunnel(&mut self, id: ConnId, to: SocketAddrV4, ctx: &mut Ctx<'_>) {
        let up = ctx.dial(*to.ip(), to.port());
        self.outward.insert(up, Outward { client: Some(id), to });
    }

    pub(super) fn tunnel_stands(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let Some(request) = self.request_of(id).map(|request| request.id) else {
            return;
        };
        let head = Response {
            request,
            status: 200,
            length: 0,
            first: 0,
            keep_alive: true,
            cache: CacheControl::NotStored,
            by: "Connection established".into(),
        };
        ctx.send(id, Msg::Response(Rc::new(head)));
        self.log_access(id, 200, ctx);
    }

    pub(super) fn tunnel_failed(&mut self, id: ConnId, status: u16, ctx: &mut Ctx<'_>) {
        self.set_phase(id, Phase::Working);
        self.refuse(id, status, ctx);
    }

    /// Where a client's tunnel leads.
    fn tunnel_of(&self, id: ConnId) -> Option<ConnId> {
        let is_tunnel = self.phase(id) == Some(Phase::Tunnel);
        let mut ours = self
            .outward
            .iter()
            .filter(|(_, out)| is_tunnel && out.client == Some(id));
        ours.next().map(|(up, _)| *up)
    }

    pub(super) fn tunnel_out(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        if let Some(up) = self.tunnel_of(id) {
            ctx.send(up, Msg::Tunnel { bytes });
        }
    }

    pub(super) fn close_tunnel(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if let Some(up) = self.tunnel_of(id) {
            self.outward.remove(&up);
            ctx.close(up);
        }
    }
}
